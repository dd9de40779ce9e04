"""`onrecord eval COMMAND`: results on stdout, talk on stderr, one clear line and exit code 2 for every known error."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from rag.errors import RagError

from .questions import Wording

FAILED = 2

app = typer.Typer(
    name="eval",
    help="Measure Onrecord.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(metavar="FIELD=VALUE", help="Only questions of this kind, label or date; can be given again."),
]


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


@app.command()
def speed(
    *,
    passages: Annotated[int, typer.Option(help="How many passages the archive holds.", min=1)] = 100_000,
    articles: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Articles whose sentences the texts are made of.  [default: the sample]",
            show_default=False,
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            help="A folder for all that is made, which the next run uses again.  [default: one that is removed]",
            show_default=False,
        ),
    ] = None,
    alone: Annotated[bool, typer.Option("--alone", help="Without the stock LlamaIndex retriever beside it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure how fast and how exact search is in a made-up archive of a given size.

    100,000 passages take a quarter of an hour on two cores; 1,000,000, best --alone, take an hour or more and 8 GB.
    """
    from .speed import run

    run(passages, articles, keep, peer=not alone, as_json=as_json)


@app.command("run")
def run_questions(
    *,
    questions: Annotated[
        Path, typer.Option(help="A file with a question a line (.jsonl), or a BEIR folder.", show_default=False)
    ],
    archive: Annotated[Path, typer.Option(help="The archive's folder.", show_default=False)],
    name: Annotated[
        str | None,
        typer.Option(help="The run's folder below --out.  [default: the questions and a hash]", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where runs are kept.")] = Path("runs"),
    setting: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A setting of the search; can be given again.")
    ] = None,
    where: WhereOption = None,
    wording: Annotated[
        Wording, typer.Option(help="Ask the question as it stands, or as a person wrote it out without its history.")
    ] = "question",
    as_of: Annotated[
        str,
        typer.Option(
            metavar="DAY",
            help="Ask as on that day, of nothing published later; `question`: on the day that each question has.",
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Ask every question of a set, and leave a folder from which every number can be computed again.

    It can be stopped at any moment; the same command goes on with it.
    """
    from .running import Plan, run
    from .sets import read_set
    from .systems import Choice

    plan = Plan(read_set(questions, where or ()), Choice.of(archive, setting or ()), wording, as_of)
    folder = run(plan, out, name)
    print(f"The run is in {folder}", file=sys.stderr)
    _report([folder], [], with_control=False, as_json=as_json)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Folders of runs.")],
    *,
    where: WhereOption = None,
    control: Annotated[
        bool, typer.Option("--control", help="Beside it, judge each question by another one's answers: chance.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compute the numbers of runs from their files, and print them beside each other."""
    _report(runs, where or [], with_control=control, as_json=as_json)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="The folder of a run.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The folder of another run on the same questions.")],
    *,
    where: WhereOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what tells two runs apart, how sure that is, and which questions changed most."""
    from .comparing import compare as compare_runs
    from .comparing import print_comparison
    from .runs import Run

    found = compare_runs(Run.open(a), Run.open(b), where or ())
    if as_json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
    else:
        print_comparison(found)


@app.command()
def articles(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="A BEIR or TREC folder with corpus.jsonl or docs.jsonl, or a SQuAD file (.json)."
        ),
    ],
) -> None:
    """Print the articles that a public set asks of, a line each, for `onrecord index`.

    They are the documents of a BEIR folder, or of a TREC folder that has them in that form, or the paragraphs of a
    SQuAD file, with the ids that its questions have as gold articles.
    """
    from .sets import read_articles

    for record in read_articles(path):
        print(json.dumps(record, ensure_ascii=False))


def _report(runs: Sequence[Path], where: Sequence[str], *, with_control: bool, as_json: bool) -> None:
    from .reporting import print_reports
    from .reporting import report as report_run
    from .runs import Run

    reports = [report_run(Run.open(folder), where, with_control=with_control) for folder in runs]
    if as_json:
        print(json.dumps([one.to_dict() for one in reports], ensure_ascii=False, indent=2))
    else:
        print_reports(reports)


def main(arguments: Sequence[str] | None = None, name: str = "onrecord eval") -> None:
    """Run the command; a `RagError` becomes one line on stderr and exit code 2."""
    try:
        app(args=arguments, prog_name=name)
    except RagError as error:
        print(f"eval: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
