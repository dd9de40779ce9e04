"""`python -m index FOLDER...`, the same as `onrecord index FOLDER...`."""

from __future__ import annotations

import sys

from rag.cli import main

if __name__ == "__main__":
    main(["index", *sys.argv[1:]])
