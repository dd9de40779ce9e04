import codecs
import gzip
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.articles import Article
from rag.reading import Refusal, find_files, read_articles

BODY = "The town closed its oldest bridge on Monday.\n\nNobody was hurt, “the head of the union” said."


def written(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read(path: Path, data: str | bytes) -> list[Article | Refusal]:
    return list(read_articles(written(path, data)))


def read_article(path: Path, data: str | bytes) -> Article:
    (article,) = read(path, data)
    assert isinstance(article, Article)
    return article


def reasons(found: list[Article | Refusal]) -> list[str]:
    return [each.reason for each in found if isinstance(each, Refusal)]


def line(**fields: Any) -> str:
    return json.dumps({"text": BODY, **fields}) + "\n"


def test_files_are_found_in_the_order_of_their_names_and_the_rest_is_told(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("c.txt", "b/one.md", "b/two.HTML", "a.jsonl.gz", "d.pdf", "e", "license-fees-rise.txt"):
        written(tmp_path / name, "x")
    assert list(find_files(tmp_path)) == [
        tmp_path / "a.jsonl.gz",
        tmp_path / "b/one.md",
        tmp_path / "b/two.HTML",
        tmp_path / "c.txt",
        Refusal(tmp_path / "d.pdf", "a PDF file; Onrecord reads .txt, .md, .html and .jsonl", "skipped"),
        Refusal(tmp_path / "e", "a file without a suffix; Onrecord reads .txt, .md, .html and .jsonl", "skipped"),
        tmp_path / "license-fees-rise.txt",
    ]


def test_hidden_files_backups_readmes_and_archives_are_passed_over(tmp_path: Path) -> None:
    for folder in (".git", "archive", "kept"):
        (tmp_path / folder).mkdir()
    names = (".hidden.txt", ".git/a.txt", "a.txt~", ".a.txt.swp", "~$a.txt", "README.md", "LICENSE", "archive/a.txt")
    for name in (*names, "archive/archive.sqlite3", "kept/a.txt"):
        written(tmp_path / name, "x")
    assert list(find_files(tmp_path)) == [tmp_path / "kept/a.txt"]


def test_links_pipes_and_sockets_are_told_and_never_opened(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "loop").mkdir(parents=True)
    (folder / "loop/back").symlink_to(folder)
    (folder / "dangling.txt").symlink_to(tmp_path / "nowhere")
    (folder / "outside.txt").symlink_to(written(tmp_path / "secret.txt", "x"))
    os.mkfifo(folder / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket.txt"))
        link = "a symbolic link, which is not followed"
        assert list(find_files(folder)) == [
            Refusal(folder / "dangling.txt", link, "skipped"),
            Refusal(folder / "loop/back", link, "skipped"),
            Refusal(folder / "outside.txt", link, "skipped"),
            Refusal(folder / "pipe.txt", "a named pipe, not a file", "skipped"),
            Refusal(folder / "socket.txt", "a socket or a device, not a file", "skipped"),
        ]
    assert reasons(list(read_articles(folder / "outside.txt"))) == [link]
    assert reasons(list(read_articles(folder / "pipe.txt"))) == ["a named pipe, not a file"]
    assert reasons(list(read_articles(folder))) == ["a folder, not a file"]


def test_the_path_of_one_file_finds_it_and_a_wrong_path_is_told(tmp_path: Path) -> None:
    assert list(find_files(written(tmp_path / "a.txt", "x"))) == [tmp_path / "a.txt"]
    gone = tmp_path / "gone"
    refusal = Refusal(gone, "not there, or no longer", "skipped")
    assert list(find_files(gone)) == [refusal]
    assert list(read_articles(gone)) == [refusal]


def test_the_first_line_of_a_text_that_stands_apart_is_its_title(tmp_path: Path) -> None:
    article = read_article(tmp_path / "a.txt", "Old Bridge Closed\n\n" + BODY)
    assert article == Article(id=article.digest()[:16], title="Old Bridge Closed", text=BODY)


@pytest.mark.parametrize(
    "text",
    [
        "The town closed its bridge.",
        "The town closed its bridge.\n\nNobody was hurt.",
        "Mayor\n\nwas not hurt, she said.",
    ],
)
def test_a_text_without_a_headline_keeps_every_sentence(tmp_path: Path, text: str) -> None:
    article = read_article(tmp_path / "a.txt", text)
    assert (article.title, article.text) == (article.text.split("\n\n")[0], article.text)
    assert article.text.replace("\n\n", " ") == text.replace("\n\n", " ")


def test_a_long_text_without_a_headline_is_titled_by_its_first_words(tmp_path: Path) -> None:
    article = read_article(
        tmp_path / "a.txt", "one two three four five six seven eight nine ten eleven, twelve, thirteen."
    )
    assert article.title == "one two three four five six seven eight nine ten eleven, twelve…"


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + BODY.encode(),
        BODY.encode("utf-16"),
        codecs.BOM_UTF16_BE + BODY.encode("utf-16-be"),
        BODY.encode("utf-32"),
        BODY.encode("cp1252"),
        BODY.replace("\n", "\r\n").encode(),
    ],
    ids=["utf-8 mark", "utf-16", "utf-16 big", "utf-32", "cp1252", "windows"],
)
def test_every_encoding_gives_the_same_article(tmp_path: Path, data: bytes) -> None:
    assert read_article(tmp_path / "a.txt", data) == read_article(tmp_path / "b.txt", BODY)


def test_all_fields_of_a_line_are_read(tmp_path: Path) -> None:
    fields = {"id": "a-1", "title": " Old\u200b  Bridge\n", "source": "Lima Post", "date": "16 July 2019", "extra": [1]}
    fields |= {"section": " World\nnews", "language": "en-US"}
    data = line(**fields, url="https://example.org/a", authors=["Ana Quispe", "Bo Li", "Ana Quispe", " "])
    names = ("Ana Quispe", "Bo Li")
    url = "https://example.org/a"
    expected = Article("a-1", "Old Bridge", BODY, "Lima Post", "2019-07-16", url, names, "World news", "en")
    assert read(tmp_path / "a.jsonl", data) == [expected]
    assert read(tmp_path / "a.jsonl.gz", gzip.compress(data.encode())) == [expected]


@pytest.mark.parametrize("authors", ["Ana Quispe, Bo Li", "By Ana Quispe and Bo Li", "Ana Quispe; Bo Li"])
def test_authors_in_one_string_are_told_apart(tmp_path: Path, authors: str) -> None:
    assert read_article(tmp_path / "a.jsonl", line(authors=authors)).authors == ("Ana Quispe", "Bo Li")


def test_fields_that_are_too_long_are_cut(tmp_path: Path) -> None:
    article = read_article(tmp_path / "a.jsonl", line(title="t" * 5000, authors=[f"Author {n}" for n in range(50)]))
    assert (len(article.title), len(article.authors)) == (300, 20)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "https://", "http://[", "not a url", "http://a b"]
)
def test_only_addresses_of_the_web_are_kept(tmp_path: Path, url: str) -> None:
    assert read_article(tmp_path / "a.jsonl", line(url=url)).url == ""


