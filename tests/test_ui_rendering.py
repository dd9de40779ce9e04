from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Answer, Citation, Gloss, Searched, Sentence, Side, Span, Support
from rag.articles import Article, Copy
from rag.filters import FIELDS
from ui import frame, markup, panel, rendering
from ui.narrowing import DAYS

TEXT = "The bank waited.\n\nRates were held. Prices rose.\n“We watch,” she said."
ARTICLE = Article("a1", "Rates held", TEXT, "The Post", "2024-03-01", "https://post.example/1", ("A. Lind", "B. Moe"))
SEARCHED = Searched(48, ("The Post", "Wire"), "2018-05-03", "2019-11-20")
HOSTILE = """<img src=x onerror=alert(1)> </p></article><script>alert(2)</script> " ' onclick=alert(3) ${4} {{value}} ![x](http://evil.example)"""
OUR_TAGS = set(
    "a article b bdi button details div h1 h2 h3 li mark nav ol p q section small span summary ul".split()  # noqa: SIM905
)
BESIDE = {"button", "small"}  # what stands beside the words of a sentence


class Reader(HTMLParser):
    """What a browser would make of it: the text, the tags with their attributes, the text of each mark and gloss."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.marks: dict[str, list[str]] = {"selected": [], "": []}
        self.said = self.glosses = ""
        self._open: list[tuple[str, str]] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "input":
            self._open.append((tag, dict(attrs).get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        kinds = dict(self._open)
        if "mark" in kinds:
            self.marks.setdefault(kinds["mark"], []).append(data)
        if ("span", "gloss") in self._open:
            self.glosses += data
        elif BESIDE.isdisjoint(kinds):
            self.said += data


def cited(number: int, quotation: str, article: Article = ARTICLE) -> Citation:
    start = article.text.index(quotation)
    facts = (article.title, article.source, article.date, article.url)
    return Citation(number, article.id, *facts, start, start + len(quotation), quotation)


def answer_of(*sentences: Sentence, citations: tuple[Citation, ...] = (), notice: str = "") -> Answer:
    return Answer("Were rates held?", "answered", sentences, citations, SEARCHED, notice)


def test_a_sentence_is_followed_by_its_numbers_and_its_outlet_and_date() -> None:
    answer = answer_of(Sentence("Rates were held.", (1,)), citations=(cited(1, "Rates were held."),))
    read = Reader(rendering.turn("Were rates held?", answer))
    assert read.text == "Were rates held?Rates were held.1Word for word · The Post, 1 March 2024"
    button = next(attributes for tag, attributes in read.tags if tag == "button")
    assert (button["data-number"], button["aria-label"]) == ("1", "Source 1: Rates held, The Post, 1 March 2024")


def test_a_sentence_without_citation_says_so_in_words() -> None:
    assert "No source" in Reader(rendering.turn("Q?", answer_of(Sentence("Trust me.", ())))).text


def test_a_number_that_no_citation_has_counts_as_no_source() -> None:
    assert "No source" in Reader(rendering.turn("Q?", answer_of(Sentence("Trust me.", (7,))))).text


def test_a_sentence_that_still_grows_is_not_yet_called_unsourced() -> None:
    growing = rendering.turn("Q?", answer_of(Sentence("Trust", ())), progress="Writing …")
    assert "No source" not in growing
    assert "Writing …" in growing


def test_joined_neighbours_are_shown_with_a_space() -> None:
    answer = answer_of(Sentence("One.\n\nTwo.", (1,)), citations=(cited(1, "The bank waited."),))
    assert "One. Two." in " ".join(Reader(rendering.turn("Q?", answer)).text.split())


def test_the_words_that_answer_are_marked_and_a_gloss_stands_outside_what_is_quoted() -> None:
    text = "Rates were held on Tuesday."
    sentence = Sentence(text, (1,), marks=((11, 26),), glosses=(Gloss(26, "5 March 2024"), Gloss(27, "see below")))
    read = Reader(rendering.turn("Q?", answer_of(sentence, citations=(cited(1, "Rates were held."),))))
    assert "Rates were held on Tuesday [5 March 2024]. [see below]1Grounded · The Post" in read.text
    assert read.marks["answer"] == ["held on Tuesday"]
    assert (read.said, read.glosses) == (f"Q?{text}", " [5 March 2024] [see below]")


def test_a_number_stays_on_the_line_of_the_last_word_also_where_that_is_marked_or_glossed() -> None:
    source = (cited(1, "Rates were held."),)
    marked = Sentence("Rates were held.", (1,), marks=((6, 15),))
    glossed = replace(marked, marks=(), glosses=(Gloss(15, "on 5 March"),))
    long = replace(marked, text=f"Rates {'x' * 40}", marks=())
    shown = [rendering.turn("Q?", answer_of(sentence, citations=source)) for sentence in (marked, glossed, long)]
    assert '<span class="last"><mark class="answer">held</mark>.<button' in shown[0]
    assert '<span class="last"><span class="gloss">March]</span>.<button' in shown[1]
    assert f"<span>{'x' * 40}<button" in shown[2]


@pytest.mark.parametrize(
    ("said_by", "shown"),
    [
        ("The minister", "Said by the minister · The Post, 1 March 2024"),
        ("Theresa Moe", "Said by Theresa Moe · The Post, 1 March 2024"),
        ("", "Speaker not identified · The Post, 1 March 2024"),
        (None, "The Post, 1 March 2024"),
    ],
)
def test_who_says_it_stands_before_where_it_is_said(said_by: str | None, shown: str) -> None:
    sentence = Sentence("“We watch,” she said.", (1,), said_by=said_by)
    page = rendering.turn("Q?", answer_of(sentence, citations=(cited(1, "“We watch,” she said."),)))
    assert Reader(page).text.endswith(f"1Word for word · {shown}")


def test_what_is_not_grounded_says_so_in_words() -> None:
    grounded = Sentence("Rates were held.", (1,))
    sentences = (grounded, replace(grounded, support="weak"), replace(grounded, support="unsupported"))
    page = rendering.turn("Q?", answer_of(*sentences, citations=(cited(1, "Rates were held."),)))
    place = "The Post, 1 March 2024"
    assert Reader(page).text == (
        f"Q?Rates were held.1Word for word · {place}Rates were held.1Weakly supported · {place}"
        f"Rates were held.1Not supported · {place}"
    )


def test_how_a_follow_up_was_understood_stands_below_it() -> None:
    answer = replace(answer_of(), understood_as="When were rates held?")
    assert Reader(rendering.turn("When?", answer)).text == "When?Understood as: When were rates held?"


def test_what_the_articles_disagree_about_is_listed_with_where_each_says_it() -> None:
    citations = (cited(1, "Rates were held."), replace(cited(2, "Prices rose."), source="Wire", date="2024-03-02"))
    sides = (Side("held", 1), Side("raised", 2, "correction"), Side("not true", 2, "denial"), Side("", 2, "denial"))
    shown = Reader(rendering.turn("Q?", replace(answer_of(citations=citations), sides=sides))).text
    assert shown == (
        "Q?The articles disagreeThe Post, 1 March 2024held1Wire, 2 March 2024raised (correction)2"
        "Wire, 2 March 2024denies it: not true2Wire, 2 March 2024denies it2"
    )
    assert "disagree" not in rendering.turn("Q?", replace(answer_of(citations=citations[:1]), sides=sides))


@pytest.mark.parametrize(("probability", "shown"), [(0.724, "72 %"), (0.9996, "99 %"), (0.0, "1 %")])
def test_a_finished_answer_says_how_likely_it_is_right(probability: float, shown: str) -> None:
    answer = replace(answer_of(), probability=probability)
    assert f"Chance of being right: {shown}" in rendering.turn("Q?", answer)
    assert "Chance" not in rendering.turn("Q?", answer, progress="Writing …")
    assert "Chance" not in rendering.turn("Q?", replace(answer, state="not_in_archive"))


ABSENT = Answer("Q?", "not_in_archive", (), (), SEARCHED, nearest=(cited(1, "Rates were held."),), probability=0.1)


def test_not_in_the_archive_says_why_and_what_was_searched() -> None:
    searched = "Searched 48 articles from 2 outlets, May 2018 to Nov 2019."
    assert Reader(rendering.turn("Q?", replace(ABSENT, reason="nothing"))).text == (
        f"Q?Not in the archive. Nothing in it is about this.{searched}"
    )
    assert Reader(rendering.turn("Q?", replace(ABSENT, reason="not_said"))).text == (
        "Q?Not in the archive. Articles are about it, but none that was found says this."
        f"NearestRates were held.1The Post, 1 March 2024{searched}"
    )


def test_what_comes_nearest_opens_in_its_article_where_it_is_shown() -> None:
    panels = panel.sources(replace(ABSENT, reason="not_said"), {"a1": ARTICLE})
    assert Reader(panels["1"]).marks["selected"] == ["Rates were held."]
    assert panel.sources(replace(ABSENT, reason="nothing"), {"a1": ARTICLE}) == {}


def test_a_refusal_under_a_filter_says_so_and_what_is_outside() -> None:
    searched = Searched(3, ("The Post",), "2018-05-03", "2018-05-20")
    absent = replace(ABSENT, searched=searched, reason="filtered", outside=2)
    assert Reader(rendering.turn("Q?", absent, within="In The Post", whole=48)).text == (
        "Q?In The PostNot found under this filter. 2 articles outside it answer this."
        "Searched 3 of 48 articles from 1 outlet, May 2018."
    )


@pytest.mark.parametrize(
    ("outside", "shown"),
    [(0, "No article meets this filter."), (1, "No article meets this filter. 1 article outside it answers this.")],
)
def test_a_filter_that_no_article_meets_is_told(outside: int, shown: str) -> None:
    absent = replace(
        ABSENT, searched=Searched(0, (), "", ""), reason="filtered" if outside else "nothing", outside=outside
    )
    assert Reader(rendering.turn("Q?", absent, within="In Wire", whole=48)).text == (
        f"Q?In Wire{shown}The archive holds 48 articles."
    )


def test_the_filter_is_closed_and_each_of_its_fields_has_a_label() -> None:
    tags = Reader(frame.filter_form()).tags
    button = next(attributes for tag, attributes in tags if tag == "button")
    fields = {attributes["id"] for tag, attributes in tags if tag == "input"}
    assert (button["aria-expanded"], button["aria-controls"]) == ("false", "filter-fields")
    assert {attributes["for"] for tag, attributes in tags if tag == "label"} == fields
    assert fields == {f"filter-{name}" for name in (*FIELDS, *DAYS)}


def test_a_notice_and_a_problem_are_lines_of_their_own() -> None:
    assert 'class="notice">The model is away.<' in rendering.turn("Q?", answer_of(notice="The model is away."))
    assert 'class="problem" role="alert">Too long.<' in rendering.turn("Q?", problem="Too long.")


@pytest.mark.parametrize(
    ("searched", "shown"),
    [
        (SEARCHED, "48 articles · 2 outlets · May 2018 to Nov 2019"),
        (Searched(1, ("Wire",), "2019-05-03", "2019-05-20"), "1 article · 1 outlet · May 2019"),
        (Searched(12345, (), "", ""), "12,345 articles"),
    ],
)
def test_the_header_says_what_can_be_asked_about(searched: Searched, shown: str) -> None:
    assert Reader(frame.header(searched)).text == f"Onrecord{shown}{''.join(frame.PANELS.values())}New"


def test_the_panel_marks_the_cited_characters_and_lighter_the_other_cited_ones() -> None:
    answer = answer_of(citations=(cited(1, "Rates were held."), cited(2, "“We watch,” she said.")))
    shown = Reader(panel.sources(answer, {"a1": ARTICLE})["2"])
    assert shown.marks == {"selected": ["“We watch,” she said."], "": ["Rates were held."]}
    assert "The Post · 1 March 2024 · by A. Lind, B. Moe" in shown.text
    assert shown.text.endswith(TEXT)


def test_a_citation_over_two_paragraphs_is_marked_in_both() -> None:
    shown = Reader(panel.paragraphs(TEXT, (4, 34)))
    assert shown.marks["selected"] == ["bank waited.", "Rates were held."]


def test_the_headline_leads_to_the_original_and_tells_it_nothing() -> None:
    shown = Reader(panel.sources(answer_of(citations=(cited(1, "Prices rose."),)), {"a1": ARTICLE})["1"])
    assert [attributes for tag, attributes in shown.tags if tag == "a"] == [
        {"href": "https://post.example/1", "target": "_blank", "rel": "noopener noreferrer nofollow"}
    ]


def test_the_copies_of_an_article_are_named_above_its_text() -> None:
    copies = (Copy("b", "Held", "The <b>Wire</b>", "2024-03-02", ""), Copy("c", "No rise", "", "", ""))
    citation = replace(cited(1, "Rates were held."), also_in=copies)
    read = Reader(panel.sources(answer_of(citations=(citation,)), {"a1": ARTICLE})["1"])

    assert "Also in The <b>Wire</b>, 2 March 2024 · No rise" in read.text
    assert "b" not in [tag for tag, _ in read.tags]


def test_of_many_copies_five_are_named_and_the_others_counted() -> None:
    copies = tuple(Copy(str(number), "Held", f"Wire {number}", "", "") for number in range(1, 1500))
    citation = replace(cited(1, "Rates were held."), also_in=copies)
    read = Reader(panel.sources(answer_of(citations=(citation,)), {"a1": ARTICLE})["1"])

    assert "Also in Wire 1 · Wire 2 · Wire 3 · Wire 4 · Wire 5 and 1,494 more" in read.text
    assert "Wire 6" not in read.text


def test_the_card_of_a_number_has_the_outlet_the_day_the_headline_and_the_quoted_words() -> None:
    copies = (Copy("b", "Held", "Wire", "2024-03-02", ""),)
    card = panel.cards(answer_of(citations=(replace(cited(1, "Rates were held."), also_in=copies),)))["1"]

    assert Reader(card).text == "The Post, 1 March 2024Rates heldRates were held.Also in 1 other"
    assert (
        len(Reader(panel.cards(answer_of(citations=(cited(1, TEXT * 9, Article("a", "", TEXT * 9)),)))["1"]).text) < 300
    )


def test_articles_of_several_days_stand_on_a_line_each_where_its_day_is() -> None:
    days = ("2024-01-01", "2024-01-06", "2024-01-11", "", "then")
    citations = [
        replace(cited(n, "Prices rose."), number=n, article_id=f"a{n}", date=day) for n, day in enumerate(days)
    ]
    shown = Reader(panel.sources(answer_of(citations=tuple(citations)), {})["1"])

    assert [attributes["style"] for tag, attributes in shown.tags if tag == "li"] == [
        "--at:0.0000",
        "--at:0.5000",
        "--at:1.0000",
    ]
    assert [attributes.get("aria-current") for tag, attributes in shown.tags if attributes.get("class") == "dot"] == [
        None,
        "true",
        None,
    ]
    assert "1 January 202411 January 2024" in shown.text
    assert "timeline" not in panel.sources(answer_of(citations=tuple(citations[:1])), {})["0"]


def test_what_can_be_done_with_an_answer_is_offered_once_it_is_kept() -> None:
    assert "actions" not in rendering.turn("Q?", answer_of())
    assert 'href="/answers/x1.md"' in rendering.turn("Q?", answer_of(), name="x1")
    assert 'data-act="again"' in rendering.turn("Q?", problem="It failed.")


def test_an_article_that_changed_since_shows_the_quotation_and_says_so() -> None:
    answer = answer_of(citations=(cited(1, "Prices rose."),))
    changed = Article("a1", "Rates held", TEXT.upper())
    for articles in ({}, {"a1": changed}):
        shown = Reader(panel.sources(answer, articles)["1"])
        assert shown.marks["selected"] == ["Prices rose."]
        assert "no longer holds this article" in shown.text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
        "data:text/html,x",
        "vbscript:x", "//evil.example", "/local", "https://", "https://bank.example@evil.example/",
        "https:\\\\evil.example",
        "http://[", "", "ftp://example.org/x",
    ],
)  # fmt: skip
def test_only_plain_web_addresses_become_links(url: str) -> None:
    assert markup.web_address(url) == ""


def test_nothing_from_outside_becomes_markup() -> None:
    article = Article(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, (HOSTILE,))
    citation = cited(1, HOSTILE, article)
    sentence = Sentence(HOSTILE, (1,), "weak", ((0, 9), (60, 70)), (Gloss(4, HOSTILE),), HOSTILE)
    answer = Answer(
        HOSTILE, "answered", (sentence, Sentence(HOSTILE, ())), (citation,), SEARCHED, HOSTILE, 0.5,
        understood_as=HOSTILE, sides=(Side(HOSTILE, 1), Side(HOSTILE, 1, "denial")),
    )  # fmt: skip
    absent = Answer(HOSTILE, "not_in_archive", (), (), SEARCHED, nearest=(citation,), reason="not_said")
    pages = [
        rendering.turn(HOSTILE, answer, within=HOSTILE, problem=HOSTILE, progress=HOSTILE),
        rendering.turn(HOSTILE, answer),
        rendering.turn(HOSTILE, absent),
        panel.sources(answer, {HOSTILE: article})["1"],
        panel.sources(absent, {})["1"],
        panel.cards(answer)["1"],
        panel.article(article),
        rendering.turn(HOSTILE, answer, name="kept"),
        frame.welcome([HOSTILE]),
        frame.header(Searched(1, (HOSTILE,), HOSTILE, HOSTILE)),
    ]
    for page in pages:
        tags = Reader(page).tags
        assert {tag for tag, _ in tags} <= OUR_TAGS
        assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]


def test_a_name_is_one_line_of_bounded_length_that_cannot_turn_the_text_around() -> None:
    assert markup.line("a\n\u202eb" + "c" * 10_000) == "a b" + "c" * 296 + "…"


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    """Draw any sentence with marks and glosses, which may touch and overlap."""
    text = draw(st.text().map(lambda drawn: drawn.replace("\x00", "")))
    places = st.integers(0, len(text))
    spans: st.SearchStrategy[Span] = st.tuples(places, places).map(lambda span: (min(span), max(span)))
    glosses = draw(st.lists(st.builds(Gloss, places, st.text()), max_size=3))
    supports: tuple[Support, ...] = ("grounded", "weak", "unsupported")
    marks, support = draw(st.lists(spans, max_size=3)), draw(st.sampled_from(supports))
    said_by = draw(st.none() | st.text())
    return Sentence(text, (1,), support, tuple(marks), tuple(sorted(glosses, key=lambda gloss: gloss.at)), said_by)


@given(sentences())
def test_every_character_of_a_sentence_is_shown_in_order_and_exactly_its_marks_are_marked(sentence: Sentence) -> None:
    answer = answer_of(sentence, citations=(cited(1, "Rates were held."),))
    read = Reader(rendering.turn("", answer))
    marked = {place for start, end in sentence.marks for place in range(start, end)}
    assert read.said == sentence.text
    assert "".join(read.marks.get("answer", [])) == "".join(sentence.text[place] for place in sorted(marked))
    assert read.glosses.count("[") >= len(sentence.glosses)


@given(st.text(), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_every_character_of_an_article_is_shown_and_exactly_the_span_is_marked(
    text: str, start: int, length: int, other: int, other_length: int
) -> None:
    text = text.replace("\x00", "")
    read = Reader(panel.paragraphs(text, (start, start + length), [(other, other + other_length)]))
    assert read.text == text
    assert "".join(read.marks["selected"]) == without_breaks(text[start : start + length], text, start)


def without_breaks(span: str, text: str, start: int) -> str:
    """What of a span stands in paragraphs: not the line breaks, and not lines that are all blank."""
    kept, position = "", 0
    for piece in text.split("\n"):
        line = range(position, position + len(piece))
        if piece and not piece.isspace():
            kept += "".join(text[place] for place in line if start <= place < start + len(span))
        position += len(piece) + 1
    return kept
