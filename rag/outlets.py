"""Outlets: which of the archive's publishers a question names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rag.words import STOP_WORDS

LONGEST_NAME = 8  # words

_TOKEN = re.compile(r"[^\W_]+|&")
_GAP = re.compile(r"[ \u00a0]?['’.&|/:–—-]?[ \u00a0]?")
_FAMILY = re.compile(r"\s+[-–—|:]\s+|\s*[|(]\s*|:\s+")
_DOMAIN = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}(?:/\S*)?", re.IGNORECASE)
_SECOND_LEVEL = {"co", "com", "org", "net", "gov", "ac", "edu"}
_QUOTES = "\"'“”‘’«»`"

_SOURCE = (
    "articles?|reports?|reporting|stor(?:y|ies)|pieces?|coverage|columns?|editorials?|interviews?|reviews?|pages?|"
    "posts?|essays?|headlines?|analys[ie]s|investigations?|accounts?|publications?|features?|op-eds?|blogs?"
)
_TELLING = (
    "reported|covered|published|written|described|discussed|mentioned|highlighted|noted|stated|said|claimed|suggested|"
    "detailed|featured|printed|quoted|cited|outlined|portrayed|presented|alleged|depicted|profiled|revealed|announced"
)
_SPEAKS = (
    "reports?|reported|says?|said|writes?|wrote|published?|claims?|claimed|suggests?|suggested|describes?|described|"
    "states?|stated|notes|noted|alleges?|alleged|argues?|argued|covers?|covered|mentions?|mentioned|portrays?|"
    "portrayed|attributes?|attributed|discuss(?:es|ed)?|highlights?|highlighted|depicts?|depicted|indicates?|indicated|"
    "details|detailed|quotes?|quoted|reveals?|revealed"
)
_AFTER_SOURCE = re.compile(
    rf"\b(?:according to|as per|per|via|told|(?:{_TELLING}|(?:{_SOURCE}|another|one|those|that)(?: \w+ed)?)"
    r" (?:only |first )?(?:by|in|from))(?: both| either)?(?: an?)?(?: the)? $",
    re.IGNORECASE,
)
_AFTER_PREPOSITION = re.compile(r"\b(?:by|in|from)(?: both| either)? $", re.IGNORECASE)
_AFTER_SUBJECT = re.compile(
    rf"\b(?:about|concerning|regarding|against|sue[ds]?|suing|(?:{_SOURCE}|stud(?:y|ies)) (?:\w+ed )?on)(?: the)? $",
    re.IGNORECASE,
)
_BEFORE_SOURCE = re.compile(
    rf"(?:['’]s?(?: [\w-]+){{0,2}})? (?:{_SOURCE}|magazine|newspaper|website|journalists?|reporters?|correspondents?)\b"
    rf"| (?:also |first |has |had )?(?:{_SPEAKS})\b"
)
_BETWEEN = re.compile(
    r"[\s,]*(?:(?:and|or|&|with|versus|vs\.?|while)\b)?[\s,]*(?:(?:by|from|in|the|both)\b\s*)*", re.IGNORECASE
)
_SECTIONS = {"News", "Business", "Sport", "Sports", "Online", "Magazine", "Money", "Politics", "Tech", "Radio", "TV"}
_OPENERS = STOP_WORDS | {"compare", "comparing", "contrast", "considering", "summarize", "summarise", "list", "give"}


@dataclass(frozen=True, slots=True)
class _Name:
    """A way to write some outlets: all of them are meant where it stands."""

    outlets: tuple[str, ...]
    derived: bool  # cut out of a web address: "nfl" of "nfl.com" is more often the league than the site
    article: bool  # the archive writes it with "The"


@dataclass(frozen=True, slots=True)
class _Mention:
    """A name in a question that may be an outlet, and whether the words around say that it is one."""

    outlets: tuple[str, ...]
    start: int
    end: int
    sure: bool


class OutletNames:
    """The names of an archive's outlets, made ready to be found in questions.

    A name that is a common word or a surname is taken for the outlet only where it is quoted, stands in a list of
    outlets, or the words around it speak of a source: "in Fortune", "a Guardian article", never "fortune" or "Fortune
    favours". The head of a family ("The Independent - Life and Style") stands for all of its members.
    """

    def __init__(self, outlets: Collection[str]) -> None:
        gathered: dict[str, dict[str, bool]] = {}
        articles: set[str] = set()
        for outlet in sorted(set(outlets)):
            for written, derived in _ways(outlet):
                key = _key(written)
                for form in {key, key.removeprefix("the")}:
                    members = gathered.setdefault(form, {})
                    members[outlet] = members.get(outlet, True) and derived
                    if key != form:
                        articles.add(form)
        self._names = {
            key: _Name(tuple(members), all(members.values()), key in articles)
            for key, members in gathered.items()
            if len(key) > 1
        }
        self._longest = max(map(len, self._names), default=0)

    def named_in(self, question: str) -> tuple[str, ...]:
        """Give the outlets that a question names, as the archive writes them, in the order of the question."""
        mentions = list(self._mentions(question))
        pairs = itertools.pairwise(mentions)
        listed = {mention for pair in pairs if _are_a_list(question[pair[0].end : pair[1].start]) for mention in pair}
        named = [mention.outlets for mention in mentions if mention.sure or mention in listed]
        return tuple(dict.fromkeys(outlet for outlets in named for outlet in outlets))

    def _mentions(self, question: str) -> Iterator[_Mention]:
        tokens = list(_TOKEN.finditer(question))
        place = 0
        while place < len(tokens):
            mention = next(filter(None, map(_Place(question, tokens).read, self._found(question, tokens, place))), None)
            if mention:
                yield mention
            end = mention.end if mention else 0
            place += 1
            while place < len(tokens) and tokens[place].start() < end:
                place += 1

    def _found(self, question: str, tokens: list[re.Match[str]], first: int) -> list[tuple[_Name, int, int]]:
        """Give the names that begin at a word, the longest first, each with its first word and the one after it."""
        found, key = [], ""
        for last in range(first, min(first + LONGEST_NAME, len(tokens))):
            if last > first and not _joined(question, tokens[last - 1], tokens[last]):
                break
            key += _folded(tokens[last].group())
            if len(key) > self._longest:
                break
            if name := self._names.get(key):
                found.append((name, first, last + 1))
        return found[::-1]


@dataclass(frozen=True, slots=True)
class _Place:
    """A question and its words, in which a name is looked at together with its neighbours."""

    question: str
    tokens: list[re.Match[str]]

    def read(self, found: tuple[_Name, int, int]) -> _Mention | None:
        """Give the mention, or nothing where this cannot be the outlet."""
        name, first, last = found
        start, end = self.tokens[first].start(), self.tokens[last - 1].end()
        if self._is_quoted(start, end) and self._capitals(first, last):
            return _Mention(name.outlets, start, end, sure=True)
        if _AFTER_SUBJECT.search(self._before(first)) or self._belongs_to_more(first, last):
            return None
        if self._capitals(first, last):
            return _Mention(name.outlets, start, end, self._is_sure(name, first, last))
        return _Mention(name.outlets, start, end, sure=True) if self._is_sure_in_small_letters(first, last) else None

    def _is_sure(self, name: _Name, first: int, last: int) -> bool:
        words = self._words(first, last)
        if len(words) > 1 or _is_camel(words[0]):
            return True
        if self._speaks_of_a_source(first, last):
            return True
        capital_article = self._article(first) == "The"
        if name.derived and not capital_article:
            return False
        if capital_article:
            return name.article and not self._begins_sentence(first)
        return not name.article and bool(_AFTER_PREPOSITION.search(self._before(first)))

    def _is_sure_in_small_letters(self, first: int, last: int) -> bool:
        words = self._words(first, last)
        if len(words) == 1:
            return bool(re.fullmatch(r"[b-df-hj-np-tv-z]{3,5}", words[0])) and self._speaks_of_a_source(first, last)
        return len(words) > 2 or self._is_domain(first, last) or self._speaks_of_a_source(first, last)

    def _speaks_of_a_source(self, first: int, last: int) -> bool:
        end = self.tokens[last - 1].end()
        return bool(_AFTER_SOURCE.search(self._before(first)) or _BEFORE_SOURCE.match(self.question, end))

    def _belongs_to_more(self, first: int, last: int) -> bool:
        """Say whether the name is only a part of a longer one: "Fortune 500", "Michael Bloomberg", "The Age of"."""
        single = len(self._words(first, last)) == 1
        before = self._neighbour(first - 1, first)
        if before[:1].isupper() and before != "The" and not self._opens(first - 1):
            return True
        after = self._neighbour(last, last)
        return single and (after == "of" or (after[:1].isupper() and after not in _SECTIONS) or after[:1].isdigit())

    def _neighbour(self, index: int, gap: int) -> str:
        if not 0 <= index < len(self.tokens) or not 0 < gap < len(self.tokens):
            return ""
        between = self.question[self.tokens[gap - 1].end() : self.tokens[gap].start()]
        return self.tokens[index].group() if between in {" ", "-", "\u00a0"} else ""

    def _opens(self, index: int) -> bool:
        return self._begins_sentence(index) and self.tokens[index].group().lower() in _OPENERS

    def _begins_sentence(self, index: int) -> bool:
        before = self.question[: self.tokens[index].start()].rstrip(f" {_QUOTES}(")
        return not before or before[-1] in ".?!:;\n"

    def _article(self, first: int) -> str:
        """Give "The" or "the" where the name has one, be it a part of the match or the word before."""
        own = self.tokens[first].group()
        return own if own.lower() == "the" else self._neighbour(first - 1, first)

    def _before(self, first: int) -> str:
        """Give what stands before a name and its article, without the quotation mark that opens it."""
        start = self.tokens[first].start()
        before = self.question[max(0, start - 80) : start]
        return before.rstrip(_QUOTES)

    def _is_quoted(self, start: int, end: int) -> bool:
        opened = self.question[max(0, start - 1) : start]
        return (
            opened != ""
            and opened in _QUOTES
            and re.match(rf"[,.?]?[{_QUOTES}](?!\w)", self.question[end:]) is not None
        )

    def _is_domain(self, first: int, last: int) -> bool:
        start, end = self.tokens[first].start(), self.tokens[last - 1].end()
        return _DOMAIN.fullmatch(self.question, start, end) is not None

    def _capitals(self, first: int, last: int) -> bool:
        """Say whether a name is written as one; a question all in capitals does not tell."""
        words = self._words(first, last)
        if self.question.isupper() or (len(words) == 1 and words[0].istitle() and words[0].lower() in STOP_WORDS):
            return False  # "Who said it?" does not ask for the WHO
        return all(word[0].isupper() or word[0].isdigit() or _is_camel(word) for word in words)

    def _words(self, first: int, last: int) -> list[str]:
        words = [token.group() for token in self.tokens[first:last]]
        carrying = [word for word in words if word.lower() not in {"the", "and", "of", "for", "in", "&", "s"}]
        return carrying or words


def _ways(outlet: str) -> Iterator[tuple[str, bool]]:
    """Give the ways to write an outlet's name, each with whether it is cut out of a web address."""
    yield outlet, False
    if _DOMAIN.fullmatch(outlet):
        labels = re.sub(r"^https?://|/.*", "", outlet).split(".")[:-1]
        while len(labels) > 1 and labels[-1].lower() in _SECOND_LEVEL:
            labels.pop()
        yield from ((outlet.removeprefix("www."), False), (labels[-1], True))
    elif (head := _FAMILY.split(outlet)[0]) not in {"", outlet}:
        yield head, False


def _key(written: str) -> str:
    return "".join(_folded(token.group()) for token in _TOKEN.finditer(written))


def _folded(word: str) -> str:
    return "and" if word == "&" else word.casefold()


def _joined(question: str, one: re.Match[str], other: re.Match[str]) -> bool:
    gap = question[one.end() : other.start()]
    if gap in {". ", ", ", ": "}:
        return gap == ". " and len(one.group()) < 4  # "St. Louis"
    return _GAP.fullmatch(gap) is not None


def _is_camel(word: str) -> bool:
    return re.search(r"[^\W\d_A-Z][A-Z]|[A-Z]{2}[a-z]", word) is not None


def _are_a_list(between: str) -> bool:
    return _BETWEEN.fullmatch(between.strip(_QUOTES)) is not None
