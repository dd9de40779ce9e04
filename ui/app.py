"""The page: the conversation, the question box and the source panel, as a Gradio app over one chatbot."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, closing, suppress
from functools import partial
from importlib.resources import files
from typing import Any, cast
from uuid import uuid4

import gradio as gr

from rag.answers import Answer
from rag.articles import Article
from rag.chatbot import Chatbot
from rag.conversation import TURNS_READ, Turn
from rag.errors import ArticleNotFound, QuestionError, RagError

from . import rendering
from .narrowing import offered, read_narrowing

logger = logging.getLogger(__name__)

UPDATE_SECONDS = 0.12
SEARCHING = "Searching …"
WRITING = "Writing …"
UNEXPECTED = "Something went wrong; the terminal has details."
UNREADABLE = "What was said before cannot be read. Reload the page and ask again."
LONGEST_SAID = 2000  # characters of an earlier question or answer
FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

# What the browser paints before the style sheet is there; the same as in chat.css.
BACKGROUND = {"body_background_fill": "#fbfaf7", "body_background_fill_dark": "#15171a"}

# Templates of gr.HTML: only `${name}` is filled in, with HTML that `rendering` made; both stay as they are while the
# page's script fills them.
TURNS = '<div id="conversation" role="log" aria-label="Conversation"><div id="welcome">${welcome}</div></div>'
SOURCE = """<section id="panel" aria-label="Source" tabindex="-1">
<button type="button" id="close">Back to the answer</button>
<div id="shown"><p class="empty">The source of a sentence opens here, in its article.</p></div></section>"""

# What the page's script is given: the id of the turn, its question, its HTML, the panel for each number, whether it is
# complete, whether the question was refused, and of a turn that is answered what was said in it.
Update = dict[str, Any]


def build_app(chatbot: Chatbot) -> gr.Blocks:
    """Build the page; it keeps nothing of a conversation, each browser page holds its own."""
    searched = chatbot.searched
    app = gr.Blocks(title="Onrecord", analytics_enabled=False, fill_width=True)
    with app:
        gr.HTML(rendering.header(searched), elem_id="head", apply_default_css=False, js_on_load=None)
        welcome = rendering.welcome(chatbot.examples())
        turns = _html("turns", TURNS, welcome=welcome, js_on_load=_asset("chat.js"))
        ask_about = f"Ask about {_these(searched.articles)}"
        with gr.Column(elem_id="ask"):
            narrowing = _html("narrowing", rendering.filter_form(), js_on_load=_asset("filter.js"))
            box = gr.Textbox(
                elem_id="box", label="Question", show_label=False, placeholder=ask_about, max_lines=6, submit_btn="Ask",
                container=False,
            )  # fmt: skip
        _html("source", SOURCE, js_on_load=None)
        answer = _answering(chatbot)
        # The script lets one question run at a time; "once" would also drop one that is asked soon after Stop.
        asked = [box, narrowing, turns]
        asking = gr.on([box.submit, turns.click], answer, asked, [turns, box], trigger_mode="multiple", **QUIET)
        box.stop(None, None, None, cancels=[asking], **QUIET)
        box.stop(_ready, None, box, queue=False, **QUIET)
        app.load(partial(offered, chatbot), None, narrowing, queue=False, **QUIET)
    app.queue(default_concurrency_limit=8, max_size=64, api_open=False)
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


def turn_updates(chatbot: Chatbot, question: str, sent: object = None, said: object = None) -> Generator[Update]:
    """Give the turn of one question as it grows, at most one every 120 ms; the last is complete.

    `sent` is what the page's filter holds, `said` what its conversation does.
    """
    told = partial(_turn, f"turn-{uuid4().hex}", question)
    articles: dict[str, Article | None] = {}
    try:
        narrowing, history = read_narrowing(sent), read_history(said)
        shown = partial(rendering.turn, question, within=str(narrowing))
        yield told(shown(progress=SEARCHING))
        whole = chatbot.searched.articles if narrowing else 0
        answers = chatbot.stream(question, history=history, filters=narrowing.filters, as_of=narrowing.as_of)
        for answer, final in _paced(answers):
            html = shown(answer, whole=whole, progress="" if final else _progress(answer))
            panels = rendering.sources(answer, _cited(chatbot, answer, articles))
            yield told(html, panels, done=final, said=_said(answer) if final else None)
    except RagError as error:
        yield told(rendering.turn(question, problem=str(error)), done=True, refused=True)
    except Exception:
        logger.exception("A question could not be answered.")
        yield told(rendering.turn(question, problem=UNEXPECTED), done=True)


def read_history(said: object) -> tuple[Turn, ...]:
    """Read what a page says was asked and answered before, oldest first. Raises `QuestionError`."""
    if said is None:
        return ()
    if not isinstance(said, list) or len(said) > TURNS_READ:
        raise QuestionError(UNREADABLE)
    return tuple(map(_read_turn, said))


def _read_turn(said: object) -> Turn:
    match said:
        case {"question": str(question), "answer": str(answer), **others} if not others:
            return Turn(question[:LONGEST_SAID], answer[:LONGEST_SAID])
    raise QuestionError(UNREADABLE)


def _said(answer: Answer) -> dict[str, str]:
    return {"question": answer.question, "answer": " ".join(sentence.text for sentence in answer.sentences)}


def _answering(chatbot: Chatbot) -> Any:
    async def answer(typed: str, sent: object, said: object, event: gr.EventData) -> AsyncIterator[tuple[Any, Any]]:
        # An example's question comes with the click, a typed one from the box.
        question = str(event.question if isinstance(event.target, gr.HTML) else typed)
        if not question.strip():
            yield gr.skip(), gr.skip()
            return
        yield gr.skip(), gr.Textbox(submit_btn=False, stop_btn="Stop")
        async with aclosing(_in_thread(turn_updates(chatbot, question, sent, said))) as updates:
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


def _cited(chatbot: Chatbot, answer: Answer, known: dict[str, Article | None]) -> dict[str, Article]:
    for citation in rendering.shown_citations(answer):
        if citation.article_id not in known:
            known[citation.article_id] = _article(chatbot, citation.article_id)
    return {article_id: article for article_id, article in known.items() if article}


def _article(chatbot: Chatbot, article_id: str) -> Article | None:
    try:
        return chatbot.article(article_id)
    except ArticleNotFound:
        return None


def _progress(answer: Answer) -> str:
    return WRITING if answer.sentences else SEARCHING


def _turn(turn_id: str, question: str, html: str, sources: dict[str, str] | None = None, **changes: Any) -> Update:
    known = {"id": turn_id, "question": question, "html": html, "sources": sources or {}}
    return known | {"done": False, "refused": False, "said": None} | changes


def _ready() -> Any:
    return gr.Textbox(submit_btn="Ask", stop_btn=False)


def _these(articles: int) -> str:
    return "this article" if articles == 1 else f"these {articles:,} articles"


def _html(name: str, template: str, **options: Any) -> gr.HTML:
    return gr.HTML(None, html_template=template, elem_id=name, apply_default_css=False, **options)


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
