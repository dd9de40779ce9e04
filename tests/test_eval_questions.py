import hashlib
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.beir import read_collection, read_corpus
from eval.errors import EvalError
from eval.questions import HALVES, Question, Turn, cluster, lines_of, read_questions, select
from eval.sets import FORMS, read_set

OWLS = {"id": "owls", "question": "Where do the owls nest?", "gold_articles": ["owl"], "label": "gold"}


QUESTIONS = st.builds(
    Question,
    id=st.text(min_size=1),
    question=st.sampled_from(["Who?", "When?", "Where?"]) | st.text(min_size=1),
    gold_articles=st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=3).map(tuple),
    answerable=st.booleans(),
    history=st.sampled_from([(), (Turn("user", "Who?"),), (Turn("user", "Why?"), Turn("assistant", "So."))]),
)


def file_of(folder: Path, *records: Any) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in records) + "\n")
    return path


JUDGED = "query-id\tcorpus-id\tscore\na\t1\t2\na\t7\t0\na\t9\t1\n"


def collection(folder: Path, qrels: str = "qrels.tsv", corpus: str = "corpus.jsonl", *, judged: str = JUDGED) -> Path:
    (folder / qrels).parent.mkdir(parents=True, exist_ok=True)
    documents = [{"_id": "1", "title": "Owls", "text": "They nest.", "metadata": {"date": "2022-06-14", "x": 1}}]
    (folder / corpus).write_text("".join(json.dumps(one) + "\n" for one in documents))
    queries = [{"_id": "a", "text": "owls"}, {"_id": "b", "text": "nobody judged this"}]
    (folder / "queries.jsonl").write_text("".join(json.dumps(one) + "\n" for one in queries))
    (folder / qrels).write_text(judged)
    return folder


def half_of(questions: list[Question], half: str) -> set[str]:
    """The ids of a half, which may be empty."""
    try:
        return {question.id for question in select(questions, [f"half={half}"])}
    except EvalError:
        return set()


# Files


def test_a_question_is_read_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    record = {
        **OWLS,
        "answers": ["the old mill"],
        "evidence": ["nested in the old mill"],
        "answerable": True,
        "date": "2022-06-15",
        "kind": "short",
        "history": [{"role": "user", "text": "Are there owls?"}],
        "rewrite": None,
        "choices": ["unknown", "fields", "are", "ignored"],
    }

    (question,) = read_questions(file_of(tmp_path, record, ""))

    assert question == Question(
        "owls",
        "Where do the owls nest?",
        ("the old mill",),
        ("owl",),
        evidence=("nested in the old mill",),
        date="2022-06-15",
        kind="short",
        label="gold",
        history=(Turn("user", "Are there owls?"),),
    )
    assert question.relevance == {"owl": 1}
    assert read_questions(file_of(tmp_path, *lines_of([question]))) == [question]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({**OWLS, "gold_articles": "owl"}, 'line 2: field gold_articles is "owl", not a list of texts.'),
        (
            {**OWLS, "gold_articles": ["a", "a"]},
            'line 2: field gold_articles is ["a", "a"], and names an article twice.',
        ),
        ({**OWLS, "answerable": "yes"}, 'line 2: field answerable is "yes", not true or false.'),
        ({**OWLS, "question": 5}, "line 2: field question is 5, not a text."),
        ({**OWLS, "question": " "}, "line 2: field question is missing or empty."),
        ({"question": "Who?"}, "line 2: field id is missing or empty."),
        ({**OWLS, "id": "first"}, 'line 2: field id is "first", which an earlier question has.'),
        ({**OWLS, "grades": [0]}, "line 2: field grades is [0], not a list of whole numbers above 0."),
        ({**OWLS, "grades": [1, 2]}, "line 2: field grades is [1, 2], and gold_articles has 1 articles."),
        ({**OWLS, "history": ["Hi"]}, 'line 2: field history is ["Hi"], not a list of objects with role and text.'),
        ({**OWLS, "history": [{"role": 1, "text": ""}]}, "line 2: field history.role is 1, not a text."),
        (["owls"], 'line 2: it is ["owls"], not an object with the fields of a question.'),
        ({**OWLS, "question": "\ud800?"}, "line 2: field question is "),
        ({**OWLS, "answers": ["\udfff"]}, "line 2: field answers is "),
        ('{"id": ' + "9" * 5000 + "}", "line 2: it is not JSON (Exceeds the limit"),
        ("{", "line 2: it is not JSON (Expecting property name"),
    ],
)
def test_a_broken_line_is_told_with_its_field_and_its_value(tmp_path: Path, record: Any, message: str) -> None:
    path = file_of(tmp_path, {**OWLS, "id": "first"}, record)

    with pytest.raises(EvalError) as raised:
        read_questions(path)

    assert message in str(raised.value)
    assert str(raised.value).startswith(str(path))
    assert str(raised.value).endswith(" Correct the file.")


def test_several_broken_lines_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match=r"line 1: field id is missing or empty\. So are 2 more lines\."):
        read_questions(file_of(tmp_path, {}, {}, {}))


