"""Tables as a person reads them: on a terminal as wide as it is, else wide enough for every column."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

PLAIN_WIDTH = 160
NOTE_WIDTH = 110


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> None:
    """Print a table; the first `left` columns are texts, the others figures."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PLAIN_WIDTH)
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False)
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="left" if at < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    console.print(table)


def print_note(text: str) -> None:
    """Print what is to be known of a table."""
    if text:
        print(textwrap.fill(text, NOTE_WIDTH))


def figure(value: float | None, decimals: int = 3) -> str:
    """Write a number, or a dash for none."""
    return "-" if value is None else f"{value:.{decimals}f}"


def between(low: float | None, high: float | None, *, signed: bool = False, decimals: int = 3) -> str:
    """Write an interval, or a dash for none."""
    if low is None or high is None:
        return "-"
    sign = "+" if signed else ""
    return f"{low:{sign}.{decimals}f} to {high:{sign}.{decimals}f}"
