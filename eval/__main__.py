"""`python -m eval COMMAND`: results on stdout, talk on stderr, one clear line and exit code 2 for every known error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from rag.errors import RagError

FAILED = 2

app = typer.Typer(
    name="eval",
    help="Measure Onrecord.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def evaluate() -> None:
    """Measure Onrecord."""


@app.command()
def bench(
    file: Annotated[
        Path, typer.Argument(metavar="ARTICLES", help="A file of articles, one a line: .jsonl or .jsonl.gz.")
    ],
    *,
    articles: Annotated[int, typer.Option(help="How many of them, from the first on.", min=1)] = 2000,
    keep: Annotated[
        Path | None,
        typer.Option(help="An empty folder for all that is made.  [default: one that is removed]", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
) -> None:
    """Measure speed, memory and disk beside the stock LlamaIndex pipeline on the same texts.

    Every phase runs in a process of its own. 2,000 articles take half an hour on two cores.
    """
    from .bench import run

    run(file, articles, keep, as_json=as_json)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; a `RagError` becomes one line on stderr and exit code 2."""
    try:
        app(args=arguments, prog_name="python -m eval")
    except RagError as error:
        print(f"eval: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
