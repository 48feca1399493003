#!/usr/bin/env python3
"""The same bytes from two programs: every case, every example of the documents, and a generated
fleet through every kind of window and aggregate.

    identical.py RIVULET OTHER     two rivulet programs, of this machine and an emulated one

The last line tells how many outputs were compared.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

from fleet_pipelines import all_pipelines

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/docs"))
from document import Document  # noqa: E402
from examples import Runner  # noqa: E402

# What is measured differs from run to run.
MEASURED = re.compile(r"[\d.,]+[kM]? records/s|in [\d.]+ m?s")
RECORDS = ["--vehicles", "24", "--rate", "60", "--count", "18000", "--position", "--seed", "3",
           "--disorder", "2500", "--late-share", "0.02", "--out-of-reach", "0.1"]


def same_text(text):
    return MEASURED.sub("(measured)", text)


def replay(program, pipeline, records, more=()):
    """Everything that a replay puts out, by name."""
    with tempfile.TemporaryDirectory(prefix="rivulet-cross-") as name:
        folder = pathlib.Path(name)
        (folder / "pipeline.yaml").write_text(pipeline, encoding="utf-8")
        (folder / "input").write_bytes(records)
        arguments = ["pipeline.yaml", "--input", "input", "--output", "results", "--late", "late",
                     "--dead-letters", "dead", *more]
        if "--state" in more:
            (folder / "state").mkdir()
        done = subprocess.run([program, "replay", *arguments], cwd=folder, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, check=False)
        found = {"exit code": done.returncode, "messages": same_text(done.stderr)}
        for part in ("results", "late", "dead"):
            path = folder / part
            found[part] = path.read_bytes() if path.exists() else None
        return found


class RecordingRunner(Runner):
    """Runs a document's examples with one program and keeps what each call of it gave."""

    def __init__(self, document, folder):
        super().__init__(document, folder, ROOT, lambda line, text: None)
        self.outputs = []

    def call(self, arguments):
        code, output, errors = super().call(arguments)
        self.outputs.append((arguments, code, output, same_text(errors)))
        return code, output, errors

    def compare(self, block, found):
        super().compare(block, found)
        self.outputs.append(found)


def document_outputs(program, path):
    with tempfile.TemporaryDirectory(prefix="rivulet-cross-") as name:
        folder = pathlib.Path(name)
        (folder / "bin").mkdir()
        (folder / "bin/rivulet").symlink_to(program)
        work = folder / "work"
        work.mkdir()
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{folder / 'bin'}:{before}"
        try:
            runner = RecordingRunner(Document(path), work)
            runner.run_all()
        finally:
            os.environ["PATH"] = before
        for file in sorted(work.rglob("*")):
            if file.is_file() and file.suffix not in (".db", ".mdb"):
                runner.outputs.append((str(file.relative_to(work)), file.read_bytes()))
        return runner.outputs


class Comparison:
    def __init__(self, ours, other):
        self.programs = (ours, other)
        self.outputs = 0
        self.faults = []

    def compare(self, what, ours, other):
        self.outputs += 1
        if ours == other:
            return
        where = ours if not isinstance(ours, bytes) else difference(ours, other)
        self.faults.append(f"{what} differs:\n  {str(where)[:600]}\n  {str(other)[:600] if where is ours else ''}")

    def compare_replays(self, what, pipeline, records, ours_more=(), other_more=()):
        ours = replay(self.programs[0], pipeline, records, ours_more)
        other = replay(self.programs[1], pipeline, records, other_more)
        for part, found in ours.items():
            self.compare(f"{what}: {part}", found, other[part])
        return ours

    def cases(self):
        paths = sorted((ROOT / "tests/cases").rglob("*.yaml"))
        jobs = []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for path in paths:
                case = yaml.safe_load(path.read_text(encoding="utf-8"))
                more = () if case.get("flush", True) else ("--no-flush",)
                jobs.append(pool.submit(self.compare_replays, path.relative_to(ROOT),
                                        case["pipeline"], str(case.get("input", "")).encode(),
                                        more, more))
        for job in jobs:
            job.result()

    def documents(self):
        for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
            ours, other = (document_outputs(program, path) for program in self.programs)
            self.compare(f"{path.relative_to(ROOT)}: number of outputs", len(ours), len(other))
            for left, right in zip(ours, other):
                self.compare(path.relative_to(ROOT), left, right)

    def fleet(self):
        arguments = ["generate", "fleet", *RECORDS, "--output", "-"]
        ours, other = (subprocess.run([program, *arguments], capture_output=True, check=True).stdout
                       for program in self.programs)
        self.compare("generate fleet", ours, other)
        for name, pipeline in all_pipelines():
            found = self.compare_replays(f"fleet, {name}", json.dumps(pipeline), ours, (),
                                         ("--workers", "3", "--state", "state"))
            if found["exit code"] != 0 or not found["results"]:
                self.faults.append(f"fleet, {name}: no results:\n{found['messages'][:2000]}")
            elif found["dead"]:
                self.faults.append(f"fleet, {name}: dead letters: {found['dead'][:500]}")


def difference(ours, other):
    """The first line that differs, of both."""
    pairs = zip(ours.splitlines(), (other or b"").splitlines())
    for number, (left, right) in enumerate(pairs, 1):
        if left != right:
            at = next(i for i, (a, b) in enumerate(zip(left + b"\0", right + b"\0")) if a != b)
            start = max(0, at - 60)
            return f"line {number}: ...{left[start:at + 60]!r} and ...{right[start:at + 60]!r}"
    return f"{len(ours)} and {len(other or b'')} bytes"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    comparison = Comparison(*(str(pathlib.Path(name).resolve()) for name in sys.argv[1:]))
    comparison.fleet()
    comparison.cases()
    comparison.documents()
    for fault in comparison.faults[:40]:
        print(fault)
    print(f"{comparison.outputs} outputs compared, {len(comparison.faults)} faults")
    return 1 if comparison.faults else 0


if __name__ == "__main__":
    sys.exit(main())
