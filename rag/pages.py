"""Pages: the article of an HTML page, as a record; what a reader of the page could not see is left out."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from rag.cleaning import clean_line, is_ended
from rag.dates import iso_day
from rag.decoding import decode
from rag.records import LONGEST_LINE, Unreadable

# libxml2 silently drops what lies deeper than 256 elements; no real page comes near.
DEEPEST = 250
MOST_ELEMENTS = 50_000
# Both libraries that take a page apart need cubic time for the attributes of one element.
MOST_ATTRIBUTES = 250
SHORTEST_HEADLINE = 3
SHORTEST_LIST = 250  # a page with less than this and without a sentence holds a menu

DECLARED = re.compile(
    rb"(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE
)
QUOTED = re.compile(r"=\s*(?:\"[^\"]*\"|'[^']*')")
TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|textarea)\b.*?(?:</\1|\Z)"
    r"|<[a-z](?:[^>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')?+)*+",
    re.IGNORECASE | re.DOTALL,
)
HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*(?:\.0+)?%?\s*(?:;|!|$)"
    r"|font-size\s*:\s*0*(?:\.0+)?\s*(?:px|pt|r?em|%)?\s*(?:;|!|$)|(?:left|top|text-indent)\s*:\s*-\d{4,}",
    re.IGNORECASE,
)
NEVER_SHOWN = ("script", "style", "template", "noscript", "iframe")
UNSEEN = "".join(f" or self::{name}" for name in NEVER_SHOWN)
COLOUR = re.compile(r"(?:^|;)\s*(color|background|background-color)\s*:\s*([^;!]*)", re.IGNORECASE)
NO_COLOUR = {"", "inherit", "initial", "unset", "revert"}
# The elements of a line; around all others stands a space or more.
INLINE = re.compile("a|abbr|b|bdi|bdo|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strong|su[bp]|u")
TITLE_TAIL = re.compile(r"\s+(?:[|·•–—-]|::|»)\s+(?=\S)")
PUBLISHED = re.compile(
    r"(?:(?:article|og):)?published_time|(?:dc\.|dcterms\.)?date|datepublished|pubdate", re.IGNORECASE
)
SECTION = re.compile(r"article:section|articlesection", re.IGNORECASE)
NO_AUTHOR = re.compile(
    r"https?|www\b.*|.*\bcom|sponsored|[A-Z]{1,4}|.*\bstaff(?: \w+)?|(?:the )?(?:author|editors?|admin)", re.IGNORECASE
)


def page_record(data: bytes) -> dict[str, Any]:
    """Give the record of an HTML page; Unreadable if the page is no text or cannot be taken apart."""
    declared = DECLARED.search(data[:4096])
    tree = _tree(decode(data, declared[1].decode("ascii") if declared else ""))
    _drop_unseen(tree)
    document = _extracted(tree)
    if document is None or not (document.text or "").strip():
        raise Unreadable("no article text found", "skipped")
    if len(document.text) < SHORTEST_LIST and not any(map(is_ended, document.text.splitlines())):
        raise Unreadable("no article text found", "skipped")
    outlet = document.sitename or document.hostname or ""
    title = _headline(tree) or _without_outlet(clean_line(document.title or ""), outlet, document.hostname or "")
    return {
        "title": title,
        "text": _without_title(document.text, title),
        "source": outlet,
        "date": _date(tree, document.date or ""),
        "url": document.url,
        "authors": _authors(document.author or "", outlet),
        "section": _section(tree, document.categories or ()),
        "language": tree.get("lang") or tree.get("xml:lang") or "",
    }


def visible_text(source: str) -> str:
    """Give the text of a piece of HTML without its tags, scripts and hidden parts."""
    tree = _tree(f"<html><body><div>{source}</div></body></html>")
    _drop_unseen(tree)
    for element in tree.iter():
        if not INLINE.fullmatch(element.tag):
            element.text, element.tail = f"\n{element.text or ''}", f"\n{element.tail or ''}"
    return str(tree.text_content()).strip()


def _tree(source: str) -> Any:
    from lxml import etree, html  # type: ignore[import-untyped]

    _refuse_crowds(source)
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    try:
        tree = html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise Unreadable("no article text found", "skipped") from error
    _refuse_monsters(tree)
    return tree


def _refuse_crowds(source: str) -> None:
    for tag in TAG.finditer(source):
        if tag[0][1] != "!" and not tag[1] and tag.end() - tag.start() > 2 * MOST_ATTRIBUTES:
            attributes = QUOTED.sub("= ", tag[0]).replace("/", " ").split()
            if len(attributes) > MOST_ATTRIBUTES:
                raise Unreadable(f"HTML with more than {MOST_ATTRIBUTES:,} attributes in one tag")


def _refuse_monsters(tree: Any) -> None:
    from lxml import etree

    depth = count = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += 1
        if depth > DEEPEST:
            raise Unreadable(f"HTML nested more than {DEEPEST} elements deep")
    if count > 2 * MOST_ELEMENTS:
        raise Unreadable(f"HTML of more than {MOST_ELEMENTS:,} elements")


def _drop_unseen(tree: Any) -> None:
    for element in tree.xpath(f"//*[@hidden or @aria-hidden or @style{UNSEEN}]"):
        if _is_unseen(element) and element.getparent() is not None:
            element.drop_tree()


def _is_unseen(element: Any) -> bool:
    """Tell whether an element's own markup hides it; a whole page may be hidden until its scripts have run."""
    if element.tag in {"html", "head", "body"}:
        return False
    if element.tag in NEVER_SHOWN:
        return "ld+json" not in element.get("type", "")
    hidden = "hidden" in element.attrib or element.get("aria-hidden", "").lower() == "true"
    return hidden or _is_hiding(element.get("style", ""))


