"""The gallery in a real JupyterLab: every widget that the course has, as a reader meets it there; and where no kernel
answers: in a notebook that nbconvert has written, and in the sandboxed frames of some editors.
"""

import html
import shutil

import pytest

import optcore as oc
from book.course import GALLERY, ROOT, widgets_on
from book.widgets import SCRIPT
from tests.lab import converted
from tests.lab.faults import STILL, faults
from tests.lab.notebook import hands, read
from tests.lab.server import jupyter


def test_every_widget_lives_in_jupyterlab(browser, tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shutil.copy(GALLERY, folder)
    kinds = widgets_on("gallery")
    assert len(set(kinds)) > 15
    with jupyter("lab", folder, tmp_path / "home") as lab, read(browser, lab, GALLERY.name) as (notebook, complaints):
        found = faults(notebook, kinds)
    assert not found + complaints, "\n".join(found + complaints)


CONVERTED = "chapters/3-gradient-descent/2-stochastic-gradient-descent"


def test_a_notebook_lives_on_after_nbconvert(browser, tmp_path):
    kinds = widgets_on(CONVERTED)
    assert len(kinds) == 4
    assert converted.faults(browser, ROOT / f"{CONVERTED}.ipynb", kinds, tmp_path) == []


# ---- a stand-in for editors that show each output in a frame of no origin ----------------------------------------


def framed(page, sandbox: str, *widgets):
    """The frame in which each widget is shown, its stored HTML alone."""
    frame = '<iframe sandbox="{}" srcdoc="{}" style="width: 100%; height: 900px"></iframe>'
    page.set_content("".join(frame.format(sandbox, html.escape(widget.html())) for widget in widgets))
    frames = page.frames[1:]
    assert len(frames) == len(widgets)
    return frames


WIDGETS = [oc.regression, oc.constrained, lambda: oc.explore("bowl", ["momentum"], steps=30)]


def test_widgets_live_in_sandboxed_frames(browser):
    with browser.new_page() as page:
        complaints = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        for frame in framed(page, "allow-scripts", *(make() for make in WIDGETS)):
            frame.frame_element().scroll_into_view_if_needed()  # out of sight nothing is drawn
            frame.wait_for_function("document.querySelector('.oc-widget output')?.textContent")
            assert frame.evaluate("origin") == "null"
            frame.evaluate(SCRIPT)
            assert frame.evaluate("sitecheck.blank(document.querySelector('.oc-widget'))") == []
            found = frame.evaluate("sitecheck.exercise(document.querySelector('.oc-widget'))")
            assert found["controls"] > 3 and not found["dead"], found
        assert not complaints


def test_frames_without_scripts_show_still_pictures(browser):
    with browser.new_page() as page:
        for frame in framed(page, "", *(make() for make in WIDGETS)):
            frame.wait_for_load_state()
            assert frame.evaluate(f"({STILL})([document.querySelector('.oc-widget')])")


# ---- the checks can fail ----------------------------------------------------------------------------------------

TOY = """<!DOCTYPE html><div class="oc-widget" data-oc="toy"><div style="position: relative">
<input type="range" aria-label="level"><b style="position: absolute; inset: 0" {cover}></b></div>
<div><canvas role="img" aria-label="bar" width="100" height="9"></canvas></div><output role="status">50</output></div>
<script>
const [input, canvas, output] = ["input", "canvas", "output"].map(name => document.querySelector(name));
input.oninput = () => {{
  output.textContent = input.value;
  canvas.width = 100;
  canvas.getContext("2d").fillRect(0, 0, {width}, 9);
}};
input.onkeydown = event => {{ {key} }};
</script>"""
SOUND = {"cover": "hidden", "width": "input.value / 2", "key": ""}
ARROW = "if (event.key.startsWith('Arrow')) event.preventDefault();"  # a notebook takes it; Home and End are left


@pytest.mark.parametrize(
    "fault, dead",
    [({}, ""), ({"cover": ""}, "mouse"), ({"key": ARROW}, "keys"), ({"width": "0"}, "script mouse keys")],
)
def test_canary_a_control_dead_to_a_hand_is_noticed(fault, dead, browser):
    with browser.new_page() as page:
        hands(page)
        page.goto("about:blank")
        page.set_content(TOY.format(**SOUND | fault))
        assert page.evaluate("sitecheck.blank(document.querySelector('.oc-widget'))") == ["bar"]
        found = {
            how: page.evaluate("how => sitecheck.exercise(document.querySelector('.oc-widget'), how)", how)
            for how in ("script", "mouse", "keys")
        }
        assert {one["controls"] for one in found.values()} == {1}
        assert " ".join(how for how, one in found.items() if one["dead"]) == dead
        drawn = page.evaluate("sitecheck.blank(document.querySelector('.oc-widget'))")
        assert drawn == (["bar"] if fault.get("width") else [])
