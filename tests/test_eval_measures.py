import random
from collections.abc import Sequence
from dataclasses import replace
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.questions import Question, shuffled
from eval.retrieval_measures import all_evidence, holds_answer, measure_passages, measure_rankings, within
from eval.retrieved import Hit, Retrieved
from eval.scores import Outcome, controls, score
from rag.passages import Standing

quick = settings(max_examples=50, deadline=None)
ARTICLES = [f"article-{number}" for number in range(60)]
rankings = st.lists(st.sampled_from(ARTICLES), unique=True, max_size=60)
golds = st.lists(st.sampled_from(ARTICLES), unique=True, min_size=1, max_size=4)
# What a set of single-answer questions gives for a gold article at this rank.
PLACES = [("RR@10", 10), ("Success@1", 1), ("Success@4", 4), ("Success@10", 10), ("R@10", 10), ("nDCG@10", 10)]


def measured(ranking: Sequence[str], gold: Sequence[str]) -> dict[str, float]:
    found = measure_rankings({"q": ranking}, {"q": dict.fromkeys(gold, 1)})
    return {name: values["q"] for name, values in found.items()}


def found_of(question_id: str, *texts: str, seconds: float = 0.01) -> Retrieved:
    hits = tuple(Hit(f"article-{at}", 0, 10, 1 - at / 10, text=text, tokens=400) for at, text in enumerate(texts))
    return Retrieved(question_id, seconds, hits, hits)


# Rankings


@quick
@given(rankings, golds)
def test_every_measure_is_a_share(ranking: list[str], gold: list[str]) -> None:
    assert all(0 <= value <= 1 + 1e-9 for value in measured(ranking, gold).values())


@quick
@given(rankings, golds, st.integers(0, 30), st.integers(0, 30))
def test_all_evidence_never_falls_with_n_and_needs_every_article(
    ranking: list[str], gold: list[str], n: int, more: int
) -> None:
    assert all_evidence(ranking, gold, n) <= all_evidence(ranking, gold, n + more)
    assert all_evidence(ranking, gold, n) == min(all_evidence(ranking, [one], n) for one in gold)
    assert measured(ranking, gold)["AllEvidence@10"] <= measured(ranking, gold)["Success@10"]


@quick
@given(st.integers(1, 60))
def test_a_single_gold_article_counts_down_to_the_cutoff(rank: int) -> None:
    values = measured(ARTICLES, [ARTICLES[rank - 1]])

    assert values["RR@10"] == pytest.approx(1 / rank if rank <= 10 else 0)
    assert values["AP"] == pytest.approx(1 / rank)
    assert all((values[name] > 0) is (rank <= place) for name, place in PLACES)
    assert values["AllEvidence@20"] == (rank <= 20)


def test_the_measures_of_one_ranking_by_hand() -> None:
    values = measured(["a", "b", "c", "d", "e"], ["b", "e", "z"])

    assert values == {
        "RR@10": 0.5,
        "Success@1": 0,
        "Success@4": 1,
        "Success@10": 1,
        "R@10": pytest.approx(2 / 3),
        "R@100": pytest.approx(2 / 3),
        "nDCG@10": pytest.approx((0.63093 + 0.38685) / (1 + 0.63093 + 0.5), abs=1e-4),
        "AP": pytest.approx((1 / 2 + 2 / 5) / 3),
        "AllEvidence@4": 0,
        "AllEvidence@10": 0,
        "AllEvidence@20": 0,
    }


def test_a_question_that_found_nothing_counts_as_0_and_one_without_gold_is_left_out() -> None:
    found = measure_rankings({"asked": ["a"], "without": ["a"]}, {"asked": {"a": 1}, "silent": {"a": 1}})

    assert all(values == {"asked": 1, "silent": 0} for values in found.values())


def test_rankings_at_random_come_out_at_chance() -> None:
    chance = sum(1 / rank for rank in range(1, 11)) / len(ARTICLES)
    generator = random.Random(7)
    runs = {str(at): generator.sample(ARTICLES, len(ARTICLES)) for at in range(4000)}
    gold = {question_id: {generator.choice(ARTICLES): 1} for question_id in runs}

    assert mean(measure_rankings(runs, gold)["RR@10"].values()) == pytest.approx(chance, abs=0.01)


def test_a_perfect_run_falls_to_chance_when_its_labels_are_shuffled() -> None:
    questions = [Question(str(at), f"{at}?", gold_articles=(ARTICLES[at % 60],)) for at in range(600)]
    generator = random.Random(8)
    runs = {}
    for question in questions:
        (gold,) = question.gold_articles
        runs[question.id] = [gold, *generator.sample([name for name in ARTICLES if name != gold], 59)]

    straight = score(questions, Outcome(runs, {question.id: question.relevance for question in questions}, []))
    by_chance = controls(questions, Outcome(runs, {}, []))

    assert set(straight.measured["RR@10"].values()) == {1}
    # A gold article is at rank 1 as often as two questions share it, and else anywhere behind.
    assert len(by_chance) == 10
    assert mean(each.means()["RR@10"] for each in by_chance) == pytest.approx(2.929 / 60, abs=0.01)


