"""Markdown as docs/ uses it, as a list of parts: headings, paragraphs, lists, tables, code."""
import re
from dataclasses import dataclass, field

FENCE = re.compile(r"^```+\s*(\w*)")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*$")
COMMENT = re.compile(r"^<!--\s*(.*?)\s*-->$")
ITEM = re.compile(r"^(?:-|\d+\.) +(.*)$")


@dataclass
class Heading:
    level: int
    text: str


@dataclass
class Paragraph:
    text: str


@dataclass
class List:
    items: list = field(default_factory=list)


@dataclass
class Code:
    lines: list = field(default_factory=list)


@dataclass
class Table:
    comment: str  # of the <!-- comment --> right above it, "" without one
    header: list
    rows: list = field(default_factory=list)


def cells_of(line):
    """The cells of a table row; `\\|` inside a cell is a bar."""
    inner = re.sub(r"(?<!\\)\|$", "", line.strip().removeprefix("|"))
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def anchor_of(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


def parse(text):
    """The parts of a document, in order."""
    parts, code, comment = [], None, ""
    for line in text.splitlines():
        if code is not None:
            if FENCE.match(line):
                code = None
            else:
                code.lines.append(line)
            continue
        fence, heading, item = FENCE.match(line), HEADING.match(line), ITEM.match(line)
        remark = COMMENT.match(line)
        last = parts[-1] if parts else None
        if fence:
            code = Code()
            parts.append(code)
        elif heading:
            parts.append(Heading(len(heading[1]), heading[2]))
        elif remark:
            comment = remark[1]
        elif line.startswith("|"):
            if not isinstance(last, Table):
                parts.append(Table(comment, cells_of(line)))
            elif not set(line) <= set("|-: "):
                last.rows.append(cells_of(line))
        elif not line.strip():
            parts.append(None)  # ends what stands before
            continue
        elif item:
            if not isinstance(last, List):
                parts.append(List())
            parts[-1].items.append(item[1])
        elif isinstance(last, List):
            last.items[-1] += " " + line.strip()
        elif isinstance(last, Paragraph):
            last.text += " " + line.strip()
        else:
            parts.append(Paragraph(line.strip()))
        if not remark:
            comment = ""
    return [part for part in parts if part is not None]


def sections(parts, level=2):
    """[(heading text, parts below it)] of the headings of a level; what stands before is left out."""
    found = []
    for part in parts:
        if isinstance(part, Heading) and part.level == level:
            found.append((part.text, []))
        elif found:
            found[-1][1].append(part)
    return found
