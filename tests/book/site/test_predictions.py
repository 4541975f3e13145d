"""Predict boxes take a guess before their answer and the outputs below unfold; what guesses come to is counted."""

import pytest

from book.browser import axe, comes_to_hold, opened, show_in
from book.course import docname, notebooks
from book.site import predictions
from tests.book.site.test_progress import reader
from tests.book.site.test_store import BLOCKED

GD = "chapters/3-gradient-descent/1-gradient-descent"
SGD = "chapters/3-gradient-descent/2-stochastic-gradient-descent"
PAGES = {docname(path): path for path in notebooks()}
NUMBER, CHOICE, SKETCH = (GD, "first-step"), (GD, "limit-of-the-rate"), (SGD, "steps-against-batch")
HIDDEN = "all => all.map(one => one.hidden)"


class Box:
    """One Predict box of an open page."""

    def __init__(self, page, name: str):
        self.page, self.name = page, name
        self.form = page.locator(f'form[data-guess*="/{name}\\""]')
        self.form.scroll_into_view_if_needed()
        self.box = page.locator(".admonition.predict", has=self.form)
        self.verdict, self.answer = self.box.locator(".oc-verdict"), self.box.locator("details.oc-answer")
        self.spec = self.form.evaluate("form => JSON.parse(form.dataset.guess)")

    def hidden(self) -> list[bool]:
        """Whether each output that belongs to the box still waits."""
        outputs = """name => {
          const all = [...document.querySelectorAll("form.oc-guess, .oc-unseen")];
          const at = all.findIndex(one => one.dataset.guess?.includes(`/${name}"`));
          const end = all.findIndex((one, k) => k > at && one.matches("form"));
          return all.slice(at + 1, end < 0 ? undefined : end)
            .map(one => one.hidden !== false && one.getBoundingClientRect().height === 0);
        }"""
        return self.page.evaluate(outputs, self.name)

    def guess(self) -> None:
        self.form.get_by_role("button", name="Guess").click()

    def kept(self) -> dict | None:
        return self.page.evaluate("id => ocStore.get('guess', id) ?? null", self.spec["id"])

    def says(self, *words: str) -> None:
        """The verdict and the answer are there, and so are the outputs."""
        said = self.verdict.inner_text()
        assert all(word in said for word in words), said
        assert self.answer.locator("p").is_visible() and self.answer.get_attribute("open") is not None
        assert self.hidden() and not any(self.hidden())


def draw(box: Box, parts: list[float]) -> None:
    """Draw a curve through these heights (parts of the axis) with the mouse."""
    place = box.form.locator("svg").bounding_box()
    scale = place["width"] / 360
    at = lambda k: (place["x"] + box.spec["xs"][k] * scale, place["y"] + (156 - parts[k] * 148) * scale)
    box.page.mouse.move(*at(0))
    box.page.mouse.down()
    for k in range(1, len(parts)):
        box.page.mouse.move(*at(k))
    box.page.mouse.up()


