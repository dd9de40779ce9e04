"""Rendering: answers, articles and messages as HTML in which nothing but our own markup is live.

Everything that comes from an article, a question or a model passes through `escape` (or `line`, which ends in it)
exactly once, where it is put between our tags or into a quoted attribute.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from urllib.parse import urlsplit

from rag.answers import Answer, Citation, Searched, Sentence, Span
from rag.articles import Article
from rag.dates import MONTHS
from rag.talk import (
    CALIBRATION,
    DISAGREEMENT,
    NO_SOURCE,
    absence,
    attribution,
    counted,
    doubt,
    likelihood,
    stance,
    understanding,
)

COPIES_SHOWN = 5
ANSWER, GLOSS = "answer", "gloss"
LONGEST_KEPT = 30  # characters; a longer word may need to be broken itself
FILTER_NAMES = {"outlets": "Outlet", "authors": "Author", "sections": "Section", "languages": "Language"}
FILTER_DAYS = {"since": "Published from", "until": "Published until", "as_of": "As of"}
LONGEST_CARD = 240
VERBATIM, GROUNDED = "Word for word", "Grounded"
GONE = "The archive no longer holds this article as it was when it was cited."
PANELS = {"articles": "Articles", "conversations": "Conversations", "added": "Add articles"}
ASK_ON = """<span class="last-only"><button type="button" data-act="again">Ask again</button>
<button type="button" data-act="edit">Edit question</button></span>"""
ACTIONS = f"""<div class="actions"><button type="button" data-act="copy">Copy with sources</button>
<a href="{{address}}" target="_blank" rel="noopener">Link</a><a href="{{address}}.md" download>Markdown</a>{ASK_ON}
<span class="verdict">Is this right? <button type="button" data-act="right" aria-pressed="false">Yes</button>
<button type="button" data-act="wrong" aria-pressed="false">No</button></span></div>"""
FILTER = """<section id="filter" aria-label="Filter">
<button type="button" id="filter-open" class="pill" aria-expanded="false" aria-controls="filter-fields" hidden>Filter
</button>
<div id="filter-fields" role="group" aria-label="Filter by" hidden>{names}<div id="filter-days" hidden>{days}
<p id="filter-days-note">As of a day: answers as if read then, with nothing published later.</p></div>
<p id="filter-note" role="status"></p></div>
<ul id="filter-chosen" role="list" aria-label="Active filters"></ul></section>"""
_UNSHOWABLE = re.compile("[\x00\ud800-\udfff]")
_DIRECTION_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_PARAGRAPH = re.compile(r"[^\n]+")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some characters of a sentence, or a gloss in it; `kind` is the class of the element that they need, if any."""

    text: str
    kind: str = ""

    def cut(self, start: int, end: int | None = None) -> _Piece:
        return _Piece(self.text[start:end], self.kind)

    def write(self) -> str:
        if not self.kind or not self.text:
            return escape(self.text)
        tag = "span" if self.kind == GLOSS else "mark"
        return f'<{tag} class="{self.kind}">{escape(self.text)}</{tag}>'


def escape(text: str) -> str:
    """Give HTML that shows exactly these characters, between tags or inside a quoted attribute."""
    return html.escape(_UNSHOWABLE.sub("\ufffd", text)).replace("\r", "&#13;")


