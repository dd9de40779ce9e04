from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import ArchiveEmpty, ArchiveNotFound, Article, Difference, QuestionError, RagError, Trace, Tracer
from rag.archive import Archive
from rag.cli import main
from tests.unembedded import make_archive

# An excerpt may cross the border of two passages, each of which is a paragraph here.
LIGHT = Article(
    "light",
    "Keeper of the Skarn light retires",
    "Mara Holm has kept the light on Skarn for 31 years. On Friday she went ashore for good, with two cats and a "
    "barometer.\n\n“I never counted the ships,” she said, “but I remember every storm — and the fog of 1987.” The U.S. "
    "freighter Alma, with 1,200 tons of grain, ran aground in it.\n\nThe county will run the light from the mainland. "
    "“A machine,” said Jon Vik, who'd been her assistant, “does not make coffee.”",
    "Skarn Herald",
    "2021-03-05",
    "https://skarn-herald.example/light",
)
COPY = Article(
    "copy",
    LIGHT.title,
    LIGHT.text.replace("two cats", "three cats"),
    "Coast Wire",
    "2021-03-04",
    "https://coast.example/1",
)
SURVEY = Article(
    "survey",
    "Lighthouses of the north are to be run from the mainland within ten years",
    "The survey asked 14 keepers. “I never counted the ships,” one of them wrote, “but I do count the stairs.” [He] "
    "then listed them ... all of them.",
    "Coast Wire",
    "",
)
COMMON = [
    Article(f"common-{number:03}", f"Catch of week {number}", f"The boats were back at noon. Crate {number} was full.")
    for number in range(400)
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_archive(tmp_path_factory.mktemp("traced") / "archive", [LIGHT, COPY, SURVEY, *COMMON])


@pytest.fixture(scope="module")
def tracer(place: Path) -> Iterator[Tracer]:
    with Tracer.open(place) as opened:
        yield opened


def found(trace: Trace) -> list[tuple[str, str]]:
    return [(origin.article_id, origin.text) for origin in trace.found]


def changed(trace: Trace) -> list[tuple[str, str]]:
    return [(difference.excerpt, difference.article) for difference in trace.differences]


def test_an_excerpt_is_led_back_to_its_article_and_characters(tracer: Tracer) -> None:
    excerpt = "On Friday she went ashore for good, with two cats and a barometer.\n\n“I never counted the ships,”"
    trace = tracer.trace(excerpt)

    [origin] = trace.found
    assert (trace.state, origin.state, origin.identical, origin.times) == ("verbatim", "verbatim", True, 1)
    assert (origin.article_id, origin.title, origin.source, origin.date, origin.url) == (
        LIGHT.id, LIGHT.title, LIGHT.source, LIGHT.date, LIGHT.url,
    )  # fmt: skip
    assert LIGHT.text[origin.start : origin.end] == origin.text == excerpt
    assert (trace.nearest, trace.differences, trace.more, trace.searched.articles) == (None, (), False, 403)


@pytest.mark.parametrize(
    "excerpt",
    [
        '"but I remember every storm -- and the fog of 1987"',
        "but I remember  every\nstorm–and the\r\nfog of 1987",
        "‘but I remember every storm &mdash; and the fog of 1987.’",
        "but I remember every storm ― and the fog of 1987, ",
    ],
)
def test_quotation_marks_dashes_and_white_space_do_not_count(tracer: Tracer, excerpt: str) -> None:
    trace = tracer.trace(excerpt)

    assert [origin.article_id for origin in trace.found] == ["copy", "light"]
    assert {(origin.state, origin.identical) for origin in trace.found} == {("verbatim", False)}
    assert all("but I remember every storm — and the fog of 1987" in origin.text for origin in trace.found)


@pytest.mark.parametrize(
    "excerpt",
    ["THE US FREIGHTER ALMA WITH 1200 TONS OF GRAIN", "said jon vik who’d been her assistant: does not make coffee"],
)
def test_other_case_and_punctuation_are_the_same_words(tracer: Tracer, excerpt: str) -> None:
    trace = tracer.trace(excerpt)

    assert (trace.state, [origin.state for origin in trace.found]) == ("words", ["words", "words"])


def test_the_articles_of_one_story_stand_together_and_the_oldest_first(tracer: Tracer) -> None:
    trace = tracer.trace("I never counted the ships")

    assert [origin.article_id for origin in trace.found] == ["copy", "light", "survey"]
    stories = [origin.story for origin in trace.found]
    assert stories[0] == stories[1] != stories[2]


@pytest.mark.parametrize(
    ("excerpt", "nearest", "told"),
    [
        ("she went ashore for good, with four cats and a barometer", "copy", [("four", "three")]),
        ("Holm has kept the light on Skarn for 13 years. On Friday", "copy", [("13", "31")]),
        ("The U.S. freighter Alma, with 1,300 tons of grain", "copy", [("1,300", "1,200")]),
        ("The survey asked 14 retired keepers. “I never counted", "survey", [("retired", "")]),
        ("“I never counted the ships,” of them wrote, “but I do count", "survey", [("", "one")]),
        ("Two survey asked 14 keepers. I never counted the vessels", "survey", [("Two", "The"), ("vessels", "ships")]),
        ("Lighthouses of the south are to be run from the mainland", "survey", [("south", "north")]),
    ],
)
def test_an_altered_excerpt_is_told_with_what_was_changed(
    tracer: Tracer, excerpt: str, nearest: str, told: list[tuple[str, str]]
) -> None:
    trace = tracer.trace(excerpt)

    assert trace.nearest is not None
    assert (trace.state, trace.found, trace.nearest.article_id) == ("altered", (), nearest)
    assert changed(trace) == told
    text = getattr(tracer.archive.article(nearest), trace.nearest.part)
    assert text[trace.nearest.start : trace.nearest.end] == trace.nearest.text
    for each in trace.differences:
        assert trace.excerpt[each.excerpt_start : each.excerpt_end] == each.excerpt
        assert text[each.start : each.end] == each.article


def test_what_dots_and_brackets_leave_out_is_told_and_no_difference(tracer: Tracer) -> None:
    trace = tracer.trace("“[Holm] has kept the light ... On Friday she went [home] with two cats [and so on]”")

    [origin] = trace.found
    assert (origin.article_id, origin.state, origin.identical) == ("light", "verbatim", False)
    assert [LIGHT.text[slice(*span)] for span in origin.omitted] == ["on Skarn for 31 years", "ashore for good"]
    assert (origin.text[:8], origin.text[-8:]) == ("has kept", "two cats")

    altered = tracer.trace("has kept the light ... On Friday she went ashore for good, with nine cats [and so on]")
    assert changed(altered) == [("nine", "three")]


def test_brackets_and_dots_that_are_the_articles_own_are_found_as_they_are(tracer: Tracer) -> None:
    trace = tracer.trace("[He] then listed them ... all of them.")

    assert [(origin.article_id, origin.identical, origin.omitted) for origin in trace.found] == [("survey", True, ())]


def test_words_in_brackets_that_are_the_articles_own_are_not_to_be_altered(tracer: Tracer) -> None:
    trace = tracer.trace("but I do count the stairs. [She] then listed them ... all of them.")

    assert (trace.state, changed(trace)) == ("altered", [("She", "He")])


def test_a_headline_is_found_where_no_text_has_it(tracer: Tracer) -> None:
    [origin] = tracer.trace("are to be run from the mainland within ten years").found

    assert (origin.article_id, origin.part) == ("survey", "title")
    assert SURVEY.title[origin.start : origin.end] == origin.text


@pytest.mark.parametrize(
    "excerpt",
    [
        "The ferry to Lund was late on Monday, and nobody said why it had been",
        "counted the boats",
        "I never counted the sheep",
        "zyzzyva",
        "“”… 12345",
    ],
)
def test_what_no_article_holds_or_comes_near_is_not_found(tracer: Tracer, excerpt: str) -> None:
    trace = tracer.trace(excerpt)

    assert (trace.state, trace.found, trace.nearest, trace.differences) == ("not_found", (), None, ())
    assert trace.searched.outlets == ("Coast Wire", "Skarn Herald")


def test_common_words_are_found_in_many_articles_and_there_are_more(tracer: Tracer) -> None:
    trace = tracer.trace("the boats were back at noon")

    assert len(trace.found) >= 100
    assert trace.more


def test_an_excerpt_that_stands_in_an_article_several_times_is_counted(tracer: Tracer) -> None:
    [origin] = tracer.trace("of them").found

    assert (origin.times, origin.start) == (2, SURVEY.text.index("of them"))


def test_articles_that_come_in_and_leave_are_followed(tmp_path: Path) -> None:
    place = make_archive(tmp_path / "archive", [LIGHT])
    excerpt = "“I never counted the ships,” one of them wrote"
    with Tracer.open(place) as tracer:
        assert tracer.trace(excerpt).state == "not_found"

        make_archive(place, [SURVEY])
        assert [article for article, _ in found(tracer.trace(excerpt))] == ["survey"]

        with Archive.open(place) as archive:
            archive.drop(["survey"])
        assert tracer.trace(excerpt).state == "not_found"


def test_what_cannot_be_traced_is_told_in_a_line(tmp_path: Path, tracer: Tracer) -> None:
    with pytest.raises(QuestionError, match="The excerpt is empty"):
        tracer.trace(" … ")
    with pytest.raises(ArchiveNotFound):
        Tracer.open(tmp_path)
    with Tracer.open(make_archive(tmp_path / "empty")) as empty, pytest.raises(ArchiveEmpty):
        empty.trace("some words")


@settings(deadline=None, max_examples=30)
@given(first=st.integers(0, 50), count=st.integers(8, 40), junk=st.sampled_from(["", "\u200b", "\ud800", "\x00"]))
def test_every_run_of_words_is_led_back_to_where_it_stands(tracer: Tracer, first: int, count: int, junk: str) -> None:
    written = LIGHT.text.split()
    excerpt = f" {junk}".join(written[first : first + count])

    origins = {origin.article_id: origin for origin in tracer.trace(excerpt).found}
    assert origins["light"].text.split() == written[first : first + count]


@settings(deadline=None, max_examples=30)
@given(excerpt=st.text() | st.text(alphabet=" \"'()[]*:^~+-&|!\\/.…ab1\ud800\x00“", max_size=80))
def test_any_excerpt_is_traced_or_refused_in_words(tracer: Tracer, excerpt: str) -> None:
    try:
        trace = tracer.trace(excerpt)
    except RagError:
        return
    json.dumps(trace.to_dict(), ensure_ascii=False).encode()


@pytest.mark.parametrize("unit", ["the ", "a b ", "( ", '"a" ', "[a] ", "… the ", "ships ", "ab"])
def test_a_hostile_excerpt_is_answered_in_no_time(tracer: Tracer, unit: str) -> None:
    started = time.process_time()
    for excerpt in ((unit * 9_000)[:9_000], (unit * 50_000)[:50_000]):
        with suppress(QuestionError):  # of too many words
            tracer.trace(excerpt)
    assert time.process_time() - started < 3


def test_a_trace_is_given_as_json_has_it(tracer: Tracer) -> None:
    told = tracer.trace("she went ashore for good, with four cats and a barometer").to_dict()

    assert list(told) == ["excerpt", "state", "found", "nearest", "differences", "searched", "more"]
    assert list(told["differences"]) == [
        {"excerpt": "four", "article": "three", "excerpt_start": 31, "excerpt_end": 35, "start": 93, "end": 98}
    ]
    assert tracer.trace("four cats").differences == ()
    assert isinstance(Difference(**told["differences"][0]), Difference)


# The command

FOUND = """In 1 article.

Keeper of the Skarn light retires (Skarn Herald, 2021-03-05)
    article light, characters 66 to 117, verbatim
    without characters 78 to 86
    https://skarn-herald.example/light
    went ashore for good, with two cats and a barometer
"""

Onrecord = Callable[..., tuple[int, str, str]]


@pytest.fixture
def onrecord(capsys: pytest.CaptureFixture[str], place: Path) -> Onrecord:
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["trace", *arguments, "--archive", str(place)])
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


