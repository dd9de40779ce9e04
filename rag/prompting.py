"""Prompting: the words in which a question and its passages are put to a language model."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from rag.errors import SettingError
from rag.passages import ScoredPassage

MAXIMUM_LABEL_CHARACTERS = 300
_PLACE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is asked: the rules in `system`, the passages and the question in `user`."""

    system: str
    user: str


def write_prompt(question: str, passages: Sequence[ScoredPassage]) -> Prompt:
    """Put the question and its passages, numbered from 1 in the given order, into the answer prompt.

    Articles may hold text that was written to steer a model. Each of them, and the question, is therefore fenced by
    lines with a mark that is drawn anew for every prompt and occurs in none of them.
    """
    articles = [found.article for found in passages]
    texts = [found.passage.text for found in passages]
    mark = draw_mark([question, *texts, *(part for article in articles for part in (article.title, article.source))])
    values = {
        "mark": mark,
        "question": question.strip(),
        "passages": "\n\n".join(_fence(number, found, mark) for number, found in enumerate(passages, start=1)),
    }
    return render("answer.md", values)


def draw_mark(texts: Iterable[str], draw: Callable[[], str] = lambda: secrets.token_hex(8)) -> str:
    """Draw a mark that occurs in none of the texts."""
    texts = list(texts)
    while any((mark := draw()) in text for text in texts):
        pass
    return mark


def render(name: str, values: dict[str, str]) -> Prompt:
    """Fill a file of `prompts/`, such as "answer.md"; every value must have a place in it, and every place a value.

    Raises `SettingError` with the names of all places that are missing, or that nothing fills.
    """
    system, user = read_prompt(name)
    if missing := sorted(values.keys() - set(_PLACE.findall(system + user))):
        raise SettingError(f"prompts/{name} lacks {_listed(missing)}. Write each where it belongs.")
    return Prompt(system=fill(system, values), user=fill(user, values))


def read_prompt(name: str) -> tuple[str, str]:
    """Read the templates for the system and for the user from a file of `prompts/`, such as "answer.md".

    Raises `SettingError` where it has not both headings.
    """
    text = files("rag.prompts").joinpath(name).read_text(encoding="utf-8")
    parts = re.fullmatch(r"\s*# System\n(.*)\n# User\n(.*)", text, re.DOTALL)
    if parts is None:
        raise SettingError(f"prompts/{name} needs two headings in lines of their own: # System and # User.")
    return parts[1].strip(), parts[2].strip()


def fill(template: str, values: dict[str, str]) -> str:
    """Put the values into the {places} of a template; braces in a value stay as they are.

    Raises `SettingError` with the names of all places that have no value.
    """
    if unknown := sorted(set(_PLACE.findall(template)) - values.keys()):
        raise SettingError(
            f"A prompt has places that nothing fills: {_listed(unknown)}. It may have {_listed(values)}."
        )
    filled = _PLACE.sub(lambda place: values[place[1]], template)
    return filled.encode(errors="replace").decode()  # half a surrogate pair cannot be sent


def _listed(places: Iterable[str]) -> str:
    return ", ".join(f"{{{place}}}" for place in sorted(places))


def _fence(number: int, found: ScoredPassage, mark: str) -> str:
    article = found.article
    labels = {"Title": article.title, "Outlet": article.source, "Date": article.date}
    return "\n".join(
        [
            f"<<< passage [{number}] {mark} >>>",
            *(f"{name}: {_flatten(label)}" for name, label in labels.items() if label.strip()),
            "Text:",
            found.passage.text.strip(),
            f"<<< end of passage [{number}] {mark} >>>",
        ]
    )


def _flatten(label: str) -> str:
    return " ".join(label.split())[:MAXIMUM_LABEL_CHARACTERS]
