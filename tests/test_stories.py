from __future__ import annotations

import datetime as dt
import itertools
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.archive import Archive, Entry
from rag.articles import Article, Copy
from rag.filters import Filters
from rag.passages import Passage
from rag.stories import FEWEST_WORDS, any_missing, sketch_text

ROOT = Path(__file__).parent.parent
WORDS = [f"{first}{second}{third}" for first in "bdfgklmn" for second in "aeiou" for third in ("t", "ra", "no", "lis")]


def written(seed: int, words: int = 300) -> str:
    """Write a text of made-up words, another one for each seed."""
    chosen = random.Random(seed).choices(WORDS, k=words)
    return ". ".join(" ".join(chosen[start : start + 12]).capitalize() for start in range(0, words, 12)) + "."


def edited(text: str, share: float, seed: int = 1) -> str:
    """Put another word for some share of the words."""
    words, chance = text.split(" "), random.Random(seed)
    for place in chance.sample(range(len(words)), round(share * len(words))):
        words[place] = chance.choice(WORDS)
    return " ".join(words)


def cut(text: str, share: float) -> str:
    return text[: text.index(".", round(share * len(text))) + 1]


def entry(article_id: str, text: str, date: str = "2022-06-14", title: str = "T") -> Entry:
    passage = Passage(article_id, 0, len(text), text)
    return Entry(Article(article_id, title, text, date=date), (passage,), np.ones((1, 4), dtype=np.float32))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive", {"model": "some-model"}) as created:
        yield created


def groups(archive: Archive) -> set[frozenset[str]]:
    rows = archive.database.read("SELECT story, article_id FROM sketches")
    labels = {label for label, _ in rows}
    return {frozenset(article_id for label, article_id in rows if label == each) for each in labels}


def grouped(*names: str) -> set[frozenset[str]]:
    """Give groups for names of one letter: "ab", "c" are two groups."""
    return {frozenset(name) for name in names}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.upper().replace(".", " —"),
        lambda text: edited(text, 0.02),
        lambda text: edited(text, 0.1),
        lambda text: written(7, 24) + " " + text,
        lambda text: cut(text, 0.5),
        lambda text: edited(cut(text, 0.5), 0.05),
        lambda text: cut(text, 0.35),
    ],
    ids=["copy", "other marks", "2 % edited", "10 % edited", "other lead", "half", "half, edited", "a third"],
)
def test_copies_and_versions_are_one_story(archive: Archive, change: object) -> None:
    assert callable(change)
    for seed in range(10):
        archive.put([entry(f"a{seed}", written(seed)), entry(f"b{seed}", change(written(seed)))])

    assert groups(archive) == {frozenset({f"a{seed}", f"b{seed}"}) for seed in range(10)}


def test_texts_that_only_share_their_subject_or_their_frame_are_not(archive: Archive) -> None:
    frame = written(99, 60)
    archive.put(entry(str(seed), frame + " " + written(seed)) for seed in range(10))
    archive.put(entry(f"rewritten {seed}", edited(written(seed), 0.4)) for seed in range(10))

    assert len(groups(archive)) == 20


def test_what_is_alike_and_came_at_another_time_is_a_story_of_its_own(archive: Archive) -> None:
    text = written(1)
    archive.put([entry("a", text), entry("b", edited(text, 0.04, 2), "2022-06-16")])
    archive.put([entry("c", edited(text, 0.1, 3), "2022-08-01"), entry("d", edited(text, 0.01, 4), "2022-09-01")])

    assert groups(archive) == grouped("abd", "c")


