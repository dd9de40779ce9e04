"""A model in sentence-transformers: loaded, exported once for a faster runtime, checked against it.

Only this module and `exporting_readers` load sentence-transformers and PyTorch. Both are slow to load and large, so an
export is made in a process of its own; where there can be none, the model runs here in PyTorch.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from rag.children import run_module
from rag.inference import (
    COMPILED,
    GRAPH,
    LEAST_AGREEMENT,
    MANIFEST,
    TOKENIZER,
    ExportedModel,
    Manifest,
    Vectors,
    is_whole,
    read_manifest,
    runtimes,
)
from rag.models import sha256_of

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

EXPORT_SECONDS = 900
OPSET = 18
MAKERS = ("sentence-transformers", "transformers", "torch", "onnxscript")
DOCUMENT_PROMPTS = ("document", "passage", "corpus")
_ENCODING: dict[str, Any] = {"normalize_embeddings": True, "show_progress_bar": False, "convert_to_numpy": True}
# Short and long, beyond what a model reads, in several scripts, next to nothing: an export has to agree on all of them.
TEXTS = (
    "",
    " ",
    "?",
    "owl",
    "Who won the race?",
    "The council of Ferrow raised taxes by 2.4 percent on Monday, Dr. Ines Valko said.",
    "  Spaces \t and\nlines\n\n around  ",
    "Zürich, São Paulo, Łódź and naïve café owners’ “quotes” — 10 €",
    "東京の人口は約1400万人です。",
    "Москва и Київ",
    "مرحبا بالعالم",
    "🦉🏚️ \u200b\ufeff e\u0301",
    "https://ferrow-herald.example/owls?id=42&lang=en",
    "The stone bridge will close for eleven weeks, the county said. " * 8,
    "Three barn owls have nested in the old mill. " * 24,
    "word " * 5000,
)


class TorchModel:
    """A model in PyTorch, as sentence-transformers loads it; safe to use from several threads."""

    def __init__(self, model: SentenceTransformer, runtime: str) -> None:
        self.dimension = int(model.get_embedding_dimension() or 0)
        self.maximum_tokens = int(model.max_seq_length or 0)
        self.runtime = runtime
        self._model = model
        # The tokenizer keeps its truncation as state and fails with "Already borrowed" when two threads set it.
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path, *, device: str = "cpu", reason: str = "") -> TorchModel:
        """Load a model from its folder; `reason` says why it is not exported."""
        return cls(_load(str(folder), device, offline=True), name_runtime(device, reason))

    def encode(self, texts: Sequence[str], *, question: bool) -> Vectors:
        """Give one unit vector a text, in their order."""
        encode = self._model.encode_query if question else self._model.encode_document
        with self._lock:
            return np.asarray(encode(list(texts), **_ENCODING), dtype=np.float32)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, without the model's marks."""
        with self._lock:
            tokens: list[list[int]] = self._model.tokenizer(
                list(texts), add_special_tokens=False, truncation=False, verbose=False
            )["input_ids"]
        return [len(ids) for ids in tokens]


def name_runtime(device: str, reason: str) -> str:
    """Say in words where PyTorch runs a model, and why it does."""
    runtime = "PyTorch on the GPU" if device == "cuda" else "PyTorch"
    return f"{runtime} ({reason})" if reason else runtime


def torch_finds_gpu() -> bool:
    """Say whether PyTorch can use an NVIDIA GPU; takes the seconds that loading PyTorch takes."""
    prepare()
    import torch

    return torch.cuda.is_available()


def download(name: str) -> None:
    """Have sentence-transformers fetch a model into the cache that it shares with others. Raises `OSError`."""
    ended = run_module(__name__, ["download", name])
    if ended.returncode:
        raise OSError((ended.stderr.strip().splitlines() or ["it ended without a word"])[-1])


def read_export(folder: Path, model: str) -> Manifest | None:
    """Give the manifest of an export that can be used as it is.

    None where it is missing, damaged or of another model, or was not checked with the runtimes that are here now.
    """
    manifest = read_manifest(folder)
    if manifest is None or manifest.model != model:
        return None
    if manifest.refusal:
        return manifest if manifest.versions == versions() else None
    checked = all(label in manifest.agreement for label in runtimes())
    return manifest if checked and is_whole(folder, manifest) else None


def best_runtime(agreement: Mapping[str, float]) -> str:
    """Name the fastest runtime of this machine that agrees with sentence-transformers; empty where none does."""
    return next((label for label in runtimes() if agreement.get(label, 0) >= LEAST_AGREEMENT), "")


