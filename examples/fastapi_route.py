"""FastAPI: a route that searches the archive without blocking the event loop, and says what was wrong with a request.

python examples/fastapi_route.py ARCHIVE 8000
curl "http://127.0.0.1:8000/search?q=Ward+7&outlet=Radio+Halven"
"""

import sys
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse

from rag import FilterError, Filters, QuestionError, RagError, Retriever

Outlets = Annotated[tuple[str, ...], Query()]
Count = Annotated[int, Query(ge=1, le=50)]


def create_app(retriever: Retriever) -> FastAPI:
    """Give an app with one route for an archive."""
    app = FastAPI(title="News desk")

    @app.get("/search")
    async def search(q: str, outlet: Outlets = (), as_of: str = "", k: Count = 10) -> list[dict[str, Any]]:
        found = await retriever.aretrieve(q, k=k, filters=Filters(outlets=outlet), as_of=as_of)
        return [each.to_dict() for each in found]

    @app.exception_handler(RagError)
    async def explain(_: Request, error: RagError) -> JSONResponse:
        status = 400 if isinstance(error, QuestionError | FilterError) else 503  # else it is not the reader's fault
        return JSONResponse({"error": str(error)}, status)

    return app


def main(archive: str = "archive", port: str = "8000") -> None:
    """Serve it to this machine until Ctrl-C."""
    with Retriever.open(archive) as retriever:
        uvicorn.run(create_app(retriever), host="127.0.0.1", port=int(port))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RagError as error:
        sys.exit(str(error))
