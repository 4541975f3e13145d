"""What every widget owes its reader, tried on each one that the package exports."""

import re

import pytest

from book.browser import axe
from book.course import widgets_on
from book.widgets import live, settle
from optcore import widgets
from optcore.widgets import Setting
from optcore.widgets.base import page_source, to_json

from .controls import drawn, feed, nudge_every_control, seen, words
from .examples import ALL, EXPORTED, NAMES, example, faces

each = pytest.mark.parametrize("name", NAMES)

DRAWN_TWICE = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
RENDER = """async ([script, spec, value, detached]) => {
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const state = { spec, value }, nothing = () => {};
  window.el = document.createElement("div");
  if (!detached) document.querySelector("main").append(el);
  const model = { get: k => state[k], set: (k, v) => (state[k] = v), on: nothing, off: nothing, save_changes: nothing };
  module.default.render({ model, el });
  window.frames2 = DRAWN_TWICE;
  await frames2();
}""".replace("DRAWN_TWICE", DRAWN_TWICE)
ATTACH = "async () => { document.querySelector('main').append(el); await frames2(); await frames2(); }"
WORDS = "document.querySelector('output').textContent"
# of each picture the colour of its upper left corner, and how many colours it has
CANVASES = """[...document.querySelectorAll(".oc-canvas")].filter(box => box.checkVisibility()).map(box => {
  const [canvas, ground] = box.querySelectorAll("canvas");
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  copy.drawImage(ground, 0, 0);
  copy.drawImage(canvas, 0, 0);
  const all = new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return [all[0].toString(16), new Set(all).size];
})"""


def rendered(open_page, widget, *, detached: bool, **page):
    """The widget on a page as anywidget shows it: its module imported, `render` called."""
    page = open_page(body=f"<style>{widget._css}</style>", **page)
    page.evaluate(RENDER, [widget._esm, widget.spec, widget.value, detached])
    return page


def test_every_kind_has_an_example():
    assert len(NAMES) == len(set(NAMES)) > 15
    assert {example(name).name for name in NAMES} == set(NAMES)
    assert {f.__name__ for f in EXPORTED if not isinstance(f, type)} <= set(NAMES)
    assert all(getattr(widgets, name) in EXPORTED for name in NAMES)


def settled(page):
    """Words and pictures of a widget, when its run is done."""
    page.wait_for_function(WORDS)
    settle(page)
    return [page.evaluate(WORDS), page.evaluate(CANVASES)]


@each
def test_an_element_that_is_not_in_its_page_yet_is_drawn_when_it_is(name, open_page):
    """Notebooks render into an element and place it afterwards; in the meantime its colours cannot be read."""
    w = example(name)
    placed = rendered(open_page, w, detached=False)
    expected = settled(placed)
    page = rendered(open_page, w, detached=True)
    page.evaluate(ATTACH)
    assert "could not be drawn" not in expected[0]
    assert settled(page) == expected
    assert all(corner == "ffffffff" for corner, _ in expected[1][:1])
    assert all(count > 2 for _, count in expected[1]) and (expected[1] or name == "quiz")


def test_a_theme_that_changed_while_the_element_was_away_is_read_again(open_page):
    page = rendered(open_page, example("chord"), detached=True)
    page.evaluate(ATTACH)
    assert page.evaluate(CANVASES)[0][0] == "ffffffff"
    page.evaluate("async () => { el.remove(); document.documentElement.dataset.theme = 'dark'; await frames2(); }")
    page.evaluate(ATTACH)
    page.evaluate("() => frames2()")
    assert page.evaluate(CANVASES)[0][0] == "ff1e1915"


HOST = """() => {
  window.heard = { down: [], up: [] };
  const hear = way => e => {  // as JupyterLab, or as Notebook 7 on the way down: every key may be a command
    if (way === "down" && e.target.hasAttribute("data-lm-suppress-shortcuts")) return;
    heard[way].push(e.key);
    if (e.key !== "Tab") e.preventDefault();
  };
  document.addEventListener("keydown", hear("down"), true);
  document.addEventListener("keydown", hear("up"));
}"""
HEARD = "['down', 'up'].map(way => heard[way].splice(0))"


