import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.cleaning import clean_line, clean_text

PIECES = [
    "The mayor met Peruvian President",
    "Ana Quispe",
    "Ana Quispe,",
    "Ana Quispe’s",
    "to talk about the new bridge and the old harbour, which nobody wanted to pay for until",
    "in June.",
    "the head of the union, said so.",
    "She asked: “Should we pay",
    "12 million for this?”",
    "Read More",
    "Key points",
    "• One",
    "Write to Bo Li at",
    "$3",
    "Peru’s minister,",
    "SENATOR",
    "’s friend, said it.",
    "Aa ,",
    "000 000 000 000 000 000 000 000 PRESIDENT",
    "million more.",
    "said\u200b\u202e",
    "e\u0301\u0301\u200d\u0327",
    "\x1b[31mred\x1b[0m",
]
dirty = st.one_of(
    st.text(),
    st.lists(st.sampled_from(PIECES), max_size=12).map("\n\n".join),
    st.lists(st.sampled_from(PIECES), max_size=12).map("\n".join),
    st.text(alphabet="aB .,\n\r\u200d\u0301\u0344\u0327“”ک\x1b[]-", max_size=60),
)


def letters(text: str) -> list[str]:
    return [each for each in unicodedata.normalize("NFD", text) if each.isalnum()]


