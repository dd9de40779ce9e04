"""`onrecord eval COMMAND`: results on stdout, talk on stderr, one clear line and exit code 2 for every known error."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rag.errors import RagError

from .errors import EvalError
from .questions import Wording

if TYPE_CHECKING:
    from .sweeping import Column

FAILED, STOPPED = 2, 1

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
    typer.Option(
        metavar="FIELD=VALUE",
        help="Only questions of this kind, label or date, or of a stated half (half=tune, half=report); can be given "
        "again.",
    ),
]
QuestionsOption = Annotated[
    Path,
    typer.Option(
        help="A file with a question a line (.jsonl), a SQuAD file (.json), TREC topics with --qrels, or a folder of "
        "BEIR or TREC.",
        show_default=False,
    ),
]
QrelsOption = Annotated[Path | None, typer.Option(help="The judgements of a file of TREC topics.", show_default=False)]
ArchiveOption = Annotated[Path, typer.Option(help="The archive's folder.", show_default=False)]
OutOption = Annotated[Path, typer.Option(help="Where runs are kept.")]
SearchOnlyOption = Annotated[bool, typer.Option("--search-only", help="Only search; answer nothing.")]
JobsOption = Annotated[
    int, typer.Option(help="How many questions are asked at once; times are honest with 1 only.", min=1, max=64)
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
    questions: QuestionsOption,
    archive: ArchiveOption,
    qrels: QrelsOption = None,
    name: Annotated[
        str | None,
        typer.Option(help="The run's folder below --out.  [default: the questions and a hash]", show_default=False),
    ] = None,
    out: OutOption = Path("runs"),
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
    search_only: SearchOnlyOption = False,
    jobs: JobsOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Ask every question of a set, and leave a folder from which every number can be computed again.

    It can be stopped at any moment; the same command goes on with it. The folder holds run.trec and qrels.trec for
    other tools, answers.jsonl, per_question.csv, and report.html to look at.
    """
    from .running import Plan, run
    from .sets import read_set
    from .systems import Choice

    asked = read_set(questions, where or (), qrels)
    plan = Plan(asked, Choice.of(archive, setting or ()), wording, as_of, search_only=search_only, jobs=jobs)
    folder = run(plan, out, name)
    print(f"The run is in {folder}", file=sys.stderr)
    _report([folder], [], folder / "report.html", as_json=as_json)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Folders of runs.")],
    *,
    where: WhereOption = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the report of one run as a page, too.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute the numbers of runs from their files, and print them beside each other.

    One run alone is shown beside other ways to answer: whatever comes nearest, the lead of the first article, a passage
    drawn by lot, nothing; and beside chance.
    """
    _report(runs, where or [], html, as_json=as_json)


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
def gate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    *,
    rule: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help='Like "RR@10 >= baseline - 0.01"; can be given again.', show_default=False),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="A run on the same questions to hold it against.", show_default=False)
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop also what chance may explain.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say whether a run keeps rules, for a machine that decides.

    Exit code 0 if it does, 1 if it does not, 2 after an error.
    """
    from .gating import Rule, judge, print_verdict
    from .runs import Run

    held = Run.open(baseline) if baseline else None
    verdict = judge(Run.open(run), held, [Rule.read(written) for written in rule or ()], strict=strict)
    if as_json:
        print(json.dumps(verdict.to_dict(), ensure_ascii=False, indent=2))
    else:
        print_verdict(verdict)
    raise typer.Exit(0 if verdict.passes else STOPPED)


@app.command()
def sweep(
    *,
    questions: QuestionsOption,
    archive: ArchiveOption,
    vary: Annotated[
        list[str],
        typer.Option(
            metavar="KEY=VALUE",
            help="A value to try; given again with the same key another one, with another key every combination.",
            show_default=False,
        ),
    ],
    qrels: QrelsOption = None,
    name: Annotated[str, typer.Option(help="The folder of the sweep below --out.")] = "sweep",
    out: OutOption = Path("runs"),
    setting: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A setting of all; can be given again.")
    ] = None,
    where: WhereOption = None,
    search_only: SearchOnlyOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run several configurations on the same questions: one table, and one plot in sweep.html.

    What may vary is what `run --setting` takes, such as channels, depth, fusion, the weights, and passage_tokens, for
    which the articles are cut and embedded again.
    """
    from .running import Plan
    from .sets import read_set
    from .sweeping import sweep as run_sweep
    from .systems import Choice

    base = Plan(read_set(questions, where or (), qrels), Choice.of(archive, setting or ()), search_only=search_only)
    columns = run_sweep(base, vary, out, name)
    _show_columns(columns, f"{base.asked.name}: {name}", out / name / "sweep.html", as_json=as_json)


@app.command()
def peers(
    *,
    questions: QuestionsOption,
    archive: ArchiveOption,
    qrels: QrelsOption = None,
    out: OutOption = Path("runs"),
    where: WhereOption = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="PEER", help="Only this peer; can be given again.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask LlamaIndex, LangChain, Haystack and txtai the same questions of the same articles, beside ourselves.

    Those that are installed (pip install "onrecord[peers]") store the articles first, below --out, as their
    documentation shows it; all embed with the same model in the same runtime.
    """
    from .peers import run_peers
    from .sweeping import columns_of

    folders = run_peers(questions, archive, out, where=where or (), qrels=qrels, only=only or ())
    columns = columns_of({folder.name.rpartition("-")[2]: folder for folder in folders})
    title = folders[0].name.removesuffix("-onrecord")
    _show_columns(columns, f"{title}: peers", out / f"{title}-peers.html", as_json=as_json)


