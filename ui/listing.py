"""Listing: what the archive holds, the conversations and what a reader brought in, as HTML for the panel.

As in `markup`, all that comes from an article, a file or a reader is escaped where it is put between our tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rag.articles import Copy
from rag.filings import Holdings
from rag.reading import READABLE
from rag.talk import counted

from .conversations import Addition, Conversation
from .limits import Limits
from .markup import day, escape, line, month

MOST_OUTLETS = 12
PASTED = " (pasted).jsonl"  # what the page's script adds to the headline of pasted text
FIND = """<form class="find" data-list="{kind}" role="search"><label for="find">{label}</label>
<input id="find" name="query" type="search" maxlength="300" autocomplete="off">{more}</form>
<div class="listed" aria-live="polite"></div>"""
DAYS = """<span class="days"><label>From <input name="since" type="date"></label>
<label>Until <input name="until" type="date"></label></span>"""
FIND_ARTICLES = FIND.format(kind="articles", label="Find articles by words, names or headlines", more=DAYS)
CONVERSATIONS = "<section><h2>Conversations</h2></section>" + FIND.format(
    kind="conversations", label="Search in what was asked and answered", more=""
)


def archive(holdings: Holdings) -> str:
    """Give what is in the archive, a search, and the place for a list of its articles."""
    facts = [counted(holdings.articles, "article"), counted(len(holdings.outlets), "outlet")]
    last = f"<p>Last brought in step with its folders on {_moment(holdings.synchronised)}.</p>"
    synchronised = last if holdings.synchronised else ""
    told = f"<h2>Articles</h2><p>{' · '.join(facts)}</p>{synchronised}"
    return f"<section>{told}{_months(holdings.months)}{_outlets(holdings.outlets)}</section>{FIND_ARTICLES}"


def articles(found: Sequence[Copy], *, skip: int = 0, more: bool = False, pick: bool = False) -> str:
    """Give a list of articles, each to be opened, or picked; `more` says that others follow after `skip` and these."""
    if not found:
        return '<p class="empty">No article was found. Try fewer words, or take a filter away.</p>'
    act = "pick" if pick else "read"
    items = "".join(
        f'<li><button type="button" data-{act}="{escape(each.article_id)}"><b>{line(each.title or "Untitled")}</b>'
        f"<small>{' · '.join(line(fact) for fact in (each.source, day(each.date)) if fact)}</small></button></li>"
        for each in found
    )
    further = (
        f'<button type="button" class="pill" data-more="{skip + len(found)}">More articles</button>' if more else ""
    )
    return f'<ul class="list" role="list">{items}</ul>{further}'


def conversations(found: Sequence[Conversation], query: str = "") -> str:
    """Give the list of a reader's conversations, each to be opened, renamed, exported or deleted."""
    nothing = "None of your conversations says this." if query else "What you ask is kept here, for you alone."
    items = "".join(map(_conversation, found))
    return f'<ul class="list" role="list">{items}</ul>' if found else f'<p class="empty">{nothing}</p>'


def added(found: Sequence[Addition], limits: Limits) -> str:
    """Give the form by which a reader brings articles in, and what they brought in so far."""
    items = "".join(
        f"<li><span><b>{line(each.name.replace(PASTED, ''))}</b>"
        f"<small>{counted(each.articles, 'article')} · {_day(each.brought)}</small></span>"
        f'<span class="does"><button type="button" data-take="{escape(each.id)}">Remove</button></span></li>'
        for each in found
    )
    listed = f'<h3>Brought in by you</h3><ul class="list" role="list">{items}</ul>' if found else ""
    told = (
        f"Files of {', '.join(READABLE)}: at most {limits.files} at once, each of {limits.megabytes}, "
        f"{limits.articles} articles and {limits.seconds:.0f} seconds of work. They answer at once, for everybody who "
        "uses this archive."
    )
    field = f'<input type="file" multiple accept="{",".join(READABLE)}" data-most="{limits.files}"'
    chosen = f'{field} data-largest="{limits.largest}">'
    return FORM.format(told=told, chosen=chosen) + listed


