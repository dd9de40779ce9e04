import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.__main__ import main
from eval.errors import EvalError
from eval.questions import Question
from eval.sets import read_articles, read_set
from eval.squad import read_collection, read_corpus
from rag.records import article_of

CONTEXT = "The Normans gave their name to Normandy, a region in France."
TITLES = st.text(max_size=200) | st.sampled_from(["A b", "a-B", "A_b", "日本", "Ελλάδα", "हिन्दी", "...", "😀"])
TEXTS = st.text(min_size=1).filter(str.strip)


def asked(name: str, *answers: str, **more: Any) -> dict[str, Any]:
    found = [{"text": answer, "answer_start": CONTEXT.find(answer)} for answer in answers]
    return {"id": name, "question": f"What of {name}?", "answers": found} | more


def file_of(folder: Path, *articles: tuple[str, list[tuple[str, list[Any]]]]) -> Path:
    data = [
        {"title": title, "paragraphs": [{"context": context, "qas": questions} for context, questions in paragraphs]}
        for title, paragraphs in articles
    ]
    path = folder / "dev.json"
    path.write_text(json.dumps({"version": "v2.0", "data": data}))
    return path


def squad(folder: Path, *questions: Any) -> Path:
    return file_of(folder, ("Normans", [(CONTEXT, list(questions))]))


def test_paragraphs_are_articles_and_their_questions_rest_on_them(tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        ("1973_Oil_crisis", [("Oil.", []), (CONTEXT, [asked("a", "France", "a region in France", "France")])]),
        ("", [(CONTEXT, [asked("b", is_impossible=True, plausible_answers=[{"text": "x", "answer_start": 9}])])]),
    )

    assert list(read_corpus(path)) == [
        {"id": "1973-oil-crisis-1", "title": "1973 Oil crisis", "text": "Oil."},
        {"id": "1973-oil-crisis-2", "title": "1973 Oil crisis", "text": CONTEXT},
        {"id": "paragraph-1", "title": "", "text": CONTEXT},
    ]
    answers = ("France", "a region in France")
    assert read_collection(path) == [
        Question("a", "What of a?", answers, ("1973-oil-crisis-2",), evidence=answers),
        Question("b", "What of b?", gold_articles=("paragraph-1",), answerable=False),
    ]


def test_a_set_is_known_by_the_hash_of_its_file_and_by_its_name(tmp_path: Path) -> None:
    read = read_set(squad(tmp_path, asked("a", "France"), asked("b", is_impossible=True)), ["answerable=false"])

    assert (read.name, [question.id for question in read.questions]) == ("dev", ["b"])
    assert read.sha256 != read_set(squad(tmp_path, asked("a", "France"))).sha256


def test_titles_that_look_alike_number_their_paragraphs_on(tmp_path: Path) -> None:
    path = file_of(
        tmp_path, ("A b", [("One.", []), ("Two.", [])]), ("a - B!", [("Three.", [])]), ("a-b 1", [("4", [])])
    )

    assert [one["id"] for one in read_corpus(path)] == ["a-b-1", "a-b-2", "a-b-3", "a-b-1-1"]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (
            {**asked("a"), "answers": [{"text": "France", "answer_start": 4}]},
            'question "a" has the answer "France" at 4, where the context has "Norman".',
        ),
        (asked("a", "Paris"), 'question "a" has the answer "Paris" at -1, where the context has "".'),
        (
            {**asked("a"), "answers": [{"text": "France", "answer_start": True}]},
            'question "a": field answer_start is true, not a whole number.',
        ),
        ({**asked("a"), "answers": [{"text": ""}]}, 'question "a": field text is "", not a text.'),
        ({**asked("a"), "answers": ["France"]}, 'question "a" is "France", not an object with the field text.'),
        ({**asked("a"), "answers": None}, 'question "a": field answers is null, not a list.'),
        (asked("a", is_impossible="no"), 'field is_impossible is "no", not true or false.'),
        (asked(""), "field id is missing or empty."),
        ({"id": "a", "answers": []}, "field question is missing or empty."),
        ({**asked("a"), "question": 5}, "field question is 5, not a text."),
        ({**asked("a"), "question": "\ud800"}, "field question is "),
        (asked("first"), 'field id is "first", which an earlier question has.'),
        ("Who?", 'it is "Who?", not an object with the fields of a question.'),
    ],
)
def test_a_broken_question_is_told_with_its_field_and_its_value(tmp_path: Path, question: Any, message: str) -> None:
    path = squad(tmp_path, asked("first"), question)

    with pytest.raises(EvalError) as raised:
        read_collection(path)

    assert str(raised.value).startswith(f"{path}, data[0].paragraphs[0].qas[1]: {message}")
    assert str(raised.value).endswith(" Correct the file.")


