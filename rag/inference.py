"""Running an exported model: texts in, numbers out. The only module that loads OpenVINO or ONNX Runtime."""

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
    """The inputs of a graph for a few texts, padded to the longest of them, and the places of the texts among all."""

    rows: list[int]
    inputs: tuple[Numbers, ...]


class Runtime(Protocol):
    """Runs a graph; safe to use from several threads, and best used from as many as `streams` says."""

    streams: int
    words: str

    def run(self, *inputs: Numbers) -> Vectors:
        """Give a row of numbers for each text of a batch: of token numbers, their mask, and what else a graph takes."""


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
            self.run(*[np.ones((1, LENGTH_STEP), dtype=np.int64) for _ in self._model.inputs])

    def run(self, *inputs: Numbers) -> Vectors:
        """Give a row of numbers for each text of a batch."""
        # Not an AsyncInferQueue: one that is let go while a callback ends made one process in six abort, or hang.
        if not hasattr(self._kept, "request"):
            self._kept.request = self._model.create_infer_request()  # for every batch, it costs a fifth of the time
        shared: Vectors = self._kept.request.infer(dict(enumerate(inputs)), share_inputs=True, share_outputs=True)[0]
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

    def run(self, *inputs: Numbers) -> Vectors:
        """Give a row of numbers for each text of a batch."""
        rows: Vectors = self._session.run(None, dict(zip(self._names, inputs, strict=True)))[0]
        return rows


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
        prompt = self._prompts[question]
        encoded = [(ids,) for ids in self._tokens([prompt + text for text in texts])]
        return _run(self._runtime, encoded, self._padding, self.maximum_tokens, width=self.dimension)

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


class ExportedReader:
    """An exported cross-encoder with its tokenizer; safe to use from several threads."""

    def __init__(self, manifest: Manifest, tokenizer: str, runtime: Runtime) -> None:
        self.runtime = runtime.words
        self._padding = manifest.padding
        self._longest = manifest.maximum_tokens
        self._runtime = runtime
        self._cut = _tokenizer(tokenizer)
        self._cut.enable_truncation(manifest.maximum_tokens, strategy="longest_first")

    @classmethod
    def open(cls, folder: Path, manifest: Manifest, label: str) -> ExportedReader:
        """Load an export into the runtime of that name."""
        return cls(manifest, (folder / TOKENIZER).read_text(encoding="utf-8"), runtimes()[label](folder / GRAPH))

    def score(self, question: str, texts: Sequence[str]) -> Vectors:
        """Give the logit of each text for the question, in their order."""
        encoded = [
            (np.asarray(each.ids, dtype=np.int64), np.asarray(each.type_ids, dtype=np.int64))
            for each in self._cut.encode_batch([(question, text) for text in texts])
        ]
        return _run(self._runtime, encoded, self._padding, self._longest, width=1)[:, 0]


def _run(
    runtime: Runtime, encoded: Sequence[tuple[Numbers, ...]], padding: int, longest: int, *, width: int
) -> Vectors:
    """Run a graph on texts, each its token numbers and what else is told of each token; give a row for each text."""
    rows = np.zeros((len(encoded), width), dtype=np.float32)
    # The sentences of one answer are few: in small batches the threads share them evenly, and little is padded.
    size = min(BATCH, -(-len(encoded) // (2 * runtime.streams)) or 1)
    batches = _batches(encoded, size, padding, longest)
    if len(encoded) <= size:
        _fill(runtime, rows, batches)
    else:
        shared = _Shared(batches)
        with ThreadPoolExecutor(runtime.streams) as pool:
            for done in [pool.submit(_fill, runtime, rows, shared) for _ in range(runtime.streams)]:
                done.result()
    return rows


def _fill(runtime: Runtime, rows: Vectors, batches: Iterable[Batch]) -> None:
    for places, inputs in batches:
        rows[places] = runtime.run(*inputs)


def _batches(encoded: Sequence[tuple[Numbers, ...]], size: int, padding: int, longest: int) -> Iterator[Batch]:
    """Yield the texts sorted by length, so that those of a batch need next to no padding; the longest first."""
    for rows in _parts(sorted(range(len(encoded)), key=lambda row: -len(encoded[row][0])), size):
        length = max(len(encoded[rows[0]][0]), 1)
        shape = len(rows), min(-(-length // LENGTH_STEP) * LENGTH_STEP, longest)
        tokens, mask = np.full(shape, padding, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        more = [np.zeros(shape, dtype=np.int64) for _ in encoded[rows[0]][1:]]
        for line, row in enumerate(rows):
            ids, *rest = encoded[row]
            tokens[line, : len(ids)], mask[line, : len(ids)] = ids, 1
            for padded, told in zip(more, rest, strict=True):
                padded[line, : len(ids)] = told
        yield Batch(rows, (tokens, mask, *more))


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
