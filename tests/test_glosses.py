import time

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import Gloss, Sentence
from rag.articles import Article
from rag.glosses import MOST_IN_SENTENCE, gloss, unquoted

TUESDAY = "2019-07-16"
WORDS = [
    *("Ann Roe", "Roe", "Mr. Lind", "Tom Lind", "A. B. Cole", "Cole’s", "de la Cruz", "É", "mayor", "he said", "She"),
    *("said on Tuesday", "last week", "in June", "Friday, July 19", "yesterday", "today", "2018", "the", "will", "\0"),
    *("“", "”", '"', "'s", ", ", ". ", "\n", "🎉", "-"),
]


def article(text: str, *, date: str = TUESDAY, title: str = "") -> Article:
    return Article("id", title, text, date=date)


def shown(text: str, sentence: str, **fields: str) -> str:
    """Give a sentence of an article with its glosses."""
    start = text.index(sentence)
    glosses = gloss(article(text, **fields), start, start + len(sentence))
    return Sentence(sentence, (), glosses=glosses).glossed


def test_a_bare_surname_is_glossed_with_the_full_name() -> None:
    text = "Harbour master Ann Roe spoke first. The quay is closed. Roe said that it leaks."
    assert shown(text, "Roe said that it leaks.") == "Roe [Ann Roe] said that it leaks."


def test_the_gloss_of_a_possessive_follows_it() -> None:
    text = "Ann Roe spoke first. The quay is closed. Few heard Roe’s answer."
    assert shown(text, "Few heard Roe’s answer.") == "Few heard Roe’s [Ann Roe] answer."


def test_a_pronoun_is_glossed_with_the_one_who_was_named_shortly_before() -> None:
    text = "Ann Roe closed the quay in the morning. It leaks. She blamed the storm."
    assert shown(text, "She blamed the storm.") == "She [Ann Roe] blamed the storm."


def test_a_pronoun_after_a_quotation_is_glossed() -> None:
    text = "Tom Lind runs the ferry. “It will sail again,” he said."
    assert shown(text, "“It will sail again,” he said.") == "“It will sail again,” he [Tom Lind] said."


def test_a_pronoun_that_two_could_be_is_left_alone() -> None:
    text = "Tom Lind met Max Cole at the quay. He blamed the storm."
    assert shown(text, "He blamed the storm.") == "He blamed the storm."


def test_a_pronoun_beside_somebody_without_a_name_is_left_alone() -> None:
    text = "Tom Lind met the driver at the quay. He blamed the storm."
    assert shown(text, "He blamed the storm.") == "He blamed the storm."


def test_a_title_or_an_apposition_is_nobody_else() -> None:
    text = "The quay leaks, said Tom Lind, director of the port, in a report. He blamed the storm."
    assert shown(text, "He blamed the storm.") == "He [Tom Lind] blamed the storm."


def test_a_pronoun_does_not_mean_somebody_whom_the_other_pronoun_means() -> None:
    text = "Ann Roe met Tom Lind at the quay. She blamed the storm."
    assert shown(text, "She blamed the storm.") == "She [Ann Roe] blamed the storm."


def test_a_pronoun_after_a_name_in_its_sentence_is_left_alone() -> None:
    text = "Tom Lind runs the ferry. When Vestal sank, he wept."
    assert shown(text, "When Vestal sank, he wept.") == "When Vestal sank, he wept."


def test_what_is_quoted_is_left_alone() -> None:
    text = "Ann Roe spoke first. It rained. “Roe will come on Friday, and she knows it,” the report said."
    quoted = "“Roe will come on Friday, and she knows it,” the report said."
    assert shown(text, quoted) == quoted


def test_what_the_sentence_says_itself_is_not_glossed() -> None:
    text = "Ann Roe spoke first. It rained. Ann Roe left; Roe said so in June of this year, 2019."
    alone = "Ann Roe left; Roe said so in June of this year, 2019."
    assert shown(text, alone) == alone


def test_days_and_names_are_glossed_in_the_order_of_the_text() -> None:
    text = "Ann Roe spoke first. It rained. On Monday, Roe said that it had leaked since last month."
    assert shown(text, "On Monday, Roe said that it had leaked since last month.") == (
        "On Monday [15 July 2019], Roe [Ann Roe] said that it had leaked since last month [June 2019]."
    )


def test_a_day_is_glossed_once() -> None:
    text = "It leaked on Monday and was closed on Monday."
    assert shown(text, text) == "It leaked on Monday [15 July 2019] and was closed on Monday."


def test_without_a_certain_date_no_day_is_glossed() -> None:
    text = "It leaked on Monday."
    assert shown(text, text, date="") == shown(text, text, date="16/07/2019") == text


def test_a_quotation_that_goes_on_in_the_next_paragraph_is_quoted_in_both() -> None:
    assert unquoted("“It leaks.\n“It always did,” he said.").replace("\0", "") == "““” he said."


@settings(max_examples=150, deadline=None)
@given(
    pieces=st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=40),
    title=st.sampled_from(WORDS) | st.text(max_size=10),
    date=st.dates().map(str) | st.text(max_size=10),
    cut=st.tuples(st.integers(0, 200), st.integers(0, 200)),
)
def test_glosses_stand_in_order_between_words_and_leave_the_text_as_it_is(
    pieces: list[str], title: str, date: str, cut: tuple[int, int]
) -> None:
    text = " ".join(pieces)
    start, end = sorted(min(place, len(text)) for place in cut)
    glosses = gloss(article(text, date=date, title=title), start, end)
    places = [each.at for each in glosses]
    assert len(glosses) <= MOST_IN_SENTENCE
    assert places == sorted(set(places))
    assert len({each.text for each in glosses}) == len(glosses)
    for each in glosses:
        assert 0 < each.at <= end - start
        assert not (text[: start + each.at][-1:].isalnum() and text[start + each.at :][:1].isalnum())
        assert 0 < len(each.text) <= 80
        assert each.text == " ".join(each.text.split())
    assert _without(Sentence(text[start:end], (), glosses=glosses).glossed, glosses) == text[start:end]


def _without(glossed: str, glosses: tuple[Gloss, ...]) -> str:
    for each in glosses:
        glossed = glossed[: each.at] + glossed[each.at + len(f" [{each.text}]") :]
    return glossed


def test_a_text_made_to_be_slow_is_read_in_one_go() -> None:
    for text in ("A." * 5000, "Ann Roe " * 1500, "on Tuesday " * 1000, "in July " * 1200, '"a' * 5000, "man " * 2500):
        begun = time.process_time()
        gloss(article(text), 0, len(text))
        assert time.process_time() - begun < 1
