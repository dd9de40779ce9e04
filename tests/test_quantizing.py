from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.numpy import load_file, save_file

from rag.models import PACKED
from rag.quantizing import pack, packed, unpack, unpacked

NUMBERS = st.floats(-1e4, 1e4, width=32)


@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=NUMBERS))
def test_what_is_unpacked_is_within_half_a_step_of_its_row(matrix: np.ndarray) -> None:
    found = unpacked(packed({"weight": matrix}))["weight"]

    steps = np.maximum(np.abs(matrix).max(axis=1), 1e-12)[:, None] / 127
    assert found.dtype == np.float32
    assert (np.abs(found - matrix) <= steps * 0.501).all()


@given(arrays(np.float32, array_shapes(min_dims=1, max_dims=1, max_side=6), elements=NUMBERS))
def test_what_is_no_matrix_stays_as_it_is(vector: np.ndarray) -> None:
    assert (unpacked(packed({"bias": vector}))["bias"] == vector).all()


def test_a_packed_model_has_a_quarter_of_the_size_and_all_its_files(tmp_path: Path) -> None:
    source, folder, again = (tmp_path / name for name in ("source", "packed", "again"))
    source.mkdir()
    again.mkdir()
    weights = {"table": np.random.default_rng(0).normal(size=(500, 64)).astype(np.float32)}
    save_file(weights, source / "model.safetensors")
    (source / "config.json").write_text("{}")
    (source / "README.md").write_text("not of the model")

    pack([source], folder)
    unpack(folder, again)

    assert sorted(path.name for path in folder.iterdir()) == ["config.json", PACKED]
    assert (folder / PACKED).stat().st_size < (source / "model.safetensors").stat().st_size * 0.3
    assert sorted(path.name for path in again.iterdir()) == ["config.json", "model.safetensors"]
    assert np.allclose(load_file(again / "model.safetensors")["table"], weights["table"], atol=0.02)


def test_of_several_models_the_mean_is_packed(tmp_path: Path) -> None:
    sources = [tmp_path / name for name in ("one", "two")]
    for source, value in zip(sources, (1.0, 4.0), strict=True):
        source.mkdir()
        save_file({"bias": np.full(3, value, np.float32)}, source / "model.safetensors")

    pack(sources, tmp_path / "packed")

    assert load_file(tmp_path / "packed" / PACKED)["bias"].tolist() == [2.5] * 3