@pytest.mark.parametrize("unusable", ["", "two words", "line\nbreak", "\u202eturned", "x" * 301, None, 1.5, True])
def test_an_id_that_cannot_be_used_gives_way_to_the_content(tmp_path: Path, unusable: object) -> None:
    article = read_article(tmp_path / "a.jsonl", line(id=unusable, title="Old Bridge Closed"))
    assert article.id == article.digest()[:16]
    assert article == read_article(tmp_path / "b.txt", "Old Bridge Closed\n\n" + BODY)


def test_a_bad_line_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    bad = [
        "{",
        "[1]",
        '{"title": "no text"}',
        '{"text": " "}',
        '{"text": 5}',
        line(title=["x" * 100]).strip(),
        line(authors=[1]).strip(),
        line(date=2019).strip(),
        "[" * 100_000,
        '{"text": NaN}',
        '{"text": "a", "id": ' + "9" * 5000 + "}",
        '{"text": "' + "a" * 5_000_000 + '"}',
    ]
    found = read(tmp_path / "a.jsonl", line(id="first") + "\n" + "\n".join(bad) + "\n" + line(id="last") + line()[:20])
    assert [each.id for each in found if isinstance(each, Article)] == ["first", "last"]
    assert reasons(found) == [
        "line 3: not JSON (Expecting property name enclosed in double quotes at character 2)",
        "line 4: not a JSON object with the fields of an article",
        "line 5: field text is missing",
        "line 6: field text is empty",
        "line 7: field text is a number, not text",
        "line 8: field title is a list, not text",
        "line 9: field authors is neither text nor a list of names",
        "line 10: field date is a number, not text",
        "line 11: nested too deeply",
        "line 12: field text is a number, not text",
        "line 13: a number too long to read",
        "line 14: longer than 5,000,000 characters",
        "line 16: not JSON (Unterminated string starting at character 10)",
    ]


def test_a_line_in_another_encoding_is_told(tmp_path: Path) -> None:
    found = read(tmp_path / "a.jsonl", codecs.BOM_UTF8 + line(id="a").encode() + b'{"text": "caf\xe9"}\n')
    assert (len(found), reasons(found)) == (2, ["line 2: not text in UTF-8"])
    assert reasons(read(tmp_path / "b.jsonl", line().encode("utf-16"))) == ["UTF-16 or UTF-32; save it as UTF-8"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b" " * 150_000_000, "line 1 never ends; nothing is read after it"),
        (b"\n" * 1_000_000, "more than 100,000 blank lines; nothing is read after line 100001"),
    ],
)
def test_a_small_file_that_expands_without_end_is_left(tmp_path: Path, content: bytes, reason: str) -> None:
    found = read(tmp_path / "a.jsonl.gz", gzip.compress(content))
    assert reasons(found)[-1] == reason


def test_a_page_and_a_markdown_file_are_read_as_articles(tmp_path: Path) -> None:
    paragraphs = "".join(f"<p>{part}</p>" for part in BODY.split("\n\n"))
    page = f"<html><head><title>Old Bridge Closed</title></head><body><article>{paragraphs}</article></body></html>"
    expected = read_article(tmp_path / "a.txt", "Old Bridge Closed\n\n" + BODY)
    assert read_article(tmp_path / "a.html", page) == expected
    assert read_article(tmp_path / "a.md", f"---\ntitle: Old Bridge Closed\n---\n{BODY}") == expected
    assert reasons(read(tmp_path / "b.md", "---\ntitle: Old Bridge Closed\n---\n")) == ["no article text found"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore"))),
    st.sampled_from([".txt", ".md", ".html", ".jsonl", ".jsonl.gz"]),
)
def test_no_content_makes_reading_raise(tmp_path: Path, data: bytes, suffix: str) -> None:
    for found in read(tmp_path / f"a{suffix}", data):
        assert found.text if isinstance(found, Article) else found.reason


def test_importing_the_reader_loads_no_library() -> None:
    heavy = "{'trafilatura', 'lxml', 'dateparser', 'yaml', 'markdown_it', 'charset_normalizer'}"
    code = f"import rag.reading, sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
