"""Markdown: an article with an optional YAML header, as a record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rag.cleaning import clean_line
from rag.records import LONGEST_LINE, Unreadable

if TYPE_CHECKING:
    from markdown_it.token import Token

LONGEST_HEADER = 64 * 1024
LONGEST_VEIL = 4000
DEEPEST = 30
FIELDS = ("id", "title", "source", "date", "url", "authors", "author", "section", "language", "lang")
NOTHING = ("null", "Null", "NULL", "~")  # how YAML writes it

OPENING = re.compile(r"\s*---[ \t]*\n")
CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$\n?", re.MULTILINE)
HEADER_LINE = re.compile(r"(?:[\w-]+[ \t]*:(?:[ \t].*)?|[ \t]*#.*|[ \t]+\S.*|-[ \t].*)(?:\n|$)")
FIELD_LINE = re.compile(rf"^({'|'.join(FIELDS)})[ \t]*:[ \t]+([^\s\[{{&*!].*)$", re.MULTILINE | re.IGNORECASE)
MAY_HIDE = re.compile(r"hidden|style|script|template", re.IGNORECASE)


def markdown_record(source: str) -> dict[str, Any]:
    """Give the record of a Markdown file; without a title in the header, the first heading is the title."""
    fields, body = _split(source.replace("\r\n", "\n").replace("\r", "\n"))
    blocks = list(_blocks(body))
    heading = next((block for kind, block in blocks if kind == "heading"), "")
    title = fields.get("title") or heading
    if heading and len(heading) <= LONGEST_LINE and clean_line(heading) == clean_line(title):
        blocks.remove(("heading", heading))
    return {**fields, "title": title, "text": "\n\n".join(block for _, block in blocks)}


def _split(source: str) -> tuple[dict[str, Any], str]:
    """Part the header from the body; a header that is never closed ends where its lines stop looking like one."""
    opening = OPENING.match(source)
    if not opening:
        return {}, source
    closing = CLOSING.search(source, opening.end(), opening.end() + LONGEST_HEADER)
    if closing:
        return _fields(source[opening.end() : closing.start()]), source[closing.end() :]
    end = opening.end()
    while line := HEADER_LINE.match(source, end):
        end = line.end()
        if end >= len(source):
            break
    return _fields(source[opening.end() : end][:LONGEST_HEADER]), source[end:]


def _fields(header: str) -> dict[str, Any]:
    """Give the known fields of a header; where it is no YAML ("title: Oil: the price"), read it line by line."""
    import yaml

    # The base loader makes strings, lists and dicts only: no objects, no dates that crash, and no merge keys, with
    # which even the safe loader can be made to fill the memory.
    try:
        found = yaml.BaseLoader(header).get_single_data()
    except (yaml.YAMLError, RecursionError, ValueError):
        found = {name: value.strip(" \"'") for name, value in FIELD_LINE.findall(header)}
    if not isinstance(found, dict):
        return {}
    found = {str(name).lower(): value for name, value in found.items() if value not in NOTHING}
    fields = {name: found[name] for name in FIELDS if _is_usable(name, found.get(name))}
    if author := fields.pop("author", None):
        fields.setdefault("authors", author)
    if language := fields.pop("lang", None):
        fields.setdefault("language", language)
    return fields


def _is_usable(name: str, value: object) -> bool:
    listed = name in {"author", "authors"} and isinstance(value, list) and all(isinstance(each, str) for each in value)
    return isinstance(value, str) or listed


def _blocks(body: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) for each block of Markdown that holds text."""
    from markdown_it import MarkdownIt

    kind, item, cells = "paragraph", "", list[str]()
    parser = MarkdownIt("commonmark", {"maxNesting": DEEPEST}).enable("table")
    # Where links lead is left out anyway, and what is no link would be read with its brackets.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005
    veil = _Veil()
    for token in veil.seen(parser.parse(body), "html_block"):
        if token.level > DEEPEST - 3:  # the parser leaves out what lies deeper
            raise Unreadable("Markdown nested too deeply")
        if token.type in {"heading_open", "paragraph_open", "tr_open"}:
            kind, cells = token.type.removesuffix("_open"), []
        elif token.type == "list_item_open":
            item = f"{token.info}{token.markup} " if token.info else "- "
        elif token.type == "tr_close":
            yield kind, " | ".join(cells)
            kind = "paragraph"
        elif text := _text(token, veil):
            if kind == "tr":
                cells.append(text)
                continue
            yield kind, item + text
            item = ""


def _text(token: Token, veil: _Veil) -> str:
    if token.type == "inline":
        return "".join(_inline(token.children or [], veil)).strip()
    if token.type in {"fence", "code_block"}:
        return token.content.strip()
    return _html_text(token.content) if token.type == "html_block" else ""


def _inline(tokens: list[Token], veil: _Veil) -> Iterator[str]:
    for token in veil.seen(tokens, "html_inline"):
        if token.type in {"softbreak", "hardbreak"} or token.content.lower().startswith("<br"):
            yield " "
        elif token.type in {"text", "code_inline", "text_special"}:
            yield token.content
    veil.end_paragraph()


class _Veil:
    """The raw HTML so far, as long as it hides what comes after it."""

    def __init__(self) -> None:
        self._source = ""

    def seen(self, tokens: Iterable[Token], raw: str) -> Iterator[Token]:
        """Yield the tokens that are not hidden; those of the type `raw` are HTML."""
        for token in tokens:
            before = self._source
            if token.type == raw and (before or MAY_HIDE.search(token.content)):
                self._draw(before + token.content)
            if not (before and self._source):
                yield token

    def end_paragraph(self) -> None:
        """Lift what hides no more than the rest of a paragraph."""
        if self._source:
            self._draw(f"<p>{self._source}</p>")

    def _draw(self, source: str) -> None:
        hides = not _html_text(source + "x").endswith("x")
        if hides and len(source) > LONGEST_VEIL:
            raise Unreadable("Markdown with hidden HTML that does not end")
        self._source = source if hides else ""


def _html_text(source: str) -> str:
    from rag.pages import visible_text

    return visible_text(source)
