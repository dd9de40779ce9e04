"""The frame: what stands on the page before anything is asked, as HTML."""

from __future__ import annotations

from collections.abc import Iterable

from rag.answers import Searched
from rag.talk import counted

from .markup import line, period

PANELS = {"articles": "Articles", "conversations": "Conversations", "added": "Add articles"}
FILTER_NAMES = {"outlets": "Outlet", "authors": "Author", "sections": "Section", "languages": "Language"}
FILTER_DAYS = {"since": "Published from", "until": "Published until", "as_of": "As of"}
FILTER = """<section id="filter" aria-label="Filter">
<button type="button" id="filter-open" class="pill" aria-expanded="false" aria-controls="filter-fields" hidden>Filter
</button>
<div id="filter-fields" role="group" aria-label="Filter by" hidden>{names}<div id="filter-days" hidden>{days}
<p id="filter-days-note">As of a day: answers as if read then, with nothing published later.</p></div>
<p id="filter-note" role="status"></p></div>
<ul id="filter-chosen" role="list" aria-label="Active filters"></ul></section>"""


def header(searched: Searched) -> str:
    """Give the head of the page: the name, what can be asked about, and what else there is."""
    buttons = "".join(f'<button type="button" data-panel="{name}">{label}</button>' for name, label in PANELS.items())
    anew = '<button type="button" id="anew" aria-label="New conversation" hidden>New</button>'
    told = f'<p id="held">{line(held(searched))}</p>'
    return f'<h1>Onrecord</h1>{told}<nav aria-label="Archive">{buttons}{anew}</nav>'


def held(searched: Searched) -> str:
    """Say what can be asked about: how many articles, of how many outlets, from when to when."""
    facts = [counted(searched.articles, "article")]
    if searched.outlets:
        facts.append(counted(len(searched.outlets), "outlet"))
    if searched.first_date:
        facts.append(period(searched))
    return " · ".join(facts)


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