BULLETIN = """Good morning from the weather desk of Radio Nessby. {sky} skies are expected over the coast of Orland this
{day}, with {wind} winds from the {side} that reach {} knots near Cape Tarn by noon. In the valley of the Holm it will
be {air}, with a high of {} degrees in Nessby, {} in Velm and {} in the hills above Garrick. Showers bring {} mm of rain
to the islands before the evening. At sea the waves are {} feet high, and the ferry to Skerry sails as usual. The night
will be {night}, with a low of {} degrees. Sunrise is at 6.{} and sunset at 19.{}. The next bulletin follows at five
o'clock. For warnings and tides call the harbour office in Nessby at any hour."""
EARNINGS = """{0} Inc said on Tuesday that its profit for the second quarter {1} to ${2} million, or ${3} a share, from
${4} million a year before. Analysts asked by Refinitiv had expected ${5} a share on average. Revenue {1} by {6} percent
to ${7} million. For the current quarter {0} expects revenue between ${8} million and ${9} million. Shares of {0} have
risen {10} percent since the beginning of the year, while the Standard and Poor's 500 index has gained {11} percent. In
the last session they closed at ${12} in New York. The mean rating of the analysts is to buy, and none of them says to
sell. This note was written by a machine from data that Refinitiv supplied, and an editor has read it."""
MATCH = """{0} beat {1} by {2} goals to {3} on Saturday in the third round of the Orland League. {4} put the hosts in
front in minute {5} with a shot from the edge of the area, and {6} made it two with his head shortly before the break.
{7} brought {1} back into the match in minute {8}, but the defence of {0} held until the end. Coach {9} said that his
team had worked hard for the three points and that the next match would be harder. {10} people came to see it. {0} is
now in place {11} of the table, while {1} remains in place {12}. The fourth round will be played in a week."""
NOTICE = """We use what you have told us to keep your account. You agree that we store and use this information as our
privacy policy says. Would you like to have our letter? It brings the best of our pages every evening, and offers from
partners we trust. You can leave the list at any time with the link at the end of each letter. If you already have an
account, please sign in to read on. It is free of charge, and you may have five articles a month from our archive."""
FERRY = """The ferry Solveig of the Orland Line ran aground near Cape Tarn on Monday night, and {} people died, the
coast guard said. Captain Ida Holm had 212 passengers aboard when the ship left Nessby at 21.40 for the island of
Skerry. Boats from the village of Garrick took most of them off before midnight. The sea was calm, and it is not known
why the ship had left her course. Minister Jon Velm promised an inquiry and went to Nessby on Tuesday. The Solveig was
built in 1987 and was last inspected in March, when nothing was found amiss, the Orland Line said in a statement."""


def figures(chance: random.Random, most: int = 3) -> Iterator[str]:
    while True:
        yield str(chance.randrange(4, 10 ** chance.randint(2, most)))


def names(seed: int) -> list[str]:
    return [word.capitalize() for word in random.Random(seed).sample(WORDS, 20)]


def bulletin(day: int) -> str:
    chance, words = random.Random(day), {}
    for slot in ("sky", "wind", "side", "air", "night"):
        words[slot] = chance.choice(["bright", "grey", "mild", "north", "sharp", "wet"])
    weekday = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][day % 7]
    return BULLETIN.format(*(chance.randrange(5, 25) for _ in range(9)), day=weekday, **words)


def earnings(company: int) -> str:
    chance, [name, *_] = random.Random(company), names(company)
    return EARNINGS.format(name, chance.choice(["rose", "fell"]), *itertools.islice(figures(chance), 11))


def match(number: int) -> str:
    chance, people = random.Random(number), names(100 + number)
    goals, minutes = chance.randint(2, 5), [chance.randint(2, 90) for _ in range(2)]
    home, away, first, second, third, coach, *_ = people
    places = chance.randint(900, 9000), chance.randint(1, 9), chance.randint(10, 18)
    return MATCH.format(home, away, goals, 1, first, minutes[0], second, third, minutes[1], coach, *places)


def test_bulletins_of_one_form_do_not_chain_into_one_story(archive: Archive) -> None:
    first = dt.date(2022, 6, 1)
    archive.put(entry(str(day), bulletin(day), str(first + dt.timedelta(day)), "Weather") for day in range(30))
    archive.put([entry("copy", bulletin(7), str(first + dt.timedelta(8)), "The weather today")])

    assert len(groups(archive)) == 30
    assert frozenset({"7", "copy"}) in groups(archive)


