"""Python in an empty page: start, run, stop, and one sentence for whatever goes wrong."""

import base64
import io
import json
import re
import shutil

from PIL import Image

import optcore as oc
from book.browser import served
from optcore.grading.catalogue import exercises

from .conftest import bare, printed

UNFINISHED_ADAM = """import numpy as np, optcore as oc
def adam(grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    w = m = v = 0.0
    for g in grads:
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        w = w - lr * m / (np.sqrt(v) + eps)
    return w
"""


def test_a_cell_shows_what_a_notebook_shows(python):
    python("globals().pop('_', None)")  # a name of the reader's own is left alone, also that of an earlier test
    result = python("import optcore as oc\nprint('a'); print('b', end='')\ndisplay(1)\n[2, 3]")
    assert result == {
        "outputs": [{"stream": "a\n"}, {"stream": "b"}] + [{"data": {"text/plain": text}} for text in ("1", "[2, 3]")]
    }
    assert printed(python("%pip install x\nprint(_)")) == "[2, 3]\n"
    assert python("4;") == {"outputs": []}


def test_print_comes_while_the_cell_runs(python):
    got = python.page.evaluate("""async () => {
        const heard = [];
        const run = python.run("print('now')\\nwhile True: pass", { onOutput: (one) => heard.push(one) });
        while (!heard.length) await new Promise((again) => setTimeout(again, 20));
        const { busy } = python;
        python.stop();
        return { heard, busy, after: await run, session: python.session };
    }""")
    assert got["heard"] == got["after"]["outputs"] == [{"stream": "now\n"}]
    assert got["busy"] and got["after"]["stopped"]


def test_stop_ends_an_endless_loop_twice_and_the_next_cell_runs(python):
    for _ in range(2):
        printed(python("1"))
        session = python.page.evaluate("python.session")
        stopped = python.page.evaluate("""async () => {
            return python.run("kept = 1\\nprint('in')\\nwhile True: pass", { onOutput: () => python.stop() });
        }""")
        assert stopped == {"outputs": [{"stream": "in\n"}], "stopped": True}
        assert python("kept")["error"]["kind"] == "NameError"
        assert python.page.evaluate("python.session") == session + 1
    assert printed(python("print(6 * 7)")) == "42\n"


def test_a_cell_that_asks_for_too_much_memory_is_told_so_and_the_next_one_runs(python):
    error = python("import numpy as np\n[np.empty(2 * 10**8) for _ in range(9)]")["error"]
    assert error["line"] == 2 and "Unable to allocate 1.49 GiB" in error["text"]
    assert printed(python("print(6 * 7)")) == "42\n"


def test_errors_are_pythons_last_lines_and_name_the_line_of_the_cell(python):
    python("def f(x):\n    return y", "cell 1")
    error = python("1\n2\nf(3)", "cell 2")["error"]
    assert (error["kind"], error["line"]) == ("NameError", 3)
    assert error["text"].splitlines()[0] == "cell 2, line 3, in <module>"
    assert error["text"].splitlines()[-1] == "NameError: name 'y' is not defined"
    assert "cell 1, line 2, in f\n    return y" in error["text"] and "site-packages" not in error["text"]
    assert python("a = 1\nb = = 2", "cell 3")["error"]["line"] == 2
    error = python("import optcore as oc\noc.descend(oc.gd, oc.rosenbrock, [1, 2], stepz=4)")["error"]
    assert error["line"] == 2 and "stepz" in error["text"] and len(error["text"].splitlines()) <= 4


def test_the_first_check_names_the_bug_as_python_does_here(python):
    space: dict = {}
    exec(UNFINISHED_ADAM, space)
    here = oc.check("adaptive-methods/adam", space["adam"])
    shown = python(UNFINISHED_ADAM + "oc.check('adaptive-methods/adam', adam)")["outputs"][-1]["data"]
    assert shown["text/plain"] == repr(here) and "bias correction" in shown["text/plain"]
    assert shown["text/html"] == here._repr_html_()
    count = len(exercises())
    assert count > 100
    told = python("from optcore.grading.catalogue import exercises\nprint(len(exercises()))")
    assert printed(told) == f"{count}\n"


def test_figures_come_with_the_books_style_and_close(python):
    code = "import optcore as oc\nfrom optcore import plotting\nimport matplotlib.pyplot as plt\n"
    result = python(code + "fig, ax = plt.subplots()\nax.plot([1, 3], label=r'$\\hat m_t$'); ax.legend();")
    assert "error" not in result, result
    assert not [o for o in result["outputs"] if "stream" in o], "Matplotlib says nothing"
    [shown] = result["outputs"]
    picture = Image.open(io.BytesIO(base64.b64decode(shown["data"]["image/png"])))
    assert 600 < picture.width < 680 and 320 < picture.height < 400 and len(picture.convert("RGB").getcolors(99999)) > 9
    assert python("plt.get_fignums()")["outputs"] == [{"data": {"text/plain": "[]"}}]
    assert len(python("plt.plot([1]); plt.show(); plt.plot([2]);")["outputs"]) == 2


def test_widgets_come_without_their_still_picture(python):
    shown = python("import optcore as oc\noc.explore(oc.rosenbrock, oc.adam)")["outputs"][0]["data"]["text/html"]
    assert shown.startswith('<div class="oc-widget" data-oc="explore"') and "<noscript>" not in shown
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', shown)[1])
    here = oc.explore(oc.rosenbrock, oc.adam)
    assert state["spec"]["rules"] == json.loads(json.dumps(here.spec["rules"])) and state["value"]["start"]


def test_what_cannot_be_loaded_is_said_in_one_sentence_and_may_come_later(browser, live_files, tmp_path):
    folder = shutil.copytree(live_files, tmp_path / "live")
    start = "() => live.start().then(() => 'started', (error) => error.message)"
    for name in ("optcore.zip", "pyodide.asm.wasm", "room.py"):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        with served(folder) as address, bare(browser, address) as page:
            said = page.evaluate(start)
            assert said == f"{name}, a part of Python, could not be loaded; look at the connection, then try again."
            (folder / name).write_bytes(content[:-1])
            assert page.evaluate(start) == said, "what is cut short is not Python"
            (folder / name).write_bytes(content)
    with served(folder) as address, bare(browser, address) as page:
        page.evaluate("() => { Worker = undefined; }")
        assert "too old" in page.evaluate(start)


def test_offline_after_the_first_load_python_starts_again(browser, live_files):
    with served(live_files) as address:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(300_000)
        page.goto(address + "/index.html")
        page.evaluate("async () => { window.live = await import('./python.js'); await live.start(); }")
        again = context.new_page()  # another tab, whose own Python comes from what the first has kept
        again.set_default_timeout(300_000)
        again.goto(address + "/index.html")
        again.evaluate("async () => { window.live = await import('./python.js'); }")
    assert again.evaluate("async () => { window.python = await live.start(); return python.session; }") == 1
    got = again.evaluate("() => python.run('import optcore as oc\\nprint(oc.__version__)')")
    assert printed(got) == f"{oc.__version__}\n"
    context.close()
