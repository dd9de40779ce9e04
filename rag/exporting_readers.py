"""A cross-encoder in sentence-transformers: loaded, exported once for a faster runtime, checked against it."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.exporting import TEXTS, checked, name_runtime, prepare, save_graph, versions, write
from rag.inference import GRAPH, TOKENIZER, ExportedReader, Manifest, Vectors
from rag.models import PACKED, sha256_of
from rag.quantizing import unpack

if TYPE_CHECKING:
    import torch
    from sentence_transformers import CrossEncoder

QUESTIONS = ("Who won the race?", "How many owls have nested in the old mill?", "東京の人口は？")


class TorchReader:
    """A cross-encoder in PyTorch, as sentence-transformers loads it; safe to use from several threads."""

    def __init__(self, model: CrossEncoder, runtime: str) -> None:
        self.runtime = runtime
        self._model = model
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path, *, device: str = "cpu", reason: str = "") -> TorchReader:
        """Load a cross-encoder from its folder; `reason` says why it is not exported."""
        return cls(_load(str(folder), device), name_runtime(device, reason))

    def score(self, question: str, texts: Sequence[str]) -> Vectors:
        """Give the logit of each text for the question, in their order."""
        from torch.nn import Identity

        pairs = [(question, text) for text in texts]
        with self._lock:
            found = self._model.predict(pairs, activation_fn=Identity(), show_progress_bar=False)
        return np.asarray(found, dtype=np.float32).reshape(len(texts))


def main() -> int:
    """Do in this process what `exporting.export` asks for."""
    _, source, folder, model = sys.argv[1:]
    return write(source, Path(folder), model, _export)


def _export(source: str, folder: Path, model: str) -> Manifest:
    loaded = _load(source, "cpu", for_export=True).float().eval()
    loaded.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    _write_graph(loaded, folder / GRAPH)
    manifest = Manifest(
        model=model,
        dimension=1,
        maximum_tokens=int(loaded.max_seq_length or 0),
        padding=int(loaded.tokenizer.pad_token_id),
        question_prompt="",
        passage_prompt="",
        agreement={},
        files={path.name: sha256_of(path) for path in sorted(folder.iterdir())},
        versions=versions(),
    )
    return checked(folder, manifest, partial(_agreement, TorchReader(loaded, "")))


def _write_graph(model: CrossEncoder, path: Path) -> None:
    """Export a cross-encoder, from the numbers and kinds of tokens to one logit, for any number of pairs."""
    import torch

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model.model

        def forward(self, tokens: torch.Tensor, mask: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
            inputs = {"input_ids": tokens, "attention_mask": mask}
            told = {"token_type_ids": kinds} if has_kinds else {}
            logits: torch.Tensor = self.model(**inputs, **told).logits  # type: ignore[misc] # None in other kinds
            return logits if has_kinds else logits + 0 * kinds[:, :1]

    has_kinds = "token_type_ids" in model.tokenizer.model_input_names
    save_graph(Graph(), 3, int(model.max_seq_length or 0), path, "logit")


def _agreement(reference: TorchReader, folder: Path, manifest: Manifest, label: str) -> float:
    """Give the least correlation between the logits of an export and those of sentence-transformers."""
    exported = ExportedReader.open(folder, manifest, label)
    return min(
        float(np.corrcoef(reference.score(question, TEXTS), exported.score(question, TEXTS))[0, 1])
        for question in QUESTIONS
    )


def _load(source: str, device: str, *, for_export: bool = False) -> CrossEncoder:
    prepare()
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    attention = {"attn_implementation": "eager"} if for_export else {}
    with tempfile.TemporaryDirectory(prefix="onrecord-") as unpacked:
        if (Path(source) / PACKED).is_file():
            unpack(Path(source), Path(unpacked))
            source = unpacked
        model: CrossEncoder = CrossEncoder(
            source, device=device, trust_remote_code=False, local_files_only=True, model_kwargs=attention
        )
    if model.num_labels != 1:
        raise ValueError(f"it gives {model.num_labels} numbers for a pair of texts, where a reader gives one")
    return model


if __name__ == "__main__":
    sys.exit(main())
