"""Decoding: the bytes of a file as text, or a plain word on why they are none."""

from __future__ import annotations

import codecs

from rag.records import Unreadable

# UTF-32 stands first: its mark begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
KINDS = {
    b"%PDF-": "a PDF file",
    b"PK\x03\x04": "a ZIP or Office file",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"{\\rtf": "an RTF file",
    b"\x1f\x8b": "a gzip file",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"SQLite format 3": "a database",
}
CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


def decode(data: bytes, declared: str = "") -> str:
    """Decode strictly: nothing is replaced and nothing dropped; what fits no encoding for certain is Unreadable.

    Tried are a byte order mark, UTF-8, the encoding that the file declares, and Windows-1252 where it makes sense.
    """
    if not data.strip():
        raise Unreadable("empty")
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _checked(_decoded(data[len(mark) :], encoding))
    refuse_binary(data)
    for encoding in ("utf-8", declared or "utf-8"):
        try:
            return data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    return _decoded(data, _western(data))


def refuse_binary(data: bytes) -> None:
    """Raise Unreadable if the bytes are those of a picture, a program or another file that is not text."""
    for start, kind in KINDS.items():
        if data.startswith(start):
            raise Unreadable(f"{kind}, whatever its name says")
    controls = len(data) - len(data.translate(None, CONTROLS))
    if data.count(0) * 1000 > len(data) or controls * 50 > len(data):
        raise Unreadable("binary, not text")


def _western(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_isolation=["cp1252"]).best()
    if best is None:
        raise Unreadable("not text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8")
    return best.encoding


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeError as error:
        raise Unreadable(f"not text in {encoding.upper()}, which it claims to be; save it as UTF-8") from error


def _checked(text: str) -> str:
    if not text.strip():
        raise Unreadable("empty")
    if text.count("\0") * 1000 > len(text):
        raise Unreadable("binary, not text")
    return text
