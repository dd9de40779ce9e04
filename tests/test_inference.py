from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.exporting import TEXTS, TorchModel, best_runtime
from rag.inference import COMPILED, ExportedModel, Manifest, OnnxRuntime, is_whole, read_manifest, runtimes
from rag.models import PACKAGED_MODEL, export_folder, find_model, model_facts

WORDS = [
    "owl",
    "mill",
    "river",
    "meadow",
    "bridge",
    "county",
    "taxes",
    "council",
    "race",
    "Ferrow",
    "2.4",
    "percent",
    "said",
    "on",
    "Monday",
]


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where the packaged model is exported to; the fixture `embedder` has seen to that it is."""
    return export_folder(model_facts(PACKAGED_MODEL).sha256)


@pytest.fixture(scope="module")
def manifest(folder: Path, embedder: object) -> Manifest:
    manifest = read_manifest(folder)
    assert manifest is not None
    return manifest


@pytest.fixture(scope="module")
def model(folder: Path, manifest: Manifest) -> ExportedModel:
    return ExportedModel.open(folder, manifest, best_runtime(manifest.agreement))


@pytest.fixture(scope="module")
def reference() -> TorchModel:
    """The same model as sentence-transformers runs it."""
    return TorchModel.open(find_model(PACKAGED_MODEL))


def varied_texts() -> list[str]:
    """Give texts of all lengths in no order of length."""
    chance = np.random.default_rng(42)
    return [*TEXTS, *(" ".join(chance.choice(WORDS, chance.integers(1, 300))) for _ in range(40))]


def cosines(one: np.ndarray, other: np.ndarray) -> list[float]:
    return [float(number) for number in (one * other).sum(axis=1)]


@pytest.mark.parametrize("label", runtimes())
@pytest.mark.parametrize("question", [False, True])
def test_every_runtime_agrees_with_sentence_transformers(
    folder: Path, manifest: Manifest, reference: TorchModel, label: str, *, question: bool
) -> None:
    texts = varied_texts()

    vectors = ExportedModel.open(folder, manifest, label).encode(texts, question=question)

    assert min(cosines(vectors, reference.encode(texts, question=question))) >= 0.999
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_both_count_the_same_tokens(model: ExportedModel, reference: TorchModel) -> None:
    assert model.count(varied_texts()) == reference.count(varied_texts())


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=30))
def test_texts_of_any_lengths_keep_their_order(model: ExportedModel, lengths: Sequence[int]) -> None:
    texts = [f"{' '.join(WORDS[(place + step) % len(WORDS)] for step in range(n))}" for place, n in enumerate(lengths)]
    alone = np.concatenate([model.encode([text], question=False) for text in texts])

    assert min(cosines(model.encode(texts, question=False), alone)) >= 0.999


def test_threads_that_embed_at_once_get_their_own_vectors(model: ExportedModel) -> None:
    parts = [varied_texts()[start::6] for start in range(6)]
    alone = [model.encode(part, question=False) for part in parts]

    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda part: model.encode(part, question=False), parts))

    assert all(min(cosines(one, other)) >= 0.999 for one, other in zip(alone, together, strict=True))


def test_a_damaged_file_is_noticed(folder: Path, manifest: Manifest, tmp_path: Path) -> None:
    copied = shutil.copytree(folder, tmp_path / "export", ignore=shutil.ignore_patterns(COMPILED))
    assert is_whole(copied, manifest)

    with (copied / "model.onnx").open("r+b") as graph:
        graph.seek(1_000_000)
        graph.write(b"damage")

    assert not is_whole(copied, manifest)


def test_a_damaged_compiled_model_is_compiled_again(
    folder: Path, manifest: Manifest, model: ExportedModel, tmp_path: Path
) -> None:
    copied = shutil.copytree(folder, tmp_path / "export", ignore=shutil.ignore_patterns(COMPILED))
    label = best_runtime(manifest.agreement)
    want = ExportedModel.open(copied, manifest, label).encode(["Owls nest."], question=True)
    for blob in (copied / COMPILED).glob("*"):
        blob.chmod(0o600)
        os.truncate(blob, blob.stat().st_size // 2)

    assert np.allclose(ExportedModel.open(copied, manifest, label).encode(["Owls nest."], question=True), want)


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"\xff"])
def test_a_manifest_that_is_none_is_not_read(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)

    assert read_manifest(tmp_path) is None


def test_threads_that_are_the_first_do_not_wait_for_each_other(embedder: object) -> None:
    program = (
        "from concurrent.futures import ThreadPoolExecutor\nfrom rag.embedding import Embedder\n"
        "from rag.models import PACKAGED_MODEL\n"
        "def ask(_): return Embedder.open(PACKAGED_MODEL).embed_passages(['Where?'] * 40)\n"
        "with ThreadPoolExecutor(4) as pool: print(len(list(pool.map(ask, range(4)))))"
    )
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=120)
        assert (ended.stdout, ended.stderr) == ("4\n", "")


def test_nothing_is_reported_to_the_makers_of_a_runtime(tmp_path: Path) -> None:
    program = (
        "import sys; from rag.inference import runtimes; print(*runtimes())\n"
        "assert 'openvino_telemetry' not in sys.modules\n"
    )
    environment = os.environ | {"HOME": str(tmp_path)}

    subprocess.run([sys.executable, "-c", program], check=True, env=environment, capture_output=True)

    assert list(tmp_path.iterdir()) == []


def test_onnx_runtime_leaves_no_mark_of_this_machine(folder: Path, embedder: object, tmp_path: Path) -> None:
    (graph,) = folder.glob("*.onnx")
    program = (
        "import sys, time; from pathlib import Path; from rag.inference import OnnxRuntime\n"
        "OnnxRuntime(Path(sys.argv[1])); time.sleep(1)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}

    command = [sys.executable, "-c", program, str(graph)]
    subprocess.run(command, check=True, env=environment, capture_output=True)

    assert list(tmp_path.iterdir()) == []


def test_onnx_runtime_is_always_at_hand() -> None:
    assert OnnxRuntime in runtimes().values()
