"""Running an exported model: texts in, unit vectors out. The only module that loads OpenVINO or ONNX Runtime."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from rag.models import sha256_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
Numbers = NDArray[np.int64]
T = TypeVar("T")

MANIFEST = "manifest.json"
GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
COMPILED = "compiled"
COMPILING, COMPILING_SECONDS = "compiling.lock", 60
LEAST_AGREEMENT = 0.999
# Small batches stay in the caches of a core: on two cores 8 texts were faster than 16 or 32.
BATCH = 8
MOST_STREAMS = 16
# A tokenizer's own records of a text are far larger than its numbers; they are let go after as many texts.
TOKENIZED_AT_ONCE = 512
# Texts are padded to a multiple of it: OpenVINO keeps what it prepared for every length it met, some megabytes each.
LENGTH_STEP = 16
# OpenVINO's Python layer sets parts of itself up when they are first used, and two threads that are the first at once
# wait for each other for ever: so one thread uses them all before any other may.
_FIRST_USE = threading.Lock()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is written beside an exported model; `refusal` says why there is none, `files` gives the SHA-256 of each.

    `agreement` holds, for every runtime of the machine that made it, the least cosine with sentence-transformers.
    """

    model: str
    dimension: int
    maximum_tokens: int
    padding: int
    question_prompt: str
    passage_prompt: str
    agreement: Mapping[str, float]
    files: Mapping[str, str]
    versions: Mapping[str, str]
    refusal: str = ""


