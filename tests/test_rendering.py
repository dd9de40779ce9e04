"""The pages of an evaluation: written from made-up runs, and opened in a real browser."""

from __future__ import annotations

import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from itertools import count, cycle
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import Page as Tab

from eval import plots
from eval.answered import Said
from eval.page import (
    OUTCOMES,
    Asked,
    Bin,
    CitedPassage,
    Configuration,
    Curve,
    GoldArticle,
    Group,
    Histogram,
    Page,
    Row,
    Slice,
    Slices,
    SweepPage,
    Value,
)
from eval.rendering import write_page, write_sweep_page
from tests.browsing import contrast

HOSTILE = (
    "<script>document.title='owned'</script>",
    "</script><script>document.title='owned'</script><!--<script>",
    "<img src=//evil.example/a onerror=document.title='owned'>",
    "\"><svg onload=document.title='owned'>' autofocus onfocus='document.title=1",
    "javascript:document.title='owned'",
    "{{ 7 * 7 }} {% raw %} ${document.title='owned'} &lt;b&gt; &amp;",
    "\u202egnp.exe\u2066 reads backwards",
    "</style></title></textarea></noscript><base href=//evil.example/>",
    "w" * 3000,
    "line\u2028separator \x00 \ud800 \r\n end",
)
Text = Callable[[], str]


def numbered(*texts: str) -> Text:
    """Give these texts over and over, each time with a number, so that no two are the same."""
    numbers, given_texts = count(), cycle(texts)
    return lambda: f"{next(given_texts)} {next(numbers)}"


def value(mean: float, n: int = 40) -> Value:
    return Value(mean, mean - 0.05, mean + 0.05, n)


def made_row(text: Text, unit: str = "") -> Row:
    return Row(text(), value(0.6), {text(): 0.2, text(): None}, unit, text())


def made_passage(text: Text, number: int, *, is_gold: bool = False, is_verbatim: bool = True) -> CitedPassage:
    return CitedPassage(number, text(), text(), text(), text(), text(), text(), is_gold, is_verbatim)


def made_question(text: Text, place: int, measures: Mapping[str, float]) -> Asked:
    return Asked(
        id=text(),
        question=text(),
        kind=text(),
        outcome=OUTCOMES[place % len(OUTCOMES)],
        date=text(),
        history=((text(), text()),),
        rewrite=text(),
        likelihood=0.5,
        sentences=(Said(text(), (1, 2, 9)), Said(text(), ())) if place % 2 == 0 else (),
        citations=(made_passage(text, 1, is_gold=True), made_passage(text, 2, is_verbatim=False)),
        nearest=(made_passage(text, 1),),
        notice=text(),
        answers=(text(), text()),
        gold=(GoldArticle(text(), text(), text(), text(), text()),),
        evidence=(text(),),
        rank=place,
        measures=measures,
        milliseconds=12.5,
    )


def made_page(text: Text) -> Page:
    """A page that has something everywhere, with these texts in every field that holds one."""
    measures = {text(): 0.25, text(): 1.0}
    unit = text()
    histogram = Histogram(text(), text(), {text(): (1.0, 2.0, 40.0), text(): (3.0,)}, {text(): 2.0}, logarithmic=True)
    return Page(
        title=text(),
        summary=text(),
        headline=(made_row(text), made_row(text, unit)),
        groups=(Group(text(), text(), (made_row(text), made_row(text, unit), Row(text(), None))),),
        losses=((text(), 0.9), (text(), 0.7)),
        risk_coverage=(Curve(text(), ((0.5, 0.1), (1.0, 0.3))), Curve(text(), ((0.1, 0.2),))),
        operating_point=(0.8, 0.2),
        calibration=(Bin(0.3, 0.4, 10), Bin(0.8, 0.7, 20)),
        histograms=(histogram,),
        slices=(Slices(text(), (Slice(text(), 3, {text(): value(0.4)}),)),),
        questions=tuple(made_question(text, place, measures) for place in range(6)),
        facts=((text(), text()),),
        notes=(text(),),
    )


def made_sweep(text: Text) -> SweepPage:
    """A page of a sweep with these texts in every field that holds one."""
    measure = text()
    first = Configuration(text(), text(), {measure: value(0.5)})
    other = Configuration(text(), text(), {measure: value(0.6)}, {measure: (value(0.1), 0.03)}, (80.0, 210.0))
    return SweepPage(text(), text(), (measure,), (first, other), ((text(), text()),), (text(),))