@pytest.mark.parametrize("form", [earnings, match])
def test_reports_of_one_form_on_different_news_are_stories_of_their_own(
    archive: Archive, form: Callable[[int], str]
) -> None:
    archive.put(entry(str(number), form(number), title=f"Report: {form(number)[:20]}") for number in range(20))
    archive.put([entry("copy", edited(form(3), 0.02), title=f"{form(3)[:20]} again")])

    assert len(groups(archive)) == 20
    assert frozenset({"3", "copy"}) in groups(archive)


@pytest.mark.parametrize("notice", [NOTICE, "Please sign in to read on."], ids=["long", "short"])
def test_a_notice_in_place_of_articles_makes_no_story_of_them(archive: Archive, notice: str) -> None:
    titles = ["Who will lead the harbour council?", "Seven ways to cook herring", "Ferry accident: what we know"]
    for number, title in enumerate(titles):
        archive.put([entry(f"{number}", notice, f"2022-0{number + 1}-03", f"{title} | The Nessby Post")])
    archive.put([entry("again", notice, "2022-03-20", titles[2])])

    assert groups(archive) == {frozenset({"0"}), frozenset({"1"}), frozenset({"2", "again"})}


def test_equal_text_under_another_title_is_one_story_while_its_titles_fit_it_and_it_is_near(archive: Archive) -> None:
    text = FERRY.format(3)
    archive.put(
        [entry("a", text, title="Ferry aground near Cape Tarn"), entry("b", text, "2022-06-16", "Solveig died")]
    )
    archive.put([entry("c", text, "2022-09-16", "Solveig died"), entry("d", text, "2022-12-16", "Inquiry of minister")])
    archive.put([entry("e", text, title="A black day")])

    assert groups(archive) == grouped("abc", "d", "e")


@pytest.mark.parametrize(
    "update",
    [
        FERRY.format(5),
        FERRY.format(5)
        + " A diver from Garrick, Per Lund, said on Tuesday that 2 cars still lay in 40 metres of water.",
        "NESSBY, Orland (Coast Wire) - " + FERRY.format(3),
        edited(FERRY.format(3), 0.03),
    ],
    ids=["toll", "toll and paragraph", "dateline", "edited"],
)
def test_updates_stay_in_their_story(archive: Archive, update: str) -> None:
    archive.put([entry("a", FERRY.format(3), title="Three die as ferry runs aground")])
    archive.put([entry("b", update, "2022-06-15", "Captain of ferry Solveig is asked why her ship ran aground")])

    assert groups(archive) == grouped("ab")


def test_short_texts_must_be_equal(archive: Archive) -> None:
    text = written(1, FEWEST_WORDS - 4)
    archive.put([entry("a", text), entry("b", text.upper()), entry("c", edited(text, 0.03))])
    archive.put([entry("d", "…"), entry("e", "…"), entry("f", "!")])

    assert groups(archive) == grouped("ab", "c", "de", "f")


def test_scripts_without_spaces_are_compared_by_their_characters(archive: Archive) -> None:
    chance = random.Random(1)
    signs = [chr(0x4E00 + chance.randrange(3000)) for _ in range(400)]
    changed = [sign if chance.random() > 0.05 else "水" for sign in signs]
    archive.put([entry("a", "".join(signs)), entry("b", "".join(changed)), entry("c", "".join(sorted(signs)))])

    assert groups(archive) == grouped("ab", "c")


def test_an_article_that_bridges_two_stories_makes_them_one(archive: Archive) -> None:
    text = written(1)
    archive.put([entry("a", edited(text, 0.1, 1)), entry("b", edited(text, 0.1, 2))])
    assert groups(archive) == grouped("a", "b")

    archive.put([entry("c", text)])

    assert groups(archive) == grouped("abc")
    assert len({filing.story for filing in archive.filings([1, 2, 3]).values()}) == 1


def test_who_leaves_takes_its_sketch_along_and_the_others_keep_their_label(archive: Archive) -> None:
    text = written(1)
    archive.put([entry("a", text), entry("b", edited(text, 0.05)), entry("c", edited(text, 0.05, 2))])
    [story] = {filing.story for filing in archive.filings([1, 2, 3]).values()}

    archive.drop(["a"])
    archive.put([entry("b", written(2))])

    assert groups(archive) == grouped("b", "c")
    assert {filing.article_id: filing.story == story for filing in archive.filings([3, 4]).values()} == {
        "b": False,
        "c": True,
    }
    keys = len(sketch_text(written(2)).keys) + len(sketch_text(edited(text, 0.05, 2)).keys)
    assert archive.database.read("SELECT count(*) FROM bands") == [(keys,)]
    assert archive.database.read("PRAGMA foreign_key_check") == []


