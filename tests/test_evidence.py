from __future__ import annotations

from rag import Article, Chatbot, Passage, ScoredPassage
from rag.embedding import Embedder
from rag.evidence import Verdict, candidates, weigh_evidence
from rag.questions import read_question


def found(article: Article, rank: int = 1) -> ScoredPassage:
    return ScoredPassage(Passage(article.id, 0, len(article.text), article.text), article, rank, 0.9)


OWLS = Article(
    "owls",
    "Owls at Ferrow",
    "Three barn owls have nested in the old mill at Ferrow. Who would have thought so? Dr. Ines Valko counted them.",
)


def best(question: str, embedder: Embedder) -> str:
    verdict = weigh_evidence(read_question(question), [found(OWLS)], embedder)
    return OWLS.text[verdict.ranked[0].start : verdict.ranked[0].end] if verdict.answers else ""


def test_the_sentence_that_answers_is_the_likeliest(embedder: Embedder) -> None:
    assert best("Who counted the owls?", embedder) == "Dr. Ines Valko counted them."
    assert best("How many barn owls are in the mill?", embedder).startswith("Three barn owls")


def test_what_the_passages_say_nothing_about_has_no_evidence(embedder: Embedder) -> None:
    assert best("What is the capital of France?", embedder) == ""
    assert best("What did Dr. Valko say about football?", embedder) == ""


def test_a_sentence_without_a_quantity_does_not_answer_how_many(embedder: Embedder) -> None:
    text = "The council of Ferrow bought ferries in May. The council of Ferrow bought seven ferries in June."
    verdict = weigh_evidence(
        read_question("How many ferries did the council of Ferrow buy?"),
        [found(Article("b", "Council", text))],
        embedder,
    )

    best = verdict.ranked[0]
    assert text[best.start : best.end] == "The council of Ferrow bought seven ferries in June."


def test_no_passages_are_no_evidence(embedder: Embedder) -> None:
    verdict = weigh_evidence(read_question("Who counted the owls?"), [], embedder)

    assert verdict == Verdict()
    assert not verdict.answers


def test_a_sentence_that_only_asks_is_no_candidate() -> None:
    assert [candidate.text for candidate in candidates([found(OWLS)])] == [
        "Three barn owls have nested in the old mill at Ferrow.",
        "Dr. Ines Valko counted them.",
    ]


def test_two_passages_of_one_article_give_each_sentence_once() -> None:
    assert len(candidates([found(OWLS), found(OWLS, 2)])) == 2


def test_a_sentence_longer_than_a_passage_is_shown_only_as_far_as_the_passage() -> None:
    article = Article("long", "T", "word " * 5000)
    passage = ScoredPassage(Passage("long", 50, 100, article.text[50:100]), article, 1, 0.5)

    [candidate] = candidates([passage])

    assert (candidate.start, candidate.end) == (50, 100)


def test_likelihoods_fall_and_are_probabilities(chatbot: Chatbot, embedder: Embedder) -> None:
    question = "How many people were injured on the Grey Heron?"

    verdict = weigh_evidence(read_question(question), chatbot.search(question), embedder)

    likelihoods = [evidence.likelihood for evidence in verdict.ranked]
    assert likelihoods == sorted(likelihoods, reverse=True)
    assert 0 < verdict.probability < 1
    assert 1 > likelihoods[0] > likelihoods[-1] > 0