def export(source: Path, folder: Path, model: str, maker: str = __name__) -> Manifest:
    """Export the model at `source` into `folder` unless another process just did; a refusal says why that cannot be.

    `maker` is the module that does it, in a process of its own.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{folder.name}.lock"), timeout=EXPORT_SECONDS):
            return read_export(folder, model) or _make(source, folder, model, maker)
    except OSError as error:
        return _refused(model, f"{folder.parent} cannot be written: {error.strerror or error}")
    except TimeoutExpired:
        return _refused(model, f"the export took more than {EXPORT_SECONDS} seconds")


def _make(source: Path, folder: Path, model: str, maker: str) -> Manifest:
    for abandoned in folder.parent.glob(f"{folder.name}.*/"):
        shutil.rmtree(abandoned, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.", ignore_cleanup_errors=True) as name:
        made = Path(name) / "made"
        made.mkdir()
        ended = run_module(maker, ["export", str(source), str(made), model], seconds=EXPORT_SECONDS)
        manifest = read_manifest(made)
        if manifest is None:
            return _refused(model, f"the export ended with status {ended.returncode}")
        if folder.exists():
            folder.rename(Path(name) / "old")
        made.rename(folder)
    return manifest


def _refused(model: str, reason: str) -> Manifest:
    return Manifest(model, 0, 0, 0, "", "", {}, {}, versions(), reason)


def versions() -> dict[str, str]:
    """Give the versions of the libraries that make an export."""
    return {name: importlib.metadata.version(name) for name in MAKERS}


def main() -> int:
    """Do in this process what `export` and `download` ask for."""
    action, source, *rest = sys.argv[1:]
    if action == "download":
        _load(source, "cpu", offline=False)
        return 0
    return write(source, Path(rest[0]), rest[1], _export_embedder)


def write(source: str, folder: Path, model: str, make: Callable[[str, Path, str], Manifest]) -> int:
    """Make an export in this process, and leave its manifest beside it, or one that says why there is none."""
    try:
        manifest = make(source, folder, model)
    except OSError:  # a disk that is full today: no reason not to try again
        raise
    except Exception as error:
        _write_manifest(folder, _refused(model, f"the model cannot be exported: {_first_line(error)}"))
        raise
    _write_manifest(folder, manifest)
    return 0


def _export_embedder(source: str, folder: Path, model: str) -> Manifest:
    loaded = _load(source, "cpu", offline=True, for_export=True).float().eval()
    loaded.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    _write_graph(loaded, folder / GRAPH)
    manifest = Manifest(
        model=model,
        dimension=int(loaded.get_embedding_dimension() or 0),
        maximum_tokens=int(loaded.max_seq_length or 0),
        padding=int(loaded.tokenizer.pad_token_id),
        question_prompt=loaded.prompts.get("query") or "",
        passage_prompt=next((loaded.prompts[name] or "" for name in DOCUMENT_PROMPTS if name in loaded.prompts), ""),
        agreement={},
        files={path.name: sha256_of(path) for path in sorted(folder.iterdir())},
        versions=versions(),
    )
    return checked(folder, manifest, partial(_agreement, TorchModel(loaded, "")))


def checked(folder: Path, manifest: Manifest, agree: Callable[[Path, Manifest, str], float]) -> Manifest:
    """Say in a manifest how well the export agrees with sentence-transformers in every runtime of this machine."""
    agreement = {label: agree(folder, manifest, label) for label in runtimes()}
    # What was compiled here is looked up by its path, which is another one from now on.
    shutil.rmtree(folder / COMPILED, ignore_errors=True)
    refusal = "" if best_runtime(agreement) else f"the export does not agree with sentence-transformers: {agreement}"
    return Manifest(**asdict(manifest) | {"agreement": agreement, "refusal": refusal})


def _write_graph(model: SentenceTransformer, path: Path) -> None:
    """Export all of a model, from token numbers to unit vectors, for any number of texts of any length."""
    import torch

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            features = self.model({"input_ids": tokens, "attention_mask": mask})
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=1)

    # ONNX Runtime refuses a graph whose output is called "embedding": the model has a node of that name.
    save_graph(Graph(), 2, int(model.max_seq_length or 0), path, "sentence_embedding")


def save_graph(graph: torch.nn.Module, inputs: int, longest: int, path: Path, output: str) -> None:
    """Export a module that takes so many of the numbers of tokens, their mask and their kinds, of any length."""
    import torch

    tokens, mask = torch.ones((2, 16), dtype=torch.int64), torch.ones((2, 16), dtype=torch.int64)
    mask[1, 9:] = 0
    kinds = torch.zeros_like(tokens)
    kinds[:, 5:] = 1
    texts = torch.export.Dim("texts", min=1, max=4096)
    length = torch.export.Dim("length", min=2, max=longest)
    program = torch.onnx.export(
        graph.eval(),
        (tokens, mask, kinds)[:inputs],
        dynamo=True,
        input_names=["tokens", "mask", "kinds"][:inputs],
        output_names=[output],
        dynamic_shapes=({0: texts, 1: length},) * inputs,
        opset_version=OPSET,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("PyTorch gave no graph")
    program.save(path)


def _agreement(reference: TorchModel, folder: Path, manifest: Manifest, label: str) -> float:
    """Give the least cosine between the vectors of an export and those of sentence-transformers."""
    exported = ExportedModel.open(folder, manifest, label)
    return min(
        float(np.sum(reference.encode(TEXTS, question=question) * exported.encode(TEXTS, question=question), 1).min())
        for question in (False, True)
    )


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2), encoding="utf-8")


def _load(source: str, device: str, *, offline: bool, for_export: bool = False) -> SentenceTransformer:
    prepare()
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    # OpenVINO joins the steps of this plain attention into one, but not those that PyTorch's own attention turns into:
    # a quarter of the time.
    attention = {"attn_implementation": "eager"} if for_export else {}
    return SentenceTransformer(
        source, device=device, trust_remote_code=False, local_files_only=offline, model_kwargs=attention
    )


def prepare() -> None:
    """Set what PyTorch and the tokenizers read of their environment when they are loaded."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads of torch that wait in a busy loop fight for the cores with all else that runs: with one other process a
    # question took .47 s instead of .01 s, and 64 sentences 1.9 s instead of .3 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
