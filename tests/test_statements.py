from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.statements import Statement, asks_for_statement, find_statements, is_by, speaker_of


def said(text: str, title: str = "") -> list[tuple[str, str]]:
    """Give what is quoted or reported in a text, each with its speaker."""
    return [(text[one.start : one.end], one.speaker) for one in find_statements(text, title)]


@pytest.mark.parametrize(
    ("text", "quotation", "speaker"),
    [
        ("“The ferry sails,” said Ann Roe.", "“The ferry sails,”", "Ann Roe"),
        ("“The ferry sails,” Ann Roe said on Monday.", "“The ferry sails,”", "Ann Roe"),
        ('"The ferry sails," Ann Roe told reporters.', '"The ferry sails,"', "Ann Roe"),
        ("Ann Roe said: “The ferry sails.”", "“The ferry sails.”", "Ann Roe"),
        ("Ann Roe, the mayor, said, “The ferry sails.”", "“The ferry sails.”", "Ann Roe, the mayor"),
        ("“The ferry sails,” Ann Roe, the mayor, said.", "“The ferry sails,”", "Ann Roe, the mayor"),
        ("“The ferry sails,” said Ann Roe, 45, who owns it.", "“The ferry sails,”", "Ann Roe, 45"),
        ("“Will it sail?” the harbour master asked.", "“Will it sail?”", "the harbour master"),
        ("“It sails,” said a spokesman for the port on Monday.", "“It sails,”", "a spokesman for the port"),
        ("''The ferry sails,'' Ms. Roe said.", "''The ferry sails,''", "Ms. Roe"),
        ("‘The ferry sails,’ said Ann Roe.", "‘The ferry sails,’", "Ann Roe"),
        ("«The ferry sails», said Ann Roe.", "«The ferry sails»", "Ann Roe"),
        ("“The ferry sails,” Ann Roe was quoted as saying.", "“The ferry sails,”", "Ann Roe"),
        ("“The ferry sails,” quipped Ann Roe.", "“The ferry sails,”", "Ann Roe"),
        ("On Monday, in a letter, Ann Roe wrote: “The ferry sails.”", "“The ferry sails.”", "Ann Roe"),
        ("In the words of Ann Roe, “the ferry sails.”", "“the ferry sails.”", "Ann Roe"),
        ("“The ferry sails at nine.” — Ann Roe, mayor", "“The ferry sails at nine.”", "Ann Roe, mayor"),
        ("“The ferry sails at nine.”\n\n- Ann Roe, mayor", "“The ferry sails at nine.”", "Ann Roe, mayor"),
    ],
)
def test_a_quotation_has_the_speaker_whom_the_words_beside_it_name(text: str, quotation: str, speaker: str) -> None:
    assert (quotation, speaker) in said(text)


@pytest.mark.parametrize(
    ("text", "reported", "speaker"),
    [
        ("Ann Roe said that the ferry sails.", "the ferry sails", "Ann Roe"),
        ("Ann Roe said the ferry sails.", "the ferry sails", "Ann Roe"),
        ("Ann Roe denied that the ferry sails.", "the ferry sails", "Ann Roe"),
        ("Ann Roe told reporters that the ferry sails.", "the ferry sails", "Ann Roe"),
        ("The ferry sails, Ann Roe said.", "The ferry sails", "Ann Roe"),
        ("The ferry sails, said Ann Roe, the mayor.", "The ferry sails", "Ann Roe, the mayor"),
        ("The ferry sails, according to a report by the port.", "The ferry sails", "a report by the port"),
        ("According to Ann Roe, the ferry sails.", "the ferry sails", "Ann Roe"),
        ("Officials say the ferry sails.", "the ferry sails", "Officials"),
        ("On Monday, Ann Roe and the port both said the ferry sails.", "the ferry sails", "Ann Roe and the port"),
        ("Both said the ferry sails.", "the ferry sails", "Both"),
    ],
)
def test_what_is_reported_has_its_speaker(text: str, reported: str, speaker: str) -> None:
    assert (reported, speaker) in said(text)


