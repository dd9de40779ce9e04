"""The page: the conversation, the question box and the source panel, as a Gradio app over one chatbot."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from typing import Any, cast
from uuid import uuid4

import gradio as gr

from rag.answers import Answer, Searched
from rag.articles import Article
from rag.errors import QuestionError, RagError

from . import frame, rendering
from .conversations import KeepingFailed, Kept
from .desk import BLANK, Desk, Update
from .guarding import reader_of
from .narrowing import offered, read_narrowing

logger = logging.getLogger(__name__)

UPDATE_SECONDS = 0.12
SEARCHING = "Searching …"
WRITING = "Writing …"
UNEXPECTED = "Something went wrong; the terminal has details."
UNREADABLE = "The page sent what cannot be read. Reload it and ask again."
MOST_WAITING = 500
FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

# What the browser paints before the style sheet is there; the same as in chat.css.
BACKGROUND = {"body_background_fill": "#fbfaf7", "body_background_fill_dark": "#15171a"}

# Templates of gr.HTML: only `${name}` is filled in, with HTML that `frame` made; both stay as they are while the
# page's script fills them.
TURNS = '<div id="conversation" role="log" aria-label="Conversation"><div id="welcome">${welcome}</div></div>'
SOURCE = """<section id="panel" aria-label="Source" tabindex="-1">
<button type="button" id="close">Back to the conversation</button>
<div id="shown"><p class="empty">The source of a sentence opens here, in its article.</p></div></section>"""

_UNANSWERED = Answer("", "not_in_archive", (), (), Searched(0, (), "", ""))


def build_app(desk: Desk) -> gr.Blocks:
    """Build the page of a desk; each browser page holds the turns that it shows, the desk keeps what was answered."""
    chatbot = desk.chatbot
    searched = chatbot.searched
    app = gr.Blocks(title="Onrecord", analytics_enabled=False, fill_width=True)
    with app:
        gr.HTML(frame.header(searched), elem_id="head", apply_default_css=False, js_on_load=None)
        welcome = frame.welcome(chatbot.examples())
        turns = _html(
            "turns", TURNS, welcome=welcome, js_on_load="\n".join(map(_asset, ("chat.js", "cards.js", "actions.js")))
        )
        ask_about = f"Ask about {_these(searched.articles)}"
        with gr.Column(elem_id="ask"):
            narrowing = _html("narrowing", frame.filter_form(), js_on_load=_asset("filter.js"))
            box = gr.Textbox(
                elem_id="box", label="Question", show_label=False, placeholder=ask_about, max_lines=6, submit_btn="Ask",
                container=False,
            )  # fmt: skip
        _html("source", SOURCE, js_on_load=_asset("desk.js"))
        answer = _answering(desk)
        # The script lets one question run at a time; "once" would also drop one that is asked soon after Stop.
        asked = [box, narrowing, turns]
        asking = gr.on([box.submit, turns.click], answer, asked, [turns, box], trigger_mode="multiple", **QUIET)
        box.stop(None, None, None, cancels=[asking], **QUIET)
        box.stop(_ready, None, box, queue=False, **QUIET)
        turns.select(_heard, None, None, **QUIET)
        app.load(partial(offered, chatbot), None, narrowing, queue=False, **QUIET)
    # Gradio lets everybody in; how many are answered at once, and in which order, the desk's queue decides.
    app.queue(default_concurrency_limit=None, max_size=MOST_WAITING, api_open=False)
    return app


def page_options() -> dict[str, Any]:
    """Give what Gradio takes when the app is mounted rather than built."""
    return {
        "theme": gr.themes.Base(font=FONTS, font_mono="monospace").set(**BACKGROUND),
        "head": f"<style>{_asset('chat.css')}</style>",
        "footer_links": [],
        "show_error": False,
        "allowed_paths": [],
        "max_file_size": 1,
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "mcp_server": False,
    }


def turn_updates(
    desk: Desk, question: str, *, reader: str = "", sent: object = None, place: object = None
) -> Generator[Update]:
    """Give the turn of one question as it grows, at most one every 120 ms; the last is complete, and kept.

    `sent` is what the page's filter holds, `place` in which conversation it asks. Nothing is kept for nobody.
    """
    turn_id = f"turn-{uuid4().hex}"

    def told(html: str, **changes: Any) -> Update:
        return BLANK | {"id": turn_id, "question": question, "html": html} | changes

    try:
        narrowing, asked_in = read_narrowing(sent), read_place(place)
        shown = partial(rendering.turn, question, within=str(narrowing))
        yield told(shown(progress=SEARCHING))
        history = desk.conversations.history(reader, asked_in.conversation, before=asked_in.replaces)
        with desk.queue.place() as waiting:
            yield from (told(shown(progress=f"Waiting: place {before:,} in the queue …")) for before in waiting)
            kept = Kept(_UNANSWERED, str(narrowing), desk.chatbot.searched.articles if narrowing else 0)
            known: dict[str, Article | None] = {}
            answers = desk.chatbot.stream(question, history=history, filters=narrowing.filters, as_of=narrowing.as_of)
            for answer, final in _paced(answers):
                kept = replace(kept, answer=answer)
                if final and reader:
                    kept = _keep(desk, reader, replace(kept, conversation=asked_in.conversation), asked_in.replaces)
                yield desk.update(kept, known, progress="" if final else _progress(answer)) | {"id": turn_id}
    except RagError as error:
        yield told(rendering.turn(question, problem=str(error)), done=True, refused=True)
    except Exception:
        logger.exception("A question could not be answered.")
        yield told(rendering.turn(question, problem=UNEXPECTED), done=True)


def _keep(desk: Desk, reader: str, kept: Kept, replaces: str) -> Kept:
    """Keep an answer; where that cannot be done, it is shown all the same and says so."""
    try:
        return desk.conversations.keep(reader, kept, replaces=replaces)
    except KeepingFailed as error:
        notice = " ".join(filter(None, [kept.answer.notice, str(error)]))
        return replace(kept, answer=replace(kept.answer, notice=notice))


@dataclass(frozen=True, slots=True)
class Place:
    """The conversation in which a question is asked, a new one where it has no name, and the answer it replaces."""

    conversation: str = ""
    replaces: str = ""


def read_place(sent: object) -> Place:
    """Read where a page asks. Raises `QuestionError`."""
    match sent:
        case None:
            return Place()
        case {"conversation": str(conversation), "replaces": str(replaces), **others} if not others:
            return Place(conversation, replaces)
    raise QuestionError(UNREADABLE)


def _answering(desk: Desk) -> Any:
    async def answer(
        typed: str, sent: object, place: object, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[tuple[Any, Any]]:
        # An example's question comes with the click, a typed one from the box.
        question = str(event.question if isinstance(event.target, gr.HTML) else typed)
        if not question.strip():
            yield gr.skip(), gr.skip()
            return
        yield gr.skip(), gr.Textbox(submit_btn=False, stop_btn="Stop")
        reader = reader_of(request.cookies)
        async with aclosing(_in_thread(turn_updates(desk, question, reader=reader, sent=sent, place=place))) as updates:
            async for update in updates:
                yield update, gr.skip()
        yield gr.skip(), _ready()

    return answer


async def _in_thread(updates: Generator[Update]) -> AsyncGenerator[Update]:
    """Take blocking updates from a thread of their own, so that neither Stop nor the program's end waits for them.

    Gradio closes a plain generator under a lock that every page needs, and only when its current step is over.
    """
    loop, taken, left = asyncio.get_running_loop(), asyncio.Queue[Update | None](), threading.Event()

    def work() -> None:
        # A RuntimeError says that the program ends: the loop is closed and nobody waits any more.
        with suppress(RuntimeError), closing(updates):
            for update in updates:
                if left.is_set():
                    return
                loop.call_soon_threadsafe(taken.put_nowait, update)
            loop.call_soon_threadsafe(taken.put_nowait, None)

    threading.Thread(target=work, daemon=True).start()
    try:
        while (update := await taken.get()) is not None:
            yield update
    finally:
        left.set()


def _paced(answers: Iterator[Answer]) -> Iterator[tuple[Answer, bool]]:
    """Give growing answers, skipping those that come too fast, and at the end the whole one, marked True."""
    latest, shown = None, float("-inf")
    with closing(cast("Any", answers)):
        for latest in answers:
            if time.monotonic() - shown >= UPDATE_SECONDS:
                yield latest, False
                shown = time.monotonic()
    if latest is not None:
        yield latest, True


def _progress(answer: Answer) -> str:
    return WRITING if answer.sentences else SEARCHING


def _ready() -> Any:
    return gr.Textbox(submit_btn="Ask", stop_btn=False)


def _heard() -> None:
    """Do nothing: by asking for this the page opens the stream on which its answers come."""


def _these(articles: int) -> str:
    return "this article" if articles == 1 else f"these {articles:,} articles"


def _html(name: str, template: str, **options: Any) -> gr.HTML:
    return gr.HTML(None, html_template=template, elem_id=name, apply_default_css=False, **options)


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
