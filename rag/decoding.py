"""Decoding: the bytes of a file as text, or a plain word on why they are none."""

from __future__ import annotations

import codecs
import re

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
MARKLESS = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
# Pages declare less than they use; browsers read these encodings as the larger ones (WHATWG, Encoding, 4.2).
LARGER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
OF_TEXT = re.compile(r"cp(?:125\d|866|874|932|949)|iso8859-\d+|koi8-[ru]|mac-\w+|gb18030|big5\w*|euc_\w+")
MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# What Windows-1252 shows where the text is in another encoding: signs inside a word are Polish or Romanian, capitals in
# it are of a Macintosh, and these letters are Turkish, Czech or Latvian far more often than Icelandic.
FOREIGN = re.compile(r"[^\W\d_][¡-©«¬®-³µ¶¸-¿][^\W\d_]|[a-zß-ÿ][À-ÞŒŠŽŸ]|[ÐÝÞðýþ]")
SHORTEST = 16  # fewer bytes may fit anything
CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


def decode(data: bytes, declared: str = "") -> str:
    """Decode strictly: nothing is replaced or dropped but stray zeros; what fits no encoding for certain is Unreadable.

    Tried are a byte order mark, UTF-8, the encoding that the file declares, and Windows-1252 where it makes sense.
    """
    return _text(data, declared).replace("\0", "")  # the parsers of HTML and Markdown would show each as a letter


def _text(data: bytes, declared: str) -> str:
    if not data.strip():
        raise Unreadable("empty", "skipped")
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _checked(_decoded(data[len(mark) :], encoding))
    refuse_binary(data)
    for encoding in ("utf-8", _known(declared)):
        try:
            return data.decode(encoding)
        except UnicodeError:
            continue
    return _western(data)


def refuse_binary(data: bytes) -> None:
    """Raise Unreadable if the bytes are those of a picture, a program or another file that is not text."""
    for start, kind in KINDS.items():
        if data.startswith(start):
            raise Unreadable(f"{kind}, whatever its name says", "skipped")
    controls = len(data) - len(data.translate(None, CONTROLS))
    if data.count(0) * 1000 > len(data) or controls * 50 > len(data):
        if any(_fits(data[:4096], encoding) for encoding in MARKLESS):
            raise Unreadable("UTF-16 or UTF-32 without a byte order mark; save it as UTF-8")
        raise Unreadable("binary, not text", "skipped")


def _fits(start: bytes, encoding: str) -> bool:
    """Tell whether all is printable in an encoding, and the zeros stand where that of Western text has them."""
    if len(start) < SHORTEST or (encoding.startswith("utf-16") and min(start[::2].count(0), start[1::2].count(0)) > 0):
        return False
    text = start.decode(encoding, "ignore")
    return len(text) * 5 > len(start) and "".join(text.split()).isprintable()


def _known(declared: str) -> str:
    """Give the encoding that a declaration means; one that no page can be in, as UTF-16 or an escape, means UTF-8."""
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        return "utf-8"
    name = LARGER.get(name, name)
    return name if OF_TEXT.fullmatch(name) else "utf-8"


def _western(data: bytes) -> str:
    """Decode what can be nothing but Windows-1252; UTF-8 with a broken character in it looks much like it."""
    from charset_normalizer import from_bytes

    sequences = MULTIBYTE.findall(data)
    odd = len(data) - len(data.translate(None, bytes(range(128, 256)))) - sum(map(len, sequences))
    if len(sequences) >= odd:
        raise Unreadable("not quite UTF-8, some bytes are no character; save it as UTF-8")
    best = from_bytes(data, cp_isolation=["cp1252"]).best()
    text = data.decode(best.encoding) if best else ""
    if not text or FOREIGN.search(text):
        raise Unreadable("not text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8")
    return text


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeError as error:
        raise Unreadable(f"not text in {encoding.upper()}, which it claims to be; save it as UTF-8") from error


def _checked(text: str) -> str:
    if not text.strip():
        raise Unreadable("empty", "skipped")
    if text.count("\0") * 1000 > len(text):
        raise Unreadable("binary, not text", "skipped")
    return text
