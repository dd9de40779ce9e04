"""The error of the evaluation: what cannot be asked, read or compared."""

from __future__ import annotations

from rag.errors import RagError


class EvalError(RagError):
    """A question set, a run or a choice cannot be used."""
