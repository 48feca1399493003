#!/usr/bin/env python3
"""Makes the man pages from docs/: what they say is written once, and the test `docs` keeps it true.

    scripts/man_pages.py --version VERSION DIR
        writes rivulet.1, rivulet-node.yaml.5 and rivulet-pipeline.yaml.5 into DIR

The date of a page is that of SOURCE_DATE_EPOCH; without it a page has none.
"""
import argparse
import datetime
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts/lib"))

from manual import markdown  # noqa: E402
from manual.roff import Roff, literal  # noqa: E402

COMMAND, NODE, PIPELINE = "rivulet(1)", "rivulet-node.yaml(5)", "rivulet-pipeline.yaml(5)"
PAGES = [COMMAND, NODE, PIPELINE]
DOCUMENTS = "/usr/share/doc/rivulet/"

# Chapters of docs/operations.md that belong to the node file; the others belong to the program, but for
# those that are of no use where the program is installed already.
NODE_CHAPTERS = ["The node file", "Broker", "Clocks", "Memory and SD cards"]
LEFT_OUT = ["Building for a Raspberry Pi", "Installing"]
# The order in which readers of rivulet(1) look for things.
FIRST = ["Command line", "Doctor", "As a service", "Watching a node"]
LAST = ["Errors"]

INTRODUCTION = {
    COMMAND: [
        "Rivulet takes telemetry from MQTT, runs pipelines written in a few lines of YAML over it (windows in "
        "event time, joins, patterns, exactly-once results), and puts the aggregates out on MQTT, SQLite or "
        "files, in megabytes and milliseconds.",
        "Installed from its package it is the service `rivulet`, which is off at first: `/etc/rivulet/node.yaml` says "
        "where the broker is, `/etc/rivulet/pipelines/` holds the pipelines (a demonstration at first), and "
        "`systemctl enable --now rivulet` starts it. `systemctl reload rivulet` reads the pipelines again."],
    NODE: [
        "The node file says where the broker is, where state goes, and what is durable when. The service reads "
        "`/etc/rivulet/node.yaml` when it starts. `rivulet validate --config FILE` checks it, and the pipelines it names."],
    PIPELINE: [
        "A pipeline is one YAML file: where records come from, what is done with them, where results go. The service "
        "reads those in `/etc/rivulet/pipelines/`. `rivulet validate FILE` checks one, `rivulet replay FILE` tries it "
        "over recorded data."],
}
SUMMARY = {COMMAND: "stream processor for telemetry on small machines", NODE: "configuration of a Rivulet node",
           PIPELINE: "what Rivulet does with records"}
SYNOPSIS = {
    COMMAND: [r"\fBrivulet\fR \fICOMMAND\fR [\fIoptions\fR]", r"\fBrivulet help\fR \fICOMMAND\fR"],
    NODE: [r"\fB/etc/rivulet/node.yaml\fR"],
    PIPELINE: [r"\fB/etc/rivulet/pipelines/*.yaml\fR"],
}
FILES = [("/etc/rivulet/node.yaml", "the node file"), ("/etc/rivulet/pipelines/", "pipelines"),
         ("/var/lib/rivulet/", "journal, state, and results in files of relative names"),
         ("/usr/share/rivulet/", "JSON Schemas of both kinds of file, for editors"),
         (DOCUMENTS, "the manual, and examples")]

# Where files of the checkout are, once they are installed.
PLACES = {"config/node.yaml": "/etc/rivulet/node.yaml", "systemd/rivulet.service": "rivulet.service",
          "config/mosquitto.conf.example": DOCUMENTS + "examples/mosquitto.conf",
          "config/pipelines/": DOCUMENTS + "examples/pipelines/"}


def page_of(chapter):
    return NODE if chapter in NODE_CHAPTERS else COMMAND


class Library:
    """The documents, and in which page each of their headings is."""

    def __init__(self):
        operations = self.read("operations")
        self.chapters = {PIPELINE: markdown.sections(self.read("pipelines")), COMMAND: [], NODE: []}
        self.places = {"pipelines.md": PIPELINE, "operations.md": COMMAND}
        self.anchors = {"operations.md": {}}
        for title, parts in markdown.sections(operations):
            page = page_of(title)
            for heading in [title] + [p.text for p in parts if isinstance(p, markdown.Heading)]:
                self.anchors["operations.md"][markdown.anchor_of(heading)] = page
            if title not in LEFT_OUT:
                self.chapters[page].append((title, parts))
        order = {title: i - len(FIRST) for i, title in enumerate(FIRST)} | {title: 1 for title in LAST}
        self.chapters[COMMAND].sort(key=lambda chapter: order.get(chapter[0], 0))

    @staticmethod
    def read(name):
        return markdown.parse((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8"))

    def refer_from(self, page):
        own = "pipelines.md" if page == PIPELINE else "operations.md"

        def refer(target):
            file, _, anchor = target.partition("#")
            if ":" in target:
                return target
            file = file or own
            if file not in self.places:
                return DOCUMENTS + file
            to = self.anchors.get(file, {}).get(anchor, self.places[file])
            return "" if to == page else to
        return refer


def write_page(library, page, version, date):
    name, section = page[:-3], page[-2]
    roff = Roff(library.refer_from(page), PLACES)
    roff.add(r'.\" Made from docs/ by scripts/man_pages.py.',
             f'.TH {literal(name.upper())} {section} "{date}" "rivulet {version}" "Rivulet"', ".nh", ".ad l",
             ".SH NAME", rf"{literal(name)} \- {SUMMARY[page]}", ".SH SYNOPSIS")
    roff.add(*"\n.br\n".join(SYNOPSIS[page]).split("\n"))
    roff.add(".SH DESCRIPTION")
    for number, paragraph in enumerate(INTRODUCTION[page]):
        if number > 0:
            roff.add(".PP")
        roff.text(paragraph)
    for title, parts in library.chapters[page]:
        roff.section(title, parts)
    if page == COMMAND:
        roff.add(".SH FILES")
        for path, meaning in FILES:
            roff.add(".TP", rf"\fI{literal(path)}\fR", meaning)
    others = [p for p in PAGES if p != page]
    roff.add(".SH SEE ALSO", *(rf".BR {literal(p[:-3])} ({p[-2]})," for p in others), r".BR mosquitto.conf (5)")
    return "\n".join(roff.lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--version", required=True)
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    date = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc).date().isoformat() if epoch else ""
    library = Library()
    options.folder.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        text = write_page(library, page, options.version, date)
        (options.folder / f"{page[:-3]}.{page[-2]}").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