@each
def test_keys_pressed_in_a_widget_are_not_taken_by_the_notebook(name, open_page):
    page = rendered(open_page, example(name), detached=False)
    page.wait_for_function(WORDS)
    page.evaluate(HOST)
    kinds = {"input[type=range]", "input[type=checkbox]", "input[type=radio]", "select", "button", ".oc-handle"}
    met = 0
    for kind in sorted(kinds):
        control = next(filter(lambda e: e.is_visible(), page.query_selector_all(f".oc-widget {kind}")), None)
        if not control:
            continue
        met += 1
        control.focus()
        for key in ("ArrowDown", "ArrowRight", "b"):
            page.keyboard.press(key)
        assert page.evaluate(HEARD) == [[], []], kind
        control.focus()
        for key in ("Control+s", "Escape", "Tab"):
            page.keyboard.press(key)
        assert page.evaluate(HEARD) == [["Control", "s", "Escape", "Tab"]] * 2, kind
        assert not control.evaluate("e => e === document.activeElement")
    assert met >= 2
    if slider := next(filter(lambda e: e.is_visible(), page.query_selector_all("input[type=range]")), None):
        slider.focus()
        before = slider.input_value()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowRight" if slider.input_value() == before else "ArrowLeft")
        assert slider.input_value() != before


@pytest.mark.parametrize("name", [name for name in NAMES if name != "quiz"])
def test_every_place_that_is_drawn_is_a_number(name, open_page):
    """nan where there is nothing to draw, but never what an index beyond the end gives."""
    places = 0
    for _, kind, arguments in drawn(open_page, example(name)):
        if kind in ("dot", "text", "arrow"):
            assert all(isinstance(v, int | float) for v in arguments[: 4 if kind == "arrow" else 2]), (kind, arguments)
        for values in arguments:
            if isinstance(values, list):
                assert None not in values, (kind, arguments)
        places += 1
    assert places >= 1


@each
@pytest.mark.parametrize(("dark", "canvas"), [(False, "ffffffff"), (True, "ff000000")])
def test_pictures_show_their_content_in_the_colours_that_the_system_forces(name, dark, canvas, open_page):
    page = open_page(example(name), dark=dark, forced=True)
    forced = page.evaluate(CANVASES)
    assert all(corner == canvas for corner, _ in forced[:1]) and (forced or name == "quiz")
    assert all(count > 2 for _, count in forced)
    page.emulate_media(forced_colors="none")
    page.evaluate(DRAWN_TWICE)
    assert not dark or all(corner == "ff1e1915" for corner, _ in page.evaluate(CANVASES)[:1])


def settings_of(widget) -> list[str]:
    """The names of its settings that are in use."""
    kinds = type(widget).__mro__
    return [k for kind in kinds for k, v in vars(kind).items() if isinstance(v, Setting) and k in widget.value]


def test_no_setting_takes_nonsense_from_python():
    seen, accepted = 0, []
    for name in NAMES:
        w = example(name)
        for setting in settings_of(w):
            before = dict(w.value)
            setattr(w, setting, getattr(w, setting))
            assert w.value == before, (name, setting)
            for bad in ("nonsense", float("nan"), [["x"]], object()):
                seen += 1
                try:
                    setattr(w, setting, bad)
                    accepted.append((name, setting, bad))
                except ValueError as error:
                    assert str(error).endswith(".") and "\n" not in str(error)
                assert w.value == before
    assert seen > 300 and not accepted


def ends_of(widget) -> list[tuple]:
    """Setting and value at the ends of what each of its settings may be."""
    allowed = {key: getattr(type(widget), key).allowed for key in settings_of(widget)}
    ends = [(key, end) for key, one in allowed.items() if one is not None for end in one.ends]
    return [one for one in ends if one != ("batch", 400)]  # all points, however few there are


ENDS = {name: ends_of(example(name)) for name in NAMES}


def test_there_are_ranges_with_ends():
    assert sum(map(len, ENDS.values())) > 150


