"""Rendering: answers, articles and messages as HTML in which nothing but our own markup is live.

Everything that comes from an article, a question or a model passes through `escape` (or `line`, which ends in it)
exactly once, where it is put between our tags or into a quoted attribute.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from urllib.parse import urlsplit

from rag.answers import Answer, Citation, Searched, Sentence
from rag.articles import Article

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
COPIES_SHOWN = 5
FILTER_NAMES = {"outlets": "Outlet", "authors": "Author", "sections": "Section", "languages": "Language"}
FILTER_DAYS = {"since": "Published from", "until": "Published until", "as_of": "As of"}
FILTER = """<section id="filter" aria-label="Filter">
<button type="button" id="filter-open" class="pill" aria-expanded="false" aria-controls="filter-fields">Filter</button>
<div id="filter-fields" role="group" aria-label="Filter by" hidden>{names}<div id="filter-days" hidden>{days}
<p id="filter-days-note">As of a day: answers as if read then, with nothing published later.</p></div>
<p id="filter-note" role="status"></p></div>
<ul id="filter-chosen" role="list" aria-label="Active filters"></ul></section>"""
_UNSHOWABLE = re.compile("[\x00\ud800-\udfff]")
_DIRECTION_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_PARAGRAPH = re.compile(r"[^\n]+")

Span = tuple[int, int]


def escape(text: str) -> str:
    """Give HTML that shows exactly these characters, between tags or inside a quoted attribute."""
    return html.escape(_UNSHOWABLE.sub("\ufffd", text)).replace("\r", "&#13;")


def line(text: str, limit: int = 300) -> str:
    """Give a name, headline or message as one escaped line, cut at `limit` characters, reading in one direction."""
    words = " ".join(_DIRECTION_CONTROLS.sub("", text).split())
    return escape(words if len(words) <= limit else f"{words[: limit - 1].rstrip()}…")


def day(text: str) -> str:
    """Give "2019-07-16" as "16 July 2019", and anything else as it is."""
    try:
        known = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{known.day} {MONTHS[known.month - 1]} {known.year}"


def month(text: str) -> str:
    """Give "2019-11-05" as "Nov 2019", and anything else as it is."""
    try:
        known = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{MONTHS[known.month - 1][:3]} {known.year}"


def web_address(url: str) -> str:
    """Give the address if a browser may be sent there, else nothing: http or https, a host, no user name."""
    if any(character <= " " or character == "\\" for character in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc else ""


def header(searched: Searched) -> str:
    """Give the head of the page: the name, and what can be asked about."""
    facts = [_count(searched.articles, "article")]
    if searched.outlets:
        facts.append(_count(len(searched.outlets), "outlet"))
    if searched.first_date:
        facts.append(_period(searched))
    return f"<h1>Onrecord</h1><p>{' · '.join(line(fact) for fact in facts)}</p>"


def welcome(examples: Iterable[str]) -> str:
    """Give what stands in the empty conversation: what the answers are, and questions to start with."""
    buttons = "".join(f'<li><button type="button" class="example">{line(text)}</button></li>' for text in examples)
    started = f'<h3 id="examples">For example</h3><ul aria-labelledby="examples">{buttons}</ul>' if buttons else ""
    return (
        "<h2>Ask, and check every sentence.</h2>"
        "<p>Answers come from these articles alone. Each sentence carries the number of its source: "
        f"choose it to read the exact words where they were published.</p>{started}"
    )


def filter_form() -> str:
    """Give the closed filter; the page's script fills in what the archive offers, and shows what is chosen."""
    names = "".join(
        f'<div hidden><label for="filter-{name}">{label}</label>'
        f'<input id="filter-{name}" name="{name}" list="filter-{name}-list" placeholder="Any" autocomplete="off">'
        f'<datalist id="filter-{name}-list"></datalist></div>'
        for name, label in FILTER_NAMES.items()
    )
    days = "".join(
        f'<div><label for="filter-{name}">{label}</label>'
        f'<input id="filter-{name}" name="{name}" type="date" aria-describedby="filter-days-note" autocomplete="off">'
        "</div>"
        for name, label in FILTER_DAYS.items()
    )
    return FILTER.format(names=names, days=days)


def turn(
    question: str,
    answer: Answer | None = None,
    *,
    within: str = "",
    whole: int = 0,
    progress: str = "",
    problem: str = "",
) -> str:
    """Give one question with what is known of its answer; `progress` says that more is to come.

    `within` says to which of the archive's `whole` articles the question was put, where not to all.
    """
    parts = [f'<h2 class="question">{line(question, 300 if problem else 2000)}</h2>']
    if within:
        parts.append(f'<p class="within">{line(within, 1000)}</p>')
    if answer:
        parts += _answer(answer, whole, final=not progress)
    if problem:
        parts.append(f'<p class="problem" role="alert">{line(problem, 1000)}</p>')
    if progress:
        parts.append(f'<p class="progress">{line(progress)}</p>')
    return "".join(parts)


