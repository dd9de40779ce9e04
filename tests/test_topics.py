import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eval.beir import read_collection as read_beir
from eval.errors import EvalError
from eval.questions import Question
from eval.sets import read_set
from eval.topics import find, read_collection, read_topics

SLOPPY = """<top>
<head> Tipster Topic Description
<num> Number:  051
<dom> Domain: International Economics
<title> Topic:  Airbus
  Subsidies

<desc> Description:

Document will discuss <unknown> aid.
<fac> Factor(s):
<nat> Nationality: U.S.
</fac>
</top>

<top>
<num>302</num><title>Poliomyelitis and R&D</title>
<narr>Who?</narr>
<TOP>
<NUM> Number: 303
<TITLE>
<desc> Description: Is the Hubble telescope worth
it?
<num> 304 <title> no one judged this
"""
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z"), exclude_characters="<:"), min_size=1)
IDS = st.text(st.characters(categories=("L", "Nd", "P"), exclude_characters="<:"), min_size=1)
JUDGED = "51 0 FT-1 1\n302 0 FT-2 2\n303 0 FT-3 1\n"


def files(folder: Path, topics: str | bytes, qrels: str = JUDGED) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    (folder / "topics.txt").write_bytes(topics if isinstance(topics, bytes) else topics.encode())
    (folder / "qrels.txt").write_text(qrels)
    return folder / "topics.txt", folder / "qrels.txt"


def test_topics_are_read_as_they_are_written_in_the_wild(tmp_path: Path) -> None:
    topics, qrels = files(tmp_path, SLOPPY)

    assert [(topic.id, topic.title, topic.description) for topic in read_topics(topics)] == [
        ("051", "Airbus Subsidies", "Document will discuss"),
        ("302", "Poliomyelitis and R&D", ""),
        ("303", "", "Is the Hubble telescope worth it?"),
        ("304", "no one judged this", ""),
    ]
    assert read_collection(topics, qrels) == [
        Question("51", "Airbus Subsidies", gold_articles=("FT-1",), grades=(1,)),
        Question("302", "Poliomyelitis and R&D", gold_articles=("FT-2",), grades=(2,)),
        Question("303", "Is the Hubble telescope worth it?", gold_articles=("FT-3",), grades=(1,)),
    ]


def test_lines_with_a_tab_are_topics_too(tmp_path: Path) -> None:
    topics, qrels = files(
        tmp_path, "\ufeffa1\tWhere do owls nest?\r\n\na2\tWhat is a\t<top> of?\n", "a2 Q0 d 3\na1 Q0 d 1\n"
    )

    assert [(one.id, one.question, one.grades) for one in read_collection(topics, qrels)] == [
        ("a1", "Where do owls nest?", (1,)),
        ("a2", "What is a <top> of?", (3,)),
    ]


def test_a_file_that_is_not_utf_8_is_latin_1(tmp_path: Path) -> None:
    topics, qrels = files(tmp_path, "<num> 1 <title> L'été à Besançon\n".encode("latin-1"), "1 0 d 1\n")

    assert [one.question for one in read_collection(topics, qrels)] == ["L'été à Besançon"]


def test_only_a_grade_above_0_says_that_a_document_is_relevant(tmp_path: Path) -> None:
    qrels = "1 0 a 0\n1 0 b -2\n\n1 0 c 100\n1 1 d 1\n1 2 d 3\n1 3 d 0\n2 0 a 0\n"
    topics, judged = files(tmp_path, "1\tone\n2\ttwo\n3\tthree\n", qrels)

    (question,) = read_collection(topics, judged)

    assert question.relevance == {"c": 100, "d": 3}


def test_ids_stand_as_they_do_in_the_files(tmp_path: Path) -> None:
    topics, qrels = files(tmp_path, "007\tbond\n%41\tescaped\n", "007 0 https://a.org/%C3%A9 1\n%41 0 b 1\n")

    assert [(one.id, one.gold_articles) for one in read_collection(topics, qrels)] == [
        ("007", ("https://a.org/%C3%A9",)),
        ("%41", ("b",)),
    ]