def test_a_single_question_has_no_other_to_be_judged_by() -> None:
    question = Question("q", "Who?", gold_articles=("article-0",))

    assert controls([question], Outcome({"q": ["article-0"]}, {}, [])) == []


def test_shuffled_labels_are_those_of_another_question() -> None:
    questions = [Question(str(at), f"{at}?", (f"answer {at}",), (f"article-{at}",)) for at in range(50)]

    changed = shuffled(questions, seed=1)

    assert [question.question for question in changed] == [question.question for question in questions]
    assert sorted(question.answers for question in changed) == sorted(question.answers for question in questions)
    assert all(one.gold_articles != other.gold_articles for one, other in zip(questions, changed, strict=True))


# Passages


@quick
@given(st.lists(st.integers(0, 600), max_size=20), st.integers(1, 4))
def test_passages_are_taken_until_the_next_would_go_over_the_budget(lengths: list[int], thousands: int) -> None:
    hits = [Hit(f"article-{at}", 0, 10, 1, tokens=tokens) for at, tokens in enumerate(lengths)]

    taken = within(hits, 1000 * thousands)

    assert list(taken) == hits[: len(taken)]
    assert sum(hit.tokens for hit in taken) <= 1000 * thousands
    assert len(taken) == len(hits) or sum(lengths[: len(taken) + 1]) > 1000 * thousands


@pytest.mark.parametrize(
    ("text", "answers", "held"),
    [
        ("The repairs will cost 2.4 million crowns.", ["2.4 MILLION\ncrowns"], True),
        ("The repairs will cost 12.4 million crowns.", ["2.4 million"], False),
        ("The repairs will cost 22 million crowns.", ["2 million"], False),
        ("The repairs will cost 2.4 million crowns.", ["4 million"], False),
        ("The quota is 8,400 tonnes.", ["400", "8"], False),
        ("The quota is 400.", ["400"], True),
        ("An unsettled bill", ["settled"], False),
        ("It cost “a lot”, he said.", ["“a lot”,"], True),
        ("In Straße 5", ["STRASSE"], True),
        ("Nothing", ["", "  "], False),
        ("Nothing", [], False),
        ("C++ (and C)", ["C++"], True),
    ],
)
def test_an_answer_is_held_as_whole_words(text: str, answers: list[str], held: bool) -> None:
    assert holds_answer(text, answers) is held


def test_passages_are_measured_as_a_host_application_gets_them() -> None:
    question = Question("q", "How many?", ("seven",), ("article-1", "article-4"), evidence=("Seven came.",))

    values = measure_passages([found_of("q", "none", "six", "it was Seven", "x", "y")], [question])

    assert {name: value["q"] for name, value in values.items()} == {
        "R@1k tokens": 0.5,
        "R@2k tokens": 1,
        "R@4k tokens": 1,
        "StoryR@10": 1,
        "StoryR@100": 1,
        "StoryAllEvidence@10": 1,
        "StoryAllEvidence@100": 1,
        "PassageSuccess@4": 1,
        "PassageSuccess@10": 1,
        "PassageAllEvidence@4": 0,
        "PassageAllEvidence@10": 1,
        "Answer@1": 0,
        "Answer@4": 1,
        "Answer@10": 1,
    }


def test_a_copy_that_is_named_counts_for_the_story_alone() -> None:
    question = Question("q", "How many?", (), ("article-0", "copy", "elsewhere"))
    hits = (Hit("article-0", 0, 10, 1), Hit("article-0", 20, 30, 1, also_in=("copy",)))

    values = measure_passages([Retrieved("q", 0.1, hits, hits)], [question])

    assert values["StoryR@10"]["q"] == pytest.approx(2 / 3)
    assert values["StoryAllEvidence@10"]["q"] == values["PassageAllEvidence@10"]["q"] == 0


def test_yes_and_no_are_answers_that_no_passage_can_show() -> None:
    questions = [Question("yes", "?", ("Yes",)), Question("shown", "?", ("no",), evidence=("It never did.",))]

    values = measure_passages([found_of("yes", "Yes."), found_of("shown", "it never did. no")], questions)

    assert values["Answer@1"] == {"shown": 1}


def test_a_question_without_an_answer_in_the_archive_is_not_measured() -> None:
    question = Question("q", "How many?", ("seven",), ("article-0",), answerable=False)

    assert question.relevance == {}
    assert not any(measure_passages([found_of("q", "seven")], [question]).values())


def test_what_was_retrieved_is_read_back_as_it_was() -> None:
    hit = Hit("a", 0, 10, 0.5, Standing(1, 0.7), None, ("copy",), "text", 7)
    passages = (hit, replace(hit, words=Standing(2, 7.5), also_in=(), tokens=0))
    found = Retrieved("q", 0.25, passages, (replace(hit, text=""),), {"last turn": ("b", "a"), "rewrite": ()})

    assert Retrieved.from_dict(found.to_dict()) == found
    assert found.articles == ["a"]