def sources(answer: Answer, articles: Mapping[str, Article]) -> dict[str, str]:
    """Give for each citation's number the panel that shows it in its article; `articles` is keyed by id."""
    return {
        str(citation.number): _numbers(answer, citation) + _source(answer, citation, articles.get(citation.article_id))
        for citation in answer.citations
    }


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


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _period(searched: Searched) -> str:
    first, last = month(searched.first_date), month(searched.last_date or searched.first_date)
    return first if first == last else f"{first} to {last}"


def _answer(answer: Answer, whole: int, *, final: bool) -> list[str]:
    cited = {citation.number: citation for citation in answer.citations}
    # While the last sentence still grows, nobody knows yet whether it has a source.
    known = len(answer.sentences) if final else len(answer.sentences) - 1
    parts = [_sentence(sentence, cited, judged=place < known) for place, sentence in enumerate(answer.sentences)]
    if final and answer.state == "not_in_archive":
        parts.append(_absent(answer.searched, whole))
    if answer.notice:
        parts.append(f'<p class="notice">{line(answer.notice, 1000)}</p>')
    return parts


def _sentence(sentence: Sentence, cited: Mapping[int, Citation], *, judged: bool) -> str:
    citations = [cited[number] for number in sentence.citations if number in cited]
    words, space, last = (escape(part) for part in " ".join(sentence.text.split()).rpartition(" "))
    if not citations:
        tag = ' <span class="unsourced">no source</span>' if judged else ""
        return f'<p class="sentence">{words}{space}{last}{tag}</p>'
    places = dict.fromkeys(_place(citation.source, citation.date) for citation in citations)
    by = " · ".join(f"<bdi>{line(place)}</bdi>" for place in places if place)
    numbers = "".join(_number(citation) for citation in citations)
    # The numbers stay on the line of the word they follow, unless that word may need to be broken itself.
    kept = ' class="last"' if len(last) < 30 else ""
    return f'<p class="sentence">{words}{space}<span{kept}>{last}{numbers}</span><small>{by}</small></p>'


def _absent(searched: Searched, whole: int) -> str:
    if whole and not searched.articles:
        return _nothing("No article meets this filter.", f"The archive holds {_count(whole, 'article')}.")
    outlets = f" from {_count(len(searched.outlets), 'outlet')}" if searched.outlets else ""
    period = f", {_period(searched)}" if searched.first_date else ""
    some = f"{searched.articles:,} of " if whole else ""
    looked = f"Searched {some}{_count(whole or searched.articles, 'article')}{outlets}{period}."
    return _nothing("Not found under this filter." if whole else "Not in the archive.", looked)


def _nothing(told: str, looked: str) -> str:
    return f'<div class="absent"><p>{told}</p><small>{line(looked)}</small></div>'


def _place(source: str, published: str) -> str:
    return ", ".join(part for part in (source, day(published)) if part)


def _number(citation: Citation, *, current: bool = False) -> str:
    label = ", ".join(part for part in (citation.title, _place(citation.source, citation.date)) if part)
    return (
        f'<button type="button" class="number" data-number="{citation.number:d}"{" aria-current=true" * current} '
        f'aria-label="{line(f"Source {citation.number}: {label}")}">{citation.number:d}</button>'
    )


def _numbers(answer: Answer, shown: Citation) -> str:
    buttons = "".join(_number(citation, current=citation.number == shown.number) for citation in answer.citations)
    return f'<nav class="numbers" aria-label="Sources of this answer">{buttons}</nav>'


def _source(answer: Answer, citation: Citation, article: Article | None) -> str:
    span = (citation.start, citation.end)
    if article is None or article.text[slice(*span)] != citation.text:
        gone = '<p class="notice">The archive no longer holds this article as it was when it was cited.</p>'
        facts = Article(
            citation.article_id, citation.title, citation.text, citation.source, citation.date, citation.url
        )
        return f"<article>{_headline(facts)}{gone}{_text(facts, (0, len(facts.text)), [])}</article>"
    others = [(other.start, other.end) for other in answer.citations if other.article_id == article.id]
    return f"<article>{_headline(article)}{_also_in(citation)}{_text(article, span, others)}</article>"


def _also_in(citation: Citation) -> str:
    places = [*dict.fromkeys(_place(copy.source, copy.date) or copy.title for copy in citation.also_in)]
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
