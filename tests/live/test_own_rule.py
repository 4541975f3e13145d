"""Rules and landscapes that readers write join an explorer of the site, in Chromium without a network."""

import gzip
import json
import re

import numpy as np
import pytest

import optcore as oc
from book.browser import axe, show_in

from ..book.site.test_store import BLOCKED
from .test_exercises import reader

PAGE = "chapters/3-gradient-descent/3-momentum-and-nesterov"
STEEP = oc.bowl.at(kappa=100.0)  # what the explorer there shows, with 150 steps at a rate of 0.01

LIVE = {  # what readers write, live
    "heavy_ball": "def heavy_ball(g, m=0.0, *, beta=0.9):\n    m = beta*m + g\n    return m, m",
    "ahead": "def ahead(g, m=0.0, *, beta=0.7):\n    m = beta*m + g\n    return g + beta*m, m",
    "signs": "def signs(g):\n    return np.sign(g)",
    "my_radam": """def my_radam(g, m=0.0, v=0.0, *, t, beta1=0.9, beta2=0.999):
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    top = 2/(1 - beta2) - 1
    rho = top - 2*t*beta2**t/(1 - beta2**t)
    r = np.sqrt(np.maximum((rho - 4)*(rho - 2)*top/((top - 4)*(top - 2)*np.maximum(rho, 1)), 0))
    m_hat = m/(1 - beta1**t)
    return np.where(rho > 5, r*m_hat/(np.sqrt(v/(1 - beta2**t)) + 1e-8), m_hat), m, v""",
    "like_lion": """def like_lion(g, m=0.0, *, b1=0.9, b2=0.99):
    d = np.sign(b1*m + (1 - b1)*g)
    return d, b2*m + (1 - b2)*g""",
    "quick_adam": """def quick_adam(g, m=0.0, v=0.0, *, t, b1=0.5, b2=0.6, eps=1e-3):
    m = b1*m + (1 - b1)*g
    v = b2*v + (1 - b2)*g**2
    return m/(1 - b1**t)/(np.sqrt(v/(1 - b2**t)) + eps), m, v""",
    "uphill": "def uphill(g, m=0.0, *, beta=0.9):\n    m = beta*m - g\n    return m, m",  # a sign is wrong
}
TOLD = {  # what cannot run -> what the one sentence says
    "def r(g):\n    if g > 0:\n        return g\n    return -g": "Line 2 (if g > 0:): an if, and, or, not or while on "
    "a value cannot be traced; write np.where(condition, a, b), np.minimum or np.maximum.",
    "def r(g, m=0.0):\n    m = 0.9*m + g\n    return m": "r must return d, m: the direction and each new state.",
    "def r(g)\n    return g": "Python cannot read line 1: expected ':'.",
}  # fmt: skip
PYTHON = re.compile(r"pyodide|optcore\.zip|numpy\.zip|worker\.js")


class Explorer:
    """The first explorer of a page, and what the reader does with it."""

    def __init__(self, page):
        self.page, self.widget = page, page.locator("[data-oc=explore]").first
        self.own, self.told = page.locator(".oc-own").first, page.locator(".oc-own-said").first
        self.code = page.locator(".oc-own .cm-content:visible").first
        page.keyboard.press("Shift")  # wakes the widgets
        self.widget.locator("output").wait_for()

    def press(self, name):
        self.own.get_by_role("button", name=name, exact=True).click()

    def open(self):
        self.page.get_by_role("button", name="Add your own rule", exact=True).first.click()
        self.code.wait_for()

    def write(self, code):
        self.code.press("Control+a")
        self.page.keyboard.insert_text(code)

    def run(self, code, name="Add to the race"):
        """Write it, let it race, and give what is said."""
        self.write(code)
        self.press(name)
        self.own.get_by_role("button", name=name, exact=True).wait_for()
        return self.told.inner_text()

    def status(self, words=""):
        self.widget.locator("output", has_text=words).wait_for()
        return self.widget.locator("output").inner_text().replace("−", "-")


def function(code):
    space = {"np": np}
    exec(code, space)
    return list(space.values())[-1]


