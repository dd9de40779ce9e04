from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.__main__ import main
from eval.errors import EvalError
from eval.tracing import ALTERATIONS, FORMS, SHORTEST, Drawn, Lot, Share, is_flagged, is_right, measure
from rag import Article, Tracer
from rag.aligning import words_of
from rag.reading import find_files, read_articles
from tests.conftest import ARTICLES, CORPUS
from tests.unembedded import make_archive

FOREIGN = [
    {
        "id": f"moth-{number}",
        "text": f"Moth {number} was seen by a night guard who had gone out to look for a lost key under the old lamp. "
        "He drew it with a pencil, and the museum of the next valley knew its name.",
    }
    for number in range(3)
]


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("foreign") / "articles.jsonl"
    file.write_text("\n".join(map(json.dumps, FOREIGN)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_archive(tmp_path_factory.mktemp("small") / "archive", ARTICLES)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = (file for file in find_files(CORPUS) if isinstance(file, Path))
    articles = (article for file in files for article in read_articles(file) if isinstance(article, Article))
    return make_archive(tmp_path_factory.mktemp("sample") / "archive", articles)


def drawn(kind: str, seed: int) -> Drawn:
    lot = Lot.of(ARTICLES, seed)
    return lot.altered(kind) if kind in ALTERATIONS else lot.excerpt(kind)


@given(st.integers(0, 10_000))
def test_an_excerpt_is_a_run_of_the_words_of_an_article(seed: int) -> None:
    lot = Lot.of(ARTICLES, seed)
    found = lot.formed()

    assert found.excerpt in found.article.text
    assert SHORTEST <= len(found.excerpt.split()) <= 40
    assert words_of(found.text) == words_of(found.excerpt)


@given(st.integers(0, 10_000), st.sampled_from(ALTERATIONS))
def test_an_altered_excerpt_has_one_word_more_less_or_another(seed: int, kind: str) -> None:
    found = drawn(kind, seed)

    before, after = found.excerpt.split(), found.text.split()
    assert len(after) - len(before) == {"dropped": -1, "inserted": 1}.get(kind, 0)
    assert [bool(found.was), bool(found.now)] == [kind != "inserted", kind != "dropped"]
    assert words_of(found.text) != words_of(found.excerpt)
    if kind == "number":
        assert sum(one != other for one, other in zip(found.was, found.now, strict=True)) == 1


def test_the_same_seed_draws_the_same() -> None:
    assert drawn("replaced", 4) == drawn("replaced", 4) != drawn("replaced", 5)


def test_articles_of_a_few_words_give_no_excerpts() -> None:
    with pytest.raises(EvalError, match="No article has 8 words"):
        Lot.of([Article("short", "Short", "Too short.")], 0)
    with pytest.raises(EvalError, match=r"could be altered \(number\)"):
        Lot.of([Article("wordy", "Wordy", "There is no figure at all in this one.")], 0).altered("number")


def test_an_origin_counts_only_as_it_is_described(small: Path) -> None:
    owl = drawn("as it is", 1)
    with Tracer.open(small) as tracer:
        trace = tracer.trace(owl.text)

    [origin] = trace.found
    assert is_right(owl, trace)
    assert not is_right(owl, replace(trace, found=(replace(origin, date="2022-06-15"),)))
    assert not is_right(owl, replace(trace, found=(replace(origin, text=origin.text[:-4]),)))
    assert not is_right(owl, replace(trace, found=()))


def test_a_flag_counts_only_with_what_was_changed(small: Path) -> None:
    altered = drawn("replaced", 1)
    with Tracer.open(small) as tracer:
        trace = tracer.trace(altered.text)

    [difference] = trace.differences
    assert is_flagged(altered, trace)
    assert not is_flagged(altered, replace(trace, nearest=None))
    assert not is_flagged(altered, replace(trace, differences=()))
    assert not is_flagged(altered, replace(trace, differences=(replace(difference, article="elsewhere"),)))
    assert not is_flagged(replace(altered, now="elsewhere"), trace)


def test_the_interval_is_wilsons() -> None:
    low, high = Share("half", 50, 100).interval
    assert (round(low, 4), round(high, 4)) == (0.4038, 0.5962)
    low, high = Share("all", 2000, 2000).interval
    assert (round(low, 4), high) == (0.9981, 1.0)


def test_what_is_measured_is_counted_by_kind(sample: Path, foreign: Path) -> None:
    found = measure(sample, 24, 0, foreign)

    shares = {share.name: share for share in found.shares}
    heads = [name for name in shares if not name.startswith("- ")]
    assert [shares[name].count for name in heads] == [24, 24, 24]
    assert sum(share.count for share in shares.values()) == 24 * 5
    assert [shares[f"- {kind}"].count for kind in ALTERATIONS] == [6, 6, 6, 6]
    assert {name[2:] for name in shares if name.startswith("- ")} <= {*FORMS, *ALTERATIONS}
    assert len(found.milliseconds) == 72
    assert (found.wrong, found.held) == ((), 0)


def test_foreign_excerpts_that_the_archive_has_all_the_same_are_not_counted(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "copies.jsonl"
    copies = [{"id": f"copy-of-{article.id}", "text": article.text} for article in ARTICLES]
    file.write_text("\n".join(map(json.dumps, copies)), encoding="utf-8")

    found = measure(small, 4, 0, file)

    assert found.held == 4
    assert not any(share.name.startswith("foreign") for share in found.shares)


def test_articles_of_the_archive_are_not_foreign(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text("\n".join(json.dumps(article.to_dict()) for article in ARTICLES), encoding="utf-8")

    with pytest.raises(EvalError, match="No article has 8 words"):
        measure(small, 4, 0, file)


def test_the_command_prints_a_table_or_json(sample: Path, foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["trace", "--archive", str(sample), "--excerpts", "8", "--foreign", str(foreign)]
    with pytest.raises(SystemExit):
        main(options)
    table = capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*options, "--json"])
    told = json.loads(capsys.readouterr().out)

    assert "excerpts led back to their article" in table
    assert "Half were traced within" in table
    assert list(told) == ["shares", "p50", "p95", "held", "wrong"]
    assert told["shares"][0]["name"] == "excerpts led back to their article"
