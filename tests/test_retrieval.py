from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rag import (
    ArchiveDamaged,
    ArchiveError,
    Article,
    Chatbot,
    Filters,
    ModelError,
    RagError,
    Ranking,
    Retriever,
    ScoredPassage,
    Settings,
    index_articles,
)
from rag.archive import FILE_NAME, Archive
from rag.contexts import Context
from rag.embedding import Embedder
from rag.fusion import Channel
from rag.generations import VECTORS
from rag.inference import Vectors
from rag.lexical import WORDS
from rag.passages import count_origins


@pytest.fixture
def copied(small_archive: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_archive, tmp_path / "copied"))


def test_the_nearest_passage_comes_first_with_its_article(small_archive: Path, articles: list[Article]) -> None:
    with closing(Retriever.open(small_archive, Settings())) as retriever:
        found = retriever.retrieve("birds in a mill", k=5)

    assert [hit.rank for hit in found] == [1, 2]
    assert found[0].article == articles[0]
    assert found[0].passage.text == articles[0].text
    assert found[0].score > found[1].score


def test_no_more_passages_come_than_were_asked_for(small_archive: Path) -> None:
    with closing(Retriever.open(small_archive, Settings())) as retriever:
        assert len(retriever.retrieve("Ferrow", k=1)) == 1


def test_without_a_generation_the_stored_vectors_are_searched(copied: Path, embedder: Embedder) -> None:
    with closing(Retriever(Archive.open(copied), embedder)) as retriever:
        expected = retriever.retrieve("owls", k=2)
    shutil.rmtree(copied / VECTORS)

    with closing(Retriever(Archive.open(copied), embedder)) as retriever:
        found = retriever.retrieve("owls", k=2)

    assert [hit.passage for hit in found] == [hit.passage for hit in expected]
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-5)
    assert not (copied / VECTORS).exists()


def test_an_article_that_left_is_not_found_although_the_index_still_has_it(copied: Path, embedder: Embedder) -> None:
    with closing(Retriever(Archive.open(copied), embedder)) as retriever:
        assert retriever.retrieve("owls", k=1)[0].article.id == "owl"

        with Archive.open(copied) as archive:
            archive.drop([article.id for article in archive.newest(10)])

        assert retriever.retrieve("owls", k=5) == []


def test_a_running_retriever_finds_what_another_writer_published(copied: Path, embedder: Embedder) -> None:
    with closing(Retriever(Archive.open(copied), embedder)) as retriever:
        assert retriever.retrieve("trains", k=1)[0].article.id != "train"

        index_articles([Article("train", "Night train", "A night train runs to Ferrow again.")], copied, Settings())

        assert retriever.retrieve("trains", k=1)[0].article.id == "train"


def test_many_threads_get_the_same_answers_as_one(chatbot: Chatbot) -> None:
    questions = ["What did Zarif say about missiles?", "Why did Marlach resign?", "Who was elected mayor?"] * 8
    alone = {question: chatbot.search(question, 3) for question in set(questions)}

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda question: chatbot.search(question, 3), questions))

    assert together == [alone[question] for question in questions]


# One archive with copies, outlets, days and authors, made once

STORY = (
    "The harbour council of Nessby voted on Tuesday to close the old fish market for two years. The hall will be "
    "rebuilt with a glass roof and forty new stalls. Traders may use the quay in front of the customs house meanwhile. "
    "Mayor Ilse Tarn called the vote a good day for the town. The works will cost nine million crowns, of which the "
    "county pays half. Three members voted against it and asked for a cheaper plan."
)
STAYS = (
    "The fish market of Nessby may stay open after all, the mayor said. A court will decide in June whether the vote "
    "was lawful."
)
CAKE = "The fish market of Nessby turned eighty. Mayor Tarn cut a cake."
GUIDE = "The fish market of Nessby opens at six in the morning."
NEWS = [
    Article("copy-1", "Fish market to close", STORY, "Nessby Post", "2021-03-02", authors=("Ida Holm",)),
    Article("copy-2", "Nessby closes fish market", STORY, "Coast Wire", "2021-03-03"),
    Article("later", "Fish market may stay open", STAYS, "Coast Wire", "2021-05-20"),
    Article("old", "Fish market turns eighty", CAKE, "Nessby Post", "2015-08-09", section="Culture"),
    Article("undated", "A guide to the market", GUIDE, "Tourist Board"),
]
NEWS += [
    Article(
        f"other-{n}", f"Weather of day {n}", f"Rain fell on Nessby on day {n}, and wind came up at noon.", "Weather"
    )
    for n in range(12)
]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("town") / "archive"
    index_articles(NEWS, archive, Settings())
    return archive


@pytest.fixture(scope="module")
def retriever(town: Path) -> Iterator[Retriever]:
    with Retriever.open(town, Settings()) as opened:
        yield opened


def ids(found: list[ScoredPassage]) -> list[str]:
    return list(dict.fromkeys(passage.article.id for passage in found))


