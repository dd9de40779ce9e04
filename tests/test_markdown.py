import time

import pytest

from rag.markdown import markdown_record


def test_a_header_gives_the_fields_and_markup_becomes_plain_text() -> None:
    source = (
        "---\ntitle: A *new* bridge\nsource: Lima Post\ndate: 2019-07-16\nurl: https://example.org/a\n"
        "authors: [Ana Quispe, Bo Li]\nlayout: wide\nsection: World\nlang: es\n---\n# A *new* bridge\n\nThe **town** [paid](https://example.org)\n"
        "for `it` ![picture](x.png)<b>now</b>.\n\n> A quotation.\n\n## Why\n\n- one\n- two\n\n1. first\n\n"
        "```\ncode here\n```\n\n<div onclick='x()'>In a box</div>\n\n<script>alert(1)</script>\n"
    )
    assert markdown_record(source) == {
        "title": "A *new* bridge",
        "source": "Lima Post",
        "date": "2019-07-16",
        "url": "https://example.org/a",
        "authors": ["Ana Quispe", "Bo Li"],
        "section": "World",
        "language": "es",
        "text": "A new bridge\n\nThe town paid for it now.\n\nA quotation.\n\nWhy\n\n- one\n\n- two\n\n1. first\n\n"
        "code here\n\nIn a box",
    }


def test_without_a_title_in_the_header_the_first_heading_is_the_title() -> None:
    assert markdown_record("# The *bridge*\n\nIt is closed.") == {"title": "The bridge", "text": "It is closed."}


def test_a_header_that_is_no_yaml_is_read_line_by_line() -> None:
    record = markdown_record("---\ntitle: The bridge: a history\nauthor: Ana Quispe\n---\nIt is closed.\n")
    assert record == {"title": "The bridge: a history", "authors": "Ana Quispe", "text": "It is closed."}


def test_a_header_that_is_never_closed_ends_with_its_lines() -> None:
    assert markdown_record("---\ntitle: The bridge\n\nIt is closed.\n") == {
        "title": "The bridge",
        "text": "It is closed.",
    }


def test_a_rule_at_the_start_is_no_header() -> None:
    assert markdown_record("---\n\nIt is closed.\n") == {"title": "", "text": "It is closed."}


ALIASES = "a: &a [x, x]\n" + "".join(
    f"{'abcdefghij'[i + 1]}: &{'abcdefghij'[i + 1]} [*{'abcdefghij'[i]}, *{'abcdefghij'[i]}]\n" for i in range(9)
)
MERGES = "a: &a {k: 1}\n" + "".join(
    f"{'abcdefghij'[i + 1]}: &{'abcdefghij'[i + 1]} {{<<: [{', '.join(['*' + 'abcdefghij'[i]] * 9)}]}}\n"
    for i in range(9)
)


@pytest.mark.parametrize(
    "header",
    [
        'title: !!python/object/apply:os.system ["touch /tmp/owned"]\n',
        ALIASES + "title: *j\nauthors: *j\n",
        MERGES + "title: *j\n",
        "title: " + "[" * 60_000 + "\n",
        "? " * 1000 + "\n",
        "x: " + "y" * 100_000 + "\n",
    ],
    ids=["python object", "aliases", "merge keys", "deep", "keys", "long"],
)
def test_a_hostile_header_is_harmless_and_the_body_is_read(header: str) -> None:
    start = time.process_time()
    record = markdown_record(f"---\n{header}---\nIt is closed.\n")
    assert record["text"].endswith("It is closed.")
    assert record["title"] == ""
    assert time.process_time() - start < 5


def test_header_fields_may_be_capitalised_and_null_is_nothing() -> None:
    record = markdown_record("---\nTitle: Owls\nsource: null\nAuthor: Bo Ek\ndate: ~\n---\nThree owls.")

    assert {name: value for name, value in record.items() if name != "text"} == {"title": "Owls", "authors": "Bo Ek"}
