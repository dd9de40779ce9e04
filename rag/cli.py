"""The command `onrecord`: results on stdout, talk on stderr, one clear line and an exit code for every known error."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.errors import ArchiveLocked, ArchiveNotFound, ArticleNotFound, NothingReadable, RagError, SettingError
from rag.filters import Filters, unknown_value
from rag.fusion import Ranking
from rag.passages import count_origins
from rag.printing import write_answer, write_article, write_explanation, write_passages, write_trace
from rag.settings import Settings, load_settings
from rag.talk import counted, printable, shown, told

if TYPE_CHECKING:
    from rag.chatbot import Chatbot
    from rag.passages import ScoredPassage
    from rag.retrieval import Retriever

FAILED, NOT_HELD = 2, 1
# Commands that keep an archive run from timers and scripts, which may want to wait, or to call somebody.
KEEPING = {"index", "verify", "rebuild", "remove"}
KEEPING_FAILED = 1
KEEPING_CODES: dict[type[RagError], int] = {
    NothingReadable: 2,
    ArchiveNotFound: 2,
    ArticleNotFound: 2,
    ArchiveLocked: 4,
}

app = typer.Typer(
    name="onrecord",
    help="Ask a folder of news articles, and check every sentence of the answer.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

ArchiveOption = Annotated[
    Path | None,
    typer.Option(
        "--archive", help="The archive's folder.  [default: ONRECORD_ARCHIVE, else ./archive]", show_default=False
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        help="A sentence-transformers model by name or path.  [default: ONRECORD_MODEL, else all-MiniLM-L6-v2]",
        show_default=False,
    ),
]
LLMOption = Annotated[
    str | None,
    typer.Option(
        help="ollama/MODEL or openai/MODEL; without one, articles are quoted.  [default: ONRECORD_LLM]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
OutletOption = Annotated[
    list[str] | None,
    typer.Option("--outlet", help="Only articles of this outlet; may be given several times.", show_default=False),
]
AuthorOption = Annotated[
    list[str] | None, typer.Option("--author", help="Only articles by this author; likewise.", show_default=False)
]
SectionOption = Annotated[
    list[str] | None, typer.Option("--section", help="Only articles of this section; likewise.", show_default=False)
]
LanguageOption = Annotated[
    list[str] | None, typer.Option("--language", help="Only articles in this language; likewise.", show_default=False)
]
SinceOption = Annotated[str, typer.Option("--since", metavar="DAY", help="Nothing older.", show_default=False)]
UntilOption = Annotated[str, typer.Option("--until", metavar="DAY", help="Nothing newer.", show_default=False)]
AsOfOption = Annotated[
    str,
    typer.Option(
        "--as-of", metavar="DAY", help="Search as on that day: nothing newer, and so is it for “last week”.",
        show_default=False,
    ),
]  # fmt: skip
QuestionArgument = Annotated[
    str, typer.Argument(metavar="QUESTION", help='For example "What did Zarif say about missiles?"')
]


@app.callback(invoke_without_command=True)
def onrecord(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False
) -> None:
    """Ask a folder of news articles, and check every sentence of the answer."""
    if version:
        from importlib.metadata import version as installed_version

        print(f"onrecord {installed_version('onrecord')}")
        raise typer.Exit


@app.command()
def index(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER", help="Folders of .txt, .md, .html and .jsonl[.gz] files.")
    ],
    *,
    archive: ArchiveOption = None,
    model: ModelOption = None,
    watch: Annotated[bool, typer.Option("--watch", help="Then follow every change, until Ctrl-C.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring an archive in step with folders of articles.

    New files come in, changed ones are replaced, vanished ones leave. It can be stopped at any moment and run again.
    Exit code 0 if everything was read, 3 if something was refused (each with its reason on stderr), 2 if there was
    nothing to read, 4 if another process is writing to the archive, 1 after any other error.
    """
    settings = load_settings(archive=archive, model=model)
    if watch:
        watching = importlib.import_module("rag.index.watching")
        raise typer.Exit(watching.watch(folders, settings, as_json=as_json))
    command = importlib.import_module("rag.index.command")
    raise typer.Exit(command.run(folders, settings, as_json=as_json))


@app.command()
def status(*, archive: ArchiveOption = None, as_json: JsonOption = False) -> None:
    """Say what is in an archive, and what became of the files."""
    reading = importlib.import_module("rag.index.status")
    place = load_settings(archive=archive).archive
    found = reading.read_status(place)
    print(
        _json(found.to_dict() | {"fingerprint": reading.fingerprint(place)}) if as_json else reading.write_status(found)
    )


@app.command()
def verify(*, archive: ArchiveOption = None, as_json: JsonOption = False) -> None:
    """Check everything in an archive, and say how to mend what is wrong.

    Exit code 0 if nothing is wrong, else 1.
    """
    verification = importlib.import_module("rag.index.verification")
    found = verification.verify(load_settings(archive=archive).archive)
    print(_json(found.to_dict()) if as_json else verification.write_verification(found))
    raise typer.Exit(1 if found.findings else 0)