def test_copies_share_one_place_and_are_named_there(retriever: Retriever) -> None:
    found = retriever.retrieve("Who voted to close the fish market?", k=5)

    assert found[0].article.id == "copy-2"  # the newest of equals
    assert [other.article_id for other in found[0].also_in] == ["copy-1"]
    assert "copy-1" not in ids(found)
    assert count_origins(found) == (len(ids(found)) + 1, len(ids(found)))


def test_a_citation_names_the_copies_of_its_article(town: Path) -> None:
    with Chatbot.open(town, Settings()) as chatbot:
        answer = chatbot.ask("How much will the works at the fish market cost?")

    assert [
        (citation.article_id, [copy.article_id for copy in citation.also_in]) for citation in answer.citations[:1]
    ] == [("copy-2", ["copy-1"])]


def test_a_copy_stands_in_where_the_other_is_filtered_out(retriever: Retriever) -> None:
    found = retriever.retrieve("Who voted to close the fish market?", filters=Filters(outlets=("Nessby Post",)))

    assert ids(found) == ["copy-1", "old"]
    assert found[0].also_in == ()


def test_as_of_a_day_nothing_later_is_found(retriever: Retriever) -> None:
    everything = {passage.article.id for passage in retriever.retrieve("fish market", k=50)}
    then = retriever.retrieve("fish market", k=50, as_of="2021-03-02")

    assert {"later", "undated"} <= everything
    assert set(ids(then)) == {"copy-1", "old"}
    assert all(not passage.also_in for passage in then)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(authors=["ida holm"]), {"copy-1"}),
        (Filters(sections=("culture",)), {"old"}),
        (Filters(since="2021-03-03", until="May 20, 2021"), {"copy-2", "later"}),
        (Filters(outlets=("Tourist Board", "Weather")), {"undated", *(f"other-{n}" for n in range(12))}),
        (Filters(languages=("en",)), set()),
    ],
)
def test_only_what_meets_the_filters_is_found(retriever: Retriever, filters: Filters, expected: set[str]) -> None:
    assert set(ids(retriever.retrieve("fish market", k=50, filters=filters))) == expected


@pytest.mark.parametrize("channel", ["meaning", "words"])
def test_a_filter_gives_what_is_left_of_everything(retriever: Retriever, town: Path, channel: Channel) -> None:
    alone = Ranking(channels=(channel,))
    filters = Filters(outlets=("Coast Wire", "Nessby Post"), until="2021-03-03")
    with Retriever.open(town, Settings(), alone) as opened:
        everything = opened.retrieve("the fish market of Nessby", k=1000)
        found = opened.retrieve("the fish market of Nessby", k=1000, filters=filters)

    expected = [passage for passage in everything if not filters.unmet(passage.article)]
    assert [passage.passage for passage in found] == [passage.passage for passage in expected]


def test_an_outlet_that_the_question_names_rises_and_hides_nothing(retriever: Retriever) -> None:
    question = "What did the mayor say about the fish market"
    plain = ids(retriever.retrieve(f"{question}?", k=50))
    named = ids(retriever.retrieve(f"{question}, according to the Tourist Board?", k=50))

    assert named[0] == "undated"
    assert plain[0] != "undated"
    assert set(named) >= set(plain)


def test_what_stands_beside_a_question_is_searched_for_with_it(retriever: Retriever) -> None:
    beside = Context("When was that? (cake, mayor)", (("cake", 0.25), ("mayor", 0.1)))

    assert ids(retriever.retrieve("When was that?", k=5, context=beside))[0] == "old"


def test_what_stands_beside_a_question_weighs_less_than_its_own_words(retriever: Retriever) -> None:
    question = "How many of these new stalls will the hall with the glass roof have?"
    beside = Context(f"{question} (cake)", (("cake", 0.25),))

    assert ids(retriever.retrieve(question, k=5, context=beside))[0] == "copy-2"


def test_a_time_that_the_question_names_is_counted_from_the_day_of_the_search(retriever: Retriever) -> None:
    found = retriever.retrieve("What happened to the fish market last week?", as_of="2021-03-10", explain=True)

    assert found[0].article.id == "copy-2"
    assert "raised: published 2021-03-03, in the time that the question names" in found[0].why


def test_each_channel_says_where_it_puts_a_passage(retriever: Retriever) -> None:
    found = retriever.retrieve("Where is a guide to the market that opens at six in the morning?", k=1)[0]

    assert found.meaning
    assert found.words
    assert found.meaning.rank == found.words.rank == 1
    assert -1 <= found.meaning.score <= 1
    assert found.score > 0


@pytest.mark.parametrize("channel", ["meaning", "words"])
def test_a_channel_can_be_switched_off(town: Path, channel: Channel) -> None:
    with Retriever.open(town, Settings(), Ranking(channels=(channel,))) as opened:
        found = opened.retrieve("fish market", k=3)

    assert all((passage.meaning is None) == (channel == "words") for passage in found)
    assert all((passage.words is None) == (channel == "meaning") for passage in found)
    assert "fish market" in found[0].passage.text


