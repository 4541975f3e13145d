"""What every widget shares: state as JSON, the stored HTML, the stand-in without anywidget."""

import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest

from optcore.symbolic import JS_HELPERS
from optcore.widgets import Setting, Widget
from optcore.widgets.base import HERE, page_source, plain, revived, to_json


class Sample(Widget):
    """The quiz module with another state: enough to test the base."""

    name = "quiz"
    level = Setting("A number.")

    def __init__(self, level=1.0):
        super().__init__(spec={"questions": []}, value={"level": level}, label="Sample", summary="A <b> & a sample.")

    def checked(self, value):
        if not isinstance(value["level"], float):
            raise ValueError("level must be a number.")
        return value


@pytest.mark.parametrize("x", [0.1, math.inf, -math.inf, [1.0, [math.inf]], {"a": None, "b": "text", "c": True}, []])
def test_state_survives_the_way_to_the_page_and_back(x):
    assert revived(json.loads(to_json(x))) == x


def test_nan_and_arrays_become_json():
    assert plain(np.array([[1, 2], [3, 4]])) == [[1, 2], [3, 4]]
    assert math.isnan(revived(json.loads(to_json(np.float64("nan")))))
    assert plain((np.bool_(True), np.int64(3))) == [True, 3]


@pytest.mark.parametrize("text", ["</script>", "<!--", "</SCRIPT >", "a</b"])
def test_no_text_can_close_the_script_element(text):
    written = to_json({"label": text})
    assert "</" not in written and "<!--" not in written
    assert json.loads(written) == {"label": text}


def test_front_end_files_can_stand_inside_a_script_element():
    sources = [*HERE.glob("*.js"), *HERE.glob("*.css")]
    assert len(sources) >= 4
    for file in sources:
        text = page_source(file.name)
        assert "</script" not in text.lower() and "</style" not in text.lower() and "<!--" not in text, file.name


def test_the_page_runs_the_helpers_that_traced_code_calls():
    assert "".join(JS_HELPERS.split()) in "".join(page_source("common.js").split())


def test_stored_html_follows_the_contract():
    widget = Sample()
    html = widget.html()
    (name, id_) = re.search(r'<div class="oc-widget" data-oc="([a-z_]+)" id="(oc-[a-z_]+-[0-9a-f]{8})"', html).groups()
    assert name == "quiz" and id_.startswith("oc-quiz-")
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert state["value"] == {"level": 1.0}
    assert "<noscript><p>A &lt;b&gt; &amp; a sample.</p></noscript>" in html
    assert html.count('<script type="module" data-oc-module="quiz">') == 1
    assert html.count("<style data-oc-css>") == 1
    assert widget.html() == html


def test_ids_differ_between_equal_widgets_and_do_not_depend_on_the_machine():
    assert Sample().html() != Sample().html()
    code = "from tests.widgets.test_base import Sample; print(Sample().html().split('id=')[1][:20])"
    ids = {subprocess.check_output([sys.executable, "-c", code], cwd=HERE.parent.parent) for _ in range(2)}
    assert len(ids) == 1


def test_mime_bundle_has_a_short_text_and_the_page():
    data, _ = Sample()._repr_mimebundle_()
    assert data["text/plain"] == "Sample"
    assert "oc-widget" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert Sample._ipython_display_ is None


def test_settings_are_read_checked_and_set():
    widget = Sample()
    widget.level = 2.0
    assert widget.value == {"level": 2.0} and widget.level == 2.0
    with pytest.raises(ValueError, match="level must be a number"):
        widget.level = "high"
    assert widget.level == 2.0


def test_without_anywidget_the_page_still_carries_the_widget():
    code = (
        "import sys; sys.modules['anywidget'] = None\n"
        "import optcore as oc\n"
        "w = oc.explore('bowl', lr=0.05)\n"
        "w.lr = 0.1\n"
        "data, meta = w._repr_mimebundle_()\n"
        "print(w.lr, sorted(data), w, type(w).__mro__[2].__name__, 'oc-widget' in data['text/html'])"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=HERE.parent.parent)
    assert out.strip() == "0.1 ['text/html', 'text/plain'] Explore(bowl; gd, momentum, adam) _Base True"
