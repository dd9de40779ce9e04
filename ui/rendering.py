"""Rendering: a question and its answer as HTML in which nothing but our own markup is live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.answers import Answer, Citation, Sentence
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

from .markup import escape, joined, line, number_button, one_line, period, place_of, shown_citations

ANSWER, GLOSS = "answer", "gloss"
LONGEST_KEPT = 30  # characters; a longer word may need to be broken itself
VERBATIM, GROUNDED = "Word for word", "Grounded"
ASK_ON = """<span class="last-only"><button type="button" data-act="again">Ask again</button>
<button type="button" data-act="edit">Edit question</button></span>"""
ACTIONS = f"""<div class="actions"><button type="button" data-act="copy">Copy with sources</button>
<a href="{{address}}" target="_blank" rel="noopener">Link</a><a href="{{address}}.md" download>Markdown</a>{ASK_ON}
<span class="verdict">Is this right? <button type="button" data-act="right" aria-pressed="false">Yes</button>
<button type="button" data-act="wrong" aria-pressed="false">No</button></span></div>"""


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
    numbers = "".join(map(number_button, citations))
    kept = ' class="last"' if sum(len(piece.text) for piece in last) < LONGEST_KEPT else ""
    state = [_state(sentence, citations)] if judged else []
    places = dict.fromkeys(place_of(citation.source, citation.date) for citation in citations)
    copies = {copy.article_id for citation in citations for copy in citation.also_in}
    also = f"also in {counted(len(copies), 'other')}" if copies else ""
    facts = (attribution(sentence), *places, also)
    told = " · ".join([*state, *(f"<bdi>{line(fact)}</bdi>" for fact in facts if fact)])
    by = f"<small>{told}</small>" if told else ""
    return f'<p class="sentence">{_write(words)}<span{kept}>{_write(last)}{numbers}</span>{by}</p>'


def _state(sentence: Sentence, citations: Sequence[Citation]) -> str:
    """Say how a sentence stands to what it cites; those that it cites may be gone."""
    support, told = (sentence.support, doubt(sentence)) if citations else ("unsupported", NO_SOURCE)
    verbatim = any(joined(sentence.text) in joined(citation.text) for citation in citations)
    known = told[:1].upper() + told[1:] if told else VERBATIM if verbatim else GROUNDED
    return f'<span class="state {support}">{known}</span>'


def _pieces(sentence: Sentence) -> Iterator[_Piece]:
    """Cut a sentence at the edges of its marks and where its glosses belong, and put these there."""
    marks, glosses, start = sentence.marks, sentence.glosses, 0
    edges = {len(sentence.text), *(edge for span in marks for edge in span), *(gloss.at for gloss in glosses)}
    for end in sorted(edges):
        answers = any(first <= start and end <= last for first, last in marks)
        yield _Piece(sentence.text[start:end], ANSWER if answers else "")
        yield from (_Piece(f" [{one_line(gloss.text)}]", GLOSS) for gloss in glosses if gloss.at == end)
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
        f"<li><small>{line(place_of(citation.source, citation.date) or citation.title)}</small>"
        f"<span>{line(stance(side))}{number_button(citation)}</span></li>"
        for side, citation in sides
    )
    return f'<section class="sides"><h3>{DISAGREEMENT}</h3><ul>{items}</ul></section>'


def _absent(answer: Answer, whole: int) -> str:
    searched = answer.searched
    outlets = f" from {counted(len(searched.outlets), 'outlet')}" if searched.outlets else ""
    months = f", {period(searched)}" if searched.first_date else ""
    some = f"{searched.articles:,} of " if whole else ""
    looked = f"Searched {some}{counted(whole or searched.articles, 'article')}{outlets}{months}."
    if whole and not searched.articles:
        looked = f"The archive holds {counted(whole, 'article')}."
    told = f"<p>{absence(answer, narrowed=bool(whole))}</p>"
    return f'<div class="absent">{told}{_nearest(shown_citations(answer))}<small>{line(looked)}</small></div>'


def _nearest(citations: Sequence[Citation]) -> str:
    items = "".join(
        f"<li>{line(citation.text)}{number_button(citation)}"
        f"<small>{line(place_of(citation.source, citation.date))}</small></li>"
        for citation in citations
    )
    return f"<h3>Nearest</h3><ul>{items}</ul>" if items else ""
