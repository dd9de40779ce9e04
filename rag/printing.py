"""Printing: answers, passages, articles and traces as a terminal shows them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag.passages import count_origins
from rag.talk import DISAGREEMENT, absence, attribution, counted, doubt, likelihood, stance, understanding

if TYPE_CHECKING:
    from rag.answers import Answer, Citation, Searched, Sentence
    from rag.articles import Article, Copy
    from rag.explaining import Explanation
    from rag.passages import ScoredPassage
    from rag.traces import Difference, Origin, Trace

WIDTH = 100
COPIES_SHOWN = 5  # a wire report may have a thousand; JSON has them all
ORIGINS_SHOWN = 10  # JSON has them all
VERDICTS = {
    "found": "It comes up",
    "folded": "It stands behind another",
    "outranked": "It does not come up",
    "filtered": "It is filtered out",
    "absent": "It is not there",
}
TRACED = {"verbatim": ", verbatim", "words": ", with other case or punctuation", "altered": ""}


def write_answer(answer: Answer, *, narrowed: bool) -> str:
    """Write an answer or a refusal with its citations; `narrowed` where a filter or a day left articles out."""
    if answer.state == "not_in_archive":
        cited = answer.nearest if answer.reason == "not_said" else ()
        absent = f"{absence(answer, narrowed=narrowed)} {_write_searched(answer.searched)}"
        parts = [_wrap(absent), _write_nearest(cited)]
    else:
        cited = answer.citations
        parts = [*map(_write_sentence, answer.sentences), _write_sides(answer), likelihood(answer)]
    understood = _wrap(understanding(answer))
    return "\n\n".join(filter(None, [understood, *parts, "\n".join(map(_write_citation, cited))]))


def _write_sentence(sentence: Sentence) -> str:
    lacks, said_by = doubt(sentence), attribution(sentence)
    numbers = [f"[{number}]" for number in sentence.citations]
    text = _wrap(" ".join([sentence.glossed, *numbers, *([f"({lacks})"] if lacks else [])]))
    return text + (f"\n    {_wrap(said_by, '    ')}" if said_by else "")


def _write_sides(answer: Answer) -> str:
    cited = {citation.number: citation for citation in answer.citations}
    sides = [(side, cited[side.citation]) for side in answer.sides if side.citation in cited]
    lines = [f"- {_write_place(each) or each.title}: {stance(side)} [{each.number}]" for side, each in sides]
    return "\n".join([f"{DISAGREEMENT}:", *(_wrap(line, "  ") for line in lines)]) if len(lines) > 1 else ""


def _write_nearest(citations: Sequence[Citation]) -> str:
    lines = [_wrap(f"- {citation.text} [{citation.number}]", "  ") for citation in citations]
    return "\n".join(["Nearest:", *lines]) if lines else ""


def _write_citation(citation: Citation) -> str:
    head = f"[{citation.number}] {_write_headline(citation)}"
    place = f"article {citation.article_id}, characters {citation.start} to {citation.end}"
    lines = [place, citation.url, *_write_copies(citation.also_in)]
    return "\n".join([_wrap(head, "    "), *(f"    {line}" for line in lines if line)])


def _write_searched(searched: Searched) -> str:
    outlets = f" from {counted(len(searched.outlets), 'outlet')}" if searched.outlets else ""
    dates = " to ".join(dict.fromkeys([searched.first_date, searched.last_date]))
    return f"Searched {counted(searched.articles, 'article')}{outlets}{f', {dates}' if dates else ''}."


def write_passages(found: Sequence[ScoredPassage]) -> str:
    """Write passages, best first, and of how many articles and origins they are."""
    if not found:
        return "Nothing found."
    articles, origins = count_origins(found)
    copies = f", {counted(origins, 'origin')}" if origins < articles else ""
    total = f"{counted(len(found), 'passage')} of {counted(articles, 'article')}{copies}."
    return "\n\n".join([*map(_write_passage, found), total])


def _write_passage(found: ScoredPassage) -> str:
    article = found.article
    place = f"score {found.score:.3f}, article {article.id}, characters {found.passage.start} to {found.passage.end}"
    lines = [_wrap(line, "   ") for line in [place, *found.why, *_write_copies(found.also_in)]]
    head = _wrap(f"{found.rank}. {_write_headline(article)}", "   ")
    return "\n".join([head, *(f"   {line}" for line in lines), textwrap.indent(_wrap(found.passage.text), "   ")])


def _write_copies(copies: Sequence[Copy]) -> Iterator[str]:
    for copy in copies[:COPIES_SHOWN]:
        yield f"also in {_write_headline(copy)}, article {copy.article_id}"
    if more := copies[COPIES_SHOWN:]:
        yield f"and {len(more):,} more"


def write_explanation(found: Explanation) -> str:
    """Write why an article came up, or did not."""
    verdict = VERDICTS[found.verdict]
    head = f"{verdict}: {found.title} (article {found.article_id})" if found.title else f"{verdict}: {found.article_id}"
    stands = [
        f"By {name} its best passage is number {standing.rank:,} of all ({standing.score:.2f})."
        for name, standing in (("meaning", found.meaning), ("words", found.words))
        if standing
    ]
    return "\n".join([_wrap(head), *(_wrap(f"- {line}", "  ") for line in [*found.reasons, *stands])])


def write_trace(found: Trace) -> str:
    """Write where an excerpt is from, or how the nearest passage differs."""
    if found.state == "not_found":
        return f"Not in the archive. {_write_searched(found.searched)}"
    if found.nearest:
        differences = "\n".join(_wrap(f"- {_write_difference(each)}", "  ") for each in found.differences)
        return "\n\n".join(["No article has it so. The nearest passage:", _write_origin(found.nearest), differences])
    articles, stories = len(found.found), len({origin.story for origin in found.found})
    of_stories = f" of {'one story' if stories == 1 else f'{stories:,} stories'}" if stories < articles else ""
    head = f"In {counted(articles, 'article')}{of_stories}{', or more' if found.more else ''}."
    more = [f"and {articles - ORIGINS_SHOWN:,} more"] if articles > ORIGINS_SHOWN else []
    return "\n\n".join([head, *map(_write_origin, found.found[:ORIGINS_SHOWN]), *more])


def _write_origin(origin: Origin) -> str:
    place = f"article {origin.article_id}, characters {origin.start} to {origin.end}"
    place += " of the title" if origin.part == "title" else ""
    again = f", and {counted(origin.times - 1, 'place')} more" if origin.times > 1 else ""
    omitted = [f"without characters {start} to {end}" for start, end in origin.omitted]
    lines = [line for line in (f"{place}{TRACED[origin.state]}{again}", *omitted, origin.url) if line]
    return "\n".join(
        [_wrap(_write_headline(origin)), *(f"    {line}" for line in lines), f"    {_wrap(origin.text, '    ')}"]
    )


def _write_difference(difference: Difference) -> str:
    place = f"characters {difference.start} to {difference.end}"
    if not difference.excerpt:
        return f"the article has “{difference.article}” ({place}), the excerpt does not"
    if not difference.article:
        return f"the excerpt has “{difference.excerpt}”, the article does not (at character {difference.start})"
    return f"the excerpt has “{difference.excerpt}”, the article “{difference.article}” ({place})"


def _write_headline(published: Article | Citation | Copy | Origin) -> str:
    where = _write_place(published)
    return published.title + (f" ({where})" if where else "")


def _write_place(published: Article | Citation | Copy | Origin) -> str:
    return ", ".join(part for part in (published.source, published.date) if part)


def write_article(article: Article) -> str:
    """Write an article as it is stored."""
    fields = {"source": article.source, "date": article.date, "authors": ", ".join(article.authors), "url": article.url}
    known = [f"{name}: {value}" for name, value in fields.items() if value]
    return "\n".join([article.title, f"id: {article.id}", *known, "", article.text])


def _wrap(text: str, indent: str = "") -> str:
    return textwrap.fill(
        " ".join(text.split()), WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