def _is_hiding(style: str) -> bool:
    colours = {name.lower(): colour.strip().lower() for name, colour in COLOUR.findall(style)}
    ink = colours.pop("color", "")
    return HIDING_STYLE.search(style) is not None or (ink not in NO_COLOUR and ink in colours.values())


def _extracted(tree: Any) -> Any:
    extractor = _trafilatura()
    try:
        return extractor.bare_extraction(tree, with_metadata=True, include_comments=False, **EXTRACTION)
    except Exception as error:  # a page is written by a stranger; whatever it breaks, the next one is read
        raise Unreadable(f"HTML that cannot be taken apart ({type(error).__name__})") from error


EXTRACTION: dict[str, bool] = {"fast": True}


@cache
def _trafilatura() -> ModuleType:
    import trafilatura

    # Its remarks on single pages ("discarding data") would otherwise be printed by Python's handler of last resort.
    for name in ("trafilatura", "htmldate", "courlan", "charset_normalizer"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    return trafilatura


def _date(tree: Any, found: str) -> str:
    """Give the date that was found, unless the page says its day in a way that is none for certain."""
    metas = [meta for meta in tree.iter("meta") if PUBLISHED.fullmatch(_name(meta))]
    days = [meta.get("content", "") for meta in metas]
    return found if not any(map(str.strip, days)) or any(map(iso_day, days)) else ""


def _section(tree: Any, found: Iterable[object]) -> str:
    """Give the section that a page says it stands in, or else the first of the categories that were found."""
    said = [meta.get("content", "") for meta in tree.iter("meta") if SECTION.fullmatch(_name(meta))]
    sections = (clean_line(section) for section in (*said, *found) if isinstance(section, str))
    return next(filter(None, sections), "")


def _name(meta: Any) -> str:
    return str(meta.get("property") or meta.get("name") or meta.get("itemprop") or "")


def _headline(tree: Any) -> str:
    """Give the one main heading of a page; the metadata may be worded for search engines."""
    headings = [clean_line(heading.text_content()) for heading in tree.iter("h1")]
    return headings[0] if len(headings) == 1 and len(headings[0].split()) >= SHORTEST_HEADLINE else ""


def _without_outlet(title: str, outlet: str, host: str) -> str:
    """Cut " | CNN" off a title where the page is known to be CNN's."""
    known = {_letters(outlet), _letters(host), _letters(host.partition(".")[0])} - {""}
    while tails := list(TITLE_TAIL.finditer(title)):
        tail = _letters(title[tails[-1].end() :])
        if len(tail) < 2 or not any(tail in name or name in tail for name in known):
            break
        title = title[: tails[-1].start()]
    return title


def _without_title(text: str, title: str) -> str:
    """Part the paragraphs, which come one a line, and leave out the first if it is the title again."""
    lines = [line.strip(" |") for line in text.split("\n")]
    if len(lines) > 1 and len(title) <= LONGEST_LINE and _letters(lines[0]) == _letters(title):
        del lines[0]
    return "\n\n".join(lines)


def _authors(written: str, outlet: str) -> list[str]:
    names: dict[str, str] = {}
    for name in map(clean_line, written.split(";")):
        if name and _letters(name) != _letters(outlet) and not NO_AUTHOR.fullmatch(name):
            names.setdefault(_letters(name), name)
    return list(names.values())


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, urlsplit(text).path.casefold() if "://" in text else text.casefold()))
