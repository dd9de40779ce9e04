from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from rag.embedding import Embedder
from rag.exporting import best_runtime, export, read_export, torch_finds_gpu
from rag.inference import COMPILED, Manifest, runtimes
from rag.loading import PREPARING
from rag.models import PACKAGED_MODEL, export_folder, find_model, model_facts


def copied_export(cache: Path) -> Path:
    """Copy the user's export into another cache directory; give where it is then."""
    there = export_folder(model_facts(PACKAGED_MODEL).sha256)
    here = cache / "onrecord" / "models" / there.name
    shutil.copytree(there, here, ignore=shutil.ignore_patterns(COMPILED))
    return here


def test_an_export_that_is_there_is_used(embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied_export(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    told: list[str] = []

    opened = Embedder.open(PACKAGED_MODEL, announce=told.append)

    assert (told, opened.runtime) == ([], embedder.runtime)


def test_a_damaged_export_is_made_anew(embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied_export(tmp_path)
    os.truncate(folder / "model.onnx", 50_000_000)
    abandoned = folder.with_name(f"{folder.name}.abandoned")
    abandoned.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    told: list[str] = []

    opened = Embedder.open(PACKAGED_MODEL, announce=told.append)

    assert (told, opened.runtime) == ([PREPARING], embedder.runtime)
    assert opened.embed_question("Owls") @ embedder.embed_question("Owls") >= 0.999
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name, f"{folder.name}.lock"]


def test_without_a_place_for_the_export_the_model_runs_in_pytorch(
    embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "onrecord").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    opened = Embedder.open(PACKAGED_MODEL)

    assert opened.runtime.startswith(f"PyTorch ({tmp_path / 'onrecord' / 'models'} cannot be written: ")
    assert (opened.dimension, opened.maximum_tokens) == (embedder.dimension, embedder.maximum_tokens)
    assert opened.embed_question("Owls \ud800") @ embedder.embed_question("Owls \ud800") >= 0.999
    assert opened.embed_passages([]).shape == (0, 384)
    assert opened.count_tokens(["Owls nest."]) == embedder.count_tokens(["Owls nest."])


def test_a_model_that_cannot_be_exported_is_refused_once_with_the_reason(tmp_path: Path) -> None:
    model = shutil.copytree(find_model(PACKAGED_MODEL), tmp_path / "model")
    (model / "model.safetensors").write_bytes(b"damage")
    folder = tmp_path / "models" / "damaged"

    first = export(model, folder, "damaged")

    assert first.refusal.startswith("the model cannot be exported: ")
    assert read_export(folder, "damaged") == first


def test_an_export_of_another_model_or_not_checked_here_is_not_used(embedder: Embedder, tmp_path: Path) -> None:
    folder = copied_export(tmp_path)
    model = model_facts(PACKAGED_MODEL).sha256
    manifest = folder / "manifest.json"

    assert read_export(folder, model) is not None
    assert read_export(folder, "another") is None
    manifest.write_text(manifest.read_text().replace("ONNX Runtime", "ONNX Runtime of yesterday"))
    assert read_export(folder, model) is None


def test_the_fastest_runtime_that_agrees_is_taken() -> None:
    labels = list(runtimes())

    assert best_runtime(dict.fromkeys(labels, 0.9999)) == labels[0]
    assert best_runtime(dict.fromkeys(labels, 0.9999) | {labels[0]: 0.99}) == (labels[1] if labels[1:] else "")
    assert best_runtime({}) == ""


def test_pytorch_of_the_cpu_finds_no_gpu() -> None:
    import torch

    assert torch_finds_gpu() == torch.cuda.is_available()


def test_an_export_says_what_it_was_made_from(embedder: Embedder) -> None:
    model = model_facts(PACKAGED_MODEL).sha256
    manifest = read_export(export_folder(model), model)

    assert isinstance(manifest, Manifest)
    assert (manifest.model, manifest.dimension, manifest.maximum_tokens) == (model, 384, 256)
    assert set(manifest.files) == {"model.onnx", "tokenizer.json"}
    assert set(manifest.agreement) == set(runtimes())
    assert all(agreement >= 0.999 for agreement in manifest.agreement.values())
