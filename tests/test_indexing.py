from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from index.status import read_status, write_status
from rag import (
    ArchiveError,
    ArchiveLocked,
    ArchiveMismatch,
    Article,
    ArticleError,
    Chatbot,
    ModelError,
    Settings,
    index_articles,
    remove_origin,
)
from rag.archive import Archive
from rag.filters import Filters
from rag.generations import current_manifest, current_name
from rag.indexing import writing
from rag.models import PACKAGED_MODEL, find_model


def revision(archive: Path) -> int:
    with Archive.open(archive) as opened:
        return opened.revision


def test_a_host_indexes_articles_and_asks(small_archive: Path) -> None:
    with Chatbot.open(small_archive, Settings()) as chatbot:
        answer = chatbot.ask("How long will the stone bridge be closed?")

    assert answer.sentences[0].text.startswith("The stone bridge at Ferrow will close for eleven weeks from Aug. 1")


def test_indexing_the_same_articles_again_changes_nothing(tmp_path: Path, articles: list[Article]) -> None:
    first = index_articles(articles, tmp_path, Settings())
    before = revision(tmp_path)

    second = index_articles(articles, tmp_path, Settings())

    assert (first, second) == (2, 0)
    assert revision(tmp_path) == before


def test_what_came_from_one_place_alone_leaves_with_it(tmp_path: Path, articles: list[Article]) -> None:
    owl, bridge = articles
    index_articles([owl, bridge], tmp_path, Settings(), origin="desk")
    index_articles([owl], tmp_path, Settings(), origin="feed")

    assert remove_origin("nowhere", tmp_path, Settings()) == 0
    assert remove_origin("desk", tmp_path, Settings()) == 1
    with Chatbot.open(tmp_path, Settings()) as chatbot:
        assert [each.id for each in chatbot.retriever.archive.articles()] == [owl.id]
        assert {found.article.id for found in chatbot.search("bridge")} == {owl.id}
    assert remove_origin("feed", tmp_path, Settings()) == 1


def test_the_next_generation_waits_until_much_has_changed(tmp_path: Path, articles: list[Article]) -> None:
    index_articles(articles, tmp_path, Settings())
    first = current_name(tmp_path)

    index_articles([Article("third", "T", "A third article.")], tmp_path, Settings())

    with Archive.open(tmp_path) as archive:
        manifest = current_manifest(archive)
        assert manifest is not None
        assert (current_name(tmp_path), manifest.passages, archive.count_passages()) == (first, 2, 3)


def _write_for_a_while(
    archive: Path, begun: multiprocessing.synchronize.Event, end: multiprocessing.synchronize.Event
) -> None:
    with writing(archive, Settings()):
        begun.set()
        end.wait(30)


def test_a_second_writer_is_refused_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    begun, end = context.Event(), context.Event()
    writer = context.Process(target=_write_for_a_while, args=(tmp_path, begun, end))
    writer.start()
    assert begun.wait(30)

    with (
        pytest.raises(ArchiveLocked, match=rf"Another process \({writer.pid}, since .*\) is writing"),
        writing(tmp_path, Settings()),
    ):
        pass

    end.set()
    writer.join()


def test_another_model_cannot_write_into_an_archive(
    small_archive: Path, articles: list[Article], tmp_path: Path
) -> None:
    other = tmp_path / "other-model"
    shutil.copytree(find_model(PACKAGED_MODEL), other, copy_function=os.link)
    described = json.loads((other / "sentence_bert_config.json").read_text())
    (other / "sentence_bert_config.json").unlink()
    (other / "sentence_bert_config.json").write_text(json.dumps(described | {"max_seq_length": 128}))

    with pytest.raises(ArchiveMismatch, match="made with model 'all-MiniLM-L6-v2', not .*onrecord rebuild --embed"):
        index_articles(articles, small_archive, Settings(model=str(other)))


def test_the_same_model_under_another_name_fits(small_archive: Path, articles: list[Article]) -> None:
    assert index_articles(articles, small_archive, Settings(model=str(find_model(PACKAGED_MODEL)))) == 0


def test_a_model_that_cannot_be_loaded_leaves_no_mark_on_a_new_archive(tmp_path: Path, articles: list[Article]) -> None:
    with pytest.raises(ModelError):
        index_articles(articles, tmp_path / "archive", Settings(model=str(tmp_path / "no-model")))

    assert index_articles(articles, tmp_path / "archive", Settings()) == 2


def test_an_archive_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ArchiveError, match="cannot be written"):
        index_articles([], tmp_path / "file", Settings())


@pytest.mark.parametrize(
    "article",
    [
        Article("", "T", "Text."),
        Article("a\nb", "T", "Text."),
        Article("a", "T", " "),
        Article("a", "T", "\ud800"),
        Article("a", "T", "Text.", authors=("\ud800",)),
        Article("a", "T", "Text.", section="\ud800"),
    ],
    ids=["no id", "id of two lines", "no text", "half a character", "half an author", "half a section"],
)
def test_an_article_that_could_not_be_cited_is_refused(tmp_path: Path, article: Article) -> None:
    with pytest.raises(ArticleError):
        index_articles([article], tmp_path, Settings())


@pytest.mark.parametrize("date", ["03/04/2024", "yesterday", "July 2019", "2019-02-30"])
def test_an_article_of_no_certain_day_is_refused(tmp_path: Path, date: str) -> None:
    told = f"The article 'a' has the date '{date}', no certain day. Write it like 2019-07-16."

    with pytest.raises(ArticleError, match=f"^{re.escape(told)}$"):
        index_articles([Article("a", "T", "Text.", date=date)], tmp_path, Settings())


def test_the_dates_of_a_host_become_days(tmp_path: Path) -> None:
    dates = {"a": "16 July 2019", "b": "2019-07-17T10:00:00Z", "c": "", "d": " "}
    articles = [Article(name, "T", "Text.", date=date) for name, date in dates.items()]

    assert [index_articles(articles, tmp_path, Settings()) for _ in range(2)] == [4, 0]

    with Archive.open(tmp_path) as archive:
        stored = {article.id: article.date for article in archive.articles()}
        assert stored == {"a": "2019-07-16", "b": "2019-07-17", "c": "", "d": ""}
        assert archive.filed(Filters().as_of("2019-07-16")).tolist() == [1]


def test_the_language_of_a_host_becomes_a_code_that_filters_know(tmp_path: Path) -> None:
    article = Article("a", "T", "El puente se cierra.", section="Mundo", language="es-PE")

    assert [index_articles([article], tmp_path, Settings()) for _ in range(2)] == [1, 0]

    with Archive.open(tmp_path) as archive:
        assert archive.article("a") == replace(article, language="es")
        assert archive.filed(Filters(languages=("ES",), sections=("mundo",))).tolist() == [1]


def test_copies_are_one_story_and_articles_of_older_archives_are_caught_up_with(
    small_archive: Path, articles: list[Article], tmp_path: Path
) -> None:
    older = shutil.copytree(small_archive, tmp_path / "older")
    with Archive.open(older) as archive:
        archive.database.read("DELETE FROM sketches")

    index_articles([replace(articles[0], id="copy", title="Owls", source="County Wire")], older, Settings())

    with Archive.open(older) as archive:
        stories = {filing.story for filing in archive.filings([1, 2, 3]).values()}
        copies = sorted(sorted(copy.article_id for copy in found) for found in archive.copies(stories).values())
        assert copies == [["bridge"], ["copy", "owl"]]
        assert archive.count_stories() == 2
    assert "3 articles (2 stories) in 3 passages" in write_status(read_status(older))
