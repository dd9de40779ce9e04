"""The panel: sources as HTML, each in its article with the quoted words marked, and its card."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from urllib.parse import urlsplit

from rag.answers import Answer, Citation, Span
from rag.articles import Article
from rag.talk import counted

from .markup import day, escape, iso_date, line, number_button, place_of, shown_citations, web_address

COPIES_SHOWN = 5
LONGEST_CARD = 240
GONE = "The archive no longer holds this article as it was when it was cited."
_PARAGRAPH = re.compile(r"[^\n]+")


def sources(answer: Answer, articles: Mapping[str, Article]) -> dict[str, str]:
    """Give for each number the panel that shows what it cites in its article; `articles` is keyed by id."""
    cited = shown_citations(answer)
    return {
        str(citation.number): _numbers(cited, citation)
        + _timeline(cited, citation)
        + _source(cited, citation, articles.get(citation.article_id))
        for citation in cited
    }


def cards(answer: Answer) -> dict[str, str]:
    """Give for each number what is shown of its source in passing: outlet, day, headline and the quoted words."""
    return {str(citation.number): _card(citation) for citation in shown_citations(answer)}


def article(found: Article) -> str:
    """Give an article to be read in full."""
    return f"<article>{_headline(found)}{_text(found, (0, 0), [])}</article>"


def paragraphs(text: str, selected: Span, others: Iterable[Span] = ()) -> str:
    """Give the article's text with the selected span and the other cited ones marked, every character kept.

    Text between paragraphs stays between the tags, so the text content of the result is the article's text.
    """
    shown, position = [], 0
    for paragraph in _PARAGRAPH.finditer(text):
        if paragraph.group().isspace():
            continue
        start, end = paragraph.span()
        shown.append(escape(text[position:start]))
        shown.append(f"<p>{_marked(text, (start, end), selected, list(others))}</p>")
        position = end
    return "".join(shown) + escape(text[position:])


def _numbers(cited: Iterable[Citation], shown: Citation) -> str:
    buttons = "".join(number_button(citation, current=citation.number == shown.number) for citation in cited)
    return f'<nav class="numbers" aria-label="Passages of this answer">{buttons}</nav>'


def _card(citation: Citation) -> str:
    place = line(place_of(citation.source, citation.date))
    also = f"<small>Also in {counted(len(citation.also_in), 'other')}</small>" if citation.also_in else ""
    quoted = line(citation.text, LONGEST_CARD)
    return f"<small>{place}</small><b>{line(citation.title or 'Untitled')}</b><q>{quoted}</q>{also}"


def _timeline(cited: Sequence[Citation], shown: Citation) -> str:
    """Give the cited articles on a line by their days, where there is more than one day."""
    known = {each.article_id: each for each in cited if _ordinal(each.date)}
    known |= {shown.article_id: shown} if _ordinal(shown.date) else {}
    days = sorted({_ordinal(each.date) for each in known.values()})
    if len(days) < 2:
        return ""
    dots = "".join(
        f'<li style="--at:{(_ordinal(each.date) - days[0]) / (days[-1] - days[0]):.4f}">'
        f'<button type="button" class="dot" data-number="{each.number:d}"'
        f"{' aria-current=true' * (each.article_id == shown.article_id)} "
        f'aria-label="{line(place_of(each.source, each.date))}"></button></li>'
        for each in sorted(known.values(), key=lambda each: each.date)
    )
    ends = "".join(f"<span>{day(date.fromordinal(each).isoformat())}</span>" for each in (days[0], days[-1]))
    line_of_days = f'<ol role="list" aria-label="Cited articles by their days">{dots}</ol>'
    return f'<div class="timeline">{line_of_days}<p>{ends}</p></div>'


def _ordinal(text: str) -> int:
    known = iso_date(text)
    return known.toordinal() if known else 0


def _source(cited: Sequence[Citation], citation: Citation, article: Article | None) -> str:
    span = (citation.start, citation.end)
    if article is None or article.text[slice(*span)] != citation.text:
        gone = f'<p class="notice">{GONE}</p>'
        facts = Article(
            citation.article_id, citation.title, citation.text, citation.source, citation.date, citation.url
        )
        return f"<article>{_headline(facts)}{gone}{_text(facts, (0, len(facts.text)), [])}</article>"
    others = [(other.start, other.end) for other in cited if other.article_id == article.id]
    return f"<article>{_headline(article)}{_also_in(citation)}{_text(article, span, others)}</article>"


def _also_in(citation: Citation) -> str:
    places = [*dict.fromkeys(place_of(copy.source, copy.date) or copy.title for copy in citation.also_in)]
    listed = " · ".join(f"<bdi>{line(place)}</bdi>" for place in places[:COPIES_SHOWN])
    more = f" and {len(places) - COPIES_SHOWN:,} more" if len(places) > COPIES_SHOWN else ""
    return f'<p class="origin">Also in {listed}{more}</p>' if listed else ""


def _headline(article: Article) -> str:
    address = web_address(article.url)
    facts = [article.source, day(article.date), f"by {', '.join(article.authors)}" if any(article.authors) else ""]
    meta = " · ".join(f"<bdi>{line(fact)}</bdi>" for fact in facts if fact)
    title = line(article.title or "Untitled")
    if not address:
        return f'<p class="meta">{meta}</p><h2>{title}</h2>'
    link = f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer nofollow">{title}</a>'
    host = line(urlsplit(address).hostname or "", 60)
    return f'<p class="meta">{meta}</p><h2>{link}</h2><p class="origin">Original at {host}, opens in a new tab</p>'


def _text(article: Article, selected: Span, others: list[Span]) -> str:
    return f'<div class="text">{paragraphs(article.text, selected, others)}</div>'


def _marked(text: str, within: Span, selected: Span, others: list[Span]) -> str:
    """Cut the text at every edge of a span, and mark each piece for the spans that cover it."""
    start, end = within
    edges = {edge for span in (selected, *others) for edge in span if start < edge < end}
    pieces = []
    for left, right in pairwise(sorted({start, end, *edges})):
        piece = escape(text[left:right])
        if selected[0] <= left and right <= selected[1]:
            piece = f'<mark class="selected">{piece}</mark>'
        elif any(first <= left and right <= last for first, last in others):
            piece = f"<mark>{piece}</mark>"
        pieces.append(piece)
    return "".join(pieces)