@app.command()
def rebuild(
    *,
    archive: ArchiveOption = None,
    embed: Annotated[
        bool, typer.Option("--embed", help="Embed all articles anew first, with the model given.")
    ] = False,
    model: ModelOption = None,
) -> None:
    """Make the indexes of an archive afresh.

    They are made from what the archive stores; nothing is embedded, unless you ask for it.
    """
    if model is not None and not embed:
        raise SettingError("--model says what to embed with. Give --embed too, or leave it out.")
    upkeep = importlib.import_module("rag.index.upkeep")
    settings = load_settings(archive=archive, model=model)
    print(upkeep.write_rebuilt(upkeep.rebuild(settings, embed=embed), settings))


@app.command()
def remove(
    names: Annotated[
        list[str], typer.Argument(metavar="ID_OR_FILE", help="An article's id, or a file, for all of its articles.")
    ],
    *,
    archive: ArchiveOption = None,
) -> None:
    """Take articles out of an archive, and keep them out.

    Their text leaves the archive's files too. A later `onrecord index FOLDER` does not bring them back; naming the file
    itself does, or editing the text.
    """
    upkeep = importlib.import_module("rag.index.upkeep")
    settings = load_settings(archive=archive)
    print(upkeep.write_removed(upkeep.remove(names, settings), settings))


@app.command()
def export(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A .jsonl or .jsonl.gz file; stdout without one.", show_default=False),
    ] = None,
    *,
    archive: ArchiveOption = None,
) -> None:
    """Write all articles as lines of JSON.

    `onrecord index FILE` makes the same archive of them again.
    """
    exporting = importlib.import_module("rag.index.export")
    place = load_settings(archive=archive).archive
    if file is None:
        exporting.export(place, sys.stdout.buffer)
    else:
        print(f"{counted(exporting.export_to(place, file), 'article')} written to {shown(file)}.")


