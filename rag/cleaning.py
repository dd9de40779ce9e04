"""Cleaning: scraped text made readable, without a letter or digit that was not there.

Scrapers leave three kinds of dirt: characters nobody sees, page furniture around the article, and sentences broken over
blank lines where a link stood ("... said" / "Ann Lee," / "the head of ..."). All three are mended here. A break is
mended only where the words on both sides show it; where that is unsure, the paragraphs stay as they came.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

LONGEST_FURNITURE = 200
SHORTEST_PROSE = 60
WIDEST_WRAP = 120
MOST_MARKS = 8

# Terminal sequences, then what no reader sees: controls (line breaks are handled before), soft hyphens, zero-width and
# bidirectional controls, variation selectors, tags, halves of surrogate pairs, non-characters.
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]+[0-~]")
UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
# Joiners shape letters in Arabic, Indic and like scripts and bind emoji; between other letters they only hide.
SHAPED = "\u0600-\u1cff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc\u2600-\u27bf\U00010a00-\U00011fff\U0001f000-\U0001faff"
IDLE_JOINERS = re.compile(f"[\u200c\u200d]{{2,}}|(?<![{SHAPED}])[\u200c\u200d]|[\u200c\u200d](?![{SHAPED}])")

# Combining marks are no words in the sense of `re`; a run of so many signs is looked at one by one.
TOWERS = re.compile(rf"[^\w\s\x00-\x7f]{{{MOST_MARKS + 1},}}")

# Whole paragraphs that are part of the page and not of the article, wherever they stand ...
FURNITURE = (
    r"advertise?ments?",
    r"sponsored( content)?",
    r"(story|article|content) continues (below|after)( \w+){0,2}",
    r"(scroll|continue) to continue",
    r"(scroll|swipe) for more",
    r"(click to )?continue reading( below| the main story)?",
    r"read more",
    r"share this( story| article| page| post)?",
    r"listen to this (story|article)",
    r"skip to (main )?content",
    r"(hide|toggle) caption",
)
# ... and those that are so only at the end.
CLOSING_FURNITURE = (
    r"write to [^.!?]{1,80} at( \S+@\S+.*)?",
    r"(contact|reach|e-?mail) [^.!?]{1,100} (at|on|by) [^.!?]{0,30}@.*",
    r"(contact|e-?mail)( the \w+)?:? \S+@\S+",
    r"follow .{1,80} (on|at) (twitter|x|facebook|instagram|threads|bluesky|linkedin)\b.*",
    r"follow (us|.{1,80}@).*",
    r"(like|join) us on (twitter|facebook|instagram|whatsapp|telegram).*",
    r"read (more|next|also)( about .*| at .*| from .*| on .*|:.*)?",
    r"((leave|post|add|write) a|cancel) (reply|comment).*",
    r"be the first to (leave a |post a |add a )?(comment|reply).*",
    r"((no|view|show|load|\d+)( all| more)? )?comments?( \(\d+\))?",
    r"comments are (closed|off|disabled).*",
    r"your e-?mail address will not be published.*",
    r"required fields are marked.*",
    r"(you must|please) (be logged in|log in|sign in) to .*",
    r"save my name, e-?mail.*",
    r"(share|tweet|print|e-?mail|facebook|twitter|whatsapp|linkedin|pinterest)",
    r"share (this|on|via) .{1,40}",
    r"(like this|like|loading)",
    r"related",
    r"(related|recommended|popular|trending|latest|more|similar) (articles?|stories|posts?|news|topics|coverage)",
    r"(you (may|might) also (like|be interested in).*|most (read|popular))",
    r"(tags?|topics|filed under):.*",
    r"(get|sign up|subscribe)\b.{0,120}\b(newsletters?|inbox|alerts)\b.*",
    r"(sign up|subscribe|sign in|log in)( here| now| today| for free)?",
    r"click here\b.*",
    r"(©|\(c\)|copyright\b).*",
    r".{0,80}\ball rights reserved.*",
    r"this material may not be published, broadcast,.*",
    r"back to top",
    r"(previous|next)( article| story| post)?",
)
RULE = r"[\W_]{1,20}"
ANYWHERE = re.compile(rf"\W*({'|'.join(FURNITURE)})\W*", re.IGNORECASE)
AT_THE_END = re.compile(rf"\W*({'|'.join(CLOSING_FURNITURE)})\W*|{RULE}", re.IGNORECASE)

TERMINALS = ".!?…:。！？؟।"
CLOSERS = "'\"”’»)]*"
LIST_ITEM = re.compile(r"[•·▪●*–—-]\s|\(?\d{1,3}[.)]\s|\(?[A-Za-z][.)]\s|\d{1,2}:\d\d")
AMOUNT = re.compile(r"[$€£]?\d[\d,.]*(?:\s[a-z]|$)")
SUM = re.compile(r"[$€£]\d[\d,.]*")
POSSESSIVE = re.compile(r"[^\W\d_](?:[^\W\d_]|-)*['’]s")
CLINGING = re.compile(r"[,;)”]|['’](?:s|t|re|ve|ll|d)\b")
# Words a sentence cannot end with, and a headline hardly ever does.
CONNECTIVES = re.compile(
    r"a|after|an|and|as|at|because|before|between|but|by|col\.|dr\.|during|for|from|gen\.|gov\.|her|his|in|including|"
    r"into|its|like|lt\.|mr\.|mrs\.|ms\.|my|of|on|or|our|over|prof\.|rep\.|rev\.|said|says|sen\.|sgt\.|since|than|"
    r"that|the|their|to|told|toward|towards|under|until|when|where|which|while|who|whose|with|without"
)
# Words that announce a name: "... on Iranian President" / "Hassan Rouhani".
ROLES = re.compile(
    r"actor|actress|ambassador|analyst|attorney|author|candidate|captain|chair|chairman|chairwoman|chancellor|chief|"
    r"coach|colonel|commissioner|congressman|congresswoman|correspondent|counsel|deputy|dictator|director|economist|"
    r"envoy|executive|founder|general|governor|judge|justice|king|lawmaker|lawyer|leader|lieutenant|mayor|minister|"
    r"officer|official|premier|president|prince|princess|producer|professor|prosecutor|queen|reporter|representative|"
    r"secretary|senator|sheriff|singer|speaker|spokesman|spokesperson|spokeswoman|strategist|sultan|veteran|writer"
)
PARTICLES = re.compile(r"al|bin|da|de|del|den|der|di|dos|el|ibn|la|le|ten|ter|van|von|y")


def clean_text(text: str) -> str:
    """Give the text as paragraphs separated by one blank line; cleaning what is clean changes nothing."""
    paragraphs = [each for each in _paragraphs(_seen(text)) if not _is_furniture(each)]
    while paragraphs and _is_furniture(paragraphs[-1], AT_THE_END):
        paragraphs.pop()
    return "\n\n".join(_mended(paragraphs))


def clean_line(text: str) -> str:
    """Give the text as one line, for a title or a name."""
    return " ".join(_seen(text).split())


def _seen(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    text = UNSEEN.sub("", ESCAPES.sub("", text.replace("\r\n", "\n")))
    if "\u200c" in text or "\u200d" in text:
        text = IDLE_JOINERS.sub("", text)
    return _few_marks(unicodedata.normalize("NFC", _few_marks(text)))


def _few_marks(text: str) -> str:
    """Cut towers of combining marks, which no script needs and which take NFC quadratic time."""
    return TOWERS.sub(lambda tower: "".join(_lowered(tower[0])), text)


def _lowered(tower: str) -> Iterator[str]:
    height = 0
    for character in tower:
        height = height + 1 if unicodedata.combining(character) else 0
        if height <= MOST_MARKS:
            yield character


def _paragraphs(text: str) -> Iterator[str]:
    """Yield paragraphs; lines that were broken to fit a width are put together again."""
    blocks = list(_blocks(text))
    width = _wrap_width(blocks)
    for block in blocks:
        paragraph = block[0]
        for line, following in pairwise(block):
            if _is_wrapped(line, following, width):
                paragraph += " " + following
            else:
                yield paragraph
                paragraph = following
        yield paragraph


def _blocks(text: str) -> Iterator[list[str]]:
    block: list[str] = []
    for line in text.splitlines():
        if words := line.split():
            block.append(" ".join(words))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _wrap_width(blocks: list[list[str]]) -> int:
    """Find the width at which lines were broken; 0 if each line is a paragraph of its own."""
    lengths = sorted(len(line) for block in blocks if len(block) > 1 for line in block)
    width = lengths[len(lengths) * 19 // 20] if lengths else 0
    breaks = [_is_full(line, following, width) for block in blocks for line, following in pairwise(block)]
    return width if width <= WIDEST_WRAP and sum(breaks) * 2 >= len(breaks) else 0


def _is_full(line: str, following: str, width: int) -> bool:
    return len(line) + 1 + min(len(following.split(" ", 1)[0]), 20) >= width


def _is_wrapped(line: str, following: str, width: int) -> bool:
    if not width or LIST_ITEM.match(following):
        return False
    return _is_full(line, following, width) or (not is_ended(line) and _goes_on(following))


def _is_furniture(paragraph: str, patterns: re.Pattern[str] = ANYWHERE) -> bool:
    return len(paragraph) < LONGEST_FURNITURE and patterns.fullmatch(paragraph) is not None


def _mended(paragraphs: list[str]) -> Iterator[str]:
    """Yield paragraphs, those between which a sentence was broken as one.

    A run of fragments is mended only if it ends as a sentence does, and never into something that is page furniture;
    and whether a fragment belongs to the one before shows in its first words, which mending leaves as they are. So a
    second cleaning finds nothing more to do.
    """
    run: list[str] = []
    for index, paragraph in enumerate(paragraphs):
        run.append(paragraph)
        following = paragraphs[index + 1 : index + 3]
        if not following or not _is_broken(paragraph, *following):
            yield from _joined(run)
            run = []


def _joined(run: list[str]) -> list[str]:
    if len(run) == 1 or not is_ended(run[-1]):
        return run
    whole = run[0] + "".join(each if CLINGING.match(each) else " " + each for each in run[1:])
    return run if _is_furniture(whole) or _is_furniture(whole, AT_THE_END) else [whole]


def _is_broken(before: str, after: str, beyond: str = "") -> bool:
    """Tell whether a sentence runs on from one paragraph into the next."""
    if is_ended(before) or LIST_ITEM.match(before) or LIST_ITEM.match(after):
        return False
    if _goes_on(after):
        return _is_name(before) or _is_open(before)
    if _is_name(after) and (_goes_on(beyond) or _is_apposed(after, beyond)):
        return _is_open(before)
    return _is_apposed(before, after) or (AMOUNT.match(after) is not None and _is_quoting(before))


def is_ended(paragraph: str) -> bool:
    """Tell whether a paragraph ends as a sentence does."""
    return not CONNECTIVES.fullmatch(_last_word(paragraph)) and paragraph.rstrip(CLOSERS)[-1:] in TERMINALS


def _goes_on(paragraph: str) -> bool:
    """Tell whether a paragraph starts in the middle of a sentence; "iPhone" and "example.org" do not."""
    if CLINGING.match(paragraph):
        return True
    word = paragraph.split(" ", 1)[0].strip("-–—“\"‘'(.,;:!?…)”’")
    return word[:1].islower() and word.islower() and not re.search(r"[@/]|\w\.\w", word)


def _is_open(paragraph: str) -> bool:
    """Tell whether a paragraph that does not end as a sentence waits for more, as a heading does not."""
    words = [word.strip(",'’\"”s").lower() for word in (paragraph.split(" ", 1)[0], _last_word(paragraph))]
    return (
        _is_prose(paragraph)
        or paragraph.rstrip(CLOSERS).endswith(",")
        or CONNECTIVES.fullmatch(_last_word(paragraph)) is not None
        or SUM.fullmatch(_last_word(paragraph)) is not None
        or any(map(ROLES.fullmatch, words))
    )


def _is_prose(paragraph: str) -> bool:
    """Tell whether a paragraph is long and written in lower case, as sentences are and headlines are not."""
    if len(paragraph) < SHORTEST_PROSE:
        return False
    words = [word for word in paragraph[-400:].split()[1:] if len(word) > 3]
    return sum(word[0].islower() for word in words) * 2 > len(words)


def _is_name(paragraph: str) -> bool:
    """Tell whether a paragraph is a name that was cut out of a sentence: "Ann Lee," or "Ann van Dam’s"."""
    if len(paragraph) > SHORTEST_PROSE or paragraph.isupper():
        return False
    words = paragraph.removesuffix(",").split()
    if not 1 <= len(words) <= 5 or any("," in word for word in words) or not words[0][0].isupper():
        return False
    return all((word[0].isupper() and not any(map(str.isdigit, word))) or PARTICLES.fullmatch(word) for word in words)


def _is_apposed(name: str, rest: str) -> bool:
    """Tell whether "Ann Lee," is cut off from "Peru’s foreign minister, said so"."""
    owner = rest.split(" ", 1)[0]
    owned = POSSESSIVE.fullmatch(owner) is not None and not owner[:2].isupper()
    return owned and name.endswith(",") and " " in name and _is_name(name)


def _is_quoting(paragraph: str) -> bool:
    """Tell whether a quotation is opened in a paragraph and not closed."""
    return paragraph.rfind("“") > paragraph.rfind("”")


def _last_word(paragraph: str) -> str:
    return paragraph[-40:].rsplit(" ", 1)[-1].lower()
