"""Routes: what the page's scripts ask for beside answers: articles, conversations, what is brought in, feedback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Annotated, Any, cast, get_args

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from rag.articles import Article, Copy
from rag.errors import RagError
from rag.filters import Filters

from . import footnotes, listing, panel
from .bringing import bring_in, take_back
from .conversations import Kept, NotKept
from .desk import Desk
from .feedback import Feedback, Verdict, note_feedback
from .frame import held
from .guarding import STILL, reader_of
from .markup import shown_citations

PAGE = 50  # articles in a list at once
LONGEST_JSON = 64_000
LONGEST_QUERY = 300


class Wanted(BaseModel):
    """Which articles a page wants listed: by words or all, of an outlet, of some days; `pick` has each to be picked."""

    query: str = Field("", max_length=LONGEST_QUERY)
    outlet: str = Field("", max_length=LONGEST_QUERY)
    since: str = Field("", max_length=30)
    until: str = Field("", max_length=30)
    skip: int = Field(0, ge=0, le=10**9)
    pick: bool = False


def build_routes(desk: Desk) -> APIRouter:
    """Build what is served beside the page, about one desk."""
    routes = APIRouter()
    for build in (_archive, _conversations, _additions, _answers):
        build(routes, desk)
    return routes


def _archive(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/desk/held")
    def now_held() -> Response:
        return PlainTextResponse(held(desk.chatbot.searched))

    @routes.get("/desk/archive")
    def holdings() -> Response:
        return HTMLResponse(listing.archive(desk.chatbot.retriever.archive.holdings()))

    @routes.get("/desk/articles")
    def articles(wanted: Annotated[Wanted, Query()]) -> Response:
        filters = Filters(wanted.outlet or (), since=wanted.since, until=wanted.until)
        if wanted.query.strip():
            return HTMLResponse(listing.articles(_found(desk, wanted.query, filters), pick=wanted.pick))
        found = desk.chatbot.retriever.archive.listed(filters, most=PAGE + 1, skip=wanted.skip)
        more = len(found) > PAGE
        return HTMLResponse(listing.articles(found[:PAGE], skip=wanted.skip, more=more, pick=wanted.pick))

    @routes.get("/desk/article")
    def article(id: str) -> Response:  # noqa: A002 # what it is called in the address
        found = desk.article(id)
        if found is None:
            return PlainTextResponse("The archive no longer holds this article.", 404)
        return HTMLResponse(panel.article(found))


def _found(desk: Desk, query: str, filters: Filters) -> list[Copy]:
    """Give the articles of the best passages, best first."""
    passages = desk.chatbot.search(query, PAGE, filters=filters)
    articles = {found.article.id: found.article for found in passages}
    return [_brief(each) for each in articles.values()]


def _brief(article: Article) -> Copy:
    return Copy(article.id, article.title, article.source, article.date, article.url)


def _conversations(routes: APIRouter, desk: Desk) -> None:
    kept = desk.conversations

    @routes.get("/desk/conversations")
    def listed(request: Request, query: str | None = None) -> Response:
        if query is None:
            return HTMLResponse(listing.CONVERSATIONS)
        found = kept.search(reader_of(request.cookies), query[:LONGEST_QUERY])
        return HTMLResponse(listing.conversations(found, query))

    @routes.get("/desk/conversations/{name}")
    def opened(request: Request, name: str) -> Response:
        answers = kept.answers(reader_of(request.cookies), name)
        known: dict[str, Article | None] = {}
        return JSONResponse({"conversation": name, "turns": [desk.update(each, known) for each in answers]})

    @routes.patch("/desk/conversations/{name}")
    async def renamed(request: Request, name: str) -> Response:
        title = (await _json(request)).get("title")
        if not isinstance(title, str) or not title.strip():
            raise HTTPException(422, "A conversation needs a title.")
        kept.rename(reader_of(request.cookies), name, title)
        return Response(status_code=204)

    @routes.delete("/desk/conversations/{name}")
    def deleted(request: Request, name: str) -> Response:
        kept.delete(reader_of(request.cookies), name)
        return Response(status_code=204)

    @routes.get("/conversations/{name}.{kind}")
    def exported(request: Request, name: str, kind: str) -> Response:
        reader = reader_of(request.cookies)
        return _exported(desk, kept.answers(reader, name), kept.find(reader, name).title, kind)


def _additions(routes: APIRouter, desk: Desk) -> None:
    writing = asyncio.Lock()  # an archive has one writer at a time

    @routes.get("/desk/added")
    def added(request: Request) -> Response:
        found = desk.conversations.additions(reader_of(request.cookies))
        return HTMLResponse(listing.added(found, desk.limits))

    @routes.post("/desk/added")
    async def brought(request: Request, name: str) -> Response:
        reader = _known_reader(request)
        content = await _body(request, desk.limits.largest)
        async with writing:
            report = await run_in_threadpool(bring_in, desk, reader, name, content)
        return JSONResponse(report.to_dict() | {"held": held(desk.chatbot.searched)})

    @routes.delete("/desk/added/{name}")
    async def taken(request: Request, name: str) -> Response:
        async with writing:
            left = await run_in_threadpool(take_back, desk, _known_reader(request), name)
        return JSONResponse({"left": left, "held": held(desk.chatbot.searched)})


def _answers(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/answers/{name}")
    def answer(name: str) -> Response:
        name, _, kind = name.partition(".")
        kept = desk.conversations.answer(name)
        return _exported(desk, [kept], kept.answer.question, kind)

    @routes.post("/desk/feedback")
    async def feedback(request: Request) -> Response:
        given = await _json(request)
        await run_in_threadpool(_note, desk, reader_of(request.cookies), given)
        return Response(status_code=204)


def _note(desk: Desk, reader: str, given: dict[str, Any]) -> None:
    match given:
        case {"answer": str(name), "verdict": str(verdict), "word": str(word), "missed": str(missed)}:
            pass
        case _:
            raise HTTPException(422, "This feedback cannot be read. Reload the page and give it again.")
    if verdict not in get_args(Verdict) or (missed and desk.article(missed) is None):
        raise HTTPException(422, "This feedback cannot be read. Reload the page and give it again.")
    kept = desk.conversations.answer(name)
    history = desk.conversations.history(reader, kept.conversation, before=name)
    feedback = Feedback(kept, history, cast("Verdict", verdict), word, missed)
    note_feedback(desk.settings.archive, feedback)


def _exported(desk: Desk, answers: list[Kept], title: str, kind: str) -> Response:
    if kind == "md":
        return Response(footnotes.markdown(answers, title), media_type="text/markdown", headers=_DOWNLOAD | STILL)
    if kind not in {"", "html"}:
        raise HTTPException(404)
    there = {article_id for each in answers for article_id in _still_held(desk, each)}
    return HTMLResponse(footnotes.page(answers, title, there), headers=STILL | (_DOWNLOAD if kind else {}))


def _still_held(desk: Desk, kept: Kept) -> set[str]:
    articles = desk.articles(kept.answer)
    return {
        each.article_id
        for each in shown_citations(kept.answer)
        if (found := articles.get(each.article_id)) and found.text[each.start : each.end] == each.text
    }


_DOWNLOAD = {"Content-Disposition": "attachment"}


def _known_reader(request: Request) -> str:
    """Give the reader who brings something in: nobody else may take it out again."""
    if reader := reader_of(request.cookies):
        return reader
    raise HTTPException(403, "Your browser keeps no cookie of this page, so that what you bring in would not be yours.")


async def _json(request: Request) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        given = json.loads(await _body(request, LONGEST_JSON))
        if isinstance(given, dict):
            return given
    raise HTTPException(422, "This is not what the page sends.")


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise HTTPException(413, f"Larger than {most // 1000:,} KB.")
    return bytes(body)


async def told(_: Request, error: Exception) -> Response:
    """Answer with what is wrong, in words for the reader."""
    return PlainTextResponse(str(error), 404 if isinstance(error, NotKept) else 422)


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {RagError: told}