def test_the_copies_of_a_story_come_newest_first(archive: Archive) -> None:
    text = written(1)
    dates = {"a": "2022-06-14", "b": "", "c": "2022-06-16", "d": "2022-06-14"}
    archive.put(entry(name, text, date) for name, date in dates.items())
    archive.put([entry("e", written(2))])
    labels = [filing.story for filing in archive.filings([1, 5]).values()]

    copies = archive.copies(labels)

    assert {label: [copy.article_id for copy in found] for label, found in copies.items()} == {
        labels[0]: ["c", "a", "d", "b"],
        labels[1]: ["e"],
    }
    assert copies[labels[1]] == [Copy("e", "T", "", "2022-06-14", "")]
    assert archive.copies(labels, Filters(since="2022-06-15")) == {labels[0]: copies[labels[0]][:1]}
    assert (archive.copies(["no such story"]), archive.count_stories()) == ({}, 2)


VERSIONS = [
    *(
        edited(written(seed, 120), share, seed + version)
        for seed in (1, 2)
        for version, share in enumerate((0, 0.05, 0.12))
    ),
    cut(written(1, 120), 0.6),
    f"{written(1, 120)} {written(2, 120)}",
    "Ferry late.",
    "FERRY LATE",
    written(3, 120),
]


@given(st.permutations(range(len(VERSIONS))), st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_stories_are_the_same_whatever_order_articles_come_in(order: Sequence[int], batch: int) -> None:
    def labels(order: Sequence[int]) -> dict[str, str]:
        with TemporaryDirectory() as name, closing(Archive.create(Path(name), {"model": "some-model"})) as archive:
            for start in range(0, len(order), batch):
                archive.put(entry(str(number), VERSIONS[number]) for number in order[start : start + batch])
            return dict(archive.database.read("SELECT article_id, story FROM sketches"))

    assert labels(order) == labels(range(len(VERSIONS)))


def test_articles_without_a_sketch_are_caught_up_with(archive: Archive) -> None:
    texts = {"a": written(1), "b": edited(written(1), 0.05), "c": written(2)}
    archive.put(entry(name, text) for name, text in texts.items())
    stories = archive.filings([1, 2, 3])
    archive.database.read("DELETE FROM sketches WHERE article_id <> 'a'")
    assert [filing.story for filing in archive.filings([2, 3]).values()] == ["", ""]
    revision = archive.revision

    archive.catch_up()

    assert archive.filings([1, 2, 3]) == stories
    assert archive.revision > revision
    revision = archive.revision
    archive.catch_up()
    assert archive.revision == revision


def test_sketches_of_another_version_are_made_anew(archive: Archive) -> None:
    archive.put([entry("a", written(1)), entry("b", written(2))])
    archive.note("sketches", "of another library")
    assert any_missing(archive.database)

    archive.put([entry("c", edited(written(1), 0.05))])
    archive.catch_up()

    assert groups(archive) == grouped("ac", "b")
    assert not any_missing(archive.database)


def test_a_crowd_of_copies_is_one_story(archive: Archive) -> None:
    text = written(1, 60)
    archive.put(entry(str(number), edited(text, 0.02, number)) for number in range(300))

    assert archive.count_stories() == 1


def test_reading_an_archive_loads_nothing_that_only_writing_needs(archive: Archive) -> None:
    archive.put([entry("a", written(1))])
    script = (
        "import sys; from pathlib import Path; from rag.archive import Archive\n"
        "with Archive.open(Path(sys.argv[1])) as archive:\n"
        "    print([archive.copies([found.story]) for found in archive.filings([1]).values()])\n"
        "print('rensa' in sys.modules)"
    )

    printed = subprocess.run(
        [sys.executable, "-c", script, archive.directory], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed.startswith("[{'")
    assert printed.endswith("False\n")
