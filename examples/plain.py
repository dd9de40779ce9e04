"""Plain Python: passages from one outlet as of a day, then an answer with its sources.

python examples/plain.py ARCHIVE
"""

import sys

from rag import Chatbot, Filters, RagError, Retriever

QUESTION = "Why could Ward 7 reopen at night?"


def search(archive: str) -> None:
    """Print the best passages of an outlet, each with the place in its article where it stands."""
    filters = Filters(outlets=("The Halvenmouth Courier",))
    with Retriever.open(archive) as retriever:
        for found in retriever.retrieve(QUESTION, k=3, filters=filters, as_of="2023-12-31"):
            article, start, end = found.article, found.passage.start, found.passage.end
            print(f"{found.rank}. {article.title} ({article.source}, {article.date})")
            print(f"   characters {start} to {end}: {article.text[start:end][:60]}…")


def ask(archive: str) -> None:
    """Print an answer of which every sentence is tied to the characters that say it."""
    with Chatbot.open(archive) as chatbot:
        answer = chatbot.ask(QUESTION)
    print(answer.text or "The archive does not say.")
    for citation in answer.citations:
        print(f"[{citation.number}] {citation.source}, {citation.date}, characters {citation.start} to {citation.end}")


def main(archive: str = "archive") -> None:
    """Search, then ask."""
    search(archive)
    ask(archive)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RagError as error:
        sys.exit(str(error))