UNUSABLE = ":disabled, title, option, noscript"  # what is no text of the page, or cannot be used
OUTLETS = ("The Ledger", "Capital Wire", "Ferrow Herald")


def calm_question(place: int, citations: int = 2) -> Asked:
    kind, outcome = ("plain", "conflict", "dated")[place % 3], OUTCOMES[place % 5]
    cited = tuple(
        CitedPassage(
            number,
            f"a{place}-{number}",
            f"Headline {place}-{number}",
            OUTLETS[place % 3],
            "2022-06-14",
            f"https://wire.example/{place}/{number}",
            f"Three barn owls have nested in mill {place} at Ferrow. " * 4,
            is_gold=number == 1,
            is_verbatim=number != 2,
        )
        for number in range(1, citations + 1)
    )
    return Asked(
        id=f"q-{place}",
        question=f"How many owls nest in mill {place}?",
        kind=kind,
        outcome=outcome,
        likelihood=(place * 37 % 100) / 100,
        sentences=(Said("Three barn owls have nested there.", (1, 2)),) if "refused" not in outcome else (),
        citations=cited if "refused" not in outcome else (),
        nearest=cited if "refused" in outcome else (),
        answers=("three barn owls",),
        gold=(GoldArticle(f"a{place}-1", f"Headline {place}-1", "The Ledger", "2022-06-14", "https://wire.example/1"),),
        evidence=(f"Three barn owls have nested in mill {place} at Ferrow.",),
        rank=place % 7 or None,
        measures={"nDCG@10": (place % 10) / 10, "RR@10": 1.0},
        milliseconds=float(place % 300),
    )


