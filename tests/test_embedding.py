from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag import ModelError
from rag.embedding import PACKAGED_MODEL, PACKAGED_SHA256, Embedder, check_weights, find_model


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
    check_weights(Path(find_model(PACKAGED_MODEL)) / "model.safetensors", PACKAGED_SHA256)


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
    assert Embedder.open(find_model(PACKAGED_MODEL)).dimension == 384


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