def _months(months: Sequence[tuple[str, int]]) -> str:
    """Give a bar for each month from the first to the last, or for each year where those are too many."""
    spans = months if len(_filled(months)) <= 60 else _years(months)
    if len(spans) < 2:
        return ""
    filled = _filled(spans)
    most = max(count for _, count in filled)
    bars = "".join(
        f'<i style="--share:{count / most:.3f}" title="{_span(name)}: {counted(count, "article")}"></i>'
        for name, count in filled
    )
    ends = f"<span>{_span(filled[0][0])}</span><span>{_span(filled[-1][0])}</span>"
    told = f"Articles by time, from {_span(filled[0][0])} to {_span(filled[-1][0])}; at most {most:,}"
    drawn = f'<div role="img" aria-label="{told}">{bars}</div>'
    return f'<figure class="months">{drawn}<figcaption>{ends}</figcaption></figure>'


def _filled(spans: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Put in the months, or years, in which there was nothing."""
    if not spans:
        return []
    counts = dict(spans)
    first, last = (_number(name) for name in (spans[0][0], spans[-1][0]))
    yearly = len(spans[0][0]) == 4
    names = (f"{at:04d}" if yearly else f"{at // 12:04d}-{at % 12 + 1:02d}" for at in range(first, last + 1))
    return [(name, counts.get(name, 0)) for name in names]


def _number(name: str) -> int:
    return int(name) if len(name) == 4 else int(name[:4]) * 12 + int(name[5:]) - 1


def _years(months: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    years: dict[str, int] = {}
    for name, count in months:
        years[name[:4]] = years.get(name[:4], 0) + count
    return list(years.items())


def _span(name: str) -> str:
    return name if len(name) == 4 else month(f"{name}-01")


def _outlets(outlets: Sequence[tuple[str, int]]) -> str:
    items = "".join(
        f'<li><button type="button" class="pill" data-outlet="{escape(name)}"><bdi>{line(name, 80)}</bdi>'
        f"&nbsp;{count:,}</button></li>"
        for name, count in outlets[:MOST_OUTLETS]
    )
    rest = len(outlets) - MOST_OUTLETS
    more = f"<li>and {counted(rest, 'other')}</li>" if rest > 0 else ""
    return f'<ul class="outlets" role="list" aria-label="Outlets">{items}{more}</ul>' if items else ""


def _conversation(found: Conversation) -> str:
    name = escape(found.id)
    return (
        f'<li data-conversation="{name}"><button type="button" data-open="{name}"><b>{line(found.title)}</b>'
        f"<small>{counted(found.answers, 'answer')} · {_day(found.changed)}</small></button>"
        f'<span class="does"><button type="button" data-rename="{name}">Rename</button>'
        f'<a href="/conversations/{name}.md" download>Markdown</a>'
        f'<a href="/conversations/{name}.html" download>HTML</a>'
        f'<button type="button" data-delete="{name}">Delete</button></span></li>'
    )


def _day(seconds: float) -> str:
    return day(datetime.fromtimestamp(seconds, UTC).date().isoformat())


def _moment(noted: str) -> str:
    return f"{day(escape(noted[:10]))}, {escape(noted[11:16])}"


FORM = """<section><h2>Add articles</h2><p>{told}</p></section>
<form id="bring-files"><label class="drop">Choose files, or drop them here {chosen}</label></form>
<details><summary>Paste an article</summary><form id="bring-text">
<label>Headline<input name="title" maxlength="300" autocomplete="off"></label>
<label>Outlet<input name="source" maxlength="300" autocomplete="off"></label>
<label>Day<input name="date" type="date"></label>
<label>Text<textarea name="text" rows="8" required></textarea></label>
<button type="submit" class="primary">Add this article</button></form></details>
<p id="bring-progress" role="status" hidden><progress></progress> <span></span></p>
<ul id="bring-report" class="list" aria-live="polite" aria-label="What became of each file"></ul>"""