def line(text: str, limit: int = 300) -> str:
    """Give a name, headline or message as one escaped line, cut at `limit` characters, reading in one direction."""
    return escape(_one_line(text, limit))


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
    facts = [counted(searched.articles, "article")]
    if searched.outlets:
        facts.append(counted(len(searched.outlets), "outlet"))
    if searched.first_date:
        facts.append(_period(searched))
    buttons = "".join(f'<button type="button" data-panel="{name}">{label}</button>' for name, label in PANELS.items())
    anew = '<button type="button" id="anew" aria-label="New conversation" hidden>New</button>'
    told = " · ".join(line(fact) for fact in facts)
    return f'<h1>Onrecord</h1><p>{told}</p><nav aria-label="Archive">{buttons}{anew}</nav>'


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
    """Give the closed filter; the page's script fills in what the archive offers, and only then lets it be opened."""
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
    name: str = "",
) -> str:
    """Give one question with what is known of its answer; `progress` says that more is to come.

    `within` says to which of the archive's `whole` articles the question was put, where not to all. What can be done
    with an answer is offered once it is kept under a `name`.
    """
    parts = [f'<h2 class="question">{line(question, 300 if problem else 2000)}</h2>']
    if answer and (understood := understanding(answer)):
        parts.append(f'<p class="taken">{line(understood, 1000)}</p>')
    if within:
        parts.append(f'<p class="taken within">{line(within, 1000)}</p>')
    if answer:
        parts += _answer(answer, whole, final=not progress)
    if problem:
        parts.append(f'<p class="problem" role="alert">{line(problem, 1000)}</p>')
    if progress:
        parts.append(f'<p class="progress">{line(progress)}</p>')
    if answer and name:
        parts.append(ACTIONS.format(address=f"/answers/{escape(name)}"))
    elif problem:
        parts.append(f'<div class="actions">{ASK_ON}</div>')
    return "".join(parts)


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


def shown_citations(answer: Answer) -> tuple[Citation, ...]:
    """Give what a turn has numbers for: the sources of the answer, or what comes nearest to one."""
    return answer.nearest if answer.reason == "not_said" else answer.citations


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


def _one_line(text: str, limit: int = 300) -> str:
    words = " ".join(_DIRECTION_CONTROLS.sub("", text).split())
    return words if len(words) <= limit else f"{words[: limit - 1].rstrip()}…"


def _period(searched: Searched) -> str:
    first, last = month(searched.first_date), month(searched.last_date or searched.first_date)
    return first if first == last else f"{first} to {last}"


def _answer(answer: Answer, whole: int, *, final: bool) -> list[str]:
    cited = {citation.number: citation for citation in answer.citations}
    # While the last sentence still grows, nobody knows yet whether it has a source.
    known = len(answer.sentences) if final else len(answer.sentences) - 1
    parts = [_sentence(sentence, cited, judged=place < known) for place, sentence in enumerate(answer.sentences)]
    if final and answer.state == "not_in_archive":
        parts.append(_absent(answer, whole))
    parts.append(_sides(answer, cited))
    if final and (likely := likelihood(answer)):
        parts.append(f'<details class="likely"><summary>{likely}</summary><p>{CALIBRATION}</p></details>')
    if answer.notice:
        parts.append(f'<p class="notice">{line(answer.notice, 1000)}</p>')
    return parts


def _sentence(sentence: Sentence, cited: Mapping[int, Citation], *, judged: bool) -> str:
    citations = [cited[number] for number in sentence.citations if number in cited]
    words, last = _part_last(_pieces(sentence))
    numbers = "".join(map(_number, citations))
    kept = ' class="last"' if sum(len(piece.text) for piece in last) < LONGEST_KEPT else ""
    state = [_state(sentence, citations)] if judged else []
    places = dict.fromkeys(_place(citation.source, citation.date) for citation in citations)
    copies = {copy.article_id for citation in citations for copy in citation.also_in}
    also = f"also in {counted(len(copies), 'other')}" if copies else ""
    facts = (attribution(sentence), *places, also)
    told = " · ".join([*state, *(f"<bdi>{line(fact)}</bdi>" for fact in facts if fact)])
    by = f"<small>{told}</small>" if told else ""
    return f'<p class="sentence">{_write(words)}<span{kept}>{_write(last)}{numbers}</span>{by}</p>'


def _state(sentence: Sentence, citations: Sequence[Citation]) -> str:
    """Say how a sentence stands to what it cites; those that it cites may be gone."""
    support, told = (sentence.support, doubt(sentence)) if citations else ("unsupported", NO_SOURCE)
    verbatim = any(_joined(sentence.text) in _joined(citation.text) for citation in citations)
    known = told[:1].upper() + told[1:] if told else VERBATIM if verbatim else GROUNDED
    return f'<span class="state {support}">{known}</span>'


def _joined(text: str) -> str:
    return " ".join(text.split())