@app.command()
def trace(
    *,
    archive: ArchiveOption,
    excerpts: Annotated[int, typer.Option(help="How many of each sort.", min=1)] = 2000,
    seed: Annotated[int, typer.Option(help="Of the lots that are drawn.")] = 0,
    foreign: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Articles that are not in the archive: .jsonl or .jsonl.gz.", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Trace excerpts drawn from an archive: as they are, in other typography, and with one word or number altered.

    Counted is how many lead back to their article, and how many of the altered ones are told with what was changed;
    of foreign ones, how many are told not to be in the archive.
    """
    from .tracing import measure, print_traced

    traced = measure(archive, excerpts, seed, foreign)
    if as_json:
        print(json.dumps(traced.to_dict(), ensure_ascii=False, indent=2))
    else:
        print_traced(traced)


@app.command()
def speakers(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder with articles.jsonl and attributions.jsonl, as of PolNeAR.")
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Measure how often the speaker of a quotation, or of what is reported, is the one whom annotators name."""
    from .speakers import measure_speakers, print_speakers, to_dict

    rows = measure_speakers(folder)
    if as_json:
        print(json.dumps(to_dict(rows), ensure_ascii=False, indent=2))
    else:
        print_speakers(rows)


@app.command()
def disagreement(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="A folder with rows.jsonl, as of RAMDocs or RGB, or with questions.jsonl, asked of --archive.",
        ),
    ],
    *,
    archive: Annotated[Path | None, typer.Option(help="The archive's folder.", show_default=False)] = None,
    half: Annotated[Literal["tune", "report"], typer.Option(help="The half that is measured.")] = "report",
    as_json: JsonOption = False,
) -> None:
    """Measure how often what sources say differently is shown side by side, and how often wrongly."""
    from .disagreement import measure, print_findings, to_dict

    findings = measure(folder, archive, half)
    if as_json:
        print(json.dumps(to_dict(findings), ensure_ascii=False, indent=2))
    else:
        print_findings(findings)


@app.command()
def train(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with train/ (NQG, QAMR) and squad2/.")],
    out: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Where the reader goes, as a sentence-transformers CrossEncoder.")
    ],
    *,
    seed: Annotated[int, typer.Option(help="Of the lots that are drawn.")] = 0,
    steps: Annotated[
        int, typer.Option(help="How long it trains: steps of 16 questions, four sentences each.", min=1)
    ] = 1500,
    pairs_alone: Annotated[
        bool, typer.Option("--pairs-alone", help="Train on NQG's dev part alone, and judge on its test part.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a small model that reads whether a sentence answers a question, and say how well it does.

    Trained on NQG's test part, a third of QAMR, and the tuning half of SQuAD 2.0; judged on the reporting half of that,
    and on one question in eight of NQG's dev part.
    """
    from .judging import judge, print_judged
    from .training import train_reader

    reader = train_reader(data, out, steps=steps, seed=seed, pairs_alone=pairs_alone)
    judged = judge(reader, data, "test" if pairs_alone else "dev")
    if as_json:
        print(json.dumps(judged, indent=2))
    else:
        print_judged(judged)


@app.command()
def judge(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with train/ (NQG) and squad2/.")],
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The folder of a reader, trained or packed.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Say how well a reader does on what `train` does not train on."""
    from .judging import judge as judge_reader
    from .judging import print_judged
    from .training import Reader

    judged = judge_reader(Reader.open(model), data, "dev")
    if as_json:
        print(json.dumps(judged, indent=2))
    else:
        print_judged(judged)


@app.command()
def pack(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Where it goes: rag/weights in the library.")],
    models: Annotated[
        list[Path], typer.Argument(metavar="MODEL...", help="The folders of readers that were trained by other seeds.")
    ],
) -> None:
    """Pack the mean of readers in a quarter of its size, as it comes with the library, and print the SHA-256 of it."""
    from rag.models import PACKED, sha256_of
    from rag.quantizing import pack as pack_models

    pack_models(models, out)
    print(sha256_of(out / PACKED))


@app.command()
def fit(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where the fitted numbers go, as JSON.")],
    *,
    source: Annotated[
        list[str],
        typer.Option(
            metavar="ARCHIVE:QUESTIONS[:WEIGHT]", help="A question set, the archive it asks, and how much it counts."
        ),
    ],
) -> None:
    """Fit what the signs of sentences and answers are worth, on the tuning halves of question sets.

    One question in five is also asked of the archive of another set, where nothing answers it. The file replaces
    rag/calibration.json.
    """
    from rag.settings import load_settings

    from .fitting import Source, fit_all

    fit_all([Source.read(each) for each in source], load_settings(), out)


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


def _show_columns(columns: Sequence[Column], title: str, html: Path, *, as_json: bool) -> None:
    from .sweeping import print_columns, to_dict, write_columns

    write_columns(columns, title, html)
    print(f"The page is in {html}", file=sys.stderr)
    if as_json:
        print(json.dumps(to_dict(columns), ensure_ascii=False, indent=2))
    else:
        print_columns(columns)


def _report(runs: Sequence[Path], where: Sequence[str], html: Path | None, *, as_json: bool) -> None:
    from .paging import write_report
    from .reporting import print_reports
    from .reporting import report as report_run
    from .runs import Run

    if html and len(runs) > 1:
        raise EvalError("A page shows one run. Give one run with --html, or leave it out.")
    reports = [report_run(Run.open(folder), where) for folder in runs]
    if html:
        write_report(reports[0], html)
        print(f"The report is in {html}", file=sys.stderr)
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