def calm_page(questions: int = 120) -> Page:
    page = made_page(numbered("Text"))
    return replace(page, title="A run", questions=tuple(calm_question(place) for place in range(questions)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def calm(folder: Path) -> Path:
    write_page(calm_page(), folder / "calm.html")
    return folder / "calm.html"


@pytest.fixture(scope="module")
def hostile(folder: Path) -> Path:
    write_page(made_page(numbered(*HOSTILE)), folder / "hostile.html")
    return folder / "hostile.html"


Visit = Callable[..., Tab]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens pages; at the end none may have complained, opened a dialog or asked for anything but its own file."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(path: Path, fragment: str = "", width: int = 1280, **options: Any) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        tab = context.new_page()
        address = path.as_uri()
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        tab.on("dialog", lambda dialog: faults.append(dialog.message))
        tab.on("request", lambda request: None if request.url.split("#")[0] == address else faults.append(request.url))
        tab.goto(address + fragment)
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def asks(tab: Tab) -> list[str]:
    return tab.locator(".ask").all_text_contents()


def fits(tab: Tab) -> bool:
    return bool(tab.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def as_shown(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def opened(tab: Tab) -> Iterator[str]:
    """Open one question after the other, and yield what stands in each."""
    for place in range(tab.locator(".ask").count()):
        tab.locator(".ask").nth(place).click()
        yield tab.locator("tr.detail").evaluate("e => e.textContent")


def test_hostile_texts_are_shown_as_texts_and_nothing_of_them_runs(visit: Visit, hostile: Path) -> None:
    page = made_page(numbered(*HOSTILE))
    tab = visit(hostile)
    details = list(opened(tab))
    for asked, detail in zip(page.questions, details, strict=True):
        shown = [asked.id, *asked.history[0], asked.rewrite, asked.notice, asked.evidence[0], asked.citations[0].text]
        assert [text for text in map(as_shown, shown) if text not in detail] == []
    assert "owned" not in tab.title().replace(as_shown(page.title), "")
    assert tab.locator("img, iframe, object, embed, form, base, link, [style], [autofocus]").count() == 0
    assert tab.locator("script").count() == 2
    assert tab.evaluate("document.querySelectorAll('a:not([href^=\"#\"])').length") == 0


def test_texts_outside_the_questions_stand_there_word_for_word(visit: Visit, hostile: Path) -> None:
    page = made_page(numbered(*HOSTILE))
    body = visit(hostile).evaluate("document.body.textContent")
    rows = [row for group in page.groups for row in group.rows]
    texts = [page.title, page.summary, *page.notes, *page.facts[0], page.groups[0].title, *(row.name for row in rows)]
    for text in texts:
        assert as_shown(text).replace("\x00", "\ufffd").replace("\r\n", "\n") in body


def test_a_script_that_gets_into_the_page_does_not_run(browser: Browser, calm: Path, folder: Path) -> None:
    planted = (
        "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><b style='color:red'>"
    )
    (folder / "planted.html").write_text(calm.read_text().replace("</main>", f"{planted}</main>"))
    tab = browser.new_page()
    refused: list[str] = []
    tab.on("console", lambda message: refused.append(message.text))
    tab.goto((folder / "planted.html").as_uri())
    expect(tab.locator(".ask")).to_have_count(50)
    assert tab.title() == "A run"
    assert tab.locator("b").last.evaluate("e => getComputedStyle(e).color") != "rgb(255, 0, 0)"
    assert len([text for text in refused if "Content Security Policy" in text]) >= 3
    tab.close()


def test_words_find_questions_answers_and_headlines(visit: Visit, calm: Path) -> None:
    tab = visit(calm)
    words = tab.get_by_role("searchbox", name="Search the questions")
    words.fill("OWLS mill 117?")
    assert asks(tab) == ["How many owls nest in mill 117?"]
    expect(tab.locator("#shown")).to_have_text("1 of 120 questions")
    words.fill("headline 33-2")
    assert asks(tab) == ["How many owls nest in mill 33?"]
    words.fill("penguins")
    assert asks(tab) == []
    expect(tab.locator("#shown")).to_have_text("0 of 120 questions. Take away a word or a filter.")
    words.fill("")
    expect(tab.locator("#shown")).to_have_text("120 questions")


def test_kinds_and_outcomes_narrow_the_questions(visit: Visit, calm: Path) -> None:
    tab = visit(calm)
    tab.get_by_label("Kind").select_option("conflict")
    expect(tab.locator("#shown")).to_have_text("40 of 120 questions")
    wrong = tab.get_by_role("button", name=re.compile(r"^wrong"))
    expect(wrong).to_have_text("wrong8")
    wrong.click()
    tab.get_by_role("button", name=re.compile(r"^right")).click()
    expect(wrong).to_have_attribute("aria-pressed", "true")
    expect(tab.locator("#shown")).to_have_text("16 of 120 questions")
    assert set(tab.locator("td .outcome").all_text_contents()) == {"right", "wrong"}
    assert set(tab.locator("td.kind").all_text_contents()) == {"conflict"}


def test_columns_sort_up_and_down_and_back_and_what_is_unknown_stands_last(visit: Visit, calm: Path) -> None:
    tab = visit(calm)
    given_order = asks(tab)
    heading = tab.get_by_role("button", name="Gold rank")
    for turn in ("ascending", "descending"):
        heading.click()
        expect(tab.get_by_role("columnheader", name="Gold rank")).to_have_attribute("aria-sort", turn)
        expect(heading).to_be_focused()
        ranks = [int(text) for text in tab.locator("tr.question td:nth-child(5)").all_text_contents()]
        assert ranks == sorted(ranks, reverse=turn == "descending")
    heading.click()
    assert asks(tab) == given_order


def test_the_measure_shown_can_be_chosen(visit: Visit, calm: Path) -> None:
    tab = visit(calm)
    cells = tab.locator("tr.question td:nth-child(6)")
    assert cells.all_text_contents()[:3] == ["0.000", "0.100", "0.200"]
    tab.get_by_label("Measure").select_option("RR@10")
    assert set(cells.all_text_contents()) == {"1.000"}
    expect(tab.get_by_role("columnheader", name="RR@10")).to_have_count(1)


def test_an_opened_question_shows_the_answer_beside_what_was_wanted(visit: Visit, calm: Path) -> None:
    tab = visit(calm)
    tab.get_by_role("button", name="How many owls nest in mill 0?").click()
    answered, wanted = tab.get_by_label("What was answered"), tab.get_by_label("What was wanted")
    expect(answered.locator(".sentence mark")).to_have_text("Three barn owls")
    expect(answered.locator(".passage").first).to_contain_text("gold article")
    expect(answered.locator(".passage").first).not_to_contain_text("Not verbatim")
    expect(answered.locator(".passage").nth(1)).to_contain_text("Not verbatim")
    expect(answered.locator(".place").first).to_have_text("The Ledger · 14 June 2022")
    expect(wanted).to_contain_text("not found")
    answered.get_by_role("button", name="Passage 2").click()
    expect(answered.locator(".passage").nth(1)).to_be_focused()
    link = answered.get_by_role("link", name="Headline 0-1")
    expect(link).to_have_attribute("href", "https://wire.example/0/1")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")


def test_a_refusal_shows_what_came_nearest(visit: Visit, calm: Path) -> None:
    tab = visit(calm, "#q=q-1")
    expect(tab.locator(".refused")).to_have_text("No answer was given.")
    expect(tab.get_by_label("What was answered")).to_contain_text("What came nearest")


def test_a_link_to_a_question_opens_it_wherever_it_stands(visit: Visit, calm: Path) -> None:
    tab = visit(calm, "#q=q-111")
    expect(tab.locator(".ask[aria-expanded=true]")).to_have_text("How many owls nest in mill 111?")
    expect(tab.locator(".ask[aria-expanded=true]")).to_be_in_viewport()
    tab.get_by_role("searchbox").fill("mill 5")
    tab.evaluate("location.hash = '#q=q-7'")
    expect(tab.locator(".ask[aria-expanded=true]")).to_have_text("How many owls nest in mill 7?")
    tab.get_by_role("button", name="mill 8?").click()
    assert tab.url.endswith("#q=q-8")
    tab.get_by_role("button", name="mill 8?").click()
    assert tab.url.endswith("#questions")
    tab.evaluate("location.hash = '#q=%E0%A4%A'")
    tab.evaluate("location.hash = '#q=nobody'")
    expect(tab.locator("#shown")).to_have_text("The question of this link is not in this report.")


def test_a_link_to_a_question_with_a_hostile_id_works(visit: Visit, hostile: Path) -> None:
    page = made_page(numbered(*HOSTILE))
    tab = visit(hostile)
    tab.locator(".ask").nth(3).click()
    address = tab.url
    assert visit(hostile, address[address.index("#") :]).locator("tr.detail").count() == 1
    expect(tab.locator("tr.detail .about bdi").first).to_have_text(as_shown(page.questions[3].id))


def test_the_keyboard_goes_from_the_search_through_the_questions(visit: Visit, calm: Path) -> None:
    tab = visit(calm)
    tab.keyboard.press("/")
    expect(tab.get_by_role("searchbox")).to_be_focused()
    tab.keyboard.type("mill 11")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(".ask").nth(0)).to_be_focused()
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(".ask").nth(1)).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.locator("tr.detail")).to_have_count(1)
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Link to this question")).to_be_focused()
    tab.keyboard.press("Escape")
    expect(tab.locator("tr.detail")).to_have_count(0)
    expect(tab.locator(".ask").nth(1)).to_be_focused()


def test_the_arrows_go_on_to_the_next_page_of_questions(visit: Visit, calm: Path) -> None:
    tab = visit(calm)
    tab.locator(".ask").nth(49).focus()
    tab.keyboard.press("ArrowDown")
    expect(tab.locator("#pager")).to_contain_text("51 to 100 of 120")
    expect(tab.locator(".ask").first).to_be_focused()
    tab.get_by_role("button", name="Next").click()
    assert len(asks(tab)) == 20
    expect(tab.get_by_role("button", name="Next")).to_be_disabled()


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_and_text_stands_out(
    visit: Visit, calm: Path, hostile: Path, scheme: str, width: int
) -> None:
    sweep = calm.with_name("sweep.html")
    write_sweep_page(made_sweep(numbered(*HOSTILE)), sweep)
    for path in (calm, hostile, sweep):
        tab = visit(path, width=width, color_scheme=scheme)
        for place in range(min(tab.locator(".ask").count(), 6)):
            tab.locator(".ask").nth(place).click()
            assert fits(tab)
            assert contrast(tab, "tr.detail *", leave_out=UNUSABLE) >= 4.5
        for summary in tab.locator("summary").all():
            summary.click()
        assert fits(tab)
        assert contrast(tab, "header *, main *", leave_out=UNUSABLE) >= 4.5
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(251, 250, 247)"
    assert dark == (scheme == "dark")


def test_fingers_find_what_can_be_touched_on_a_phone(visit: Visit, calm: Path) -> None:
    tab = visit(calm, width=360, has_touch=True, is_mobile=True)
    small = "e => e.getBoundingClientRect().height"
    targets = tab.locator("#questions :is(input, select, button:not(.ask)):visible").all()
    assert all(target.evaluate(small) >= 44 for target in targets)
    tab.locator(".ask").first.tap()
    expect(tab.locator("tr.detail")).to_have_count(1)


def test_thousands_of_questions_open_and_filter_quickly(visit: Visit, folder: Path) -> None:
    questions = tuple(calm_question(place, citations=10) for place in range(4300))
    began = time.perf_counter()
    write_page(replace(calm_page(1), questions=questions), folder / "large.html")
    written = time.perf_counter()
    tab = visit(folder / "large.html")
    tab.locator(".ask").first.wait_for()
    shown = time.perf_counter()
    tab.get_by_role("searchbox").fill("mill 4299")
    expect(tab.locator(".ask")).to_have_count(1)
    found = time.perf_counter()
    size = (folder / "large.html").stat().st_size / 1e6
    print(f"{size:.1f} MB: written {written - began:.2f} s, open {shown - written:.2f} s, found {found - shown:.2f} s")
    assert found - written < 20


def test_a_page_of_nothing_says_what_is_missing(visit: Visit, tmp_path: Path) -> None:
    write_page(Page("Nothing", ""), tmp_path / "nothing.html")
    tab = visit(tmp_path / "nothing.html")
    expect(tab.locator("#missing li")).to_have_count(8)
    expect(tab.locator("main > section")).to_have_count(1)
    write_sweep_page(SweepPage("Nothing", "", ("nDCG@10",), ()), tmp_path / "nothing.html")
    tab = visit(tmp_path / "nothing.html")
    expect(tab.locator("main")).to_contain_text("No configuration was run.")


def test_one_bare_question_has_only_the_columns_that_say_something(visit: Visit, tmp_path: Path) -> None:
    write_page(Page("One", "", questions=(Asked("q", "Who?", "", "not judged"),)), tmp_path / "one.html")
    tab = visit(tmp_path / "one.html", "#q=q")
    assert tab.locator("#table th").all_text_contents() == ["Question", "Outcome"]
    expect(tab.locator("tr.detail")).to_contain_text("No answer was asked for.")
    expect(tab.locator("tr.detail")).to_contain_text("Nothing is known of the right answer.")
    expect(tab.locator("#kind-box, #measure-box, #pager")).to_have_count(3)
    expect(tab.locator("#kind-box:visible, #measure-box:visible, #pager:visible")).to_have_count(0)


def test_numbers_that_are_none_are_dashes(visit: Visit, tmp_path: Path) -> None:
    nan = Value(math.nan, math.inf, None, 0)
    page = Page(
        "Odd",
        "",
        headline=(Row("a", nan),),
        groups=(Group("g", "", (Row("a", nan, {"b": math.nan}), Row("b", Value(0.5, None, None, 1)))),),
        losses=(("in the passages", math.nan),),
        risk_coverage=(Curve("c", ((math.nan, 0.1),)),),
        operating_point=(math.nan, 0.0),
        calibration=(Bin(0.5, 0.5, 0),),
        histograms=(Histogram("h", "ms", {"s": (math.nan, 0.0)}, {}, logarithmic=True), Histogram("h", "", {"s": ()})),
        slices=(Slices("kind", (Slice("", 0, {}),)), Slices("month", ())),
        questions=(Asked("q", "Who?", "", "wrong", likelihood=math.nan, measures={"m": math.inf}),),
    )
    write_page(page, tmp_path / "odd.html")
    tab = visit(tmp_path / "odd.html")
    expect(tab.locator(".large").first).to_have_text("–")
    assert not re.search(r"\b(nan|inf)\b", tab.locator("main").inner_text())


def test_a_page_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_page(Page("Before", ""), path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_page(Page("After", "", questions=cast("tuple[Asked, ...]", None)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


class Elements(HTMLParser):
    """Counts elements, and notes every attribute that could run or style something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.forbidden: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] += 1
        self.forbidden += [name for name, _ in attrs if name.startswith("on") or name in {"style", "src"}]


PLAIN_ELEMENTS: dict[str, Counter[str]] = {}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(st.text(min_size=1, max_size=40) | st.sampled_from(HOSTILE), min_size=1, max_size=8))
def test_no_text_becomes_an_element(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    page, sweep = made_page(numbered(*texts)), made_sweep(numbered(*texts))
    write_page(page, folder / "any.html")
    write_sweep_page(sweep, folder / "any-sweep.html")
    write_page(made_page(numbered("plain")), folder / "plain.html")
    write_sweep_page(made_sweep(numbered("plain")), folder / "plain-sweep.html")
    for name in ("", "-sweep"):
        found, plain = (Elements((folder / f"{kind}{name}.html").read_text()) for kind in ("any", "plain"))
        assert found.counts == plain.counts
        assert found.forbidden == []
    shown = re.search(r'id="data">(.*?)</script>', (folder / "any.html").read_text(), re.DOTALL)
    assert shown
    data = json.loads(shown[1])
    assert [one["question"] for one in data["questions"]] == [as_shown(asked.question) for asked in page.questions]


FLOATS = st.floats(-1e9, 1e9) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0])


@settings(deadline=None)
@given(st.lists(FLOATS, max_size=30), st.booleans(), st.sampled_from(["", "ms"]))
def test_all_that_is_drawn_lies_in_the_drawing(values: list[float], logarithmic: bool, unit: str) -> None:
    rows = [plots.Interval(one, one, one, {"beside": one}) for one in values]
    bars = plots.interval_plot(rows, ("beside",), unit=unit).bars
    drawn = [dot.across for bar in bars for dot in bar.dots]
    strips = plots.histogram({"series": values}, {"mark": 3.0}, unit=unit, logarithmic=logarithmic).strips
    drawn += [edge for one in strips[0].columns for edge in (one.left, one.width, one.height)]
    drawn += [dot.down for dot in plots.calibration_plot([(one, one, 1) for one in values]).dots]
    assert all(0 <= place <= 100 for place in drawn)
    assert strips[0].count == sum(map(math.isfinite, values))


@pytest.mark.parametrize(
    ("scale", "labels"),
    [
        (plots.Scale(0, 1), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (plots.linear_scale([0, 212]), ["0", "50", "100", "150", "200", "250"]),
        (plots.linear_scale([-0.03, 0.06], symmetric=True), ["−0.06", "−0.04", "−0.02", "0", "0.02", "0.04", "0.06"]),
        (plots.linear_scale([0, 3400]), ["0", "1,000", "2,000", "3,000", "4,000"]),
        (plots.log_scale([12, 900]), ["20", "50", "100", "200", "500"]),
        (plots.log_scale([0.5, 20000]), ["1", "10", "100", "1,000", "10,000"]),
    ],
)
def test_axes_have_round_values(scale: plots.Scale, labels: list[str]) -> None:
    assert [tick.label for tick in scale.ticks()] == labels


def test_an_interval_is_placed_on_the_axis_of_its_unit() -> None:
    shares = plots.interval_plot([plots.Interval(0.5, 0.4, 0.7, {"lead": 0.1}), None], ("lead",))
    assert shares.bars[0] == plots.Bar(50.0, 40.0, 70.0, (plots.Dot("lead", 0, 10.0),))
    assert shares.bars[1] == plots.Bar(None, None, None, ())
    assert plots.interval_plot([plots.Interval(50)], unit="ms").bars[0].mean == 100.0
    assert plots.interval_plot([plots.Interval(0.1)], around_zero=True).zero == 50.0


def test_a_histogram_counts_every_value_once_and_compares_series_by_share() -> None:
    drawn = plots.histogram({"few": [0.1, 0.9], "many": [0.1] * 30 + [0.9] * 10}, {"p50": 0.5})
    assert [strip.count for strip in drawn.strips] == [2, 40]
    assert [[round(column.height) for column in strip.columns] for strip in drawn.strips] == [[67, 67], [100, 33]]
    assert drawn.marks == (plots.Mark(drawn.marks[0].place, "p50 0.500", leftward=False, level=0),)


def test_a_funnel_tells_what_is_lost_at_each_step() -> None:
    stages = plots.funnel([("found", 0.8), ("chosen", 0.8), ("shown", 0.5)])
    assert [round(stage.lost, 3) for stage in stages] == [0.2, 0.0, 0.3]
    assert [(stage.left, stage.width) for stage in stages] == [(80.0, 20.0), (80.0, 0.0), (50.0, 30.0)]


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    points = [(at / 5000, at / 10000) for at in range(5001)]
    (line,) = plots.line_plot({"risk": points}).lines
    drawn = line.points.split()
    assert len(drawn) == plots.POINTS
    assert (drawn[0], drawn[-1]) == ("0.0,100.0", "100.0,0.0")


def test_numbers_are_written_as_they_are_read() -> None:
    assert [plots.written(value) for value in (0.5, 1, -0.25, None, math.nan)] == ["0.500", "1.000", "−0.250", "–", "–"]
    assert [plots.written(value, "ms") for value in (1.234, 12.34, 1234.5)] == ["1.23", "12.3", "1,234"]
    assert [plots.written(value, signed=True) for value in (0.02, -0.02, -0.0001)] == ["+0.020", "−0.020", "0.000"]