@settings(max_examples=400, deadline=None)
@given(dirty)
def test_cleaning_what_is_clean_changes_nothing(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert clean_line(clean_line(text)) == clean_line(text)


@settings(max_examples=400, deadline=None)
@given(dirty)
def test_cleaning_never_invents_a_letter_or_digit(text: str) -> None:
    given_letters = iter(letters(text))
    assert all(letter in given_letters for letter in letters(clean_text(text)))


@settings(max_examples=200, deadline=None)
@given(dirty)
def test_clean_text_has_one_blank_line_between_paragraphs_and_no_other_line_break(text: str) -> None:
    cleaned = clean_text(text)
    assert all(part == " ".join(part.split()) for part in cleaned.split("\n\n"))
    assert unicodedata.is_normalized("NFC", cleaned)
    cleaned.encode("utf-8")


@pytest.mark.parametrize(
    ("fragments", "sentence"),
    [
        (["Pressure on Peruvian President", "Ana Quispe", "to act grew."], "{0} {1} {2}"),
        (["Ana Quispe,", "the head of the union, said so."], "{0} {1}"),
        (["Ana Quispe,", "Peru’s minister of trade and of tourism, said there was no plan."], "{0} {1}"),
        (["“Why would they pay twice?” said", "Ana Quispe,", "the head of the union."], "{0} {1} {2}"),
        (["Minister of Trade", "Ana Quispe", "said so on Monday."], "{0} {1} {2}"),
        (["Mrs. Li met the dictator", "Bo Okoro", "in June."], "{0} {1} {2}"),
        (["“They should first pay their debts and then ask,”", "Ana Quispe,", "a member, said."], "{0} {1} {2}"),
        (["The union asked at length. “Should we pay", "12 bills or one?”"], "{0} {1}"),
        (["The town will get $5", "million for its bridge."], "{0} {1}"),
        (["The mayor thanked her friends, her party and above all the banker Bo Li", "’s mother."], "{0}{1}"),
    ],
)
def test_a_sentence_broken_where_a_link_stood_is_whole_again(fragments: list[str], sentence: str) -> None:
    text = "\n\n".join(["The town met.", *fragments, "It rained."])
    assert clean_text(text) == f"The town met.\n\n{sentence.format(*fragments)}\n\nIt rained."


@pytest.mark.parametrize(
    "text",
    [
        "They agreed to meet.\n\non Monday suggested that a meeting could take place.",
        "Key points\n\nThe bank raised its rates.",
        "Industry response\n\nby the makers of paint was slow.",
        "WHAT COMES NEXT\n\nAna Quispe said she would not pay.",
        "Ana Quispe Says the Union Will Not Pay for the New Bridge in Lima This Year\n\nThe union met on Monday.",
        "What we know\n\n• the bridge is closed\n\n• the harbour is open",
        "muscle pain\n\nheadache\n\nfever",
        "Prices\n\niPhone 12: $599\n\niPhone 13: $699",
        "Ana Quispe\n\nThe union has a new head.",
        "By Ana Quispe\n\nLIMA — The union has a new head.",
        "The union said in a long statement that it had never wanted the new bridge\n\nThe town has not answered.",
        "1. Lima\n\n2. Cusco",
        "She wrote to ana@example.org\n\nana@example.org",
    ],
)
def test_paragraphs_that_were_not_broken_stay_as_they_are(text: str) -> None:
    assert clean_text(text) == text


def test_page_furniture_at_the_end_is_dropped_and_the_same_words_in_a_sentence_stay() -> None:
    body = "“Read more,” she told them. “Write to us at once.”\n\nComments on the plan are due in May."
    tail = [
        "Write to Ana Quispe at",
        "Write to Bo Li at bo.li@example.org",
        "Read More",
        "Be the first to comment",
        "Leave a Reply",
        "Your email address will not be published. Required fields are marked *",
        "Share this:",
        "Related Articles",
        "Sign up for our newsletter",
        "Comments",
        "Advertisement",
        "Click here to subscribe",
        "Follow us on Twitter",
        "© 2019 The Lima Post. All rights reserved.",
        "___",
    ]
    assert clean_text("\n\n".join([body, *tail])) == body


def test_page_furniture_alone_in_the_middle_is_dropped() -> None:
    text = "One.\n\nADVERTISEMENT\n\nTwo.\n\nStory continues below\n\nRead more\n\nThree."
    assert clean_text(text) == "One.\n\nTwo.\n\nThree."


def test_a_text_of_nothing_but_furniture_is_empty() -> None:
    assert clean_text("Leave a Reply\n\nRead More") == ""


def test_lines_broken_to_fit_a_width_are_one_paragraph_again() -> None:
    text = (
        "The union said on Monday that it would not\npay for the bridge, which has been closed\n"
        "since the flood in May, its head said.\n\nThe town has a plan of its own, and so has\nthe harbour.\n"
    )
    assert clean_text(text) == (
        "The union said on Monday that it would not pay for the bridge, which has been closed "
        "since the flood in May, its head said.\n\nThe town has a plan of its own, and so has the harbour."
    )


def test_lines_that_are_paragraphs_stay_apart() -> None:
    long = "The union said on Monday that it would not pay for the bridge, " * 3 + "again."
    assert clean_text(f"{long}\n{long}\nShort.") == f"{long}\n\n{long}\n\nShort."


def test_what_no_reader_sees_is_removed() -> None:
    text = "\ufeffA\u00a0ze\u200bro, a soft\u00adhyphen,\u202e turned\u202c, \U000e0041tagged, \x1b[1mred\x1b[0m.\x00"
    assert clean_line(text) == "A zero, a softhyphen, turned, tagged, red."


def test_joiners_stay_where_a_script_needs_them() -> None:
    assert (
        clean_line("می\u200cخواهم क\u094d\u200dष 👩\u200d🚀 a\u200db") == "می\u200cخواهم क\u094d\u200dष 👩\u200d🚀 ab"
    )


def test_letters_and_their_marks_become_one_character() -> None:
    assert clean_line("cafe\u0301") == "café"


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        " ",
        "\n",
        "a\n",
        "\u0301\u0327",
        "\x1b[",
        "\x1b]",
        "\u200d",
        "Ann Lee,\n\n",
        "and then,\n\n",
        "follow @ on ",
        "”",
    ],
)
def test_a_hostile_megabyte_is_cleaned_in_a_moment(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    start = time.process_time()
    clean_text(text)
    assert time.process_time() - start < 4
