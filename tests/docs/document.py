"""What the checks need to know of a Markdown file: fenced blocks, tables, headings, links."""
import re
import shlex

FENCE = re.compile(r"^(```+)\s*(.*)$")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*$")
COMMENT = re.compile(r"^<!--\s*(.*?)\s*-->$")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


class Block:
    """A fenced block: its language, the words of its info string, its lines."""

    def __init__(self, line, info):
        self.line = line
        words = shlex.split(info)
        self.language = words[0] if words else ""
        pairs = [word.partition("=") for word in words[1:]]
        self.options = {name: value for name, _, value in pairs}
        self.lines = []

    @property
    def text(self):
        return "".join(line + "\n" for line in self.lines)


class Table:
    """A table: the comment above it, if any, its column names, and its rows of cells."""

    def __init__(self, line, comment, header):
        self.line = line
        self.comment = comment
        self.header = header
        self.rows = []

    def column(self, name):
        return self.header.index(name)


def cells_of(line):
    """The cells of a table row; `\\|` inside a cell is a bar."""
    inner = line.strip().strip("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def code_of(cell):
    """The text between the first back quotes of a cell, which may be doubled; None without any."""
    found = re.search(r"(`+) ?(.+?) ?\1(?!`)", cell)
    return found.group(2) if found else None


def slug_of(heading):
    """The anchor that GitHub gives a heading."""
    plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return plain.replace(" ", "-")


class Document:
    """A Markdown file, cut into the parts that can be checked. `parts` has blocks and tables in
    the order in which they stand; `prose` the lines outside of blocks."""

    def __init__(self, path):
        self.path = path
        self.parts, self.prose, self.anchors = [], [], set()
        self._read(path.read_text(encoding="utf-8").splitlines())

    def _read(self, lines):
        block, table, comment = None, None, ""
        for number, line in enumerate(lines, 1):
            fence = FENCE.match(line)
            if block is not None:
                if fence and not fence.group(2):
                    block = None
                else:
                    block.lines.append(line)
                continue
            if fence:
                block = Block(number, fence.group(2))
                self.parts.append(block)
                continue
            self.prose.append((number, line))
            heading = HEADING.match(line)
            if heading:
                self.anchors.add(slug_of(heading.group(1)))
            if not line.startswith("|"):
                table = None
                found = COMMENT.match(line)
                comment = found.group(1) if found else comment if not line else ""
            elif table is None:
                table = Table(number, comment, cells_of(line))
                self.parts.append(table)
            elif not set(line) <= set("|-: "):
                table.rows.append((number, cells_of(line)))
        if block is not None:
            raise ValueError(f"{self.path}:{block.line}: a fenced block is not closed")

    def blocks(self):
        return [part for part in self.parts if isinstance(part, Block)]

    def tables(self):
        return [part for part in self.parts if isinstance(part, Table)]

    def links(self):
        for number, line in self.prose:
            for target in LINK.findall(line):
                yield number, target
