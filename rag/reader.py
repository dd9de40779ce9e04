"""The reader: a cross-encoder that says whether a sentence answers a question."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import numpy as np

from rag.errors import ModelError
from rag.exporting_readers import TorchReader
from rag.inference import ExportedReader, Vectors
from rag.loading import Announce, encodable, is_new, load
from rag.models import find_reader, told_of_model
from rag.settings import NO_READER, Settings

SEPARATOR = " [SEP] "
LONGEST_CONTEXT, LONGEST_SENTENCE = 120, 300  # characters


class LoadedReader(Protocol):
    """A cross-encoder in the memory of this process."""

    runtime: str

    def score(self, question: str, texts: Sequence[str]) -> Vectors:
        """Give the logit of each text for the question, in their order."""


class Reader:
    """A cross-encoder, ready to use; safe to use from several threads."""

    def __init__(self, model: LoadedReader) -> None:
        self._model = model

    @classmethod
    def open(cls, name: str, *, announce: Announce | None = None) -> Reader:
        """Load a reader by its public name or path. Raises `ModelError` where it is missing or damaged.

        The first time on a machine takes half a minute more, which `announce` is told.
        """
        with told_of_model(name, "reader", "sentence-transformers CrossEncoder"):
            return cls(load(find_reader(name), TorchReader, ExportedReader, announce))

    @property
    def runtime(self) -> str:
        """What runs the model here, in words for a person."""
        return self._model.runtime

    def score(self, question: str, sentences: Sequence[tuple[str, str]]) -> Vectors:
        """Give the logit of each sentence, shape (len(sentences),); above 0 it is likelier to answer than not.

        Each comes after what stands before it in its article, which may be empty.
        """
        if not sentences:
            return np.zeros(0, dtype=np.float32)
        return self._model.score(encodable(question), [encodable(written(*each)) for each in sentences])


def open_reader(settings: Settings) -> Reader | None:
    """Load the reader of the settings, None where they want none. Raises `ModelError`."""
    return None if settings.reader == NO_READER else Reader.open(settings.reader)


def prepare_reader(settings: Settings, announce: Announce) -> None:
    """Export the reader of the settings where that has not been done here, so that no question need wait for it.

    One that cannot be had is told to whom asks a question.
    """
    with suppress(ModelError, OSError):
        if settings.reader != NO_READER and is_new(find_reader(settings.reader)):
            Reader.open(settings.reader, announce=announce)


def written(context: str, sentence: str) -> str:
    """Write a sentence after what stands before it, as the reader is trained to read it."""
    return SEPARATOR.join(filter(None, [context[-LONGEST_CONTEXT:], sentence[:LONGEST_SENTENCE]]))
