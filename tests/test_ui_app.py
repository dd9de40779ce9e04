from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conversation import TURNS_READ, Turn
from rag.errors import QuestionError
from ui.app import LONGEST_SAID, UNREADABLE, read_history

SAID = {"question": "Were rates held?", "answer": "They were."}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*SAID, "html", ""]), inner),
)


def test_what_the_page_says_was_said_is_read_and_cut() -> None:
    assert read_history(None) == read_history([]) == ()
    assert read_history([SAID] * TURNS_READ) == (Turn("Were rates held?", "They were."),) * TURNS_READ
    assert read_history([{"question": "w" * 10**6, "answer": ""}]) == (Turn("w" * LONGEST_SAID),)


@pytest.mark.parametrize(
    "said",
    [
        "Were rates held?", 7, {}, SAID, [None], ["q"], [[SAID]], [{"question": "q"}], [SAID | {"answer": None}],
        [SAID | {"html": ""}], [SAID | {"question": ["q"]}], [SAID] * (TURNS_READ + 1),
    ],
)  # fmt: skip
def test_what_no_page_says_was_said_is_refused(said: object) -> None:
    with pytest.raises(QuestionError, match=UNREADABLE):
        read_history(said)


@given(JSON)
def test_whatever_is_said_to_have_been_said_is_read_or_refused(said: object) -> None:
    with suppress(QuestionError):
        assert all(len(turn.question) <= LONGEST_SAID for turn in read_history(said))