def test_a_file_that_holds_no_question_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xe9t\xe9")

    with pytest.raises(EvalError, match="holds no question"):
        read_questions(file_of(tmp_path, ""))
    with pytest.raises(EvalError, match="cannot be read .No such file"):
        read_questions(tmp_path / "none")
    with pytest.raises(EvalError, match="is not text in UTF-8"):
        read_questions(tmp_path / "latin")


# Selection


def test_questions_are_selected_by_their_fields() -> None:
    questions = [
        Question("a", "?", label="gold"),
        Question("b", "?", label="weak"),
        Question("c", "?", label="gold", answerable=False),
    ]

    assert [one.id for one in select(questions, ["label=gold"])] == ["a", "c"]
    assert [one.id for one in select(questions, ["label=gold", "answerable=false"])] == ["c"]
    assert select(questions, []) == questions
    with pytest.raises(EvalError, match=r"No question has label 'golden'. Choose from \"gold\", \"weak\"\."):
        select(questions, ["label=golden"])
    with pytest.raises(EvalError, match="The selection 'color=red' is not understood"):
        select(questions, ["color=red"])


def test_questions_that_share_an_article_or_a_conversation_are_one_cluster() -> None:
    questions = [
        Question("a", "Who?", gold_articles=("1",)),
        Question("b", "When?", gold_articles=("1", "2")),
        Question("c", "Where?", gold_articles=("3",)),
        Question("d", "Why?", gold_articles=("4",), history=(Turn("user", "Where?"),)),
        Question("e", "How?"),
    ]

    assert cluster(questions) == [0, 0, 1, 1, 2]


def test_an_article_that_many_share_does_not_tie_all_others_to_each_other() -> None:
    pairs = [("hub", "1"), ("hub", "2"), ("hub", "3"), ("3", "4"), ("4", "5")]
    questions = [Question(str(at), f"{at}?", gold_articles=pair) for at, pair in enumerate(pairs)]

    assert cluster(questions) == [0, 0, 0, 1, 1]


# Halves


def test_a_half_is_known_from_the_article_or_from_the_opening_of_the_conversation() -> None:
    questions = [
        Question("a", "Who?", gold_articles=("1",)),
        Question("b", "When?", gold_articles=("1", "2")),
        Question("c", "Where?", gold_articles=("3",)),
        Question("d", "Why?", gold_articles=("4",), history=(Turn("user", "Where?"),)),
        Question("e", "How?", answerable=False),
    ]
    names = {"a": "1", "b": "1", "c": "Where?", "d": "Where?", "e": "How?"}
    odd = {name: int(hashlib.sha256(key.encode()).hexdigest(), 16) % 2 for name, key in names.items()}

    assert [one.id for one in select(questions, ["half=tune"])] == [name for name in names if not odd[name]]
    assert [one.id for one in select(questions, ["half=report"])] == [name for name in names if odd[name]]


def test_a_half_is_that_of_all_questions_whatever_else_is_selected() -> None:
    shared = [Question(f"{at}", f"{at}?", kind="plain", gold_articles=("hub", f"{at}")) for at in range(9)]
    questions = [*shared, Question("one", "one?", kind="other", gold_articles=("hub", "lone"))]
    (half,) = {half for half in HALVES if half_of(questions, half)}

    for conditions in (["kind=other", f"half={half}"], [f"half={half}", "kind=other"]):
        assert [one.id for one in select(questions, conditions)] == ["one"]


def test_a_question_that_joins_the_article_of_a_lone_one_leaves_its_half() -> None:
    for at in range(20):
        lone = Question("a", f"Who is {at}?", gold_articles=(f"{at}",))
        other = Question("0", "When?", gold_articles=(f"{at}",))

        assert [half_of([lone], half) for half in HALVES] == [half_of([lone, other], half) - {"0"} for half in HALVES]


def test_a_half_that_is_none_is_told() -> None:
    with pytest.raises(EvalError, match=r"No question has half 'best'. Choose from \"report\", \"tune\"\."):
        select([Question(f"{at}", f"{at}?") for at in range(20)], ["half=best"])
    with pytest.raises(EvalError, match="with one of .*'half'"):
        select([Question("a", "?")], ["part=tune"])


@given(st.lists(QUESTIONS, unique_by=lambda question: question.id), st.randoms(use_true_random=False))
def test_halves_are_disjoint_and_together_whole_and_part_no_cluster(questions: list[Question], random: Random) -> None:
    halves = {half: half_of(questions, half) for half in HALVES}
    clusters = {question.id: number for question, number in zip(questions, cluster(questions), strict=True)}
    mixed = random.sample(questions, len(questions))

    assert not halves["tune"] & halves["report"]
    assert halves["tune"] | halves["report"] == set(clusters)
    assert not {clusters[one] for one in halves["tune"]} & {clusters[one] for one in halves["report"]}
    assert {half: half_of(mixed, half) for half in HALVES} == halves


@given(st.text())
def test_halves_are_of_about_one_size(prefix: str) -> None:
    questions = [Question(f"{at}", f"{at}?", gold_articles=(f"{prefix}{at}",)) for at in range(400)]

    assert 130 <= len(half_of(questions, "tune")) <= 270