def read_manifest(folder: Path) -> Manifest | None:
    """Give the manifest of an export, or None where it is missing or unreadable."""
    try:
        return Manifest(**json.loads((folder / MANIFEST).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def is_whole(folder: Path, manifest: Manifest) -> bool:
    """Say whether every file of an export is there as it was written."""
    try:
        return all(sha256_of(folder / name) == digest for name, digest in manifest.files.items())
    except OSError:
        return False


class Batch(NamedTuple):
    """Token numbers of a few texts, padded to the longest of them, and the places of the texts among all."""

    rows: list[int]
    tokens: Numbers
    mask: Numbers


class Runtime(Protocol):
    """Runs a graph; safe to use from several threads, and best used from as many as `streams` says."""

    streams: int
    words: str

    def run(self, tokens: Numbers, mask: Numbers) -> Vectors:
        """Give the vectors of one batch."""


@contextlib.contextmanager
def _compiling(folder: Path) -> Iterator[None]:
    """Let one process after the other compile: what is compiled is written where others have it mapped, and crash."""
    lock = FileLock(folder / COMPILING, timeout=COMPILING_SECONDS)
    with contextlib.suppress(OSError):  # a folder that can only be read, or a process that hangs there
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class OpenVino:
    """The graph in OpenVINO on the CPU, in bf16: a stream of one thread for every core."""

    def __init__(self, graph: Path) -> None:
        self.streams = _cores()
        self.words = f"OpenVINO, bf16, {_counted(self.streams, 'stream')}"
        options = {
            "INFERENCE_PRECISION_HINT": "bf16",
            "NUM_STREAMS": self.streams,
            "INFERENCE_NUM_THREADS": self.streams,
            "CACHE_DIR": str(graph.with_name(COMPILED)),
        }
        self._kept = threading.local()
        with _FIRST_USE, _compiling(graph.parent):
            self._model: Any = _openvino().Core().compile_model(graph, "CPU", options)
            self.run(np.zeros((1, LENGTH_STEP), dtype=np.int64), np.ones((1, LENGTH_STEP), dtype=np.int64))

    def run(self, tokens: Numbers, mask: Numbers) -> Vectors:
        """Give the vectors of one batch."""
        # Not an AsyncInferQueue: one that is let go while a callback ends made one process in six abort, or hang.
        if not hasattr(self._kept, "request"):
            self._kept.request = self._model.create_infer_request()  # for every batch, it costs a fifth of the time
        shared: Vectors = self._kept.request.infer({0: tokens, 1: mask}, share_inputs=True, share_outputs=True)[0]
        return shared.copy()


class OnnxRuntime:
    """The graph in ONNX Runtime, in fp32: one session for as many threads as there are cores, each working alone."""

    def __init__(self, graph: Path) -> None:
        # Asked for after the import, it has looked up its server already.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.streams = _cores()
        self.words = f"ONNX Runtime, fp32, {_counted(self.streams, 'thread')}"
        self._session: Any = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._names = [entry.name for entry in self._session.get_inputs()]

    def run(self, tokens: Numbers, mask: Numbers) -> Vectors:
        """Give the vectors of one batch."""
        vectors: Vectors = self._session.run(None, dict(zip(self._names, (tokens, mask), strict=True)))[0]
        return vectors


@cache
def runtimes() -> Mapping[str, type[OpenVino | OnnxRuntime]]:
    """Give what can run a graph on this machine by its name and version, the fastest first."""
    found: dict[str, type[OpenVino | OnnxRuntime]] = {}
    if _openvino_has_bf16():
        found[f"OpenVINO {importlib.metadata.version('openvino')} bf16"] = OpenVino
    if importlib.util.find_spec("onnxruntime"):
        found[f"ONNX Runtime {importlib.metadata.version('onnxruntime')}"] = OnnxRuntime
    return found


def _openvino_has_bf16() -> bool:
    try:
        with _FIRST_USE:
            return "BF16" in _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except (ImportError, OSError, RuntimeError):  # not for this platform, or a library that the system lacks
        return False


@cache
def _openvino() -> Any:
    """Import OpenVINO without its telemetry, which else reports every import to a server of Google, unasked."""
    with _hidden("openvino_telemetry"):
        import openvino
    return openvino


@contextlib.contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Make `module` impossible to import for a while; OpenVINO has a stand-in that does nothing."""
    before = sys.modules.get(module)
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop(module, None)
        if before:
            sys.modules[module] = before


def _cores() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_STREAMS)


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


class ExportedModel:
    """An exported model with its tokenizer; safe to use from several threads."""

    def __init__(self, manifest: Manifest, tokenizer: str, runtime: Runtime) -> None:
        self.dimension = manifest.dimension
        self.maximum_tokens = manifest.maximum_tokens
        self.runtime = runtime.words
        self._padding = manifest.padding
        self._prompts = (manifest.passage_prompt, manifest.question_prompt)
        self._runtime = runtime
        # A tokenizer keeps its truncation as state, which two threads may not change at once: so there are two.
        self._whole = _tokenizer(tokenizer)
        self._cut = _tokenizer(tokenizer)
        self._cut.enable_truncation(manifest.maximum_tokens)

    @classmethod
    def open(cls, folder: Path, manifest: Manifest, label: str) -> ExportedModel:
        """Load an export into the runtime of that name."""
        return cls(manifest, (folder / TOKENIZER).read_text(encoding="utf-8"), runtimes()[label](folder / GRAPH))

    def encode(self, texts: Sequence[str], *, question: bool) -> Vectors:
        """Give one unit vector a text, in their order."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        prompt = self._prompts[question]
        # The sentences of one answer are few: in small batches the threads share them evenly, and little is padded.
        size = min(BATCH, -(-len(texts) // (2 * self._runtime.streams)) or 1)
        batches = self._batches(self._tokens([prompt + text for text in texts]), size)
        if len(texts) <= size:
            self._fill(vectors, batches)
        else:
            self._fill_in_threads(vectors, _Shared(batches))
        return vectors

    def _fill(self, vectors: Vectors, batches: Iterable[Batch]) -> None:
        for rows, tokens, mask in batches:
            vectors[rows] = self._runtime.run(tokens, mask)

    def _fill_in_threads(self, vectors: Vectors, batches: Iterable[Batch]) -> None:
        with ThreadPoolExecutor(self._runtime.streams) as pool:
            for done in [pool.submit(self._fill, vectors, batches) for _ in range(self._runtime.streams)]:
                done.result()

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, without the model's marks."""
        return [
            len(encoding.ids)
            for part in _parts(texts, TOKENIZED_AT_ONCE)
            for encoding in self._whole.encode_batch_fast(part, add_special_tokens=False)
        ]

    def _tokens(self, texts: list[str]) -> list[Numbers]:
        return [
            np.asarray(encoding.ids, dtype=np.int64)
            for part in _parts(texts, TOKENIZED_AT_ONCE)
            for encoding in self._cut.encode_batch_fast(part)
        ]

    def _batches(self, tokens: list[Numbers], size: int) -> Iterator[Batch]:
        """Yield the texts sorted by length, so that those of a batch need next to no padding; the longest first."""
        for rows in _parts(sorted(range(len(tokens)), key=lambda row: -len(tokens[row])), size):
            longest = max(len(tokens[rows[0]]), 1)
            shape = len(rows), min(-(-longest // LENGTH_STEP) * LENGTH_STEP, self.maximum_tokens)
            padded, mask = np.full(shape, self._padding, dtype=np.int64), np.zeros(shape, dtype=np.int64)
            for line, row in enumerate(rows):
                padded[line, : len(tokens[row])] = tokens[row]
                mask[line, : len(tokens[row])] = 1
            yield Batch(rows, padded, mask)


class _Shared:
    """Batches that several threads take turns to take from: they are made as they are needed."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        with self._lock:
            return next(self._batches)


def _tokenizer(serialized: str) -> Tokenizer:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(serialized)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _parts(items: Sequence[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
