"""Weights in a quarter of their size: each row of a matrix in whole numbers of eight bits, and what they count."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.models import PACKED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

UNPACKED = "model.safetensors"
SCALE = ".scale"
LARGEST = 127


def pack(sources: Sequence[Path], folder: Path) -> None:
    """Write the mean of the models of several folders into another one, its matrices in a quarter of their size.

    Models that began alike and were trained on other lots are together better than each, at the cost of one (Wortsman
    et al., "Model soups", ICML 2022).
    """
    from safetensors.numpy import load_file, save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(packed(mean_of([load_file(source / UNPACKED) for source in sources])), folder / PACKED)
    _copy_rest(sources[0], folder)


def mean_of(models: Sequence[Mapping[str, Numbers]]) -> dict[str, Numbers]:
    """Give the mean of the weights of models that have the same ones."""
    return {name: np.mean([model[name] for model in models], axis=0, dtype=np.float32) for name in models[0]}


def unpack(folder: Path, target: Path) -> None:
    """Write the model that was packed in a folder into another one, as sentence-transformers reads it."""
    from safetensors.numpy import load_file, save_file

    save_file(unpacked(load_file(folder / PACKED)), target / UNPACKED, metadata={"format": "pt"})
    _copy_rest(folder, target)


def packed(weights: Mapping[str, Numbers]) -> dict[str, NDArray[Any]]:
    """Give for each matrix its rows in eight bits and the scale of each row; all else as it is."""
    small: dict[str, NDArray[Any]] = {}
    for name, values in weights.items():
        if values.ndim == 2:
            scale = np.maximum(np.abs(values).max(axis=1), 1e-12).astype(np.float32) / LARGEST
            small[name] = np.rint(values / scale[:, None]).astype(np.int8)
            small[name + SCALE] = scale
        else:
            small[name] = values
    return small


def unpacked(small: Mapping[str, NDArray[Any]]) -> dict[str, Numbers]:
    """Give the weights that `packed` was given, each within half a step of the scale of its row."""
    return {
        name: values * small[name + SCALE][:, None] if name + SCALE in small else values
        for name, values in small.items()
        if not name.endswith(SCALE)
    }


def _copy_rest(source: Path, target: Path) -> None:
    for path in source.iterdir():
        if path.is_file() and path.suffix == ".json":
            shutil.copy(path, target / path.name)