def test_a_rewrite_is_asked_where_there_is_one() -> None:
    question = Question("a", "And he?", rewrite="What did Zarif say?")

    assert (question.worded("question"), question.worded("rewrite")) == ("And he?", "What did Zarif say?")
    assert Question("b", "Who?").worded("rewrite") == "Who?"


# BEIR folders


@pytest.mark.parametrize(("qrels", "corpus"), [("qrels.tsv", "docs.jsonl"), ("qrels/test.tsv", "corpus.jsonl")])
def test_a_beir_folder_gives_its_judged_queries_and_its_documents(tmp_path: Path, qrels: str, corpus: str) -> None:
    folder = collection(tmp_path / "lamps", qrels, corpus)

    asked = read_set(folder)

    assert asked.questions == (Question("a", "owls", gold_articles=("1", "9"), grades=(2, 1)),)
    assert asked.name == "lamps"
    assert list(read_corpus(folder)) == [{"id": "1", "title": "Owls", "text": "They nest.", "date": "2022-06-14"}]


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match=r"holds no qrels\.tsv and no qrels/test\.tsv"):
        read_collection(tmp_path)
    with pytest.raises(EvalError, match=r"No query in .* is judged\. Give a folder"):
        read_collection(collection(tmp_path / "unjudged", judged="query-id\tcorpus-id\tscore\n"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("qrels.tsv", "a 1 2\n", 'line 1: it is "a 1 2", not query, document and grade with tabs between. Correct'),
        ("qrels.tsv", "a\t1\t1\n\na\t2\t--1\n", 'line 3: the grade is "--1", not a whole number. Correct the file.'),
        ("queries.jsonl", "\n{\n", "line 2: it is not JSON. Correct the file."),
        ("queries.jsonl", "[]\n", "line 1: it is not an object. Correct the file."),
        ("queries.jsonl", '{"_id": null}\n', "line 1: field _id is null, not a text. Correct the file."),
        ("queries.jsonl", '{"_id": "a", "text": " "}\n', 'line 1: field text is " ", not a text. Correct the file.'),
        ("queries.jsonl", '{"_id": "a", "text": "\\ud800"}\n', "line 1: field text is "),
        ("queries.jsonl", b"\xff", "is not text in UTF-8. Save it as that."),
    ],
)
def test_a_broken_line_of_a_beir_folder_is_told(tmp_path: Path, name: str, text: str | bytes, message: str) -> None:
    folder = collection(tmp_path)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(EvalError) as raised:
        read_collection(folder)

    assert f"{folder / name}" in str(raised.value)
    assert message in str(raised.value)


def test_the_highest_grade_of_a_document_counts(tmp_path: Path) -> None:
    (question,) = read_collection(collection(tmp_path, judged="a\t1\t1\na\t1\t3\na\t1\t-1\na\t9\t0\n"))

    assert question.relevance == {"1": 3}


# Sets


@pytest.mark.parametrize(
    ("name", "qrels", "message"),
    [
        ("none", None, "{path} cannot be read (No such file or directory). Give "),
        ("", None, "{path} holds no set of questions. Give "),
        ("", "qrels.txt", "{path} is a folder, and --qrels is for a file of topics. Give "),
        ("topics.txt", None, "{path} is a file of topics without judgements. Name these with --qrels: give "),
        ("q.jsonl", "qrels.txt", "{path} has judgements of its own, and --qrels is for topics. Leave one out: give "),
        ("q.json", "qrels.txt", "{path} has judgements of its own, and --qrels is for topics. Leave one out: give "),
    ],
)
def test_what_is_no_set_is_told_with_the_forms_of_one(
    tmp_path: Path, name: str, qrels: str | None, message: str
) -> None:
    for file in {name, "other.txt"} - {"", "none"}:
        (tmp_path / file).touch()
    path = tmp_path / name

    with pytest.raises(EvalError) as raised:
        read_set(path, qrels=tmp_path / qrels if qrels else None)

    assert str(raised.value) == message.format(path=path) + FORMS + "."
    assert all(form in FORMS for form in ("a question a line", "SQuAD", "TREC topics", "BEIR"))


def test_a_file_of_questions_may_be_named_as_one_of_topics(tmp_path: Path) -> None:
    path = file_of(tmp_path, OWLS).rename(tmp_path / "topics.jsonl")

    assert [question.id for question in read_set(path).questions] == ["owls"]
    assert read_set(path).name == f"{tmp_path.name}-topics"


def test_a_set_is_known_by_the_hash_of_its_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, OWLS, {**OWLS, "id": "more", "label": "weak"})

    whole, part = read_set(path), read_set(path, ["label=gold"])

    assert whole.sha256 == part.sha256
    assert (len(whole.questions), len(part.questions), part.where) == (2, 1, ("label=gold",))
    assert whole.name == f"{tmp_path.name}-questions"
    file_of(tmp_path, OWLS)
    assert read_set(path).sha256 != whole.sha256