def test_a_split_quotation_has_one_speaker() -> None:
    text = "“The ferry,” Ann Roe said, “sails at nine. It is full.”"
    assert said(text) == [("“The ferry,”", "Ann Roe"), ("“sails at nine. It is full.”", "Ann Roe")]


def test_a_quotation_goes_on_with_the_speaker_before_it() -> None:
    text = "“The ferry sails,” said Ann Roe. “It is full.”\n\n“It will be back at noon.”"
    assert [speaker for _, speaker in said(text)] == ["Ann Roe"] * 3


def test_a_quotation_runs_over_paragraphs_to_its_closing_mark() -> None:
    text = "“The ferry sails at nine,” said Ann Roe. “It is full.\n\n“It will be back.\n\n“We wait.”\n\nBob Lind left."
    assert said(text)[1:] == [("“It is full.", "Ann Roe"), ("“It will be back.", "Ann Roe"), ("“We wait.”", "Ann Roe")]
    assert speaker_of(find_statements(text), text.index("Bob"), len(text)) is None


def test_a_colon_announces_the_paragraph_after_it() -> None:
    assert said("Ann Roe wrote:\n\nThe ferry sails at nine.")[-1] == ("The ferry sails at nine.", "Ann Roe")
    assert said("Ann Roe wrote:\n\n“The ferry sails at nine.”")[-1] == ("“The ferry sails at nine.”", "Ann Roe")


def test_who_says_it_of_whom_stays_with_the_speaker() -> None:
    text = "Amin Zarif never said that, according to his spokesman."
    assert speaker_of(find_statements(text), 0, len(text)) == "Amin Zarif, according to his spokesman"


def test_a_surname_becomes_the_full_name_that_the_article_gives() -> None:
    text = "Ann Roe, the mayor, came. “The ferry sails,” Roe said. “It does,” Ms. Roe added."
    assert [speaker for _, speaker in said(text)] == ["Ann Roe", "Ann Roe"]


def test_a_surname_of_two_people_stays_as_it_is() -> None:
    text = "Ann Roe met Paul Roe. “The ferry sails,” Roe said."
    assert said(text) == [("“The ferry sails,”", "Roe")]


def test_a_pronoun_is_resolved_only_where_it_is_clear() -> None:
    clear = "Ann Roe said that the ferry is full. “It sails at nine,” she said."
    unclear = "Ann Roe met Mary Lind. “It sails at nine,” she said."
    assert said(clear)[-1] == ("“It sails at nine,”", "Ann Roe")
    assert said(unclear) == [("“It sails at nine,”", "")]
    assert find_statements(unclear)[0].speaker_span == (unclear.index("she"), unclear.index("she") + 3)


def test_of_whom_somebody_speaks_is_not_the_next_speaker() -> None:
    text = "Ann Roe said that Mary Lind is late. “We wait for nobody,” she said."
    assert said(text)[-1][1] == "Ann Roe"


def test_a_quotation_without_any_speaker_is_told_as_one() -> None:
    text = "“The ferry sails at nine.”"
    statements = find_statements(text)
    assert (statements[0].speaker, statements[0].speaker_span) == ("", None)
    assert speaker_of(statements, 0, len(text)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "The ferry sails at nine.",
        "The proposed law was read.",
        "She saw ‘Hail’ and the workers’ hall in the ‘90s.",
        "The first reports were wrong.",
    ],
)
def test_where_nobody_speaks_there_is_no_statement(text: str) -> None:
    assert find_statements(text) == ()
    assert speaker_of((), 0, len(text)) is None


def test_direct_are_only_the_words_in_quotation_marks() -> None:
    text = "“It sails,” said Ann Roe. Bob Lind called it “a wreck” for the town."
    assert [one.direct for one in find_statements(text)] == [True, False]


