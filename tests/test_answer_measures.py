import re
import string
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.answer_measures import (
    REFUSE,
    count_violations,
    is_right,
    is_supported,
    measure_answers,
    measure_others,
    measure_reading,
    measure_shown,
)
from eval.answered import ALWAYS, Answered, Cited, Said, Shown
from eval.questions import Question
from eval.retrieved import Hit, Retrieved
from eval.systems import LEAD_SENTENCES, drawn_passage, lead_of, sentences_of
from rag import Article
from rag.answers import Citation
from rag.archive import Archive
from tests.conftest import ARTICLES

quick = settings(max_examples=100, deadline=None)
OWLS, BRIDGE = ARTICLES
ASKED = Question("q", "What will the repairs cost?", ("2.4 million crowns", "2.4m crowns"), ("bridge", "wire"))
UNANSWERABLE = Question("u", "Who walked on the moon first?", answerable=False)
REFUSAL = Shown()
COST = "The repairs will cost 2.4 million crowns."


def cited(number: int = 1, article_id: str = "bridge", text: str = COST, *, is_verbatim: bool = True) -> Cited:
    return Cited(number, article_id, 0, len(text), text, is_verbatim)


def said(text: str, *citations: Cited) -> Shown:
    """Show one sentence with all of the citations."""
    return Shown((Said(text, tuple(one.number for one in citations)),), citations)


def given_answer(shown: Shown, question: Question = ASKED, likelihood: float = 0.5) -> Answered:
    state = "answered" if shown.sentences else "not_in_archive"
    return Answered(question.id, question.question, state, 0.1, likelihood, shown, {ALWAYS: shown})


def measured(shown: Shown, question: Question = ASKED) -> dict[str, float]:
    columns = measure_answers([given_answer(shown, question)], [question])
    return {name: values[question.id] for name, values in columns.items()}


# Right, wrong, refused


def test_a_right_answer_by_hand() -> None:
    assert measured(said(COST, cited())) == {
        "AnswerFirst": 1,
        "AnswerShown": 1,
        "F1": pytest.approx(2 * 3 / (6 + 3)),  # without "the" six words, three of them of the answer's three
        "Words": 7,
        "RightAndCited": 1,
        "CitationPrecision": 1,
        "CitationRecall": 0.5,
        "Supported": 1,
        "Violations": 0,
        "FalseRefusal": 0,
        "Utility": 1,
    }


def test_a_wrong_answer_by_hand() -> None:
    text = "The bridge at Ferrow will close."

    assert measured(said(text, cited(text=text, article_id="owl"))) == {
        "AnswerFirst": 0,
        "AnswerShown": 0,
        "F1": 0,
        "Words": 6,
        "RightAndCited": 0,
        "CitationPrecision": 0,
        "CitationRecall": 0,
        "Supported": 1,
        "Violations": 0,
        "FalseRefusal": 0,
        "Utility": -1,
    }


def test_a_refusal_by_hand() -> None:
    wanting = {"AnswerFirst": 0, "AnswerShown": 0, "F1": 0, "RightAndCited": 0, "CitationRecall": 0}

    assert measured(REFUSAL) == {**wanting, "FalseRefusal": 1, "Utility": 0}
    assert measured(REFUSAL, UNANSWERABLE) == {"F1": 1, "Rejection": 1, "Utility": 0}


def test_whatever_is_said_to_an_unanswerable_question_is_wrong() -> None:
    expected = {"F1": 0, "Words": 7, "Rejection": 0, "Utility": -1, "Supported": 1, "Violations": 0}

    assert measured(said(COST, cited()), UNANSWERABLE) == expected
    stated = Question("u", "?", ("2.4 million crowns",), ("bridge",), answerable=False)
    assert measured(said(COST, cited()), stated) == expected
    assert not is_right(said(COST, cited()), stated)


def test_an_answer_in_a_later_sentence_is_shown_but_does_not_stand_first() -> None:
    shown = Shown((Said("It will close.", (1,)), Said(COST, (2,))), (cited(text="It will close."), cited(2)))

    values = measured(shown)

    assert (values["AnswerFirst"], values["AnswerShown"], values["F1"], values["Utility"]) == (0, 1, 0, 1)


def test_a_question_whose_answers_tell_nothing_is_not_judged_by_them() -> None:
    question = Question("q", "Will it close?", ("yes",), ("bridge",))

    assert measured(said("Yes.", cited()), question).keys() == {
        *("Words", "CitationPrecision", "CitationRecall", "Supported", "Violations", "FalseRefusal"),
    }