def test_ten_rules_that_readers_write_race_or_are_told_what_to_change(site, browser):
    assert len(LIVE) + len(TOLD) == 10
    with reader(browser, site) as opened:
        ours = Explorer(opened(PAGE))
        ours.open()
        for name, code in LIVE.items():
            assert ours.run(code) == f"{name} is in the race below."
            path = oc.descend(function(code), STEEP, STEEP.start, 150, lr=0.01)
            said = ours.status(f"{name}: ")
            assert [one for one in LIVE if f"{one}: " in said] == [name], "it takes the place of the last one"
            if path.diverged_at > 0:
                assert f"{name}: diverged at step {path.diverged_at}" in said
            else:
                [loss] = re.findall(rf"{name}: [^;]*?loss ([\d.e+-]+) at", said)
                assert float(loss) == pytest.approx(path.loss[-1], rel=1e-3, abs=1e-12)
        assert "uphill: diverged" in said
        for code, sentence in TOLD.items():
            assert ours.run(code) == sentence
            assert "uphill: " in ours.status(), "the race goes on with what it had"
        assert ours.own.locator(".oc-at-fault").inner_text() == "def r(g)"
        ours.press("Take it out")
        ours.told.get_by_text("It is taken out.").wait_for()
        assert "uphill" not in ours.status("nesterov: ")


def test_a_rule_has_sliders_of_its_own_and_a_link_shares_all_of_it(site, browser):
    with reader(browser, site) as opened:
        page = opened(PAGE)
        ours = Explorer(page)
        ours.open()
        ours.run(LIVE["heavy_ball"])
        assert "heavy_ball: first below" in ours.status("heavy_ball: ")
        slider = ours.widget.get_by_label("Momentum β, heavy_ball")
        slider.focus()
        page.keyboard.press("Home")
        gd = oc.descend(oc.gd, STEEP, STEEP.start, 150, lr=0.01)
        ours.status(f"heavy_ball: loss {gd.loss[-1]:.4g} at")
        ours.own.get_by_label("a landscape").check()
        hills = "def hills(w, b):\n    return (w - 1)**2 + 3*np.sin(b)**2"
        assert ours.run(hills, "Draw it").startswith("It is drawn below")
        ours.widget.get_by_role("button", name="Copy link").click()
        whole = re.compile("heavy_ball: .*Lowest on the map")  # the map is there later than the paths
        shown, link = ours.status(whole), page.evaluate("location.href")
        assert ours.run("def f(x, y):\n    return np.sinc(x)", "Draw it").startswith("Line 2 (return np.sinc(x))")
    with reader(browser, site) as opened:
        page, requests = opened(PAGE), []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(link)
        page.reload()
        ours = Explorer(page)
        ours.own.get_by_role("radio", checked=True).wait_for()
        assert ours.code.inner_text() == LIVE["heavy_ball"], "the text is in the editor"
        ours.own.get_by_label("a landscape").check()
        assert ours.code.inner_text() == hills
        assert "heavy_ball" not in ours.status() and not [url for url in requests if PYTHON.search(url)]
        ours.press("Draw it")
        ours.own.get_by_role("button", name="Take it out").wait_for()
        ours.own.get_by_label("a rule").check()
        ours.press("Add to the race")
        assert ours.status(whole) == shown
        assert [url for url in requests if PYTHON.search(url)]


def test_the_text_outlasts_a_reload_and_a_link_takes_nothing_away(site, browser):
    with reader(browser, site) as opened:
        page = opened(PAGE)
        ours = Explorer(page)
        ours.open()
        ours.write("def mine(g):\n    return g")
        page.goto(f"{site}/chapters/3-gradient-descent/1-gradient-descent.html")
        ours = Explorer(page)
        ours.open()
        assert ours.code.inner_text() == "def mine(g):\n    return g", "in all explorers"
        name = ours.widget.get_attribute("id")
        page.evaluate("hash => { location.hash = hash; }", f"#{name}&my-rule=def%20theirs(g)%3A%0A%20%20return%20-g")
        ours.own.get_by_text("This came with the link").wait_for()
        assert ours.code.inner_text() == "def theirs(g):\n  return -g"
        ours.press("Bring back mine")
        assert ours.code.inner_text() == "def mine(g):\n    return g"
        ours.press("Start again")
        assert "my_rule" in ours.code.inner_text()
        ours.press("Bring back mine")
        assert ours.code.inner_text() == "def mine(g):\n    return g"
        ours.write("while True:\n    pass")
        ours.press("Add to the race")
        for _ in ("while Python starts", "while it runs"):
            ours.press("Stop")
            ours.told.get_by_text("Stopped. What you wrote is kept.").wait_for()
            ours.press("Add to the race")
        ours.press("Stop")


