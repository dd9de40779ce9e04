"""LangChain: a chain that puts passages of the archive before a model and keeps them beside its answer.

pip install 'onrecord[langchain]'
python examples/langchain_chain.py ARCHIVE
"""

import sys
from typing import Any

from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableParallel, RunnablePassthrough

from rag import RagError, Retriever
from rag.langchain import OnrecordRetriever

PROMPT = ChatPromptTemplate.from_template("Answer from these articles only:\n\n{passages}\n\nQuestion: {question}")
MODEL = FakeListChatModel(responses=["Because the hospital has hired six nurses [1]."])  # your own model stands here


def numbered(found: dict[str, Any]) -> str:
    """Write the passages as the model reads them."""
    sources = enumerate(found["sources"], start=1)
    return "\n\n".join(f"[{number}] {each.metadata['source']}: {each.page_content}" for number, each in sources)


def main(archive: str = "archive") -> None:
    """Ask one question and print the answer with what it rests on."""
    with Retriever.open(archive) as retriever:
        chain = (
            RunnableParallel(question=RunnablePassthrough(), sources=OnrecordRetriever(retriever, k=3))
            .assign(passages=numbered)
            .assign(answer=PROMPT | MODEL | StrOutputParser())
        )
        result = chain.invoke("Why could Ward 7 reopen at night?")
    print(result["answer"])
    for number, document in enumerate(result["sources"], start=1):
        about = document.metadata
        print(f"[{number}] {about['title']} ({about['source']}, characters {about['start']} to {about['end']})")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RagError as error:
        sys.exit(str(error))
