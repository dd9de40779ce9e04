import pytest

from rag.languages import iso_language


@pytest.mark.parametrize("written", ["en", "EN", " en-US ", "en_GB.UTF-8", "eng", "en-Latn-GB"])
def test_every_form_of_a_language_is_one_code(written: str) -> None:
    assert iso_language(written) == "en"


@pytest.mark.parametrize(("written", "code"), [("iw", "he"), ("deu", "de"), ("quz", "quz"), ("zh-Hans", "zh")])
def test_old_and_longer_codes_are_known(written: str, code: str) -> None:
    assert iso_language(written) == code


@pytest.mark.parametrize("written", ["", "xx", "und", "zxx", "English", "e", "12", "en us", "en-", "ｅｎ", "İİ"])
def test_what_names_no_language_is_empty(written: str) -> None:
    assert iso_language(written) == ""