def test_several_broken_questions_are_told_together(tmp_path: Path) -> None:
    path = squad(tmp_path, {"answers": []}, asked("a", is_impossible=1), "?")

    with pytest.raises(EvalError, match=r"field id is missing or empty\. So are 2 more questions\. Correct the file\."):
        read_collection(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "the file is [1], not an object with the field data. Correct the file, or give one of SQuAD."),
        ('{"data": 1}', "the file: field data is 1, not a list."),
        ('{"data": ["x"]}', 'data[0] is "x", not an object with the field title.'),
        ('{"data": [{"title": 5}]}', "data[0]: field title is 5, not a text."),
        ('{"data": [{}]}', "data[0]: field paragraphs is null, not a list."),
        ('{"data": [{"paragraphs": [{}]}]}', "data[0].paragraphs[0]: field context is null, not a text."),
        ('{"data": [{"paragraphs": [{"context": "x"}]}]}', "data[0].paragraphs[0]: field qas is null, not a list."),
    ],
)
def test_a_broken_paragraph_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "dev.json"
    path.write_text(text)

    for read in (read_collection, lambda path: list(read_corpus(path))):
        with pytest.raises(EvalError) as raised:
            read(path)
        assert str(raised.value).startswith(f"{path}, {message}")


def test_a_file_that_is_not_squad_is_told(tmp_path: Path) -> None:
    path = tmp_path / "dev.json"

    with pytest.raises(EvalError, match=r"dev\.json cannot be read .No such file.*\. Give a SQuAD file\."):
        read_collection(path)
    path.write_bytes(b"\xff")
    with pytest.raises(EvalError, match=r"is not text in UTF-8\. Save it as that\."):
        read_collection(path)
    path.write_text('{"id": 1}\n{"id": 2}\n')
    with pytest.raises(
        EvalError, match=r"is not JSON \(Extra data.*; a file with a question a line is named \.jsonl\."
    ):
        read_collection(path)
    path.write_text('{"data": []}')
    with pytest.raises(EvalError, match="holds no question"):
        read_collection(path)


def test_the_articles_of_a_file_are_printed_with_the_ids_of_its_questions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = squad(tmp_path, asked("a", "France"))

    with pytest.raises(SystemExit) as left:
        main(["articles", str(path)])

    assert not left.value.code
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert printed == [{"id": "normans-1", "title": "Normans", "text": CONTEXT}]
    assert read_set(path).questions[0].gold_articles == ("normans-1",)


def test_what_holds_no_articles_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match=r"questions\.jsonl is neither a folder nor a SQuAD file\. Give a folder with"):
        read_articles(tmp_path / "questions.jsonl")
    with pytest.raises(EvalError, match=r"holds no corpus\.jsonl and no docs\.jsonl"):
        list(read_articles(tmp_path))


# Rules


@given(articles=st.lists(st.tuples(TITLES, st.lists(st.tuples(TEXTS, TEXTS, TEXTS, st.booleans())))), data=st.data())
def test_what_is_written_as_squad_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    articles: list[tuple[str, list[tuple[str, str, str, bool]]]],
    data: st.DataObject,
) -> None:
    articles = [*articles, ("Last", [("a", "b", "c", True)])]
    ids = count()
    written = []
    expected = []
    for title, paragraphs in articles:
        contexts: list[tuple[str, list[Any]]] = []
        for before, answer, after, answerable in paragraphs:
            name, question = str(next(ids)), data.draw(TEXTS)
            found = [{"text": answer, "answer_start": len(before)}] * 2 if answerable else []
            contexts.append(
                (
                    f"{before}{answer}{after}",
                    [{"id": name, "question": question, "answers": found, "is_impossible": not answerable}],
                )
            )
            expected.append((name, question, (answer,) if answerable else (), answerable, f"{before}{answer}{after}"))
        written.append((title if title.strip() else "", contexts))
    path = file_of(tmp_path_factory.mktemp("squad"), *written)

    corpus = {record["id"]: record["text"] for record in read_corpus(path)}

    assert len(corpus) == len(expected)
    assert [
        (one.id, one.question, one.answers, one.answerable, corpus[one.gold_articles[0]])
        for one in read_collection(path)
    ] == expected


@given(titles=st.lists(TITLES, min_size=1))
def test_every_id_is_one_that_an_archive_keeps(tmp_path_factory: pytest.TempPathFactory, titles: list[str]) -> None:
    paragraphs: list[tuple[str, list[Any]]] = [("Some text.", [])] * 2
    articles = [(title if title.strip() else "", paragraphs) for title in titles]

    records = list(read_corpus(file_of(tmp_path_factory.mktemp("squad"), *articles)))

    assert len({record["id"] for record in records}) == 2 * len(titles)
    assert [article_of(record).id for record in records] == [record["id"] for record in records]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["data", "paragraphs", "qas", "answers", "id"]), inner)
    ),
)


@given(text=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_and_any_json_are_told(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "dev.json"
    path.write_bytes(text)

    with pytest.raises(EvalError):
        read_set(path)
