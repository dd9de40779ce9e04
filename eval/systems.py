"""The system that is measured: one archive, searched with one choice of settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_args, get_origin, get_type_hints

from rag.errors import SettingError
from rag.fusion import Ranking
from rag.passages import ScoredPassage
from rag.retrieval import Retriever
from rag.settings import Settings, load_settings

from .errors import EvalError

T = TypeVar("T")


class System(Protocol):
    """What is asked: our retriever, or anything that finds passages as it does."""

    def retrieve(self, question: str, *, k: int = 10, as_of: str = "") -> list[ScoredPassage]:
        """Give at most `k` passages, best first, as on that day."""

    def close(self) -> None:
        """Release what it holds."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The settings under which an archive is searched; `given` are those that somebody chose, as they wrote them."""

    settings: Settings
    ranking: Ranking
    given: tuple[str, ...] = ()

    @classmethod
    def of(cls, archive: Path, given: Sequence[str]) -> Choice:
        """Make it from settings of the form `key=value`: `model`, and all of `Ranking`. Raises `EvalError`."""
        choices = read_choices(given)
        settings = load_settings(archive=archive, model=choices.pop("model", None))
        return cls(settings, chosen(Ranking, choices, others=("model",)), tuple(given))

    def to_dict(self) -> dict[str, Any]:
        """Give every setting for a manifest, the defaults among them."""
        ranking = dataclasses.asdict(self.ranking)
        lists = {name: list(value) for name, value in ranking.items() if isinstance(value, tuple)}
        return {"model": self.settings.model, **ranking, **lists}


def open_system(choice: Choice) -> System:
    """Open an archive for search; with a part of it left out, numbers would stand for a system that was not chosen."""
    return Retriever.open(choice.settings.archive, choice.settings, choice.ranking, strict=True)


def read_choices(written: Sequence[str]) -> dict[str, str]:
    """Read choices of the form `key=value`. Raises `EvalError`."""
    choices = dict(choice.partition("=")[::2] for choice in written)
    if wrong := [choice for choice in written if "=" not in choice]:
        raise EvalError(f"The setting {wrong[0]!r} is not understood. Write it as key=value.")
    return choices


def chosen(kind: type[T], choices: Mapping[str, str], others: Sequence[str] = ()) -> T:
    """Make a value of a dataclass from choices as they are written; `others` are named where one is not known.

    Raises `EvalError` for what the dataclass has not, or refuses.
    """
    types = get_type_hints(kind)
    for name in choices:
        if name not in types:
            raise EvalError(f"There is no setting {name!r}. Choose from {', '.join(sorted([*types, *others]))}.")
    try:
        return kind(**{name: _value(name, types[name], value) for name, value in choices.items()})
    except SettingError as error:
        raise EvalError(str(error)) from error


def _value(name: str, kind: Any, written: str) -> Any:
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        return tuple(_value(name, inner, part.strip()) for part in written.split(",") if part.strip())
    if kind is bool:
        if written not in {"true", "false"}:
            raise EvalError(f"The setting {name} is {written!r}. Write true or false.")
        return written == "true"
    if kind in {int, float}:
        try:
            return kind(written)
        except ValueError as error:
            raise EvalError(f"The setting {name} is {written!r}, not a number.") from error
    allowed = [str(each) for each in get_args(kind) if isinstance(each, str)]
    if allowed and written not in allowed:
        raise EvalError(f"The setting {name} is {written!r}. Choose from {', '.join(allowed)}.")
    return written