def _pieces(sentence: Sentence) -> Iterator[_Piece]:
    """Cut a sentence at the edges of its marks and where its glosses belong, and put these there."""
    marks, glosses, start = sentence.marks, sentence.glosses, 0
    edges = {len(sentence.text), *(edge for span in marks for edge in span), *(gloss.at for gloss in glosses)}
    for end in sorted(edges):
        answers = any(first <= start and end <= last for first, last in marks)
        yield _Piece(sentence.text[start:end], ANSWER if answers else "")
        yield from (_Piece(f" [{_one_line(gloss.text)}]", GLOSS) for gloss in glosses if gloss.at == end)
        start = end


def _part_last(pieces: Iterable[_Piece]) -> tuple[list[_Piece], list[_Piece]]:
    """Part pieces where their last word begins, so that what follows it can be kept on its line."""
    words, last = list(pieces), list[_Piece]()
    while words:
        piece = words.pop()
        begins = max(piece.text.rfind(space) for space in " \n") + 1
        last.insert(0, piece.cut(begins))
        if begins:
            return [*words, piece.cut(0, begins)], last
    return words, last


def _write(pieces: Iterable[_Piece]) -> str:
    return "".join(piece.write() for piece in pieces)


def _sides(answer: Answer, cited: Mapping[int, Citation]) -> str:
    sides = [(side, cited[side.citation]) for side in answer.sides if side.citation in cited]
    if len(sides) < 2:
        return ""
    items = "".join(
        f"<li><small>{line(_place(citation.source, citation.date) or citation.title)}</small>"
        f"<span>{line(stance(side))}{_number(citation)}</span></li>"
        for side, citation in sides
    )
    return f'<section class="sides"><h3>{DISAGREEMENT}</h3><ul>{items}</ul></section>'


def _absent(answer: Answer, whole: int) -> str:
    searched = answer.searched
    outlets = f" from {counted(len(searched.outlets), 'outlet')}" if searched.outlets else ""
    period = f", {_period(searched)}" if searched.first_date else ""
    some = f"{searched.articles:,} of " if whole else ""
    looked = f"Searched {some}{counted(whole or searched.articles, 'article')}{outlets}{period}."
    if whole and not searched.articles:
        looked = f"The archive holds {counted(whole, 'article')}."
    told = f"<p>{absence(answer, narrowed=bool(whole))}</p>"
    return f'<div class="absent">{told}{_nearest(shown_citations(answer))}<small>{line(looked)}</small></div>'


def _nearest(citations: Sequence[Citation]) -> str:
    items = "".join(
        f"<li>{line(citation.text)}{_number(citation)}"
        f"<small>{line(_place(citation.source, citation.date))}</small></li>"
        for citation in citations
    )
    return f"<h3>Nearest</h3><ul>{items}</ul>" if items else ""


def _place(source: str, published: str) -> str:
    return ", ".join(part for part in (source, day(published)) if part)


def _number(citation: Citation, *, current: bool = False) -> str:
    label = ", ".join(part for part in (citation.title, _place(citation.source, citation.date)) if part)
    return (
        f'<button type="button" class="number" data-number="{citation.number:d}"{" aria-current=true" * current} '
        f'aria-label="{line(f"Source {citation.number}: {label}")}">{citation.number:d}</button>'
    )


def _numbers(cited: Iterable[Citation], shown: Citation) -> str:
    buttons = "".join(_number(citation, current=citation.number == shown.number) for citation in cited)
    return f'<nav class="numbers" aria-label="Passages of this answer">{buttons}</nav>'


def _card(citation: Citation) -> str:
    place = line(_place(citation.source, citation.date))
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
        f'aria-label="{line(_place(each.source, each.date))}"></button></li>'
        for each in sorted(known.values(), key=lambda each: each.date)
    )
    ends = "".join(f"<span>{day(date.fromordinal(each).isoformat())}</span>" for each in (days[0], days[-1]))
    line_of_days = f'<ol role="list" aria-label="Cited articles by their days">{dots}</ol>'
    return f'<div class="timeline">{line_of_days}<p>{ends}</p></div>'


def _ordinal(text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return 0


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
