#!/usr/bin/env python3
"""Keeps README.md and docs/ true: runs their examples, and compares their tables with the sources.

    check_docs.py RIVULET [DOCUMENT...]     RIVULET: the program; RIVULET_BIN overrides it

How examples are marked is described in examples.py.
"""
import os
import pathlib
import sys
import tempfile

from sources import Coverage
from examples import run_examples
from document import Document

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    binary = str(pathlib.Path(os.environ.get("RIVULET_BIN", sys.argv[1])).resolve())
    wanted = [pathlib.Path(name).resolve() for name in sys.argv[2:]]
    documents = [Document(p) for p in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]]
    faults = []

    def complain(document, line, text):
        place = f"{document.path.relative_to(ROOT)}:{line}: " if document else ""
        faults.append(place + text.rstrip())

    count = 0
    path = os.environ["PATH"]
    for document in documents:
        if wanted and document.path not in wanted:
            continue
        with tempfile.TemporaryDirectory(prefix="rivulet-docs-") as folder:
            count += run_examples(document, pathlib.Path(folder), ROOT, binary,
                                  lambda line, text, d=document: complain(d, line, text))
        os.environ["PATH"] = path
    if not wanted:
        Coverage(ROOT, documents, binary, complain).check_all()
    for fault in faults:
        print(fault)
    print(f"{len(documents)} documents, {count} examples, {len(faults)} faults")
    return 1 if faults or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