def test_a_question_that_was_not_asked_is_not_measured() -> None:
    assert measure_answers([given_answer(REFUSAL)], [UNANSWERABLE]) == {}
    assert measure_others([given_answer(REFUSAL)], [UNANSWERABLE]) == {}


# F1


def squad_f1(said: str, answer: str) -> float:
    """Give F1 as the official script of SQuAD 2.0 does."""

    def tokens(text: str) -> list[str]:
        bare = "".join(character for character in text.lower() if character not in set(string.punctuation))
        return re.sub(r"\b(a|an|the)\b", " ", bare).split()

    one, other = tokens(said), tokens(answer)
    same = sum((Counter(one) & Counter(other)).values())
    if not same:
        return 0
    precision, recall = same / len(one), same / len(other)
    return 2 * precision * recall / (precision + recall)


pieces = st.lists(st.sampled_from(["The", "an", "cod", "Cod", "$8,400", "quota", "don't", "U.S.", "-", "x-ray"]))


@quick
@given(pieces, st.lists(pieces.map(" ".join), min_size=1, max_size=3))
def test_f1_is_that_of_squad_for_the_best_of_the_answers(words: list[str], answers: list[str]) -> None:
    text = " ".join(words) or "nothing"
    answers = [answer for answer in answers if answer.strip()] or ["else"]

    values = measure_shown(said(text), Question("q", "?", tuple(answers)))

    assert values["F1"] == pytest.approx(max(squad_f1(text, answer) for answer in answers))


# Citations


def test_a_copy_of_a_gold_article_stands_for_it() -> None:
    copied = Cited(1, "copy", 0, len(COST), COST, also_in=("wire", "another"))
    other = cited(2, "owl", "Three barn owls.")

    values = measured(said(COST, copied, other))

    assert (values["CitationPrecision"], values["CitationRecall"], values["RightAndCited"]) == (0.5, 0.5, 1)
    assert measured(said(COST, copied, cited(2)))["CitationRecall"] == 1


def test_a_right_sentence_that_cites_another_article_is_not_cited_rightly() -> None:
    shown = Shown((Said(COST, (1,)), Said("It will close.", (2,))), (cited(article_id="owl"), cited(2)))

    values = measured(shown)

    assert (values["AnswerShown"], values["RightAndCited"], values["CitationPrecision"]) == (1, 0, 0.5)


@pytest.mark.parametrize(
    ("sentence", "text", "supported"),
    [
        (COST, f"It will close. {COST}", True),
        ("The repairs  will\ncost 2.4 million crowns.", COST, True),
        ("Repairs cost 2.4 million crowns.", COST, True),
        ("The repair will cost the county 2.4 million crowns.", COST, True),
        ("The repairs will cost 2.5 million crowns.", COST, False),
        ("Ines Valko said the repairs will cost crowns.", COST, False),
        ("The repairs anger farmers, fishermen and bakers.", COST, False),
        ("Owls.", "Three owls", True),
        ("Owls.", "Three barns", False),
        ("It was.", "Anything at all", True),
    ],
)
def test_a_sentence_is_supported_by_its_names_and_numbers_and_half_of_its_words(
    sentence: str, text: str, supported: bool
) -> None:
    assert is_supported(Said(sentence, (1,)), [cited(text=text)]) is supported


def test_a_sentence_that_cites_nothing_is_not_supported() -> None:
    assert not is_supported(Said(COST), [])
    assert measured(Shown((Said(COST), Said(COST, (1,))), (cited(),)))["Supported"] == 0.5


def test_an_altered_citation_and_an_altered_quotation_are_counted() -> None:
    text = "She said “the birds had come back” and laughed."

    def violations(sentence: str, *, is_verbatim: bool = True) -> int:
        return count_violations(said(sentence, cited(text=text, is_verbatim=is_verbatim)))

    assert violations("She said “the birds had come back”.") == violations('Of "the birds  had" she spoke.') == 0
    assert violations("She said “the birds have come back”.") == 1
    assert violations('"A bird" and "the birds" and “no bird”') == 2
    assert violations("A “comeback” of one word") == 0
    assert violations("She said “the birds have come back”.", is_verbatim=False) == 2
    assert count_violations(Shown((Said("“the birds had”", ()),), (cited(text=text),))) == 1