@pytest.mark.parametrize(
    ("topics", "qrels", "message"),
    [
        (
            "x\n<top>\n<title> Owls\n",
            JUDGED,
            "topics.txt, line 2: the topic has no number after <num>. Correct the file.",
        ),
        ("<num> Number:\n", JUDGED, "topics.txt, line 1: the topic has no number after <num>. Correct the file."),
        (
            "<num> 51 <narr> Owls\n",
            JUDGED,
            'topics.txt, line 1: topic "51" has no title and no description. Correct the file.',
        ),
        (
            "51\towls\n\n051\tbats\n",
            JUDGED,
            'topics.txt, line 3: an earlier topic has the number "051", too. Correct the file.',
        ),
        (
            "51\towls\n302 polio\n",
            JUDGED,
            'topics.txt, line 2: it is "302 polio", not id, tab and text. Give a file of such lines, or of',
        ),
        (
            "51\towls\n",
            "51 0 a 1\n51 0 b\n",
            'qrels.txt, line 2: it is "51 0 b", not topic, iteration, document and grade. Give qrels of TREC.',
        ),
        ("51\towls\n", "51 0 a 1.5\n", 'qrels.txt, line 1: the grade is "1.5", not a whole number. Correct the file.'),
        ("51\towls\n", f"51 0 a {'9' * 5000}\n", "qrels.txt, line 1: the grade is"),
        ("1\towls\n", JUDGED, "Give qrels whose first column has their numbers."),
        ("", JUDGED, "Give qrels whose first column has their numbers."),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_its_value(
    tmp_path: Path, topics: str, qrels: str, message: str
) -> None:
    with pytest.raises(EvalError) as raised:
        read_collection(*files(tmp_path, topics, qrels))

    assert message in str(raised.value)
    assert str(tmp_path) in str(raised.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match=r"none cannot be read .No such file"):
        list(read_topics(tmp_path / "none"))


# Sets


def test_a_set_is_a_file_with_its_qrels_or_a_folder_with_both(tmp_path: Path) -> None:
    topics, qrels = files(tmp_path / "robust.04", SLOPPY)

    folder, file = read_set(topics.parent), read_set(topics, qrels=qrels)

    assert folder.questions == file.questions
    assert folder.sha256 == file.sha256
    assert (folder.name, file.name) == ("robust.04", "robust.04-topics")
    qrels.write_text(JUDGED + "302 0 FT-9 1\n")
    assert read_set(topics, qrels=qrels).sha256 != file.sha256


def test_a_folder_has_one_file_of_each(tmp_path: Path) -> None:
    files(tmp_path, SLOPPY)
    (tmp_path / "topics.more").touch()

    with pytest.raises(
        EvalError, match=r"holds 2 files whose name begins with topics \(topics.more, topics.txt\)\. Give"
    ):
        find(tmp_path)
    (tmp_path / "topics.more").unlink()
    (tmp_path / "qrels.txt").unlink()
    with pytest.raises(EvalError, match="holds no file whose name begins with qrels"):
        read_set(tmp_path)


# Rules


@given(asked=st.dictionaries(IDS, WORDS, min_size=1), grade=st.integers(1, 999_999_999), tabbed=st.booleans())
def test_what_is_written_as_topics_is_read_back_and_as_beir_gives_the_same(
    tmp_path_factory: pytest.TempPathFactory, asked: dict[str, str], grade: int, tabbed: bool
) -> None:
    folder = tmp_path_factory.mktemp("topics")
    marked = (f"<top>\n<num> Number: {name}\n<title> {words}\n</top>\n" for name, words in asked.items())
    lines = (f"{name}\t{words}\n" for name, words in asked.items())
    topics, qrels = files(
        folder, "".join(lines if tabbed else marked), "".join(f"{name} 0 d {grade}\n" for name in asked)
    )
    queries = (json.dumps({"_id": name, "text": words}) + "\n" for name, words in asked.items())
    (folder / "queries.jsonl").write_text("".join(queries))
    (folder / "qrels.tsv").write_text("".join(f"{name}\td\t{grade}\n" for name in asked))

    read = read_collection(topics, qrels)

    assert read == [Question(name, words, gold_articles=("d",), grades=(grade,)) for name, words in asked.items()]
    assert read == read_beir(folder)


@given(before=st.text(), title=st.text(), after=st.text())
def test_a_title_without_tags_is_read_whatever_stands_around_it(
    tmp_path_factory: pytest.TempPathFactory, before: str, title: str, after: str
) -> None:
    assume("<" not in before + title + after)
    text = f"<top>{before}<num>1<title>.{title}<desc>{after}"

    (topic,) = read_topics(files(tmp_path_factory.mktemp("topics"), text)[0])

    assert topic.asked == " ".join(f".{title}".split())


@given(topics=st.binary(), marked=st.booleans(), qrels=st.binary())
def test_any_bytes_are_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, topics: bytes, marked: bool, qrels: bytes
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "topics").write_bytes(b"<num>" * marked + topics)
    (folder / "qrels").write_bytes(qrels)

    with pytest.raises(EvalError):
        read_set(folder)
