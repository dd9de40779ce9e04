from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag import ModelError
from rag.embedding import Embedder
from rag.models import PACKAGED_MODEL, PACKAGED_SHA256, ModelFacts, check_weights, find_model, model_facts


def test_vectors_have_unit_length_and_one_row_a_text(embedder: Embedder) -> None:
    vectors = embedder.embed_passages(["Owls nest.", "", "word " * 5000])

    assert vectors.shape == (3, embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed_passages([]).shape == (0, 384)
    assert embedder.count_tokens([]) == []


def test_a_question_is_nearest_to_what_answers_it(embedder: Embedder) -> None:
    passages = embedder.embed_passages(["The owls nested in the mill.", "The council raised taxes."])

    assert np.argmax(passages @ embedder.embed_question("Where do the birds live?")) == 0


def test_threads_do_not_disturb_each_other(embedder: Embedder) -> None:
    texts = [f"Text number {number} " * (number % 40 + 1) for number in range(60)]
    alone = [embedder.embed_question(text) for text in texts]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(embedder.embed_question, texts))

    assert np.allclose(together, alone, atol=1e-5)


def test_the_packaged_weights_are_found_and_have_the_right_digest() -> None:
    check_weights(find_model(PACKAGED_MODEL) / "model.safetensors", PACKAGED_SHA256)


def test_damaged_or_missing_weights_are_refused_with_the_way_to_mend_them(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    for content in (None, b"damaged"):
        if content:
            weights.write_bytes(content)
        with pytest.raises(ModelError, match="pip install --force-reinstall"):
            check_weights(weights, PACKAGED_SHA256)


def test_a_folder_that_is_no_model_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        Embedder.open(str(tmp_path))

    assert "\n" not in str(caught.value)


def test_another_model_by_its_folder_serves_as_well() -> None:
    assert Embedder.open(str(find_model(PACKAGED_MODEL))).dimension == 384


def test_half_a_character_does_no_harm(embedder: Embedder) -> None:
    assert embedder.embed_passages(["half \ud83e an owl"]).shape == (1, 384)
    assert embedder.embed_question("\ud83e").shape == (384,)
    assert embedder.count_tokens(["\ud83e"]) == [1]


def test_the_facts_of_a_model_follow_what_is_in_its_folder(tmp_path: Path) -> None:
    packaged = model_facts(PACKAGED_MODEL)
    copied = shutil.copytree(find_model(PACKAGED_MODEL), tmp_path / "model")
    assert model_facts(str(copied)) == ModelFacts(str(copied), packaged.sha256, 384)

    (copied / "README.md").write_text("Read by people only.")
    assert model_facts(str(copied)).sha256 == packaged.sha256

    pooling = copied / "1_Pooling/config.json"
    pooling.write_text(pooling.read_text().replace('cls_token": false', 'cls_token": true'))
    facts = model_facts(str(copied))
    assert (facts.sha256 != packaged.sha256, facts.dimension) == (True, 768)


def test_a_question_is_embedded_without_pytorch(embedder: Embedder) -> None:
    program = (
        "import sys; from rag.embedding import Embedder; from rag.models import model_facts\n"
        f"model_facts({PACKAGED_MODEL!r}); Embedder.open({PACKAGED_MODEL!r}).embed_question('Where?')\n"
        "print(*sys.modules)"
    )

    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    slow = {"torch", "transformers", "sentence_transformers", "chromadb", "huggingface_hub", "openvino_telemetry"}
    assert not slow & set(ended.stdout.split())
    assert ended.stderr == ""


def test_the_runtime_is_said_for_a_person(embedder: Embedder) -> None:
    assert embedder.runtime.startswith(("OpenVINO, bf16, ", "ONNX Runtime, fp32, ", "PyTorch"))


def test_a_model_that_is_not_here_is_told_soon_where_there_is_no_hub() -> None:
    program = "from rag.embedding import Embedder; Embedder.open('nobody/nothing')"
    environment = os.environ | {"HF_ENDPOINT": "http://127.0.0.1:9"}

    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, env=environment, capture_output=True, text=True, timeout=60
    )

    assert ended.stderr.splitlines()[-1].startswith(
        "rag.errors.ModelError: The embedding model 'nobody/nothing' cannot be loaded from nobody/nothing "
        "([Errno 111] Connection refused)."
    )
