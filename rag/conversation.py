"""Conversation: what a question leans on of what was said before it, and its form that stands alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.contexts import Context
from rag.prompting import Prompt, draw_mark, render
from rag.questions import Question, read_question
from rag.words import matches, subject_words

if TYPE_CHECKING:
    from rag.filters import Day, Filters
    from rag.passages import ScoredPassage
    from rag.retrieval import Retriever

TURNS_READ = 6
QUESTION_READ, ANSWER_READ = 300, 600  # characters
MOST_CARRIED = 8
LONGEST_STANDALONE = 300
SHORT = 2  # words of its subject: such a question leans, unless it names somebody or something
# How much a carried word counts beside one of the question. Chosen on half of the conversations of MTRAG and on pairs
# of news questions, of one article and of two; doubling or halving them changes little.
NEWEST_WEIGHT, ANSWER_WEIGHT, OLDER_WEIGHT = 0.25, 0.15, 0.1
STANDALONE_WEIGHT = 0.5  # of the words that a language model adds; a person's rewrites did best so, above their own

_DATE = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
)
_CALENDAR = re.compile(_DATE, re.IGNORECASE)
_SPAN = (
    r"(?! (?:time|morning|afternoon|evening|night|day|week|weekend|month|season|spring|summer|autumn|fall|winter|year|"
    rf"decade|century|{_DATE})\b)"
)
_OPENS = re.compile(r"\W*(?:and|but|or|so|then|also|what about|how about|what if|how come)\b", re.IGNORECASE)
_POINTS = re.compile(
    rf"\b(?:this{_SPAN}|these{_SPAN}|those(?! (?:who|of|in)\b){_SPAN}|that(?=\W*$)|"
    r"(?:is|was|are|were|did|does|do|would|will|could|can|has|had|of|for|to|with|about|on|in|at|by|after|before|since|"
    r"from|like|than|over|into|against|during|without|not|why|how|when|where|who|what|and|but|so|or) that|"
    r"(?<!is )(?<!are )(?<!was )(?<!were )(?<!be )(?<!been )there(?! (?:is|are|was|were|has|have|will|be)\b)|"
    r"(?:since|by|until|back) then|then(?=\W*$)|here(?=\W*$)|else|instead|"
    r"the (?:same|others?|former|latter)|(?:which|what|other|that|this|first|last|next|second) ones?)\b",
    re.IGNORECASE,
)
_OWNS = re.compile(r"\b(?:his|hers?|its|theirs?)\b", re.IGNORECASE)
# In "Is it true that", "How long does it take to", the word stands for nothing.
_STANDS_FOR = re.compile(
    r"\b(?:he|him|himself|she|her|herself|they|them|themselves|itself|"
    r"it(?! (?:\w+ ){0,2}(?:to|that|if|whether|when|for)\b))\b",
    re.IGNORECASE,
)
# Beside the words that carry no subject of a question, those that carry none from it into the next.
_EMPTY = frozenset(
    """explain heard info information know like mean ok okay please really since sorry sure thank thanks think
    understand want wrong yes""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked before, and what was answered; the answer may be left out."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """A question as it is understood after what was said.

    `text` is its form that stands alone, for a reader to see; `context` is what is searched for beside the question as
    it was asked, None where that stands alone.
    """

    text: str
    context: Context | None = None


def search(
    retriever: Retriever,
    question: str,
    history: Sequence[Turn] = (),
    *,
    k: int = 10,
    filters: Filters | None = None,
    as_of: Day = None,
    explain: bool = False,
) -> list[ScoredPassage]:
    """Give the at most `k` best passages for a question as it is understood after what was said, best first.

    Raises `QuestionError` and `FilterError`.
    """
    context = understand(read_question(question), history).context
    return retriever.retrieve(question, k=k, filters=filters, as_of=as_of, explain=explain, context=context)


def understand(question: Question, history: Sequence[Turn] = (), standalone: str = "") -> Understood:
    """Say what a question means after what was said; one that leans on nothing stands alone, whatever was said.

    Of the `history`, oldest first, the last turns are read, and so much of each. `standalone` is a language model's
    form of the question, which takes the place of what is carried over by rule where it adds something.
    """
    added = [phrase for phrase in _phrases(standalone) if not _stems(phrase) <= _stems(question.text)]
    if added:
        words = tuple((phrase, STANDALONE_WEIGHT) for phrase in added)
        return Understood(standalone, Context(standalone, words))
    turns = _read(history) if leans(question.text) else []
    carried = _carried(question, _topic(turns)) if turns else ()
    if not carried:
        return Understood(question.text)
    text = f"{question.text} ({', '.join(phrase for phrase, _ in carried)})"
    return Understood(text, Context(text, carried))


def leans(question: str) -> bool:
    """Say whether a question can hardly be understood without what was said before it.

    It opens like a remark ("And in 2018?"), points back ("When was that?"), has a pronoun for what it does not name, or
    hardly any subject ("Why?").
    """
    subject = subject_words(question)
    if _OPENS.match(question) or _POINTS.search(question):
        return True
    if (owner := _OWNS.search(question)) and not any(word.start < owner.start() for word in subject):
        return True
    names = [word for word in subject if word.capital and word.start > 0]
    if (pronoun := _STANDS_FOR.search(question)) and not any(name.start < pronoun.start() for name in names):
        return True
    return len(subject) <= SHORT and not names


def write_standalone_prompt(question: Question, history: Sequence[Turn]) -> Prompt:
    """Ask a language model for the form of a question that stands alone, after as much as is read of what was said."""
    said = [line for turn in _read(history) for line in (f"Asked: {turn.question}", f"Answered: {turn.answer}")]
    mark = draw_mark([question.text, *said])
    values = {"mark": mark, "history": "\n".join(said), "question": question.text}
    return render("standalone.md", values)


def read_standalone(text: str, question: Question, history: Sequence[Turn]) -> str:
    """Give a language model's form of a question, or nothing where it cannot be one.

    It is one line of at most `LONGEST_STANDALONE` characters, and shares words with what was said; a name or a number
    in it that nobody said is made up.
    """
    line = text.strip()
    if len(line) > LONGEST_STANDALONE or not line.isprintable():
        return ""
    said = [question.text, *(part for turn in _read(history) for part in (turn.question, turn.answer))]
    known, subject = frozenset().union(*map(_stems, said)), subject_words(line)
    invented = [word for word in subject if word.capital and not matches(word.stem, known)]
    return "" if invented or known.isdisjoint(word.stem for word in subject) else line


def _read(history: Sequence[Turn]) -> list[Turn]:
    turns = (
        Turn(_clean(turn.question, QUESTION_READ), _clean(turn.answer, ANSWER_READ)) for turn in history[-TURNS_READ:]
    )
    return [turn for turn in turns if turn.question]


def _clean(text: str, most: int) -> str:
    printable = (character if character.isprintable() else " " for character in text[:most])
    return " ".join("".join(printable).split())


def _topic(turns: Sequence[Turn]) -> list[Turn]:
    """Give the last turns back to the one that began their subject: it leans on nothing and shares no word."""
    topic: list[Turn] = []
    known: frozenset[str] = frozenset()
    for turn in turns:
        if not leans(turn.question) and known.isdisjoint(_stems(turn.question)):
            topic, known = [], frozenset()
        topic.append(turn)
        known |= _stems(turn.question) | _stems(turn.answer)
    return topic


def _carried(question: Question, topic: Sequence[Turn]) -> tuple[tuple[str, float], ...]:
    """Give the words that a question lacks, with their weights: those that were asked last come first."""
    known = _stems(question.text)
    carried: list[tuple[str, float]] = []
    for phrase, weight in _offered(topic):
        if known.isdisjoint(_stems(phrase)):  # of "Dag Merrow" and "Merrow" the one that was asked stays
            known |= _stems(phrase)
            carried.append((phrase, weight))
    return tuple(carried[:MOST_CARRIED])


def _offered(topic: Sequence[Turn]) -> Iterator[tuple[str, float]]:
    """Yield what was asked, and the names in what was answered."""
    *older, newest = topic
    yield from ((phrase, NEWEST_WEIGHT) for phrase in _phrases(newest.question))
    yield from ((phrase, ANSWER_WEIGHT) for phrase in _phrases(newest.answer) if _is_named(phrase))
    older.reverse()
    yield from ((phrase, OLDER_WEIGHT) for turn in older for phrase in _phrases(turn.question))
    yield from ((phrase, OLDER_WEIGHT) for turn in older for phrase in _phrases(turn.answer) if _is_named(phrase))


def _phrases(text: str) -> list[str]:
    """Give the words of a text that carry its subject, in order, those of a name together."""
    spans: list[tuple[int, int]] = []
    for word in (word for word in subject_words(text) if word.text.lower() not in _EMPTY):
        start, end = word.start, word.start + len(word.text)
        if spans and word.capital and text[spans[-1][0]].isupper() and text[spans[-1][1] : start] == " ":
            spans[-1] = spans[-1][0], end
        else:
            spans.append((start, end))
    return [text[start:end] for start, end in spans]


def _is_named(phrase: str) -> bool:
    return phrase[0].isupper() and not _CALENDAR.match(phrase)


@lru_cache(maxsize=100)
def _stems(text: str) -> frozenset[str]:
    return frozenset(word.stem for word in subject_words(text))
