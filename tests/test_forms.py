from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.forms import Form, find, read_sentence


def found(form: Form, text: str, *, said: bool = False) -> list[str]:
    read = read_sentence(text)
    return [
        text[read.words[one.first].start : read.ends[one.last - 1]]
        for one in find(form, read, [False] * len(read.words), said=said)
    ]


def test_names_are_words_with_capitals_in_a_row_and_what_links_them() -> None:
    text = "However, Dr. Ines Valko of the University of Ferrow met J. K. Reed and al-Hamdi on Monday."

    assert found("name", text) == ["Dr. Ines Valko of the University of Ferrow", "J. K. Reed", "Hamdi"]


def test_a_word_that_only_begins_a_sentence_is_no_name() -> None:
    assert found("name", "Several owls came. Later the mill burned. Ferrow grew quickly.") == ["Ferrow"]


def test_times_are_dates_days_and_what_is_counted_from_today() -> None:
    text = (
        "On July 16, 2019, in the 1990s, on Monday night, last week, three days ago, in the 10th century, at 7.42 pm."
    )

    assert found("time", text) == [
        "July 16, 2019",
        "1990s",
        "Monday night",
        "last week",
        "three days ago",
        "10th century",
        "7.42 pm",
    ]


def test_numbers_are_written_in_figures_or_in_words() -> None:
    assert found("number", "It cost 2.4 million for twenty-two boats, half of 1,200, or 38 percent.") == [
        "2.4 million",
        "twenty-two",
        "half",
        "1,200",
        "38 percent",
    ]


def test_quotations_and_clauses_are_what_marks_and_words_open() -> None:
    assert found("quotation", "“We will rebuild,” she said.") == ["We will rebuild"]
    assert found("clause", "It closed because of the storm, she said.") == ["the storm"]
    assert found("clause", "She said the pier had closed.", said=True) == ["the pier had closed"]


def test_a_phrase_has_no_word_that_is_known() -> None:
    read = read_sentence("The mill sold old barn doors.")
    known = [word.text == "sold" for word in read.words]

    phrases = [[read.lower[at] for at in range(one.first, one.last)] for one in find("phrase", read, known)]

    assert phrases == [["mill"], ["barn", "doors"]]


@given(st.sampled_from(["name", "time", "number", "quotation", "clause", "phrase"]), st.text(max_size=300))
def test_what_is_found_are_words_of_the_sentence_in_order(form: Form, text: str) -> None:
    read = read_sentence(text)
    runs = [(one.first, one.last) for one in find(form, read, [False] * len(read.words))]

    assert runs == sorted(runs)
    assert all(0 <= first < last <= len(read.words) for first, last in runs)
