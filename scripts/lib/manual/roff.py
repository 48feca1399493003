"""Parts of a Markdown document as the source of a man page (the man macros of groff)."""
import re

from manual.markdown import Code, Heading, List, Paragraph, Table

# A code span, a link, or bold text.
SPAN = re.compile(r"(?P<ticks>`+) ?(?P<code>.+?) ?(?P=ticks)(?!`)|\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)"
                  r"|\*\*(?P<bold>.+?)\*\*")
# What groff would take for something else. A minus must be one that can be pasted into a shell.
ESCAPES = {"\\": r"\e", "-": r"\-", "~": r"\(ti", "^": r"\(ha", "`": r"\(ga", "'": r"\(aq", '"': r"\(dq"}


def literal(text):
    """Text that comes out character by character."""
    return "".join(ESCAPES.get(c, c) for c in text)


def prose(text):
    """Text whose hyphens are hyphens."""
    return "".join(ESCAPES[c] if c in "\\~^`" else c for c in text)


def line_of(text):
    """Protects what would be a request at the beginning of a line."""
    return r"\&" + text if text[:1] in (".", "'") else text


class Roff:
    """Collects the lines of one page. `refer(target)` says in which page a link of the document
    leads, as in "rivulet(1)", or "" for this page. `places` has what is called otherwise where it is
    installed."""

    def __init__(self, refer, places):
        self.refer = refer
        self.places = places
        self.lines = []

    def add(self, *lines):
        self.lines.extend(lines)

    def inline(self, text):
        out, end = [], 0
        for found in SPAN.finditer(text):
            out.append(prose(text[end:found.start()]))
            if found["code"] is not None:
                out.append(r"\fB" + literal(self.places.get(found["code"], found["code"])) + r"\fR")
            elif found["bold"] is not None:
                out.append(r"\fI" + self.inline(found["bold"]) + r"\fR")
            else:
                page = self.refer(found["target"])
                out.append(self.inline(found["text"]))
                if page:
                    out.append(f" (see {literal(page)})")
            end = found.end()
        out.append(prose(text[end:]))
        return "".join(out)

    def text(self, text):
        self.add(line_of(self.inline(text)))

    def code(self, lines):
        self.add(".PP", ".RS 4", ".nf", ".EX")
        self.add(*(line_of(literal(line)) for line in lines))
        self.add(".EE", ".fi", ".RE")

    def table(self, table):
        """Each row becomes a term, and what the other columns say of it. A row without a term is one
        more example of the row above. A first column that is called by a setting holds the settings in it."""
        if table.comment.startswith("settings:") and "`" in table.header[0]:
            self.add(".PP", self.inline(table.header[0].removeprefix("setting of ")) + ":")
        self.add(".PP")
        for cells in table.rows:
            if cells[0]:
                self.add(".TP", line_of(self.inline(cells[0])) or r"\&")
                self.add(line_of(self.inline(self.described(table.header, cells))) or r"\&")
            else:
                self.add(".br", line_of(self.inline(self.described(table.header, cells))))

    @staticmethod
    def described(header, cells):
        """"meaning. Default: x." of the cells behind the first, each named by its column; the
        columns that explain have no name to them."""
        meaning, rest = [], []
        columns = dict(zip(header[1:], cells[1:]))
        example, result = columns.pop("Example", ""), columns.pop("Result", "")
        default = columns.pop("default", "")
        needed = columns.pop("needed", "")
        meaning = [cell for cell in columns.values() if cell]
        if needed:
            rest.append(needed if needed != "yes" else "needed")
        if default:
            rest.append(f"default: {default}")
        text = "; ".join(meaning)
        if rest:
            text += (" " if text else "") + "[" + ", ".join(rest) + "]"
        if example:
            text += (". " if text else "") + example + (f" is {result}" if result else "")
        return text

    def part(self, part):
        if isinstance(part, Heading):
            self.add(".SS " + self.inline(part.text))
        elif isinstance(part, Paragraph):
            self.add(".PP")
            self.text(part.text)
        elif isinstance(part, List):
            for item in part.items:
                self.add(r".IP \(bu 3")
                self.text(item)
        elif isinstance(part, Code):
            self.code(part.lines)
        elif isinstance(part, Table):
            self.table(part)

    def section(self, title, parts):
        self.add(".SH " + self.inline(title.upper().replace("`", "")))
        for part in parts:
            self.part(part)
