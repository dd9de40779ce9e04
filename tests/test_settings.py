from __future__ import annotations

from pathlib import Path

import pytest

from rag import SettingError, Settings, load_settings


def test_without_anything_set_the_defaults_hold() -> None:
    assert load_settings({}) == Settings(archive=Path("archive"), model="all-MiniLM-L6-v2", llm="")


def test_an_argument_wins_over_the_environment_and_that_over_the_default() -> None:
    environment = {"ONRECORD_ARCHIVE": "/news", "ONRECORD_LLM": "ollama/llama3.2"}

    settings = load_settings(environment, llm="openai/gpt")

    assert (settings.archive, settings.llm) == (Path("/news"), "openai/gpt")


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings({"ONRECORD_ARCHIVE": "", "ONRECORD_LLM": "", "OPENAI_BASE_URL": ""}) == Settings()


def test_a_misspelt_variable_is_refused_with_the_right_name() -> None:
    with pytest.raises(SettingError, match="ONRECORD_ARCHVE is not known. Did you mean ONRECORD_ARCHIVE"):
        load_settings({"ONRECORD_ARCHVE": "news"})


def test_passages_have_a_number_of_tokens_that_is_one_and_large_enough() -> None:
    assert load_settings({"ONRECORD_PASSAGE_TOKENS": "192"}).passage_tokens == 192
    for wrong, told in (("many", "ONRECORD_PASSAGE_TOKENS is 'many', not a number"), ("12", "Give 128 or more")):
        with pytest.raises(SettingError, match=told):
            load_settings({"ONRECORD_PASSAGE_TOKENS": wrong})


def test_variables_of_others_are_left_alone() -> None:
    assert load_settings({"HOME": "/home/reader", "PYTHONPATH": "x"}) == Settings()


@pytest.mark.parametrize("llm", ["llama3.2", "ollama/", "/model", "anthropic/claude", "ollama"])
def test_a_language_model_needs_a_known_provider_and_a_name(llm: str) -> None:
    with pytest.raises(SettingError, match="ollama/<model> or openai/<model>"):
        Settings(llm=llm)


def test_a_model_name_may_hold_slashes() -> None:
    assert Settings(llm="openai/meta/llama-3").llm == "openai/meta/llama-3"


@pytest.mark.parametrize("address", ["notaurl", "ftp://x", "http://[bad", "http://x:99999", "http://a b", ":::"])
def test_an_address_that_is_none_is_refused_before_it_is_used(address: str) -> None:
    with pytest.raises(SettingError, match="OPENAI_BASE_URL is not an address"):
        Settings(llm="openai/m", openai_base_url=address)
    if address != "notaurl":  # OLLAMA_HOST may be a bare host
        with pytest.raises(SettingError, match="OLLAMA_HOST is not an address"):
            Settings(llm="ollama/m", ollama_host=address)
    Settings(openai_base_url=address, ollama_host=address)  # nobody asked for a model


@pytest.mark.parametrize(
    "host", ["localhost:11434", "127.0.0.1", "https://models.example/ollama", "http://[::1]:11434"]
)
def test_usual_addresses_are_taken(host: str) -> None:
    assert Settings(llm="ollama/m", ollama_host=host).ollama_host == host


def test_a_key_that_no_header_can_carry_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingError, match="OPENAI_API_KEY holds characters") as caught:
        Settings(llm="openai/m", openai_api_key="sk-CANARY‑x")

    assert "CANARY" not in str(caught.value)


def test_the_key_never_shows_in_a_repr() -> None:
    settings = load_settings({"OPENAI_API_KEY": "sk-CANARY"})

    assert settings.openai_api_key == "sk-CANARY"
    assert "CANARY" not in repr(settings)