@app.command()
def ask(
    question: QuestionArgument,
    *,
    after: Annotated[
        list[str] | None,
        typer.Option(
            metavar="QUESTION", help="What was asked before; several times for more, oldest first.", show_default=False
        ),
    ] = None,
    outlet: OutletOption = None,
    author: AuthorOption = None,
    section: SectionOption = None,
    language: LanguageOption = None,
    since: SinceOption = "",
    until: UntilOption = "",
    as_of: AsOfOption = "",
    sentences: Annotated[
        int, typer.Option(help="How many sentences at most, of some twenty words each.", min=1, max=12)
    ] = 4,
    archive: ArchiveOption = None,
    model: ModelOption = None,
    llm: LLMOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question, each sentence with its source.

    Where no article answers, it says "Not in the archive", and what was searched.
    """
    filters = Filters(outlet or (), author or (), section or (), language or (), since, until)
    settings = load_settings(archive=archive, model=model, llm=llm)
    with _opened_chatbot(question, settings) as chatbot, told("Answering"):
        from rag.conversation import Turn

        turns = [Turn(asked) for asked in after or ()]
        answer = chatbot.ask(question, history=turns, filters=filters, as_of=as_of, sentences=sentences)
        _tell_unknown(filters, chatbot.retriever)
    if answer.notice:
        print(answer.notice, file=sys.stderr)
    print(_json(answer.to_dict()) if as_json else printable(write_answer(answer, narrowed=bool(filters or as_of))))


@app.command()
def search(
    question: QuestionArgument,
    *,
    k: Annotated[int, typer.Option(help="How many passages.", min=1, max=1000)] = 10,
    outlet: OutletOption = None,
    author: AuthorOption = None,
    section: SectionOption = None,
    language: LanguageOption = None,
    since: SinceOption = "",
    until: UntilOption = "",
    as_of: AsOfOption = "",
    by: Annotated[
        list[str] | None,
        typer.Option(help="Search by meaning or by words only.  [default: both]", show_default=False),
    ] = None,
    fusion: Annotated[str, typer.Option(help="How both are brought together: by scores or by ranks.")] = "scores",
    explain: Annotated[bool, typer.Option("--explain", help="Say of each passage what brought it there.")] = False,
    archive: ArchiveOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the best passages for a question, best first.

    They are found by meaning and by words. Copies of one story share a place.
    """
    ranking = Ranking(**({"channels": tuple(by)} if by else {}), fusion=fusion)  # type: ignore[arg-type]
    filters = Filters(outlet or (), author or (), section or (), language or (), since, until)
    with _opened_retriever(question, load_settings(archive=archive, model=model), ranking) as retriever:
        retriever.searched()
        found = retriever.retrieve(question, k=k, filters=filters, as_of=as_of, explain=explain)
        _tell_unknown(filters, retriever)
    print(_json(_passages_found(question, found)) if as_json else printable(write_passages(found)))


@app.command()
def explain(
    question: QuestionArgument,
    article: Annotated[str, typer.Argument(metavar="ARTICLE", help="The id or the address of an article.")],
    *,
    k: Annotated[int, typer.Option(help="Among how many passages it should be.", min=1, max=1000)] = 10,
    outlet: OutletOption = None,
    author: AuthorOption = None,
    section: SectionOption = None,
    language: LanguageOption = None,
    since: SinceOption = "",
    until: UntilOption = "",
    as_of: AsOfOption = "",
    archive: ArchiveOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why an article did or did not come up for a question.

    Because it is not in the archive, is kept out by a filter, is a copy of another, or others fit better.
    """
    filters = Filters(outlet or (), author or (), section or (), language or (), since, until)
    with _opened_retriever(question, load_settings(archive=archive, model=model)) as retriever:
        found = retriever.explain(question, article, k=k, filters=filters, as_of=as_of)
    print(_json(found.to_dict()) if as_json else printable(write_explanation(found)))


@app.command()
def article(
    article_id: Annotated[str, typer.Argument(metavar="ID", help="The article_id of a citation.")],
    *,
    archive: ArchiveOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print an article as it is stored.

    The characters of every citation can be checked against it.
    """
    from rag.archive import Archive

    with Archive.open(load_settings(archive=archive).archive) as opened:
        stored = opened.article(article_id)
    print(_json(stored.to_dict()) if as_json else printable(write_article(stored)))


@app.command()
def trace(
    excerpt: Annotated[str, typer.Argument(metavar="EXCERPT", help="Words of an article; - reads them from stdin.")],
    *,
    archive: ArchiveOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which article an excerpt is from, or in which words it differs from the nearest passage.

    "..." in it may stand for words that it leaves out, and square brackets for words that are not the article's. Exit
    code 0 if its words stand in an article, 1 if they do not, 2 after an error.
    """
    from rag.tracing import Tracer

    with Tracer.open(load_settings(archive=archive).archive) as tracer, told("Tracing"):
        found = tracer.trace(_read_stdin() if excerpt == "-" else excerpt)
    print(_json(found.to_dict()) if as_json else printable(write_trace(found)))
    raise typer.Exit(0 if found.found else NOT_HELD)


@app.command()
def chat(
    *,
    archive: ArchiveOption = None,
    model: ModelOption = None,
    llm: LLMOption = None,
    port: Annotated[
        int, typer.Option(help="The port on this computer; 0 takes any free one.", min=0, max=65535)
    ] = 7860,
    host: Annotated[
        str, typer.Option(help="The address to serve; one that others reach needs a password in ONRECORD_PASSWORD.")
    ] = "127.0.0.1",
) -> None:
    """Chat with an archive in the browser.

    The page is served to this computer only, unless another address is given with --host.
    """
    server = importlib.import_module("rag.ui.server")
    server.serve(load_settings(archive=archive, model=model, llm=llm), port, host)


@app.command(
    "eval", context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
)
def evaluate(context: typer.Context) -> None:
    """Measure: ask a question set, compare two runs, look at speed.

    `onrecord eval --help` lists its commands.
    """
    importlib.import_module("rag.eval.__main__").main(context.args, "onrecord eval")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; a `RagError` becomes one line on stderr and the exit code of its kind."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may lack letters that an article has
    logging.basicConfig(level=logging.ERROR, format="onrecord: %(message)s")
    logging.getLogger("rag").setLevel(logging.WARNING)
    try:
        app(args=arguments, prog_name="onrecord")
    except RagError as error:
        print(f"onrecord: {printable(' '.join(str(error).split()))}", file=sys.stderr)
        command = next(iter(sys.argv[1:] if arguments is None else arguments), "")
        sys.exit(KEEPING_CODES.get(type(error), KEEPING_FAILED) if command in KEEPING else FAILED)


def _tell_unknown(filters: Filters, retriever: Retriever) -> None:
    """Say on stderr which value of a filter no article has: it is likely a slip."""
    if unknown := unknown_value(filters, retriever.values):
        print(printable(unknown), file=sys.stderr)


@contextmanager
def _opening(question: str) -> Iterator[None]:
    """Open an archive after looking at the question: whoever asks nothing need not wait for the model to hear it."""
    from rag.questions import read_question

    read_question(question)
    with told("Opening the archive and the embedding model"):
        yield


def _opened_chatbot(question: str, settings: Settings) -> Chatbot:
    with _opening(question):
        from rag.chatbot import Chatbot

        return Chatbot.open(settings=settings)


def _opened_retriever(question: str, settings: Settings, ranking: Ranking | None = None) -> Retriever:
    with _opening(question):
        from rag.retrieval import Retriever

        return Retriever.open(settings=settings, ranking=ranking)


def _passages_found(question: str, found: Sequence[ScoredPassage]) -> dict[str, Any]:
    from rag.questions import read_question

    articles, origins = count_origins(found)
    passages = [passage.to_dict() for passage in found]
    return {"question": read_question(question).text, "articles": articles, "origins": origins, "passages": passages}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _read_stdin() -> str:
    from rag.excerpts import MAXIMUM_CHARACTERS

    longest = 4 * (MAXIMUM_CHARACTERS + 1)  # bytes; with one character too many it is refused
    return sys.stdin.buffer.read(longest).decode(errors="replace")


if __name__ == "__main__":
    main()
