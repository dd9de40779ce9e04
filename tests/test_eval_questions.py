import json
from pathlib import Path
from typing import Any

import pytest

from eval.beir import read_collection, read_corpus
from eval.errors import EvalError
from eval.questions import Question, Turn, cluster, lines_of, read_questions, select
from eval.sets import read_set

OWLS = {"id": "owls", "question": "Where do the owls nest?", "gold_articles": ["owl"], "label": "gold"}


def file_of(folder: Path, *records: Any) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in records) + "\n")
    return path


def collection(folder: Path, qrels: str = "qrels.tsv", corpus: str = "corpus.jsonl") -> Path:
    (folder / qrels).parent.mkdir(parents=True, exist_ok=True)
    documents = [{"_id": "1", "title": "Owls", "text": "They nest.", "metadata": {"date": "2022-06-14", "x": 1}}]
    (folder / corpus).write_text("".join(json.dumps(one) + "\n" for one in documents))
    queries = [{"_id": "a", "text": "owls"}, {"_id": "b", "text": "nobody judged this"}]
    (folder / "queries.jsonl").write_text("".join(json.dumps(one) + "\n" for one in queries))
    (folder / qrels).write_text("query-id\tcorpus-id\tscore\na\t1\t2\na\t7\t0\na\t9\t1\n")
    return folder


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
        ({**OWLS, "id": "first"}, 'line 2: field id is "first", which an earlier line has.'),
        ({**OWLS, "grades": [0]}, "line 2: field grades is [0], not a list of whole numbers above 0."),
        ({**OWLS, "grades": [1, 2]}, "line 2: field grades is [1, 2], and gold_articles has 1 articles."),
        ({**OWLS, "history": ["Hi"]}, 'line 2: field history is ["Hi"], not a list of objects with role and text.'),
        ({**OWLS, "history": [{"role": 1, "text": ""}]}, "line 2: field history.role is 1, not a text."),
        (["owls"], 'line 2: it is ["owls"], not an object with the fields of a question.'),
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
    folder = collection(tmp_path)
    (folder / "qrels.tsv").write_text("a 1 2\n")
    with pytest.raises(EvalError, match=r"qrels\.tsv, line 1: it is 'a 1 2', not query, document and grade"):
        read_collection(folder)


def test_a_set_is_known_by_the_hash_of_its_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, OWLS, {**OWLS, "id": "more", "label": "weak"})

    whole, part = read_set(path), read_set(path, ["label=gold"])

    assert whole.sha256 == part.sha256
    assert (len(whole.questions), len(part.questions), part.where) == (2, 1, ("label=gold",))
    assert whole.name == f"{tmp_path.name}-questions"
    file_of(tmp_path, OWLS)
    assert read_set(path).sha256 != whole.sha256
