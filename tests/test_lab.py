"""The gallery in a real JupyterLab: every widget that the course has, as a reader meets it there."""

import shutil

import pytest

from book.course import GALLERY, widgets_on
from tests.lab.faults import faults
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
