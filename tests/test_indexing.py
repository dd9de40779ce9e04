from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from rag import ArchiveError, ArchiveMismatch, Article, Chatbot, ModelError, Settings, index_articles
from rag.archive import Archive
from rag.indexing import VECTORS_NAME, index_directory, writing


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


def test_an_archive_has_one_index_for_its_present_state(tmp_path: Path, articles: list[Article]) -> None:
    for article in [*articles, Article("third", "T", "A third article.")]:
        index_articles([article], tmp_path, Settings())

    published = sorted((tmp_path / VECTORS_NAME).iterdir())
    # The one before stays for readers that have it open.
    assert [path.name for path in published] == ["00000002", "00000003"]
    with Archive.open(tmp_path) as archive:
        assert published[-1] == index_directory(archive)


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

    with pytest.raises(ArchiveError, match="Another process is writing"), writing(tmp_path, Settings()):
        pass

    end.set()
    writer.join()


def test_another_model_cannot_write_into_an_archive(small_archive: Path, articles: list[Article]) -> None:
    with pytest.raises(ArchiveMismatch, match="made with model 'all-MiniLM-L6-v2', not 'other-model'"):
        index_articles(articles, small_archive, Settings(model="other-model"))


def test_a_model_that_cannot_be_loaded_leaves_no_mark_on_a_new_archive(tmp_path: Path, articles: list[Article]) -> None:
    with pytest.raises(ModelError):
        index_articles(articles, tmp_path / "archive", Settings(model=str(tmp_path / "no-model")))

    assert index_articles(articles, tmp_path / "archive", Settings()) == 2


def test_an_archive_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ArchiveError, match="cannot be written"):
        index_articles([], tmp_path / "file", Settings())