def test_the_statement_with_most_of_a_span_gives_its_speaker() -> None:
    statements = (Statement(0, 40, "Ann Roe", None, direct=False), Statement(30, 40, "Bob Lind", None, direct=True))
    assert speaker_of(statements, 0, 40) == "Ann Roe"
    assert speaker_of(statements, 31, 40) == "Bob Lind"
    assert speaker_of(statements, 50, 60) is None


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What did Ann Roe say about the ferry?", "Ann Roe"),
        ("what did zarif say about missiles", "zarif"),
        ("What did Foreign Minister Mohammad Javad Zarif tell reporters?", "Foreign Minister Mohammad Javad Zarif"),
        ("How did the council respond to the strike?", "the council"),
        ("What does Roe think of it?", "Roe"),
        ("What has Roe said about the ferry?", "Roe"),
        ("What was Roe’s response to the strike?", "Roe"),
        ("What did Zarif's spokesman say?", "Zarif's spokesman"),
        ("Why did Roe also deny it?", "Roe"),
        ("According to Roe, when does the ferry sail?", "Roe"),
        ("Who said that the ferry sails?", ""),
        ("What did he say about it?", ""),
        ("What did the article say about it?", ""),
        ("When does the ferry sail?", ""),
        ("", ""),
    ],
)
def test_a_question_asks_for_the_words_of_somebody(question: str, name: str) -> None:
    assert asks_for_statement(question) == name


@pytest.mark.parametrize(
    ("speaker", "name", "expected"),
    [
        ("Ann Roe", "Roe", True),
        ("Roe", "Mayor Ann Roe", True),
        ("Mayor Ann Roe, who owns the ferry", "ann roe", True),
        ("Amin Zarif, according to his spokesman", "Zarif", True),
        ("Amin Zarif, Iran's foreign minister", "Iran’s foreign minister", True),
        ("Amin Zarif’s spokesman", "Zarif", False),
        ("a spokesman for Ann Roe", "Roe", False),
        ("Bob Lind, according to Ann Roe", "Roe", False),
        ("Paul Roe", "Ann Roe", False),
        ("", "Roe", False),
        ("Ann Roe", "", False),
    ],
)
def test_a_statement_is_by_whom_its_speaker_names(speaker: str, name: str, *, expected: bool) -> None:
    assert is_by(Statement(0, 1, speaker, None, direct=True), name) is expected


WORDS = st.sampled_from(["Ann", "Roe", "she", "said", "that", "told", "the", "mayor", "according", "to", "asked", "it"])
SIGNS = st.sampled_from(
    [" ", " ", " ", ", ", ". ", ": ", "\n", "\n\n", "“", "”", '"', "'", "‘", "’", "(", ")", " — ", "?"]
)


@given(st.lists(st.one_of(WORDS, SIGNS), max_size=60).map("".join))
@settings(max_examples=80, deadline=None)
def test_statements_stand_in_the_text_in_order_with_mentions_in_it(text: str) -> None:
    statements = find_statements(text)
    assert [one.start for one in statements] == sorted(one.start for one in statements)
    for one in statements:
        assert 0 <= one.start < one.end <= len(text)
        assert one.speaker_span is None or text[slice(*one.speaker_span)].strip()


@pytest.mark.parametrize(
    "piece", ['"', "“", "said ", "he said ", "according to ", "'a ", '"a\n', "A. ", "Roe (", "Ann Roe "]
)
def test_text_made_to_be_slow_is_read_in_time_that_grows_with_its_length(piece: str) -> None:
    import time

    def seconds(times: int) -> float:
        started = time.process_time()
        find_statements(piece * (times // len(piece)))
        return time.process_time() - started

    short, long = (min(seconds(length) for _ in range(3)) for length in (2_000, 8_000))  # a machine may be busy
    assert long < 0.05 + 10 * max(short, 0.005)
