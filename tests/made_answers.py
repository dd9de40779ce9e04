"""Answers for tests that need one, with what a hostile article could put into each of their parts."""

from dataclasses import replace

from rag.answers import Answer, Citation, Gloss, Searched, Sentence, Side
from rag.articles import Article, Copy

HOSTILE = (
    "<img src=x onerror=alert(1)> </p></li></blockquote><script>alert(2)</script> \" ' ${4} $title {{value}} [1] [^1] "
    "![x](http://evil.example/a) [y](javascript:alert(3)) http://evil.example/b www.evil.example `code` $x$ **bold** "
    "_under_ ~~gone~~ | a | <http://evil.example/c> me@evil.example # head"
)
ARTICLE = Article(
    "a1", "Rates held", "Rates were held. Prices rose.", "The Post", "2024-03-01", "https://post.example/1"
)
SEARCHED = Searched(48, ("The Post",), "2018-05-03", "2019-11-20")


def cited(number: int, quotation: str, article: Article = ARTICLE) -> Citation:
    start = article.text.index(quotation)
    facts = (article.title, article.source, article.date, article.url)
    return Citation(number, article.id, *facts, start, start + len(quotation), quotation)


ANSWER = Answer(
    "Were rates held?",
    "answered",
    (Sentence("Rates were held.", (1,)), Sentence("Prices rose.", (2,), "weak", said_by="The minister")),
    (cited(1, "Rates were held."), replace(cited(2, "Prices rose."), also_in=(Copy("b", "Held", "Wire", "", ""),))),
    SEARCHED,
    probability=0.8,
)
ABSENT = Answer("Who left?", "not_in_archive", (), (), SEARCHED, nearest=(cited(1, "Prices rose."),), reason="not_said")
_BAD = Article(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, "https://evil.example/?q=<script>\"'()", (HOSTILE,))
BAD = Answer(
    HOSTILE,
    "answered",
    (Sentence(HOSTILE, (1,), "weak", ((0, 9),), (Gloss(4, HOSTILE),), HOSTILE), Sentence(f"# {HOSTILE}", ())),
    (cited(1, HOSTILE, _BAD), replace(cited(2, HOSTILE, _BAD), url="javascript:alert(4)")),
    SEARCHED,
    HOSTILE,
    0.5,
    understood_as=HOSTILE,
    sides=(Side(HOSTILE, 1), Side(HOSTILE, 2, "denial")),
)
