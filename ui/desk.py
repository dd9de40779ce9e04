"""The desk: all that a page needs to answer its reader."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from rag.answers import Answer
from rag.articles import Article
from rag.chatbot import Chatbot
from rag.errors import ArticleNotFound
from rag.settings import Settings

from . import footnotes, panel, rendering
from .conversations import Conversations, Kept
from .limits import Limits
from .markup import shown_citations
from .queue import Queue

AT_ONCE = 4  # answers that are worked out at the same time; more only make all of them slower

# What the page's script is given of a turn: its question and HTML; by the number of a citation the panel and the card
# that show it and the note that is copied with it; whether it is complete, and whether the question was refused; the
# names under which it is kept, and its text with footnotes, empty until then.
Update = dict[str, object]


@dataclass(frozen=True, slots=True)
class Desk:
    """One archive that answers, the conversations about it, and how much of each there may be."""

    chatbot: Chatbot
    settings: Settings
    conversations: Conversations
    queue: Queue = field(default_factory=lambda: Queue(AT_ONCE))
    limits: Limits = field(default_factory=Limits)

    def articles(self, answer: Answer, known: dict[str, Article | None] | None = None) -> dict[str, Article]:
        """Give those of the cited articles that the archive still holds, by their ids; what is `known` is not read."""
        known = {} if known is None else known
        for citation in shown_citations(answer):
            if citation.article_id not in known:
                known[citation.article_id] = self.article(citation.article_id)
        return {article_id: article for article_id, article in known.items() if article}

    def article(self, article_id: str) -> Article | None:
        """Give an article, if the archive holds it."""
        with suppress(ArticleNotFound):
            return self.chatbot.article(article_id)
        return None

    def update(self, kept: Kept, known: dict[str, Article | None] | None = None, *, progress: str = "") -> Update:
        """Give a turn as the page's script is given it; `progress` says that more is to come."""
        answer = kept.answer
        shown = {
            "question": answer.question,
            "html": rendering.turn(
                answer.question, answer, within=kept.within, whole=kept.whole, progress=progress, name=kept.id
            ),
            "sources": panel.sources(answer, self.articles(answer, known)),
            "cards": panel.cards(answer),
            "done": not progress,
        }
        notes = {str(each.number): footnotes.note(each) for each in shown_citations(answer)}
        names = {"name": kept.id, "conversation": kept.conversation, "text": footnotes.plain(kept)}
        return BLANK | shown | {"notes": notes} | (names if kept.id else {})


BLANK: Update = {
    "question": "", "html": "", "sources": {}, "cards": {}, "notes": {}, "done": False, "refused": False, "name": "",
    "conversation": "", "text": "",
}  # fmt: skip
