from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eval.judging import judge, score, share_right, tells_apart
from eval.lessons import Candidate, Lesson, add_hard, kept_out, read_pairs, read_paragraphs, read_roles
from eval.training import Reader, train_reader
from rag.embedding import Embedder
from rag.quantizing import pack

BOATS = ["The ferry", "The pilot boat", "The tug", "The dredger", "The barge", "The yacht", "The trawler", "The cutter"]
SENTENCES = [f"{boat.lower()} was built in 19{10 + at} -lrb- they say -rrb- ." for at, boat in enumerate(BOATS)]
QUESTIONS = [f"when was {boat.lower()} built ?" for boat in BOATS]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the form of the sets, about eight boats that do not exist."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "train").mkdir()
    (folder / "squad2").mkdir()
    for part in ("dev", "test"):
        write(folder / "train" / f"nqg-src-{part}.txt", [text for text in SENTENCES for _ in range(8)])
        write(folder / "train" / f"nqg-tgt-{part}.txt", [text for text in QUESTIONS for _ in range(8)])
        rows = [("boats:0", "What was built ?", "7:Invalid"), ("boats:1", "x", "7:1"), ("boats:1", "y", "7:1")]
        rows += [("boats:2", "When was the tug built ?", "7:5")]
        write(
            folder / "train" / f"qamr-{part}.tsv",
            [f"{name}\t1\t7\t0\t1\t{question}\t5\t{told}" for name, question, told in rows],
        )
    write(folder / "train" / "qamr-wiki-sentences.tsv", [f"boats:{at}\t{text}" for at, text in enumerate(SENTENCES)])
    text = " ".join(f"{boat} was built in 19{10 + at}." for at, boat in enumerate(BOATS))
    write(
        folder / "squad2" / "articles.jsonl",
        [json.dumps({"id": f"a{at}", "title": "Boats", "text": text}) for at in range(4)],
    )
    asked = [
        {
            "id": f"q{at}{known}",
            "question": f"When was the tug built in yard {at}?" if known else f"When was the tug sold by yard {at}?",
            "answers": ["1912"] if known else [],
            "gold_articles": [f"a{at}"],
            "answerable": known,
        }
        for at in range(4)
        for known in (True, False)
    ]
    write(folder / "squad2" / "questions.jsonl", list(map(json.dumps, asked)))
    return folder


def write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_pair_has_the_sentences_around_its_own_the_nearest_first(data: Path) -> None:
    lesson = read_pairs(data / "train", "dev")[8]

    assert lesson.question == "when was the pilot boat built?"
    assert lesson.right == Candidate("the pilot boat was built in 1911 (they say).")
    assert [one.sentence[:9] for one in lesson.wrong] == [
        "the ferry",
        "the tug w",
        "the dredg",
        "the barge",
        "the yacht",
    ]


def test_a_question_without_a_valid_answer_is_no_lesson(data: Path) -> None:
    [lesson] = read_roles(data / "train", "dev")

    assert lesson.question == "When was the tug built ?"
    assert lesson.right
    assert lesson.right.sentence == "the tug was built in 1912 (they say)."


def test_of_a_paragraph_the_sentence_with_the_answer_is_right_or_none_is(data: Path) -> None:
    lessons = [one for half in ("tune", "report") for one in read_paragraphs(data / "squad2", half)]

    assert (
        sorted(one.right.sentence if one.right else "" for one in lessons)
        == [""] * 4 + ["The tug was built in 1912."] * 4
    )
    assert {one.right.context for one in lessons if one.right} == {""}


def test_a_sentence_is_shown_after_another_one_only_where_it_leans_on_it() -> None:
    before = "Boats. The tug was built in 1912."

    assert Candidate.after(before, "It was sold in 1930.") == Candidate("It was sold in 1930.", before)
    assert Candidate.after(before, "The barge was sold in 1930.") == Candidate("The barge was sold in 1930.")


def test_what_a_reader_is_judged_on_is_kept_out(data: Path) -> None:
    held = [Lesson("When was the tug  built", Candidate("The pilot boat was built in 1911 (they say)."), ())]
    lessons = read_pairs(data / "train", "dev")

    left = {one.question for one in kept_out(lessons, held)}

    assert left == {one.question for one in lessons[24:]}
    assert kept_out(lessons, []) == lessons


def test_hard_sentences_come_first_and_the_right_one_is_not_among_them(embedder: Embedder) -> None:
    far, near, right = (
        Candidate(text) for text in ("Owls hunt at night.", "The tug was sold in 1930.", "The tug was built in 1912.")
    )
    others = [Lesson("Do owls hunt?", far, tuple(Candidate(f"Sentence {at} of the harbor.") for at in range(8)))]

    hard, _ = add_hard([Lesson("When was the tug built?", right, (near,)), *others], embedder)

    assert hard.wrong[0] == near or near in hard.wrong[:5]
    assert right not in hard.wrong


def test_a_training_can_be_repeated_and_what_it_keeps_is_what_it_made(data: Path, tmp_path: Path) -> None:
    pairs = [
        ("When was the tug built?", Candidate("The tug was built in 1912.")),
        ("Who?", Candidate("Nobody.", "Boats")),
    ]
    first, second = (train_reader(data, tmp_path / name, steps=2, seed=1) for name in ("a", "b"))

    expected = first.score(pairs)
    assert second.score(pairs) == pytest.approx(expected, abs=1e-3)
    assert Reader.open(tmp_path / "a").score(pairs) == pytest.approx(expected, abs=1e-3)
    pack([tmp_path / "a", tmp_path / "b"], tmp_path / "packed")
    assert Reader.open(tmp_path / "packed").score(pairs) == pytest.approx(expected, abs=0.1)
    assert score(first, [Lesson(pairs[0][0], pairs[0][1], (pairs[1][1],))])[0][0] == pytest.approx(
        expected[0], abs=0.05
    )


def test_pairs_alone_are_trained_on_as_others_measured_them(data: Path, tmp_path: Path) -> None:
    reader = train_reader(data, tmp_path / "reader", steps=2, seed=1, pairs_alone=True)

    judged = judge(reader, data, "test")

    assert list(judged) == ["right of five", "right in the paragraph", "answerable or not, AUROC"]
    assert all(0 <= value <= 1 for value, _, _ in judged.values())


def test_figures_are_those_of_the_scores() -> None:
    scores = [(2.0, 1.0), (0.5, 1.0), (np.nan, -1.0), (np.nan, 0.8)]

    assert share_right(scores).mean == 0.5
    assert tells_apart(scores) == 1.0
    assert tells_apart([(np.nan, 3.0), (1.0, 2.0)]) == 0.0
