"""What the reader has done stays in the browser: kept, taken along as a file, shared by tabs, not missed if blocked."""

import json
from contextlib import contextmanager

import pytest

from book.browser import comes_to_hold, served
from book.course import ROOT

PAGE = '<!DOCTYPE html><html lang="en"><title>store</title><script src="store.js"></script>'
BLOCKED = """Object.defineProperty(window, "localStorage",
  { configurable: true, get() { throw new DOMException("no", "SecurityError"); } });"""
FULL = """Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };"""
ADAM, GD = ["exercise", "adaptive-methods/adam"], ["exercise", "gradient-descent/gd"]


@pytest.fixture
def address(tmp_path):
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "store.js").write_bytes((ROOT / "book/assets/store.js").read_bytes())
    with served(tmp_path) as address:
        yield address


@contextmanager
def reader(browser, address, script=""):
    """A new reader, and a function that opens one more tab."""
    context = browser.new_context()
    context.add_init_script(script)

    def tab():
        page = context.new_page()
        page.goto(address)
        return page

    yield tab
    context.close()


def put(page, name, **fields):
    return page.evaluate("([[kind, id], fields]) => ocStore.set(kind, id, fields)", [name, fields])


def look(page, name):
    return page.evaluate("([kind, id]) => ocStore.get(kind, id)", name)


def everything(page):
    return page.evaluate("ocStore.all('exercise')")


def test_fields_are_set_taken_away_and_kept(address, browser):
    with reader(browser, address) as tab:
        page = tab()
        assert look(page, ADAM) is None and everything(page) == {} and page.evaluate("ocStore.lasts")
        put(page, ADAM, code="a", attempts=1)
        put(page, ["quiz", "1.1:q:2"], answer=[1])
        page.evaluate("([kind, id]) => ocStore.set(kind, id, { code: undefined, solved: true })", ADAM)
        page.reload()
        found = look(page, ADAM)
        assert found.pop("at") > 1e12 and found == {"attempts": 1, "solved": True}
        assert list(everything(page)) == [ADAM[1]]
        assert page.evaluate("Object.keys(ocStore.all('quiz'))") == ["1.1:q:2"]


def test_two_tabs_keep_each_others_items(address, browser):
    with reader(browser, address) as tab:
        one, two = tab(), tab()
        two.evaluate("heard = []; ocStore.heard((...what) => heard.push(what))")
        put(one, ADAM, code="one")
        put(two, GD, code="two")
        assert comes_to_hold(two, "heard.length === 1", 50)
        ((kind, name, item),) = two.evaluate("heard")
        assert [kind, name] == ADAM and item["code"] == "one"
        assert comes_to_hold(one, f"ocStore.get('exercise', '{GD[1]}')", 50)
        assert {name: item["code"] for name, item in everything(one).items()} == {ADAM[1]: "one", GD[1]: "two"}
        put(two, ADAM, code="later", attempts=2)
        assert comes_to_hold(one, f"ocStore.get('exercise', '{ADAM[1]}').attempts === 2", 50)
        put(one, ADAM, solved=True)
        assert comes_to_hold(two, f"ocStore.get('exercise', '{ADAM[1]}').solved", 50)
        found = look(two, ADAM)
        assert (found["code"], found["attempts"], found["solved"]) == ("later", 2, True)


def test_a_file_takes_it_along(address, browser):
    with reader(browser, address) as tab:
        page = tab()
        put(page, ADAM, code='"</script> κ"')
        put(page, GD, code="old")
        text = page.evaluate("ocStore.text()")
        page.evaluate("ocStore.erase()")
        assert everything(page) == {} and page.evaluate("localStorage.length") == 0
        put(page, GD, code="newer")
        assert page.evaluate("text => ocStore.read(text)", text) == 1
        assert {item["code"] for item in everything(page).values()} == {'"</script> κ"', "newer"}
        assert page.evaluate("text => ocStore.read(text)", text) == 0
        ahead = json.loads(text)
        ahead["items"]["oc:exercise:adaptive-methods/adam"] |= {"at": 1e15, "code": "ahead"}
        assert page.evaluate("text => ocStore.read(text)", json.dumps(ahead)) == 1
        assert put(page, ADAM, code="after all")["at"] < 1e14


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"format": "x", "items": {}}', "\0"])
def test_another_file_is_refused_in_one_sentence(text, address, browser):
    with reader(browser, address) as tab:
        page = tab()
        put(page, ADAM, code="mine")
        said = page.evaluate("text => { try { ocStore.read(text) } catch (e) { return e.message } }", text)
        assert said.startswith("This file does not hold") and look(page, ADAM)["code"] == "mine"


def test_items_in_a_file_that_are_none_are_left_out(address, browser):
    with reader(browser, address) as tab:
        page = tab()
        put(page, ADAM, code="mine")
        file = json.loads(page.evaluate("ocStore.text()"))
        page.evaluate("ocStore.erase('exercise')")
        file["items"] |= {
            "theme": {"at": 1},
            "oc:exercise:x": "text",
            "oc:exercise:y": None,
            "oc:exercise:z": {"at": ""},
        }
        assert page.evaluate("text => ocStore.read(text)", json.dumps(file)) == 1
        assert list(everything(page)) == [ADAM[1]] and page.evaluate("localStorage.length") == 1


@pytest.mark.parametrize("trouble", [BLOCKED, FULL])
def test_without_storage_it_works_until_the_page_is_left(trouble, address, browser):
    with reader(browser, address, trouble) as tab:
        page, errors = tab(), []
        page.on("pageerror", lambda error: errors.append(error))
        assert page.evaluate("ocStore.lasts") is False
        put(page, ADAM, code="here")
        assert look(page, ADAM)["code"] == "here" and list(everything(page)) == [ADAM[1]]
        assert "here" in page.evaluate("ocStore.text()")
        page.evaluate("ocStore.erase()")
        assert everything(page) == {}
        page.reload()
        assert look(page, ADAM) is None and not errors


def test_what_others_wrote_is_left_alone(address, browser):
    with reader(browser, address) as tab:
        page = tab()
        page.evaluate("localStorage.theme = 'dark'; localStorage['oc:exercise:broken'] = '{'")
        put(page, ADAM, code="mine")
        assert list(everything(page)) == [ADAM[1]] and "theme" not in page.evaluate("ocStore.text()")
        page.evaluate("ocStore.erase()")
        assert page.evaluate("localStorage.theme") == "dark"
