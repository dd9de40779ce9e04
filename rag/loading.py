"""Loading a model in the way that is fastest here: on a GPU, exported, or in PyTorch."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self, TypeVar

from rag import exporting
from rag.inference import Manifest, read_manifest
from rag.models import digest_of_model, export_folder

Announce = Callable[[str], None]

PREPARING = "Preparing the model for this machine, once"


class InTorch(Protocol):
    """A model that runs in PyTorch."""

    @classmethod
    def open(cls, folder: Path, *, device: str = "cpu", reason: str = "") -> Self:
        """Load it from its folder; `reason` says why it is not exported."""


class Exported(Protocol):
    """A model that was exported for a faster runtime."""

    @classmethod
    def open(cls, folder: Path, manifest: Manifest, label: str) -> Self:
        """Load it into the runtime of that name."""


T = TypeVar("T", bound=InTorch)
E = TypeVar("E", bound=Exported)


def load(folder: Path, in_torch: type[T], exported: type[E], announce: Announce | None = None) -> T | E:
    """Load the model of a folder; where it has to be exported first, which takes half a minute, `announce` is told."""
    if _may_have_gpu() and exporting.torch_finds_gpu():
        return in_torch.open(folder, device="cuda")
    sha256 = digest_of_model(folder)
    export = export_folder(sha256)
    manifest = exporting.read_export(export, sha256)
    if manifest is None:
        if announce:
            announce(PREPARING)
        manifest = exporting.export(folder, export, sha256, in_torch.__module__)
    if manifest.refusal:
        return in_torch.open(folder, reason=manifest.refusal)
    return exported.open(export, manifest, exporting.best_runtime(manifest.agreement))


def is_new(folder: Path) -> bool:
    """Say whether the model of a folder was never prepared for this machine."""
    return read_manifest(export_folder(digest_of_model(folder))) is None


def encodable(text: str) -> str:
    """Replace half characters, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode()


def _may_have_gpu() -> bool:
    """Say whether PyTorch is worth asking for an NVIDIA GPU, since it takes seconds to load."""
    if importlib.metadata.version("torch").endswith("+cpu"):
        return False
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None
