"""The embedding model: texts in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np

from rag.exporting import TorchModel
from rag.inference import ExportedModel, Vectors
from rag.loading import Announce, encodable, load
from rag.models import find_model, told_of_model

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
            return cls(load(find_model(name), TorchModel, ExportedModel, announce))

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
        return self._model.encode([encodable(text) for text in texts], question=False)

    def embed_question(self, question: str) -> Vectors:
        """Give the unit vector of a question, shape (dimension,), which is not to be written to."""
        return self._questions(question)

    def _embed_question(self, question: str) -> Vectors:
        vector: Vectors = self._model.encode([encodable(question)], question=True)[0]
        vector.flags.writeable = False
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, without the model's marks."""
        return self._model.count([encodable(text) for text in texts]) if texts else []
