import pytest

from rag.tenses import tense_of


@pytest.mark.parametrize(
    ("sentence", "tense"),
    [
        ("The port closed on DAY.", "past"),
        ("On DAY, the port closed.", "past"),
        ("The port on DAY closed the quay.", "past"),
        ("He said DAY that it will close.", "past"),
        ("The bill signed DAY will close the port.", ""),
        ("The port will close on DAY.", "future"),
        ("The port is due to close on DAY.", "future"),
        ("DAY will be dry.", "future"),
        ("He often says that he will win, including on DAY.", ""),
        ("The port was expected to close on DAY.", ""),
        ("The port is closed on DAY.", ""),
        ("Tom Ahmed swims on DAY.", ""),
        ("The port opens DAY", ""),
    ],
)
def test_the_verb_beside_a_time_tells_its_tense(sentence: str, tense: str) -> None:
    start = sentence.index("DAY")
    assert tense_of(sentence, start, start + 3) == tense
