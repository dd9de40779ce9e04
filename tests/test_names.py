import pytest

from rag.names import read_people


def named(text: str, title: str = "") -> list[tuple[str, str]]:
    """Give the words that name somebody, each with the full name."""
    return [(text[one.start : one.end], one.name) for one in read_people(text, title).mentions]


def test_a_surname_stands_for_the_only_full_name_that_ends_with_it() -> None:
    assert named("Ann Roe spoke. Later Mrs. Roe left.") == [("Ann Roe", "Ann Roe"), ("Roe", "Ann Roe")]


def test_the_fullest_of_the_forms_of_a_name_is_given() -> None:
    text = "Tom Lind spoke. Mr. Tom Erik Lind left. Lind waved."
    assert [name for _, name in named(text)] == ["Tom Erik Lind"] * 3


def test_a_name_may_have_particles_initials_and_a_suffix() -> None:
    text = "It was A. B. Cole Jr. and Carla de la Cruz. Cole and de la Cruz left."
    assert [name for _, name in named(text)] == ["A. B. Cole", "Carla de la Cruz"] * 2


@pytest.mark.parametrize(
    "text",
    [
        "Ann Roe met Tom Roe. Roe said so.",
        "Roe said so. Ann Roe waved.",
        "Ann Roe left. President Roe said so.",
        "Tom Roe left. Mrs. Roe said so.",
        "Ann Roe and her brother left. Roe said so.",
        "Tom and Ann Roe left. Roe said so.",
        "Ann Roe left. The Roe family wept. Roe said so.",
        "Ann Roe left the Roe Company. Roe said so.",
    ],
)
def test_a_surname_that_may_be_anothers_names_nobody(text: str) -> None:
    start = text.index("Roe said")
    assert [one.name for one in read_people(text).mentions if one.start == start] == [""]


def test_the_title_of_an_article_speaks_against_an_owner() -> None:
    text = "Ann Roe left. Roe said so."
    assert named(text)[1] == ("Roe", "Ann Roe")
    assert named(text, "Tom Roe Waves")[1] == ("Roe", "")


@pytest.mark.parametrize(
    "text", ["The Green Harbor Museum opened.", "Photo: Ann Roe/Port Images", "He met the Ann Roe.", "Ann Roe Ann Roe"]
)
def test_not_all_that_is_in_capitals_is_a_person(text: str) -> None:
    assert not any(name for _, name in named(text))


def test_a_word_that_opens_a_sentence_is_no_part_of_a_name() -> None:
    assert named("When Ann Roe spoke, ferries stopped. Ferries of Ann Roe stopped.")[0] == ("Ann Roe", "Ann Roe")


def test_a_given_name_or_a_title_tells_the_pronoun() -> None:
    people = read_people("He saw Ann Roe, Tom Lind and Dame Kim Cole. She saw Kim Berg, 40.")
    assert people.pronouns == {"Ann Roe": "she", "Tom Lind": "he", "Kim Cole": "she", "Kim Berg": ""}


def test_the_only_pronoun_of_an_article_is_everybodys() -> None:
    assert read_people("Kim Berg, 40, left. Then she came back.").pronouns == {"Kim Berg": "she"}
