"""One headless Chromium without a network, and the record of what a page did in it."""

import gzip
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import axe_playwright_python
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SEALED = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # names do not resolve: no way out
WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
MENDED_BEST_PRACTICE = ["region", "label-content-name-mismatch"]  # not WCAG A/AA; the theme leaves them, we do not
UNASKED = """try { localStorage["oc:setting:guesses"] = '{"at": 1, "open": true}'; } catch {}"""  # a reader's choice


def find_browser() -> str | None:
    """Path of the system's Chromium or Chrome."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def require_browser() -> None:
    """Leave a program that cannot work without a browser, with a sentence that says what to do."""
    if find_browser() is None:
        raise SystemExit("No Chromium or Chrome on the PATH; install one, for example: apt-get install chromium.")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A sealed headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=[*FLAGS, SEALED])
        yield browser
        browser.close()


@lru_cache(maxsize=512)
def _gzipped(path: Path, _changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


class _StaticHost(SimpleHTTPRequestHandler):
    """Answers as static hosts do: text gzipped, files cached for ten minutes, 404.html for what is not there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        found = path.is_file()
        path = path if found else Path(self.directory) / "404.html"
        kind = self.guess_type(str(path))
        packed = kind.startswith(("text/", "image/svg", "application/j")) and path.is_file()
        data = _gzipped(path, path.stat().st_mtime_ns) if packed else path.read_bytes() if path.is_file() else b""
        headers = {"Content-Type": kind, "Content-Length": len(data), "Cache-Control": "max-age=600"}
        self.send_response(200 if found else 404)
        for name, value in (headers | {"Content-Encoding": "gzip"} if packed else headers).items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        """A browser that hangs up is no error."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder at http://127.0.0.1:PORT."""
    server = _Server(("127.0.0.1", 0), partial(_StaticHost, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@dataclass
class Record:
    """What a page asked for and complained about while it was open."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)  # the requests of a reader who has not scrolled yet

    def external(self, base: str) -> list[str]:
        """Requests that left the site."""
        return [url for url in self.requests if not url.startswith((base, "data:", "blob:", "file:"))]


@contextmanager
def opened(
    browser: Browser, url: str, *, width: int = 1280, dark: bool = False, unasked: bool = True
) -> Iterator[tuple[Page, Record]]:
    """A page in a fresh context, loaded and settled, with its record; unasked: no output waits for a guess."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
    )
    if unasked:
        context.add_init_script(UNASKED)
    page, record = context.new_page(), Record()
    page.set_default_timeout(15_000)
    page.on("request", lambda request: record.requests.append(request.url))
    page.on("response", lambda r: record.errors.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.on("console", lambda m: record.errors.append(f"{m.type}: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda error: record.errors.append(f"uncaught: {error}"))
    page.goto(url, wait_until="load")
    page.evaluate("document.fonts.ready.then(() => true)")
    record.arrived = [*record.requests]
    page.keyboard.press("Shift")  # wakes the widgets further down the page
    page.wait_for_timeout(100)
    yield page, record
    context.close()


def comes_to_hold(page: Page, condition: str, moment: int = 500) -> bool:
    """Whether a condition of the page becomes true, however slow the machine, and is true a moment (ms) later."""
    try:
        page.wait_for_function(condition)
    except TimeoutError:
        return False
    page.wait_for_timeout(moment)
    return page.evaluate(condition)


def search_results(page: Page) -> list[str]:
    """Addresses that the search page lists, each once."""
    page.wait_for_function("/found/.test(document.querySelector('#search-results .search-summary')?.textContent)")
    return sorted(set(page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.pathname)")))


def sent(urls: Iterable[str], base: str, folder: Path) -> int:
    """Bytes of the files of the site among the addresses, each once, as a server sends them gzipped."""
    names = {unquote(urlsplit(url).path).lstrip("/") for url in urls if url.startswith(base)}
    files = [folder / name for name in names]
    return sum(min(len(data), len(gzip.compress(data))) for data in (file.read_bytes() for file in files))


def weight(page: Page, record: Record, base: str, folder: Path) -> int:
    """Bytes of all that a page loads from the site, pictures further down included."""
    pictures = page.eval_on_selector_all("img", "images => images.map(image => image.src)")
    return sent([*record.requests, *pictures], base, folder)


@cache
def _axe_source() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def show_in(page: Page, scheme: str) -> None:
    """Let a page of the site follow a reader's setting, "light" or "dark", and wait until its colours stand still.

    Those that are seen: in a fold that is closed a transition may be left standing for ever.
    """
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.wait_for_function(
        """scheme => document.documentElement.dataset.theme === scheme && !document.getAnimations().some(
            one => one instanceof CSSTransition && one.effect.target.checkVisibility())""",
        arg=scheme,
    )


def axe(page: Page, contrast_only: bool = False) -> list[str]:
    """axe-core's findings against WCAG 2.2 A and AA: a line for each rule, with the first of its nodes."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_axe_source())
    return page.evaluate(
        """async ([tags, extra, contrastOnly]) => {
            const options = { resultTypes: ["violations"], preload: false };
            // Pages hold thousands of coloured words of code: of each kind, only the first one shown is measured.
            const kinds = new Map();
            for (const word of document.querySelectorAll(".highlight pre span"))
                if (!kinds.has(word.className) && word.checkVisibility()) kinds.set(word.className, word);
            const exclude = [...document.querySelectorAll(".highlight pre:has(span[class])")];
            const context = { include: [document, ...kinds.values()], exclude };
            const { violations } = await axe.run(context, { ...options, runOnly: ["color-contrast"] });
            if (!contrastOnly) {
                const rules = Object.fromEntries(extra.map(id => [id, { enabled: true }]));
                rules["color-contrast"] = { enabled: false };
                violations.push(...(await axe.run({ ...options, runOnly: tags, rules })).violations);
            }
            // WCAG 2.5.8 exempts targets whose place is the information: data points that lie close together.
            const points = violations.find(({ id }) => id === "target-size");
            const isPoint = node => document.querySelector(node.target[0]).matches(".oc-handle");
            if (points) points.nodes = points.nodes.filter(node => !isPoint(node));
            return violations.filter(({ nodes }) => nodes.length).map(({ id, nodes: [first, ...rest] }) =>
                `${id}: ${first.target.join(" ")} and ${rest.length} more: ${first.any[0]?.message ?? first.html}`);
        }""",
        [WCAG_AA, MENDED_BEST_PRACTICE, contrast_only],
    )
