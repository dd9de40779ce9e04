from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.made_answers import ABSENT, ANSWER, BAD, HOSTILE
from tests.test_ui_rendering import Reader
from ui import footnotes
from ui.conversations import Kept

KEPT = Kept(ANSWER, id="k", conversation="c", asked=0.0)
GITHUB = MarkdownIt("gfm-like", {"linkify": False})
OUR_TAGS = set(
    "html head meta title style body h1 h2 section p sup a ol li blockquote small br em footer".split()  # noqa: SIM905
)


def test_as_plain_text_an_answer_carries_its_sources() -> None:
    assert footnotes.plain(KEPT) == (
        "Were rates held?\n\n"
        "Rates were held. [1]\n\n"
        "Prices rose. [2] (weakly supported · Said by the minister)\n\n"
        "Chance of being right: 80 %\n\n"
        "[1] “Rates were held.” · Rates held · The Post · 1 March 2024 · https://post.example/1 · "
        "article a1, characters 0 to 16\n"
        "[2] “Prices rose.” · Rates held · The Post · 1 March 2024 · https://post.example/1 · "
        "article a1, characters 17 to 29"
    )


def test_as_markdown_each_number_is_a_footnote_with_the_quoted_words() -> None:
    written = footnotes.markdown([KEPT, replace(KEPT, answer=ABSENT, within="In Wire")], "Rates")

    assert written.startswith(
        "# Rates\n\n## Were rates held?\n\n*Asked on 1 January 1970*\n\nRates were held. [^1-1]\n\n"
    )
    assert "[^1-2]: “Prices rose.” · Rates held · The Post · 1 March 2024 · article a1" in written
    assert "<https://post.example/1>" in written
    assert "*In Wire*" in written
    assert "Nearest: Prices rose. [^2-1]" in written


def test_as_a_page_each_number_leads_to_the_quoted_words_and_what_is_gone_says_so() -> None:
    page = _Tags()
    page.feed(footnotes.page([KEPT], "Rates", held={"a1"}))
    targets = [attributes["id"] for tag, attributes in page.tags if tag == "li"]

    assert targets == ["note-1-1", "note-1-2"]
    assert [attributes["href"] for tag, attributes in page.tags if tag == "a"][:2] == ["#note-1-1", "#note-1-2"]
    assert "no longer holds" not in page.text
    assert "no longer holds" in footnotes.page([KEPT], "Rates", held=set())


def test_nothing_hostile_comes_alive_on_a_page() -> None:
    html = footnotes.page([replace(KEPT, answer=BAD, within=HOSTILE)], HOSTILE, held=set())
    reader = _Tags()
    reader.feed(html)

    assert {tag for tag, _ in reader.tags} <= OUR_TAGS
    links = [attributes["href"] for tag, attributes in reader.tags if tag == "a"]
    assert {str(link).partition(":")[0].partition("-")[0] for link in links} <= {"https", "#note"}
    assert not [name for _, attributes in reader.tags for name in attributes if name.startswith("on")]


@pytest.mark.parametrize("answer", [BAD, replace(BAD, state="not_in_archive", sentences=(), nearest=BAD.citations)])
def test_nothing_hostile_comes_alive_in_markdown(answer: object) -> None:
    written = footnotes.markdown([replace(KEPT, answer=answer, within=HOSTILE)], HOSTILE)  # type: ignore[arg-type]
    tokens = [each for token in GITHUB.parse(written) for each in [token, *(token.children or [])]]
    links = [token.attrs.get("href") for token in tokens if token.type == "link_open"]

    assert all(str(link).startswith("https://evil.example/?q=") for link in links)
    assert not {"image", "html_inline", "html_block", "code_inline", "strong_open", "s_open", "table_open"} & {
        token.type for token in tokens
    }
    assert "http://" not in written
    assert "www." not in written


@given(st.text(min_size=1))
def test_whatever_an_article_says_markdown_shows_as_it_is(text: str) -> None:
    shown = " ".join(text.split())
    tokens = GITHUB.parse(footnotes._text(text))
    inline = [token for token in tokens if token.type == "inline"]
    rendered = "".join(child.content for token in inline for child in token.children or [])

    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert rendered.replace("\ufffd", "") == shown.replace("\x00", "").replace("\ufffd", "") or not shown.isprintable()


class _Tags(Reader):
    def __init__(self) -> None:
        super().__init__("")

    def handle_endtag(self, tag: str) -> None:
        pass