def test_the_command_names_the_articles(onrecord: Onrecord) -> None:
    assert onrecord("went ashore ... with two cats and a barometer") == (0, FOUND, "")


def test_the_command_names_the_difference_and_ends_with_1(onrecord: Onrecord) -> None:
    code, out, _ = onrecord("The survey asked 40 retired keepers. “I never counted ships,” one of them wrote, “but")

    assert code == 1
    assert out.startswith("No article has it so. The nearest passage:\n\nLighthouses of the north")
    assert out.endswith(
        "- the excerpt has “40 retired”, the article “14” (characters 17 to 19)\n"
        "- the article has “the” (characters 46 to 49), the excerpt does not\n"
    )


def test_the_command_says_what_was_searched_and_ends_with_1(onrecord: Onrecord) -> None:
    code, out, _ = onrecord("the ferry to Lund was late again")

    assert (code, out) == (1, "Not in the archive. Searched 403 articles from 2 outlets, 2021-03-04 to 2021-03-05.\n")


def test_the_command_ends_with_2_after_an_error(onrecord: Onrecord) -> None:
    code, out, err = onrecord("…")

    assert (code, out) == (2, "")
    assert err == "onrecord: The excerpt is empty. Give words of an article, as it has them.\n"


def test_the_command_prints_json(onrecord: Onrecord, tracer: Tracer) -> None:
    excerpt = "but I remember every storm"
    code, out, _ = onrecord(excerpt, "--json")

    assert (code, json.loads(out)) == (0, json.loads(json.dumps(tracer.trace(excerpt).to_dict())))


def test_the_command_shows_ten_articles_and_counts_the_others(onrecord: Onrecord) -> None:
    code, out, _ = onrecord("the boats were back at noon")

    assert code == 0
    assert out.count("with other case or punctuation") == 10
    assert out.splitlines()[0].endswith(" articles, or more.")
    assert out.splitlines()[-1].startswith("and ")


@pytest.mark.parametrize(("given", "code"), [("she  went\nashore \xff", 0), ("x" * 300_000, 2)])
def test_the_command_reads_an_excerpt_from_stdin(place: Path, given: str, code: int) -> None:
    command = [sys.executable, "-m", "rag", "trace", "-", "--archive", str(place)]
    done = subprocess.run(command, input=given.encode("latin-1"), capture_output=True, timeout=60, check=False)

    assert done.returncode == code
    assert done.stderr.count(b"\n") == (code == 2)
