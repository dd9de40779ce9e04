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


def test_variables_of_others_are_left_alone() -> None:
    assert load_settings({"HOME": "/home/reader", "PYTHONPATH": "x"}) == Settings()


@pytest.mark.parametrize("llm", ["llama3.2", "ollama/", "/model", "anthropic/claude", "ollama"])
def test_a_language_model_needs_a_known_provider_and_a_name(llm: str) -> None:
    with pytest.raises(SettingError, match="ollama/<model> or openai/<model>"):
        Settings(llm=llm)


def test_a_model_name_may_hold_slashes() -> None:
    assert Settings(llm="openai/meta/llama-3").llm == "openai/meta/llama-3"


def test_the_key_never_shows_in_a_repr() -> None:
    settings = load_settings({"OPENAI_API_KEY": "sk-CANARY"})

    assert settings.openai_api_key == "sk-CANARY"
    assert "CANARY" not in repr(settings)