def test_a_word_index_that_is_gone_is_left_out_with_one_warning(
    town: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    archive = Path(shutil.copytree(town, tmp_path / "copied"))
    shutil.rmtree(archive / WORDS)
    with Retriever.open(archive, Settings()) as opened:
        found = [opened.retrieve("fish market", k=2) for _ in range(3)]

    assert len(found[0]) == 2
    assert [record.getMessage()[:58] for record in caplog.records] == [
        "The search by words failed and is left out: The word index"
    ]
    with Retriever.open(archive, Settings(), Ranking(channels=("words",))) as opened, pytest.raises(ArchiveDamaged):
        opened.retrieve("fish market")


class Broken:
    """A model that has run out of memory."""

    dimension, maximum_tokens, runtime = 384, 256, "nothing"

    def encode(self, texts: Sequence[str], *, question: bool) -> Vectors:
        raise RuntimeError("no memory")

    def count(self, texts: Sequence[str]) -> list[int]:
        return [1 for _ in texts]


def test_a_model_that_fails_is_left_out(town: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Retriever(Archive.open(town), Embedder(Broken())) as opened:
        found = opened.retrieve("glass roof", k=1)

    assert found[0].article.id == "copy-2"
    assert "The search by meaning failed and is left out: RuntimeError" in caplog.text


def test_a_strict_search_leaves_nothing_out(town: Path) -> None:
    with Retriever(Archive.open(town), Embedder(Broken()), strict=True) as opened, pytest.raises(ModelError):
        opened.retrieve("glass roof")


def test_where_every_channel_fails_nobody_is_told_that_there_is_nothing(town: Path, tmp_path: Path) -> None:
    archive = Path(shutil.copytree(town, tmp_path / "copied"))
    shutil.rmtree(archive / WORDS)
    with Retriever(Archive.open(archive), Embedder(Broken())) as opened, pytest.raises(ModelError, match="no memory"):
        opened.retrieve("glass roof")


def test_damage_to_the_archive_itself_is_no_failing_channel(town: Path, tmp_path: Path) -> None:
    archive = Path(shutil.copytree(town, tmp_path / "copied"))
    with Retriever.open(archive, Settings()) as opened:
        opened.retrieve("glass roof")
        with sqlite3.connect(archive / FILE_NAME) as database:
            database.execute("DROP TABLE sketches")
        with pytest.raises(RagError):
            opened.retrieve("fish market")


def test_a_closed_retriever_says_so(town: Path) -> None:
    retriever = Retriever.open(town, Settings())
    retriever.close()

    with pytest.raises(ArchiveError, match="This retriever was closed"):
        retriever.retrieve("fish market")


@pytest.mark.parametrize("k", [0, -1])
def test_fewer_than_one_passage_are_none(retriever: Retriever, k: int) -> None:
    assert retriever.retrieve("fish market", k=k) == []


def test_a_longer_list_begins_like_a_shorter_one(retriever: Retriever) -> None:
    for question in ("fish market", "Who voted to close the market?", "rain and wind at noon"):
        assert retriever.retrieve(question, k=100)[:4] == retriever.retrieve(question, k=4)


def test_an_async_host_gets_the_same(retriever: Retriever) -> None:
    questions = ["fish market", "wind at noon", "Mayor Tarn"] * 5

    async def ask_all() -> list[list[ScoredPassage]]:
        return await asyncio.gather(*(retriever.aretrieve(question, k=4) for question in questions))

    assert asyncio.run(ask_all()) == [retriever.retrieve(question, k=4) for question in questions]


def test_why_an_article_did_not_come_up(retriever: Retriever, town: Path, tmp_path: Path) -> None:
    def verdict(name: str, **options: Any) -> tuple[str, int]:
        found = retriever.explain("Who voted to close the fish market?", name, **options)
        return found.verdict, found.rank

    assert verdict("copy-2") == ("found", 1)
    assert verdict("copy-1") == ("folded", 1)
    assert verdict("other-5", k=2)[0] == "outranked"
    assert verdict("later", as_of="2021-04-01") == ("filtered", 0)
    assert verdict("nothing") == ("absent", 0)


def test_why_gives_the_place_of_the_best_passage_by_each_channel(retriever: Retriever) -> None:
    found = retriever.explain("fish market of Nessby", "old", k=1)
    everything = retriever.retrieve("fish market of Nessby", k=1000)
    best = min((p for p in everything if p.article.id == "old"), key=lambda p: p.meaning.rank if p.meaning else 999)

    assert found.meaning
    assert found.words
    assert best.meaning
    assert best.words
    assert found.meaning.rank == best.meaning.rank
    assert found.words.rank == best.words.rank
    assert found.to_dict()["words"] == {"rank": found.words.rank, "score": found.words.score}
