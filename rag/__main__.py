"""`python -m rag`, the same as `onrecord`."""

from __future__ import annotations

from rag.cli import main

main()
