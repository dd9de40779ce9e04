from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Chatbot, Settings
from rag.errors import FilterError
from rag.filters import Filters
from ui.app import turn_updates
from ui.conversations import Conversations
from ui.desk import Desk
from ui.narrowing import UNREADABLE, Narrowing, offered, read_narrowing

EMPTY = {"outlets": [], "authors": [], "sections": [], "languages": [], "since": "", "until": "", "as_of": ""}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*EMPTY, "k", ""]), inner),
)


@pytest.fixture(scope="module")
def village(small_archive: Path) -> Chatbot:
    return Chatbot.open(small_archive, Settings())


def test_what_the_page_sends_is_read() -> None:
    sent = EMPTY | {"outlets": ["The Post", "Wire"], "languages": ["English", "xx"], "until": "2019-07-16"}
    filters = Filters(("The Post", "Wire"), languages=("en", "xx"), until="2019-07-16")
    assert read_narrowing(sent | {"as_of": "2019-07-17"}) == Narrowing(filters, "2019-07-17")


@pytest.mark.parametrize("sent", [None, {}, EMPTY])
def test_nothing_chosen_leaves_nothing_out(sent: object) -> None:
    assert not read_narrowing(sent)
    assert str(read_narrowing(sent)) == ""


@pytest.mark.parametrize(
    "sent",
    [
        "The Post", 7, [], True, {"names": {}}, {"outlets": "Wire"}, {"outlets": [["Wire"]]}, {"outlets": None},
        {"outlets": ["x"] * 201}, {"authors": ["x" * 1001]}, {"since": 2019}, {"as_of": None}, {"until": ["2019"]},
    ],
)  # fmt: skip
def test_what_no_page_sends_is_refused(sent: object) -> None:
    with pytest.raises(FilterError, match=UNREADABLE):
        read_narrowing(sent)


def test_what_is_no_day_is_refused_with_what_to_write() -> None:
    with pytest.raises(FilterError, match="'soon' is not one certain day. Write it like 2019-07-16."):
        read_narrowing({"until": "soon"})


@pytest.mark.parametrize("last", [{"until": "2019-07-16"}, {"as_of": "2019-07-16", "until": "2020-01-01"}])
def test_a_first_day_after_the_last_is_told(last: dict[str, str]) -> None:
    with pytest.raises(FilterError, match="No day lies from 17 July 2019 until 16 July 2019. Change one of the two."):
        read_narrowing({"since": "2019-07-17"} | last)


@given(JSON)
def test_whatever_is_sent_is_read_or_refused(sent: object) -> None:
    with suppress(FilterError):
        assert bool(str(read_narrowing(sent))) == bool(read_narrowing(sent))


def test_it_is_said_as_a_reader_would() -> None:
    filters = Filters(("The Ledger", "Wire"), ("A. Lind",), ("World",), ("en",), "2019-07-01", "2019-07-16")
    assert str(Narrowing(filters, "2019-07-17")) == (
        "In The Ledger or Wire, by A. Lind, in the section World, in English, from 1 July 2019, until 16 July 2019, "
        "as of 17 July 2019"
    )
    assert str(Narrowing(Filters(until="2019-07-16"))) == "Until 16 July 2019"


def test_the_page_is_offered_what_the_archive_holds(village: Chatbot) -> None:
    names = {"outlets": ["County Wire", "Ferrow Herald"], "authors": ["Tomas Reed"], "sections": [], "languages": []}
    assert offered(village) == {"names": names, "first": "2022-06-14", "last": "2022-07-02"}


@pytest.fixture
def desk(village: Chatbot, tmp_path: Path) -> Iterator[Desk]:
    with closing(Conversations.open(tmp_path)) as conversations:
        yield Desk(village, Settings(archive=tmp_path), conversations)


def test_a_filter_that_cannot_be_read_refuses_the_question_and_gives_it_back(desk: Desk) -> None:
    *_, turn = turn_updates(desk, "Where do owls nest?", sent={"outlets": 7})
    assert (turn["done"], turn["refused"], turn["question"]) == (True, True, "Where do owls nest?")
    assert f'role="alert">{UNREADABLE}<' in str(turn["html"])


def test_only_what_meets_the_filter_answers(desk: Desk) -> None:
    *_, free = turn_updates(desk, "How many barn owls nested in the mill?")
    *_, narrowed = turn_updates(desk, "How many barn owls nested in the mill?", sent={"outlets": ["county wire"]})
    assert "barn owls have nested" in str(free["html"])
    assert "Searched 1 of 2 articles from 1 outlet" in str(narrowed["html"])
    assert narrowed["sources"] == {}