def test_a_citation_is_held_against_the_article_as_it_is_stored() -> None:
    span = BRIDGE.text.index(COST), len(BRIDGE.text)
    kept = Citation(1, BRIDGE.id, BRIDGE.title, BRIDGE.source, BRIDGE.date, BRIDGE.url, *span, COST)

    assert Cited.of(kept, BRIDGE) == Cited(1, "bridge", *span, COST, True)
    assert not Cited.of(kept, OWLS).is_verbatim
    assert not Cited.of(kept, None).is_verbatim


# Where an answer was lost


def test_an_answer_is_followed_from_what_was_read_to_what_was_chosen() -> None:
    found = Retrieved("q", 0.1, (Hit("owl", 0, 5, 1, text="owls"), Hit("bridge", 0, 5, 1, text=COST)), ())
    held_back = Answered("q", "?", "not_in_archive", 0.1, 0.2, REFUSAL, {ALWAYS: said(COST, cited())})

    def reading(one: Answered, read: int) -> dict[str, dict[str, float]]:
        return measure_reading([one], [found], [ASKED, UNANSWERABLE], read)

    assert reading(held_back, 2) == {"AnswerRead": {"q": 1}, "AnswerSelected": {"q": 1}}
    assert reading(held_back, 1) == {"AnswerRead": {"q": 0}, "AnswerSelected": {"q": 1}}
    assert reading(given_answer(REFUSAL), 2) == {"AnswerRead": {"q": 1}, "AnswerSelected": {"q": 0}}
    assert reading(given_answer(REFUSAL, UNANSWERABLE), 2) == {"AnswerRead": {}, "AnswerSelected": {}}


# Other ways to answer


def test_refusing_always_is_worth_nothing() -> None:
    answered = [given_answer(said(COST, cited())), given_answer(said("Armstrong", cited()), UNANSWERABLE)]

    others = measure_others(answered, [ASKED, UNANSWERABLE])

    assert list(others) == [ALWAYS, REFUSE]
    assert others[ALWAYS]["Utility"] == {"q": 1, "u": -1}
    assert others[REFUSE] == {
        "AnswerFirst": {"q": 0},
        "AnswerShown": {"q": 0},
        "F1": {"q": 0, "u": 1},
        "RightAndCited": {"q": 0},
        "CitationRecall": {"q": 0},
        "Utility": {"q": 0, "u": 0},
    }


def test_the_lead_is_the_first_sentences_of_an_article_and_cites_them() -> None:
    shown = lead_of(OWLS)

    texts = [
        "Three barn owls have nested in the old mill at Ferrow.",
        "Dr. Ines Valko counted them on Monday.",
        "She said the birds had come back because the river meadow is no longer mown in May.",
    ]
    assert [sentence.text for sentence in shown.sentences] == [one.text for one in shown.citations] == texts
    assert [OWLS.text[one.start : one.end] for one in shown.citations] == texts
    assert [sentence.citations for sentence in shown.sentences] == [(1,), (2,), (3,)]
    assert len(lead_of(Article("long", "", "It rained. " * 9)).sentences) == LEAD_SENTENCES
    assert lead_of(Article("empty", "Owls", "")) == REFUSAL


def test_the_same_passage_is_drawn_for_a_question_each_time(sample_archive: Path) -> None:
    with Archive.open(sample_archive) as archive:
        last = archive.position.passages
        drawn = [drawn_passage(archive, f"question {at}", last) for at in range(30)]
        again = [drawn_passage(archive, f"question {at}", last) for at in range(30)]

    assert drawn == again
    assert len({passage.start for passage, _ in filter(None, drawn)} | {None}) > 5
    for passage, article in filter(None, drawn):
        assert passage.article_id == article.id
        for one in sentences_of(article, passage.start, passage.end).citations:
            assert passage.start <= one.start < one.end <= passage.end
            assert one.text == article.text[one.start : one.end]


def test_from_an_empty_archive_nothing_is_drawn(sample_archive: Path) -> None:
    with Archive.open(sample_archive) as archive:
        assert drawn_passage(archive, "q", 0) is None


# Kept and read back


def test_an_answer_is_read_back_as_it_was() -> None:
    copied = Cited(2, "copy", 3, 9, "\u00a0“öwls”", False, ("wire",))
    kept = Answered(
        *("q", "Who?", "answered", 0.25, None),
        Shown((Said("Owls.", (1, 2)), Said("None.")), (cited(), copied)),
        {ALWAYS: REFUSAL, "lead sentences": Shown.of([copied])},
        "a notice",
    )

    assert Answered.from_dict(kept.to_dict()) == kept
    assert kept.shown.text == "Owls. None."
    assert kept.shown.cited_by(kept.shown.sentences[0]) == [cited(), copied]
    assert not kept.is_refusal