@pytest.mark.parametrize("name", [name for name in NAMES if ENDS[name]])
def test_the_ends_of_what_python_allows_are_taken_by_the_page_and_drawn(name, open_page):
    page, faults = open_page(body=live(example(name))), []
    for key, end in ENDS[name]:
        taken = page.evaluate("([key, end]) => (model.assign({ [key]: end }), ui.value[key])", [key, end])
        if taken != end or "could not" in words(page):
            faults.append(f"{key} = {end!r} is {taken!r}: {words(page)}")
    assert not faults


IDS = [name for name, _ in ALL if name != "quiz-0"]  # the quiz is drawn with words alone
every_face = pytest.mark.parametrize("face", [face for _, face in ALL], ids=[name for name, _ in ALL])


@every_face
def test_hostile_settings_from_the_page_still_draw(face, open_page):
    feed(face.make(), open_page)


@every_face
def test_each_press_of_an_arrow_moves_a_slider(face, open_page):
    """From its lower end up, and from its upper end down; the widget is drawn between the presses."""
    page, stuck = open_page(body=live(face.make())), []
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    for slider in page.query_selector_all(".oc-widget input[type=range]"):
        if not slider.is_visible() or slider.evaluate("input => input.max - input.min") < 3:
            continue
        for end, arrow in (("Home", "ArrowRight"), ("End", "ArrowLeft")):
            page.get_by_role("button", name="Reset", exact=True).click()
            page.evaluate(DRAWN_TWICE)
            slider.press(end)
            places = []
            for _ in range(3):
                page.evaluate(DRAWN_TWICE)  # a run may go on for longer
                places.append(float(slider.input_value()))
                slider.press(arrow)
            if sorted(set(places), reverse=arrow == "ArrowLeft") != places:
                stuck.append(f"{slider.evaluate('input => input.labels[0].textContent')}: {arrow} {places}")
    assert not stuck


@every_face
def test_narrow_dark_and_touch(face, open_page):
    page = open_page(face.make(), width=375, dark=True, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert axe(page) == []


@pytest.mark.parametrize("face", [face for name, face in ALL if name != "quiz-0"], ids=IDS)
def test_every_control_counts(face, open_page):
    moved = nudge_every_control(open_page(body=live(face.make())))
    assert len(moved) == face.controls or (face.controls is None and moved)
    assert [name for name, (_, drew) in moved.items() if not drew] == []
    assert {name for name, (said, _) in moved.items() if not said} <= face.quiet or face.controls is None


@every_face
def test_points_are_moved_by_keys_and_dragged(face, open_page):
    page = open_page(body=live(face.make()))
    handles = [h for h in page.query_selector_all(".oc-handle") if h.is_visible()]
    told = 0
    for handle in handles[:4]:
        before = seen(page)
        handle.focus()
        for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"):  # some move along one axis only
            page.keyboard.press(key)
            if key != "ArrowRight" and seen(page) != before:
                break
        after = seen(page)
        assert after[1] != before[1]
        told += after[0] != before[0]
        box, room = handle.bounding_box(), handle.evaluate_handle("e => e.parentElement").as_element().bounding_box()
        page.mouse.move(box["x"] + 14, box["y"] + 14)
        page.mouse.down()
        for part in (0.3, 0.6):
            page.mouse.move(room["x"] + part * room["width"], room["y"] + (1 - part) * room["height"], steps=2)
            dragged = seen(page)
        page.mouse.up()
        assert dragged[1] != after[1]
    assert told or not handles


def test_the_gallery_holds_every_widget():
    assert set(NAMES) == set(widgets_on("gallery"))


COLOUR = re.compile(r"\b(red|blue|green|orange|gr[ae]y|purple|violet|pink|yellow|brown|teal|crimson)\b", re.IGNORECASE)


@each
def test_words_name_things_and_not_their_colours(name):
    """Not every reader sees colours, and a dark page or forced ones change them."""
    said = re.findall(r'"[^"\n]*"|`[^`]*`', page_source(f"{name}.js"))
    assert len(said) > 4 and [words for words in said if COLOUR.search(words)] == []
    assert [found[0] for face in faces(name) if (found := COLOUR.search(to_json(face.make().spec)))] == []