def test_it_works_where_storage_is_blocked(site, browser):
    with reader(browser, site, BLOCKED) as opened:
        ours = Explorer(opened("intro"))
        ours.open()
        assert ours.run(LIVE["signs"]) == "signs is in the race below."
        assert "signs: " in ours.status("signs: ")
        rate = ours.widget.get_by_label("Learning rate η, signs")
        rate.wait_for()  # the sliders of the front page lie behind "More"
        assert ours.widget.locator("details", has_text="More").count() == 1


def test_keys_alone_do_it_and_axe_finds_nothing(site, browser):
    with reader(browser, site) as opened:
        page = opened(PAGE)
        ours = Explorer(page)
        button = page.get_by_role("button", name="Add your own rule").first
        button.focus()
        page.keyboard.press("Enter")
        page.locator(".oc-own .cm-content:focus").wait_for()
        assert page.locator("[aria-expanded=true][aria-controls]", has_text="Close your own rule").count() == 1
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(next(iter(TOLD)))
        page.keyboard.press("Shift+Enter")
        ours.told.get_by_text("np.where").wait_for()
        page.locator(".oc-own .oc-at-fault").wait_for()
        for scheme in ("light", "dark"):
            show_in(page, scheme)
            assert axe(page) == []
        page.emulate_media(color_scheme="light", forced_colors="active")
        assert axe(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("ArrowRight")
        assert ours.own.get_by_label("a landscape").is_checked()
        assert ours.own.get_by_role("textbox", name="Your landscape").is_visible()
        ours.own.get_by_role("button", name="Close").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.textContent") == "Add your own rule" and not ours.own.is_visible()


def test_on_a_phone_the_symbols_are_there_and_nothing_is_wider_than_the_page(site, browser):
    phone = {"viewport": {"width": 375, "height": 700}, "has_touch": True, "is_mobile": True}
    with reader(browser, site, **phone) as opened:
        page = opened(PAGE)
        ours = Explorer(page)
        page.get_by_role("button", name="Add your own rule").first.tap()
        ours.code.wait_for()
        ours.write("def r(g):\nreturn 2")
        ours.own.get_by_role("button", name="insert **", exact=True).tap()
        page.keyboard.insert_text("0.5*g")
        assert ours.code.inner_text().endswith("return 2**0.5*g")
        for name in ("Add to the race", "Start again", "Close"):
            box = ours.own.get_by_role("button", name=name, exact=True).bounding_box()
            assert box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= 375
        assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_an_untouched_page_pays_little(site, built_book):
    folder = built_book[0] / "_static/live"
    assert len(gzip.compress((folder / "own.js").read_bytes())) < 1_200
    with_explorers = {path.stem for path in built_book[0].rglob("*.html") if "live/own.js" in path.read_text("utf-8")}
    assert len(with_explorers) >= 11 and "2-adam" not in with_explorers


def test_an_explorer_that_a_cell_has_made_gets_the_button_too(site, browser):
    with reader(browser, site) as opened:
        page = opened("chapters/4-adaptive-methods/2-adam")
        page.get_by_role("button", name="Edit cell 2", exact=True).press("Enter")
        page.locator(".cm-content:focus").wait_for()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text("import optcore as oc\noc.explore(oc.beale, oc.adam)")
        page.keyboard.press("Shift+Enter")
        page.get_by_role("button", name="Add your own rule").wait_for()
        ours = Explorer(page)
        ours.open()
        assert ours.run(LIVE["ahead"]) == "ahead is in the race below."
        assert json.loads(page.evaluate("JSON.stringify(Object.keys(ocStore.all('own')))")) == ["rule"]
