"""`python -m ui`, the same as `onrecord chat`."""

from __future__ import annotations

import sys

from rag.cli import main

if __name__ == "__main__":
    main(["chat", *sys.argv[1:]])
