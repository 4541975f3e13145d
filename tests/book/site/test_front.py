"""The front page: a race that runs once by itself, two controls, a goal that is noticed, a way in, a map."""

import pytest

from book.browser import axe, comes_to_hold, opened
from book.course import notebooks

STEP = "Number(document.querySelector('.oc-player input[type=range]').value)"


@pytest.fixture
def visit(site, browser):
    """`visit(**options)`: the front page, as a new reader opens it."""
    contexts = []

    def open_page(**options):
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.goto(f"{site}/intro.html")
        page.wait_for_selector(".front-race[data-oc-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()


def test_the_race_runs_once_by_itself(visit):
    page = visit(reduced_motion="no-preference")
    page.wait_for_function(f"{STEP} > 0 && {STEP} < 150")
    page.wait_for_function(f"{STEP} === 200", timeout=60_000)
    assert comes_to_hold(page, f"{STEP} === 200")


def test_nothing_moves_by_itself_where_the_reader_wants_none(visit):
    page = visit(reduced_motion="reduce")
    assert comes_to_hold(page, f"{STEP} === 200")


def test_two_controls_are_shown_and_the_rest_is_behind_more(visit):
    page = visit(reduced_motion="reduce")
    shown = page.locator(".front-race > .oc-controls > *")
    assert [part.inner_text().split("\n")[0] for part in shown.all()] == ["Learning rate η, gd", "●\u202fgd", "Play"]
    colours = "[...document.querySelectorAll('.front-legend .oc-swatch')].map((m) => getComputedStyle(m).color)"
    assert len(set(page.evaluate(colours))) == 3, "each rule is named in its colour"
    rest = page.locator(".front-race > details input")
    assert rest.count() > 6 and not rest.first.is_visible()
    page.get_by_text("More", exact=True).click()
    assert rest.first.is_visible()


def test_the_start_says_that_it_can_be_dragged_until_it_was(visit):
    page = visit(reduced_motion="reduce")
    label = "getComputedStyle(document.querySelector('.front-race .oc-handle'), '::before').content"
    assert page.evaluate(label) == '"drag me"'
    page.focus(".front-race .oc-handle")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(label) == "none"


def test_the_goal_is_noticed_when_it_is_reached_and_remembered(visit):
    page = visit(reduced_motion="reduce")
    rate, goal = page.locator(".front-race > .oc-controls > .oc-control input"), page.locator(".front-race .oc-aim")
    assert goal.inner_text().startswith("Goal: Find a learning rate with which gradient descent ends lower than Adam")
    for _ in range(120):
        rate.press("ArrowRight")
        page.wait_for_timeout(30)
        if goal.inner_text().startswith("Reached"):
            break
    assert goal.inner_text().startswith("Reached: gradient descent ends at 0.00")
    assert page.evaluate("ocStore.get('challenge', 'intro/0').met")


def test_the_way_in_and_the_map(site, browser):
    with opened(browser, f"{site}/intro.html", width=375) as (page, record):
        way = page.get_by_role("link", name="Start with 1.1")
        assert way.get_attribute("href").endswith("1-from-data-to-a-loss-surface.html")
        cards = page.locator("[id^='chapter-']")
        assert [card.get_attribute("id") for card in cards.all()] == [f"chapter-{n}" for n in range(1, 9)]
        assert page.locator(".chapter-cards li a").count() == len(notebooks())
        page.evaluate("ocStore.set('page', 'chapters/3-gradient-descent/1-gradient-descent', {})")
        page.reload()
        count = len(notebooks("chapters/3-gradient-descent")) + 1  # and the exercises
        words = f"document.querySelector('#chapter-3 .oc-chapter').textContent === '0 of {count} done'"
        assert count > 4 and comes_to_hold(page, words)
        assert not axe(page) and not record.errors
