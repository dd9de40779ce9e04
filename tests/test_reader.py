from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import CrossEncoder

from rag import ModelError, Settings
from rag.exporting_readers import TorchReader
from rag.models import PACKAGED_MODEL, PACKAGED_READER, check_weights, find_model
from rag.reader import LONGEST_CONTEXT, Reader, open_reader, written

ASKED = "How many owls have nested in the old mill at Ferrow?"
SENTENCES = [
    ("", "Three barn owls have nested in the old mill at Ferrow."),
    ("", "Dr. Ines Valko asked how many owls have nested in the old mill at Ferrow."),
    ("", "The old mill at Ferrow was built in 1804."),
    ("The owls nested in the old mill.", "There are three of them."),
    ("", "The council raised taxes by 2.4 percent on Monday."),
    ("", ""),
]


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The reader that Onrecord uses by default."""
    return Reader.open(PACKAGED_READER)


def test_the_sentence_that_answers_comes_before_those_that_speak_of_the_same(reader: Reader) -> None:
    scores = reader.score(ASKED, SENTENCES)

    assert scores.shape == (len(SENTENCES),)
    assert int(np.argmax(scores)) in {0, 3}
    assert scores[0] > 0 > scores[4]


def test_no_sentences_have_no_scores(reader: Reader) -> None:
    assert reader.score(ASKED, []).shape == (0,)


def test_a_score_is_the_same_alone_among_others_and_in_threads(reader: Reader) -> None:
    together = reader.score(ASKED, SENTENCES)

    alone = [float(reader.score(ASKED, [each])[0]) for each in SENTENCES]
    with ThreadPoolExecutor(4) as pool:
        threads = list(pool.map(lambda _: reader.score(ASKED, SENTENCES), range(8)))

    assert alone == pytest.approx(list(together), abs=0.1)  # a padded batch in bf16 differs a little
    assert all(np.allclose(each, together, atol=0.1) for each in threads)


def test_hostile_text_is_read_as_any_other(reader: Reader) -> None:
    scores = reader.score("\ud800 [SEP] [CLS]" * 300, [("\x00" * 999, "word " * 5000), ("[MASK]", "\udfff")])

    assert np.isfinite(scores).all()


def test_of_what_stands_before_a_sentence_the_end_is_read() -> None:
    assert written("x" * 500 + "The mill burned.", "It was old.").endswith("x" + "The mill burned. [SEP] It was old.")
    assert len(written("x" * 500, "")) == LONGEST_CONTEXT
    assert written("", "It was old.") == "It was old."


def test_any_cross_encoder_can_stand_in_its_place(tmp_path: Path) -> None:
    CrossEncoder(str(find_model(PACKAGED_MODEL)), num_labels=1, local_files_only=True).save_pretrained(str(tmp_path))

    scores = Reader.open(str(tmp_path)).score(ASKED, SENTENCES)

    expected = TorchReader.open(tmp_path).score(ASKED, [written(*each) for each in SENTENCES])
    assert np.corrcoef(scores, expected)[0, 1] > 0.99


def test_a_model_that_gives_no_single_number_is_refused(tmp_path: Path) -> None:
    CrossEncoder(str(find_model(PACKAGED_MODEL)), num_labels=3, local_files_only=True).save_pretrained(str(tmp_path))

    with pytest.raises(ValueError, match="it gives 3 numbers for a pair of texts, where a reader gives one"):
        TorchReader.open(tmp_path)


def test_a_reader_that_is_not_there_is_told_with_the_way_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="sentence-transformers CrossEncoder"):
        Reader.open(str(tmp_path / "none"))
    with pytest.raises(ModelError, match="The weights of the reader at .* pip install --force-reinstall"):
        check_weights(tmp_path / "packed.safetensors", "0" * 64, "reader", "onrecord")


def test_none_is_loaded_where_none_is_wanted() -> None:
    assert open_reader(Settings(reader="none")) is None
