"""Settings: what a person may choose, in one frozen value that is passed, never global."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from rag.errors import SettingError

PREFIX = "ONRECORD_"
VARIABLES = {
    "archive": "ONRECORD_ARCHIVE",
    "model": "ONRECORD_MODEL",
    "reader": "ONRECORD_READER",
    "llm": "ONRECORD_LLM",
    "passage_tokens": "ONRECORD_PASSAGE_TOKENS",
    "password": "ONRECORD_PASSWORD",
    "openai_base_url": "OPENAI_BASE_URL",
    "openai_api_key": "OPENAI_API_KEY",
    "ollama_host": "OLLAMA_HOST",
}
LLM_PROVIDERS = ("ollama", "openai")
NO_READER = "none"
FEWEST_TOKENS = 128  # the headline that is embedded with every passage may take half of them


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one user; building one reads nothing and checks only itself.

    `reader` is the cross-encoder that reads whether a sentence answers: "none", "onrecord-reader" (ours), or any of
    sentence-transformers by its name or folder. `llm` is empty (answers are then copied from the articles), or
    "ollama/<model>", or "openai/<model>" for any endpoint that speaks OpenAI's protocol. `passage_tokens` is how many
    tokens of the model a passage has at most, its headline included; an archive keeps to the number it was made with.
    `password` is asked of whoever opens the chat, empty for nothing. Raises `SettingError` for another form.
    """

    archive: Path = Path("archive")
    model: str = "all-MiniLM-L6-v2"
    reader: str = NO_READER
    llm: str = ""
    openai_base_url: str = "https://api.openai.com/v1"
    openai_api_key: str = field(default="", repr=False)
    ollama_host: str = "http://localhost:11434"
    passage_tokens: int = 256
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse a language model that is not named as provider/model, or whose place is no address."""
        if self.passage_tokens < FEWEST_TOKENS:
            raise SettingError(f"Passages of {self.passage_tokens} tokens are too short. Give {FEWEST_TOKENS} or more.")
        provider, _, model = self.llm.partition("/")
        if self.llm and (provider not in LLM_PROVIDERS or not model):
            raise SettingError(
                f"The language model {self.llm!r} is not understood. "
                "Set ONRECORD_LLM to ollama/<model> or openai/<model>, or leave it empty to answer without one."
            )
        if provider == "openai":
            _check_address("OPENAI_BASE_URL", self.openai_base_url, example="http://localhost:8000/v1")
            if not (self.openai_api_key.isascii() and self.openai_api_key.strip().isprintable()):
                raise SettingError("OPENAI_API_KEY holds characters that no key has. Copy the key again.")
        if provider == "ollama":
            address = self.ollama_host if "//" in self.ollama_host else f"http://{self.ollama_host}"
            _check_address("OLLAMA_HOST", address, example="http://localhost:11434")


def _check_address(variable: str, address: str, example: str) -> None:
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(character.isspace() for character in address):
        raise SettingError(f"{variable} is not an address on the web. Set it to one like {example}")


def load_settings(
    environment: Mapping[str, str] | None = None,
    *,
    archive: Path | None = None,
    model: str | None = None,
    llm: str | None = None,
) -> Settings:
    """Give the settings in the order argument, environment variable, default.

    Raises `SettingError` for a variable that begins with ONRECORD_ and is not known, since it is likely a slip.
    """
    environment = os.environ if environment is None else environment
    _refuse_unknown(environment)
    values: dict[str, str] = {name: environment.get(variable, "") for name, variable in VARIABLES.items()}
    values |= {name: value for name, value in (("model", model), ("llm", llm)) if value is not None}
    chosen: dict[str, str | int | Path] = {name: value for name, value in values.items() if value}
    if tokens := values["passage_tokens"]:
        if not tokens.isdecimal():
            raise SettingError(f"ONRECORD_PASSAGE_TOKENS is {tokens!r}, not a number. Set it to one like 256.")
        chosen["passage_tokens"] = int(tokens)
    if archive is not None or "archive" in chosen:
        chosen["archive"] = Path(archive or values["archive"])
    return Settings(**chosen)  # type: ignore[arg-type]


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = [variable for variable in VARIABLES.values() if variable.startswith(PREFIX)]
    for variable in environment:
        if variable.startswith(PREFIX) and variable not in known:
            near = difflib.get_close_matches(variable, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
            raise SettingError(f"The setting {variable} is not known. {hint}")
