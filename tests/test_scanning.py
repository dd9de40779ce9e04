from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag import Article, Passage
from rag.archive import Archive, Entry
from rag.scanning import ExactIndex

DIMENSION = 8
Matrix = NDArray[np.float64]


def entry(name: str, vectors: Matrix) -> Entry:
    passages = tuple(Passage(name, n, n + 1, "x") for n in range(len(vectors)))
    return Entry(Article(name, "T", "x" * len(vectors)), passages, vectors.astype(np.float32))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive", {"model": "some-model"}) as created:
        yield created


def unit(rows: int, seed: int) -> Matrix:
    matrix = np.random.default_rng(seed).standard_normal((rows, DIMENSION))
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix


def test_an_empty_index_finds_nothing(archive: Archive) -> None:
    assert ExactIndex().followed(archive).nearest(np.ones(DIMENSION, dtype=np.float32), 5) == []


def test_it_follows_what_comes_in_and_leaves_the_one_before_as_it_was(archive: Archive) -> None:
    archive.put([entry("a", unit(3, 1))])
    first = ExactIndex().followed(archive)
    archive.put([entry("b", unit(2, 2))])
    second = first.followed(archive)

    asked = np.ones(DIMENSION, dtype=np.float32)
    assert sorted(number for number, _ in first.nearest(asked, 9)) == [1, 2, 3]
    assert sorted(number for number, _ in second.nearest(asked, 9)) == [1, 2, 3, 4, 5]
    assert second.followed(archive) is second


def test_it_can_begin_after_a_generation(archive: Archive) -> None:
    archive.put([entry("a", unit(5, 1))])

    found = ExactIndex(after=3).followed(archive).nearest(np.ones(DIMENSION, dtype=np.float32), 9)

    assert sorted(number for number, _ in found) == [4, 5]


@pytest.fixture(scope="module")
def forty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ExactIndex, Matrix]]:
    with Archive.create(tmp_path_factory.mktemp("forty"), {"model": "some-model"}) as archive:
        matrix = np.concatenate([unit(30, 1), unit(30, 1)[:10]])  # ten of them twice
        archive.put([entry("a", matrix)])
        yield ExactIndex().followed(archive), matrix.astype(np.float16).astype(np.float32)


@given(seed=st.integers(0, 10_000), k=st.integers(1, 50))
def test_the_nearest_are_those_of_a_full_sort(
    forty: tuple[ExactIndex, Matrix],
    seed: int,
    k: int,
) -> None:
    index, matrix = forty
    asked = unit(1, seed)[0].astype(np.float32)

    found = index.nearest(asked, k)

    likeness = matrix @ asked
    assert [score for _, score in found] == pytest.approx(sorted(likeness, reverse=True)[:k], abs=1e-6)
    assert [likeness[number - 1] for number, _ in found] == pytest.approx([score for _, score in found], abs=1e-6)
    assert len({number for number, _ in found}) == min(k, 40)
