from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import QuestionError
from ui.app import UNREADABLE, Place, read_place

SENT = {"conversation": "c", "replaces": ""}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*SENT, "html", ""]), inner),
)


def test_a_page_says_in_which_conversation_it_asks_and_what_that_replaces() -> None:
    assert read_place(None) == Place()
    assert read_place(SENT) == Place("c")
    assert read_place(SENT | {"replaces": "a"}) == Place("c", "a")


@pytest.mark.parametrize(
    "sent", ["c", 7, {}, [SENT], {"conversation": "c"}, SENT | {"replaces": None}, SENT | {"x": ""}]
)
def test_what_no_page_sends_is_refused(sent: object) -> None:
    with pytest.raises(QuestionError, match=UNREADABLE):
        read_place(sent)


@given(JSON)
def test_whatever_is_sent_is_read_or_refused(sent: object) -> None:
    with suppress(QuestionError):
        assert isinstance(read_place(sent).conversation, str)
