"""A notebook in the browser: opened in Jupyter as a reader opens it, run, and moved with a real mouse and real keys."""

import ast
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ElementHandle, Page, TimeoutError

from book.widgets import SCRIPT
from tests.lab.server import Jupyter

PATIENCE = 60_000  # ms; ends a hang
LOCAL = ("http://127.0.0.1:", "blob:", "data:")
# thrown in files of Jupyter's or of its extensions: anywidget complains where a module takes two seconds to arrive
THEIRS = re.compile(r"^[^\n]*\n\s*at [^\n]*/(static/(lab|notebook)|extensions/[^\n]*/static)/")
PANEL = "jupyterapp.shell.currentWidget"
WIDGETS = ".jp-NotebookPanel .oc-widget"
# What Python holds of the widgets that cells returned, in the order of the cells.
SHOWN = """from optcore.widgets.base import Widget as _Widget, plain as _plain
import json as _json
_shown = [Out[number] for number in sorted(Out) if isinstance(Out[number], _Widget)]"""
ASK = f"""async ([code, ask]) => {{
  const kernel = {PANEL}.sessionContext.session.kernel;
  const {{ content }} = await kernel.requestExecute({{ code, silent: true, user_expressions: {{ ask }} }}).done;
  const told = content.user_expressions?.ask;
  if (told?.status !== "ok") throw new Error(JSON.stringify(content));
  return told.data["text/plain"];
}}"""


def hands(page: Page) -> None:
    """Bind what widgets.js calls `hand` to this page's mouse and keyboard."""

    def drag(x: float, y: float, dx: float, dy: float) -> None:
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + dx, y + dy)
        page.mouse.up()

    ways = {"click": page.mouse.click, "press": page.keyboard.press, "type": page.keyboard.type, "drag": drag}
    page.expose_binding("hand", lambda _, way, *how: ways[way](*how))
    page.add_init_script(SCRIPT)


class Notebook:
    """One notebook in one page of the browser."""

    def __init__(self, page: Page, jupyter: Jupyter, name: str):
        self.page, self.jupyter, self.name = page, jupyter, name

    def open(self) -> None:
        """Go to its address and wait until its kernel answers; a second time is to close it and to open it again."""
        self.page.goto(self.jupyter.address(self.name))
        self.page.wait_for_function("globalThis.jupyterapp?.shell.currentWidget?.context?.isReady")
        self.page.wait_for_function(f"{PANEL}.sessionContext.session?.kernel?.status === 'idle'")

    def command(self, name: str, **how) -> None:
        """What a menu or a key of Jupyter calls, done to its end."""
        self.page.evaluate("([name, how]) => jupyterapp.commands.execute(name, how).then(() => null)", [name, how])

    def run_all(self) -> None:
        """Run every cell; none may fail."""
        self.command("notebook:run-all-cells")
        outputs = self.page.evaluate(f"() => {PANEL}.content.model.toJSON().cells.flatMap(cell => cell.outputs ?? [])")
        assert outputs and not [output for output in outputs if output["output_type"] == "error"], outputs

    def shut_down(self) -> None:
        """Save, and end the kernel."""
        self.command("docmanager:save")
        self.page.evaluate(f"() => {PANEL}.sessionContext.shutdown()")

    def theme(self, dark: bool) -> None:
        """Jupyter's own dark theme, or its light one."""
        self.command("apputils:change-theme", theme=f"JupyterLab {'Dark' if dark else 'Light'}")
        self.page.wait_for_function(f"document.body.dataset.jpThemeLight === '{str(not dark).lower()}'")

    def place(self) -> list:
        """How many cells there are, which one is active, and whether it is being edited."""
        return self.page.evaluate(
            f"() => (({{widgets, activeCellIndex, mode}}) => [widgets.length, activeCellIndex, mode])({PANEL}.content)"
        )

    def comes(self, condition: str, *arguments) -> bool:
        """Whether a condition of the page becomes true, however slow the machine."""
        try:
            self.page.wait_for_function(condition, arg=list(arguments))
        except TimeoutError:
            return False
        return True

    def widgets(self, count: int) -> list[ElementHandle]:
        """The widgets on the page, waited for until there are as many."""
        self.comes(f"() => document.querySelectorAll('{WIDGETS}').length === {count}")
        return self.page.query_selector_all(WIDGETS)

    def python(self, expression: str):
        """The value in the kernel of an expression of `_shown`, through JSON."""
        told = self.page.evaluate(ASK, [SHOWN, f"_json.dumps(_plain({expression}))"])
        return json.loads(ast.literal_eval(told))


@contextmanager
def read(browser: Browser, jupyter: Jupyter, name: str) -> Iterator[tuple[Notebook, list[str]]]:
    """The notebook in a fresh context, and what the page complains about: errors, and addresses off this machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: None if THEIRS.search(error.stack) else complaints.append(f"uncaught: {error}"))
    page.on("request", lambda r: None if r.url.startswith(LOCAL) else complaints.append(f"asks for {r.url}"))
    hands(page)
    notebook = Notebook(page, jupyter, name)
    notebook.open()
    yield notebook, complaints
    context.close()