def test_there_are_pages_that_ask(built_book):
    html = {name: (built_book[0] / f"{name}.html").read_text(encoding="utf-8") for name in PAGES}
    asked = {name: text.count('<form class="oc-guess') for name, text in html.items()}
    assert asked == {name: len(predictions.entries(path)) for name, path in PAGES.items()} and len(PAGES) >= 32
    assert all("predict.js" in text for text in html.values())
    waiting = {name: text.count('hidden="until-found"') for name, text in html.items()}
    assert min(waiting.values()) >= 2
    assert "predict.js" not in (built_book[0] / "glossary.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("right", [True, False])
def test_a_choice_by_mouse(right, site, browser):
    with reader(browser) as tab:
        box = Box(tab(f"{site}/{CHOICE[0]}.html"), CHOICE[1])
        assert all(box.hidden()) and box.hidden() and not box.answer.locator("p").is_visible()
        box.guess()
        assert "Choose one" in box.verdict.inner_text() and all(box.hidden()) and not box.kept()
        place = box.spec["right"] if right else (box.spec["right"] + 1) % 4
        box.form.locator(".oc-options input").nth(place).check()
        box.guess()
        box.says("Right" if right else "No", f"of 1 guess {right:d} right or close")
        assert box.form.locator("label.right").count() == 1 and box.form.locator("label.wrong").count() == 1 - right
        assert box.kept()["result"] == ("right" if right else "no") and "sure" not in box.kept()


@pytest.mark.parametrize(
    "typed, result",
    [("1.8", "right"), ("1,8", "right"), ("9/5", "right"), ("18*10^-1", "right"), ("1.74", "close"), ("2.2", "no")],
)
def test_a_number_by_keyboard(typed, result, site, browser):
    with reader(browser) as tab:
        page = tab(f"{site}/{NUMBER[0]}.html")
        box = Box(page, NUMBER[1])
        box.form.locator("[type=text]").focus()
        page.keyboard.type("about")
        page.keyboard.press("Enter")
        assert "Type a number" in box.verdict.inner_text() and all(box.hidden())
        page.keyboard.press("Control+a")
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")  # the second of how sure
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Guess"
        page.keyboard.press("Enter")
        box.says({"right": "Right", "close": "Close", "no": "No"}[result], "1.8", typed, "fairly sure")
        assert page.evaluate("document.activeElement.role") == "status"
        assert (box.kept()["result"], box.kept()["sure"]) == (result, 75)


@pytest.mark.parametrize("right", [True, False])
def test_a_sketch_by_mouse(right, site, browser):
    with reader(browser) as tab:
        box = Box(tab(f"{site}/{SKETCH[0]}.html"), SKETCH[1])
        box.guess()
        assert "Draw the curve" in box.verdict.inner_text() and all(box.hidden())
        curve = box.spec["curve"]
        draw(box, curve if right else [1 - part for part in curve])
        assert len(box.form.locator(".oc-mine").get_attribute("points").split()) == len(curve)
        box.guess()
        box.says("Right: 6 of 6 points" if right else "No: ")
        assert len(box.form.locator(".oc-true").get_attribute("points").split()) == len(curve)


def test_a_sketch_by_keyboard(site, browser):
    with reader(browser) as tab:
        page = tab(f"{site}/{SKETCH[0]}.html")
        box = Box(page, SKETCH[1])
        box.form.locator("[type=range]").first.focus()
        for part in box.spec["curve"]:
            page.keyboard.press("Home")
            for _ in range(round(part * 10)):
                page.keyboard.press("PageUp")
            page.keyboard.press("Tab")
        assert box.form.locator("[type=range]").first.get_attribute("aria-valuetext") == "1000"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        box.says("points lie near the curve")
        assert box.kept()["result"] in ("right", "close")


def test_an_answer_may_be_looked_up_and_does_not_count(site, browser):
    with reader(browser) as tab:
        box = Box(tab(f"{site}/{CHOICE[0]}.html"), CHOICE[1])
        box.box.get_by_text("Show without a guess").click()
        assert comes_to_hold(box.page, "Object.keys(ocStore.all('guess')).length === 1", 50)
        assert box.kept()["shown"] and not any(box.hidden()) and box.form.locator("input").first.is_disabled()
        assert "of 0 guesses" in box.page.evaluate("ocProgress.guessed().words")


def test_what_was_seen_before_does_not_count(site, browser):
    """A link into an output, or a search of the browser's, unfolds it."""
    with reader(browser) as tab:
        page = tab(f"{site}/{CHOICE[0]}.html")
        page.evaluate("""() => { const out = document.querySelectorAll(".oc-unseen")[1]; out.id = "there";
            location.hash = "there&lr=1"; }""")
        box = Box(page, CHOICE[1])
        assert comes_to_hold(page, "!document.getElementById('there').hidden", 50)
        box.form.locator(".oc-options input").first.check()
        box.guess()
        box.says("does not count")
        assert box.kept()["seen"] and "of 0 guesses" in page.evaluate("ocProgress.guessed('3').words")
        page.evaluate(
            """document.querySelectorAll(".oc-unseen")[0].dispatchEvent(new Event("beforematch", { bubbles: true }))"""
        )
        assert not any(Box(page, NUMBER[1]).hidden())


def test_guesses_outlast_a_reload_and_are_shared_by_tabs(site, browser):
    with reader(browser) as tab:
        page, other = tab(f"{site}/{NUMBER[0]}.html"), tab(f"{site}/{NUMBER[0]}.html")
        page.bring_to_front()
        box = Box(page, NUMBER[1])
        box.form.locator("[type=text]").fill("1.8")
        box.form.get_by_label("sure", exact=True).check()
        box.guess()
        page.reload()
        box = Box(page, NUMBER[1])
        box.says("Right", "1.8", "sure", "when sure, 1 of 1")
        assert (
            box.form.locator("[type=text]").input_value() == "1.8"
            and not box.form.get_by_text("How sure?").is_visible()
        )
        assert comes_to_hold(other, "document.querySelector('.oc-verdict').textContent.startsWith('Right')", 50)
        other.evaluate("ocStore.erase()")
        assert comes_to_hold(page, "document.querySelector('.oc-unseen').hidden", 50)
        assert (
            all(box.hidden()) and not box.verdict.is_visible() and box.form.locator("[type=text]").input_value() == ""
        )


def test_your_progress_counts_them(site, browser, tmp_path):
    with reader(browser) as tab:
        page = tab(f"{site}/progress.html")
        assert "Predict boxes ask for a guess" in page.inner_text("#progress-report")
        page.evaluate("""() => {
          const put = (id, result, sure, more) => ocStore.set("guess", id, { guess: 0, result, sure, ...more });
          ["right", "no", "no", "no", "no"].forEach((result, k) => put(`3.1/a${k}`, result, 95));
          put("3.2/b", "close"), put("4.1/c", "no", 50), put("4.1/d", "right", 75, { seen: true });
          ocStore.set("guess", "4.1/e", { shown: true });
        }""")
        page.reload()
        said = page.inner_text("#progress-report")
        assert "Of 7 guesses 2 right or close; when sure, 1 of 5. You are surer than you are right" in said
        assert "Chapter 3: of 6 guesses 2 right or close; when sure, 1 of 5." in said
        assert "Chapter 4: of 1 guess 0 right or close." in said and "Chapter 5" not in said
        page.evaluate("""() => { for (let k = 0; k < 6; k++)
          ocStore.set("guess", `3.1/a${k}`, { guess: 0, result: "right", sure: k < 5 ? 95 : 50 }); }""")
        page.reload()
        assert "fits how often you are right" in page.inner_text("#progress-report")
        page.evaluate("""() => { for (let k = 0; k < 8; k++)
          ocStore.set("guess", `5.1/a${k}`, { guess: 0, result: "right", sure: 50 }); }""")
        page.reload()
        assert "trust your guesses more" in page.inner_text("#progress-report")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save as a file").click()
        saved.value.save_as(tmp_path / "mine.json")
        page.evaluate("ocStore.erase()")
        page.set_input_files("#progress-file", tmp_path / "mine.json")
        page.wait_for_function("document.body.textContent.includes('Chapter 5: of 8 guesses 8 right or close.')")


def test_a_reader_may_choose_not_to_be_asked(site, browser):
    with reader(browser) as tab:
        page, progress = tab(f"{site}/{CHOICE[0]}.html"), tab(f"{site}/progress.html")
        assert all(Box(page, CHOICE[1]).hidden())
        progress.bring_to_front()
        progress.get_by_label("Show all outputs without asking").check()
        assert comes_to_hold(page, "[...document.querySelectorAll('.oc-unseen')].every(one => !one.hidden)", 50)
        progress.get_by_label("Show all outputs without asking").uncheck()
        assert comes_to_hold(page, "[...document.querySelectorAll('.oc-unseen')].every(one => one.hidden)", 50)


def test_where_storage_is_blocked_guesses_last_as_long_as_the_page(site, browser):
    with reader(browser, BLOCKED) as tab:
        box = Box(tab(f"{site}/{NUMBER[0]}.html"), NUMBER[1])
        assert all(box.hidden())
        box.form.locator("[type=text]").fill("2.2")
        box.guess()
        box.says("No", "of 1 guess 0 right or close")


def heights(page) -> list[float]:
    """Of the outputs that belong to a box, each looked at in its place."""
    found = page.locator(".oc-unseen").element_handles()
    return [one.evaluate("e => (e.scrollIntoView(), e.getBoundingClientRect().height)") for one in found]


def test_without_scripts_and_on_paper_outputs_are_there(site, browser):
    with reader(browser, java_script_enabled=False) as tab:
        page = tab(f"{site}/{CHOICE[0]}.html")
        assert len(heights(page)) >= 4 and min(heights(page)) > 10
        assert not page.locator("form.oc-guess").first.is_visible()
        answer = page.locator(".oc-answer").first
        answer.scroll_into_view_if_needed()
        assert answer.locator("summary").text_content() == "Answer" and not answer.locator("p").is_visible()
        answer.locator("summary").click()
        assert answer.locator("p").is_visible()
    with reader(browser) as tab:
        page = tab(f"{site}/{CHOICE[0]}.html")
        assert max(heights(page)) == 0
        page.emulate_media(media="print")
        assert min(heights(page)) > 10
        assert not page.locator("form.oc-guess").first.is_visible()


def test_a_cell_that_is_run_waits_no_more(site, browser):
    with reader(browser) as tab:
        page = tab(f"{site}/{NUMBER[0]}.html")
        box = Box(page, NUMBER[1])
        waiting = "document.querySelectorAll('.oc-unseen[hidden]').length"
        before = page.evaluate(waiting)
        cell = page.locator("div.cell:has(.oc-unseen)").first.element_handle()
        cell.hover()
        cell.query_selector(".oc-cell-bar button").click()
        page.wait_for_function(f"{waiting} === {before - 1}", timeout=240_000)
        assert "step 1" in cell.query_selector(".cell_output").inner_text() and not box.kept()


WHERE = """() => {
  const [output, box] = [".oc-unseen", ".predict"].map(one => document.querySelector(one));
  const cell = output.closest(".cell"), margin = parseFloat(getComputedStyle(output).marginTop);
  const height = output.offsetHeight && output.offsetHeight + margin;
  return [box, cell, cell.nextElementSibling].map(one => one.getBoundingClientRect().top + scrollY)
    .concat(box.offsetHeight, height);
}"""


def test_nothing_moves_but_what_unfolds(site, browser):
    """The box grows by its answer, the cell below it by its output."""
    with reader(browser) as tab:
        page = tab(f"{site}/{NUMBER[0]}.html")
        box = Box(page, NUMBER[1])
        before = page.evaluate(WHERE)
        box.box.get_by_text("Show without a guess").click()
        page.wait_for_function("!document.querySelector('.oc-unseen').hidden")
        after = page.evaluate(WHERE)
        top, cell, below, answer, output = (now - then for now, then in zip(after, before, strict=True))
        assert abs(top) < 1 and abs(cell - answer) < 1 and output > 50
        assert abs(below - answer - output) < 1


@pytest.mark.parametrize("look", ["light", "dark", "forced colours", "375 pixels"])
def test_boxes_before_and_after_a_guess_are_accessible(look, site, browser):
    width = 375 if look == "375 pixels" else 1280
    with opened(browser, f"{site}/{SGD}.html", unasked=False, width=width) as (page, _):
        show_in(page, "dark" if look == "dark" else "light")
        if look == "forced colours":
            page.emulate_media(forced_colors="active")
        choice, sketch = Box(page, "four-times-the-batch"), Box(page, SKETCH[1])
        assert len(page.query_selector_all("form.oc-guess")) > 2  # the others wait
        choice.form.locator(".oc-options input").nth((choice.spec["right"] + 1) % 4).check()
        choice.guess()
        choice.says("No")
        sketch.form.scroll_into_view_if_needed()
        draw(sketch, [0.5] * 6)
        sketch.guess()
        sketch.says("points")
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
