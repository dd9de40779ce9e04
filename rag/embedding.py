"""The embedding model: texts in, unit vectors out."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from rag import exporting, inference
from rag.inference import Vectors
from rag.models import digest_of_model, export_folder, find_model, told_of_model

Announce = Callable[[str], None]

PREPARING = "Preparing the model for this machine, once"
QUESTIONS_KEPT = 16


class LoadedModel(Protocol):
    """A model in the memory of this process."""

    dimension: int
    maximum_tokens: int
    runtime: str

    def encode(self, texts: Sequence[str], *, question: bool) -> Vectors:
        """Give one unit vector a text, in their order."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, without the model's marks."""


class Embedder:
    """An embedding model, ready to use; safe to use from several threads."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        # A question is asked of the index, and then of the sentences that were found.
        self._questions = lru_cache(maxsize=QUESTIONS_KEPT)(self._embed_question)

    @classmethod
    def open(cls, name: str, *, announce: Announce | None = None) -> Embedder:
        """Load a model by its public name or path. Raises `ModelError` where it is missing or damaged.

        The first time on a machine takes half a minute more, which `announce` is told.
        """
        with told_of_model(name):
            folder = find_model(name)
            return cls(_open(folder, digest_of_model(folder), announce))

    @property
    def dimension(self) -> int:
        """The length of every vector."""
        return self._model.dimension

    @property
    def maximum_tokens(self) -> int:
        """How many tokens the model reads of a text, its marks at start and end included."""
        return self._model.maximum_tokens

    @property
    def runtime(self) -> str:
        """What runs the model here, in words for a person."""
        return self._model.runtime

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Give one unit vector a text, shape (len(texts), dimension)."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return self._model.encode([_encodable(text) for text in texts], question=False)

    def embed_question(self, question: str) -> Vectors:
        """Give the unit vector of a question, shape (dimension,), which is not to be written to."""
        return self._questions(question)

    def _embed_question(self, question: str) -> Vectors:
        vector: Vectors = self._model.encode([_encodable(question)], question=True)[0]
        vector.flags.writeable = False
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, without the model's marks."""
        return self._model.count([_encodable(text) for text in texts]) if texts else []


def _open(folder: Path, sha256: str, announce: Announce | None) -> LoadedModel:
    if _may_have_gpu() and exporting.torch_finds_gpu():
        return exporting.TorchModel.open(folder, device="cuda")
    export = export_folder(sha256)
    manifest = exporting.read_export(export, sha256)
    if manifest is None:
        if announce:
            announce(PREPARING)
        manifest = exporting.export(folder, export, sha256)
    if manifest.refusal:
        return exporting.TorchModel.open(folder, reason=manifest.refusal)
    return inference.ExportedModel.open(export, manifest, exporting.best_runtime(manifest.agreement))


def _may_have_gpu() -> bool:
    """Say whether PyTorch is worth asking for an NVIDIA GPU, since it takes seconds to load."""
    if importlib.metadata.version("torch").endswith("+cpu"):
        return False
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None


def _encodable(text: str) -> str:
    """Replace half characters, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode()
