"""Footnotes: answers as text that can be carried elsewhere, with the quoted words of every source at its foot."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from string import Template
from urllib.parse import quote

from rag.answers import Citation
from rag.talk import DISAGREEMENT, absence, attribution, doubt, likelihood, stance, understanding

from .conversations import Kept
from .markup import day, escape, joined, line, shown_citations, web_address
from .panel import GONE

QUOTED = 600  # characters of a quotation
# What Markdown gives a meaning to, also GitHub's, where addresses become links by themselves.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>()#+!|~$&^=\"'@-]")
_SAFE = "/:?#@!$&'*+,;=%~"
MADE = (
    "Made by Onrecord. The words at each number stand so, character by character, in the article that is named there."
)
_BEGINS = re.compile(r"(\d+)([.)])(?=\s|$)")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp):|\b(www)\.")


Paragraph = Sequence[str | int]  # its text, and between its pieces the numbers of its sources


def plain(kept: Kept) -> str:
    """Give an answer as plain text, each sentence with its numbers, and a note for each number."""
    written = ["".join(f"[{part}]" if isinstance(part, int) else part for part in each) for each in _paragraphs(kept)]
    notes = [note(citation) for citation in shown_citations(kept.answer)]
    return "\n\n".join([kept.answer.question, *written, *(["\n".join(notes)] if notes else [])])


def note(citation: Citation) -> str:
    """Give what stands for a source at the foot of a plain text: its number, the quoted words and where they are."""
    return f"[{citation.number}] {' · '.join([_quotation(citation), *_facts(citation)])}"


def markdown(answers: Sequence[Kept], title: str) -> str:
    """Give answers as Markdown with footnotes; what articles and readers wrote is only text in it."""
    parts = [f"# {_text(title)}"]
    for place, kept in enumerate(answers, start=1):
        parts += [f"## {_text(kept.answer.question)}"] if kept.answer.question != title else []
        parts += [*(f"*{_text(fact)}*" for fact in _told(kept))]
        parts += [_markdown_paragraph(paragraph, place) for paragraph in _paragraphs(kept)]
        parts += [_markdown_note(citation, place) for citation in shown_citations(kept.answer)]
    return "\n\n".join([*parts, MADE]) + "\n"


def page(answers: Sequence[Kept], title: str, held: Container[str]) -> str:
    """Give answers as a page of its own, without any script, with a footnote for each source.

    `held` are the ids of the cited articles that the archive still holds.
    """
    turns = "".join(
        (f"<h2>{line(kept.answer.question, 2000)}</h2>" if kept.answer.question != title else "")
        + _page_turn(kept, place, held)
        for place, kept in enumerate(answers, start=1)
    )
    template = Template((files(__package__) / "answers.html").read_text(encoding="utf-8"))
    return template.substitute(title=line(title), turns=turns, made=escape(MADE))


def _told(kept: Kept) -> list[str]:
    asked = datetime.fromtimestamp(kept.asked, UTC).date().isoformat()
    return list(filter(None, [understanding(kept.answer), kept.within, f"Asked on {day(asked)}"]))


def _paragraphs(kept: Kept) -> Iterator[Paragraph]:
    answer = kept.answer
    for sentence in answer.sentences:
        facts = " · ".join(filter(None, [doubt(sentence), attribution(sentence)]))
        yield [f"{joined(sentence.glossed)} ", *sentence.citations, f" ({joined(facts)})" if facts else ""]
    if len(answer.sides) > 1:
        sides = [part for side in answer.sides for part in (f" {joined(stance(side))} ", side.citation, ";")]
        yield [f"{DISAGREEMENT}:", *sides[:-1]]
    if answer.state == "not_in_archive":
        yield [absence(answer, narrowed=bool(kept.within))]
        for each in shown_citations(answer):
            yield [f"Nearest: {joined(each.text)} ", each.number]
    for text in filter(None, (likelihood(answer), joined(answer.notice))):
        yield [text]


def _quotation(citation: Citation) -> str:
    words = joined(citation.text)
    return f"“{words if len(words) <= QUOTED else words[: QUOTED - 1] + '…'}”"


def _facts(citation: Citation) -> list[str]:
    place = f"article {citation.article_id}, characters {citation.start} to {citation.end}"
    facts = [citation.title, citation.source, day(citation.date), web_address(citation.url), place]
    return [joined(fact) for fact in facts if fact]


# Markdown


def _text(text: str) -> str:
    """Give one line of Markdown that shows exactly this text."""
    shown = _MARKUP.sub(lambda match: f"&#{ord(match[0])};", joined(text))
    shown = _ADDRESS.sub(lambda match: f"{match[1]}&#58;" if match[1] else f"{match[2]}&#46;", shown)
    return _BEGINS.sub(lambda match: f"{match[1]}&#{ord(match[2])};", shown)


def _markdown_paragraph(paragraph: Paragraph, place: int) -> str:
    return " ".join(f"[^{place}-{part}]" if isinstance(part, int) else _text(part) for part in paragraph).strip()


def _markdown_note(citation: Citation, place: int) -> str:
    address = web_address(citation.url)
    facts = [fact for fact in _facts(citation) if fact != address]
    link = [f"<{quote(address, safe=_SAFE)}>"] if address else []
    return f"[^{place}-{citation.number}]: {' · '.join([_text(_quotation(citation)), *map(_text, facts), *link])}"


# A page of its own


def _page_turn(kept: Kept, place: int, held: Container[str]) -> str:
    told = "".join(f'<p class="told">{line(fact, 1000)}</p>' for fact in _told(kept))
    body = "".join(f"<p>{_page_paragraph(paragraph, place)}</p>" for paragraph in _paragraphs(kept))
    notes = "".join(_page_note(citation, place, held) for citation in shown_citations(kept.answer))
    listed = f'<ol class="notes">{notes}</ol>' if notes else ""
    return f"{told}{body}{listed}"


def _page_paragraph(paragraph: Paragraph, place: int) -> str:
    return "".join(
        f'<sup><a href="#note-{place}-{part}">{part}</a></sup>' if isinstance(part, int) else escape(part)
        for part in paragraph
    )


def _page_note(citation: Citation, place: int, held: Container[str]) -> str:
    address = web_address(citation.url)
    title = line(citation.title or "Untitled")
    link = f'<a href="{escape(address)}" rel="noopener noreferrer nofollow">{title}</a>' if address else title
    facts = " · ".join([link, *(line(fact) for fact in (citation.source, day(citation.date)) if fact)])
    gone = "" if citation.article_id in held else f"<br><em>{GONE}</em>"
    where = f"article {line(citation.article_id)}, characters {citation.start:d} to {citation.end:d}"
    return (
        f'<li id="note-{place}-{citation.number:d}" value="{citation.number:d}">'
        f"<blockquote>{escape(citation.text)}</blockquote><p>{facts}<br><small>{where}</small>{gone}</p></li>"
    )
