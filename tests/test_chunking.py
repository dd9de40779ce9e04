from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import Article
from rag.chunking import MAXIMUM_TOKENS, SPECIAL_TOKENS, embedded_text, split_article
from rag.embedding import Embedder
from rag.sentences import sentence_spans

PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["Mr. Smith left the U.S. on Monday. ", "“Why?” she asked. ", "It rained.\n\n", "No stop here\n\n"]
        ),
        st.text(max_size=60),
        st.integers(1, 900).map(lambda count: "word " * count),
        st.integers(1, 900).map(lambda count: "x" * count),
    ),
    max_size=20,
)


def article(text: str, title: str = "A headline") -> Article:
    return Article("a", title, text, "The Ledger", "2019-07-16")


def test_a_short_article_is_one_passage() -> None:
    text = "The yard closed. It had built ferries."

    [passage] = split_article(article(text), lambda texts: [len(text.split()) for text in texts])

    assert (passage.start, passage.end, passage.text) == (0, len(text), text)


def test_passages_end_where_sentences_end(embedder: Embedder) -> None:
    text = " ".join(f"Mr. Smith of the U.S. counted {number} ships on Monday." for number in range(80))

    passages = split_article(article(text), embedder.count_tokens)

    borders = sentence_spans(text)
    assert len(passages) > 3
    assert {passage.start for passage in passages} <= {start for start, _ in borders}
    assert {passage.end for passage in passages} <= {end for _, end in borders}


def test_only_a_sentence_too_long_for_the_model_is_cut_and_then_between_words(embedder: Embedder) -> None:
    text = "and " * 600 + "stop."

    passages = split_article(article(text), embedder.count_tokens)

    assert len(passages) == 3
    assert all(re.fullmatch(r"(and )*(and|stop\.)", passage.text) for passage in passages)


def test_what_is_embedded_names_headline_outlet_and_date_before_the_passage() -> None:
    assert embedded_text(article("x"), "It rained.") == "A headline, The Ledger, 2019-07-16\nIt rained."


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=PIECES, title=st.text(max_size=400))
def test_passages_hold_all_sentences_in_order_and_the_model_reads_each_to_its_end(
    embedder: Embedder, pieces: list[str], title: str
) -> None:
    # A lone surrogate cannot be in an article: it cannot be decoded from any file.
    whole = article("".join(pieces).encode(errors="ignore").decode(), title.encode(errors="ignore").decode())

    passages = split_article(whole, embedder.count_tokens)

    assert all(passage.text == whole.text[passage.start : passage.end] for passage in passages)
    assert all(one.end <= other.start for one, other in pairwise(passages))
    assert "".join("".join(passage.text.split()) for passage in passages) == "".join(whole.text.split())
    lengths = embedder.count_tokens([embedded_text(whole, passage.text) for passage in passages])
    assert all(length + SPECIAL_TOKENS <= MAXIMUM_TOKENS for length in lengths)


@pytest.mark.parametrize("text", ["x" * 1_000_000, "[" * 100_000, "a." * 100_000])
def test_hostile_text_is_cut_as_well(embedder: Embedder, text: str) -> None:
    passages = split_article(article(text), embedder.count_tokens)

    assert sum(len(passage.text) for passage in passages) == len(text)
