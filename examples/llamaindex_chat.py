"""LlamaIndex: a chat engine that answers from the archive and shows the passages it was given.

python examples/llamaindex_chat.py ARCHIVE
"""

import sys

from llama_index.core.chat_engine import ContextChatEngine
from llama_index.core.llms import MockLLM

from rag import RagError, Retriever
from rag.llamaindex import OnrecordRetriever


def main(archive: str = "archive") -> None:
    """Hold a conversation of two questions."""
    with Retriever.open(archive) as retriever:
        engine = ContextChatEngine.from_defaults(
            retriever=OnrecordRetriever(retriever, k=3),
            llm=MockLLM(max_tokens=8),  # your own model stands here
            system_prompt="Answer from the articles only, and name the outlet.",
        )
        for question in ("Why could Ward 7 reopen at night?", "Who was elected mayor of Halvenmouth?"):
            reply = engine.chat(question)
            print(f"{question}\n{reply}")
            for found in reply.source_nodes:
                node, about = found.node, found.node.metadata
                place = f"{about['source']}, {about['date']}, characters {node.start_char_idx} to {node.end_char_idx}"
                print(f"  {found.score:.3f} {about['title']} ({place})")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RagError as error:
        sys.exit(str(error))
