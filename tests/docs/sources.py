"""What the sources offer must be in the documents, and the documents must offer nothing else."""
import re
import subprocess

from document import code_of

COMMANDS = ["run", "validate", "explain", "replay", "generate", "status", "version"]
PATH = re.compile(r"`((?:src|docs|config|scripts|tests|\.ci)/[\w./*{},-]*)`")


class Coverage:
    def __init__(self, root, documents, binary, complain):
        self.root = root
        self.documents = documents
        self.binary = binary
        self.complain = complain

    def source(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def tables(self, comment):
        found = [(d, t) for d in self.documents for t in d.tables() if t.comment == comment]
        if not found:
            self.complain(None, 0, f"no table below a comment '<!-- {comment} -->'")
        return found

    def compare(self, comment, expected, extract):
        """The first cells of the tables below `comment` must be exactly `expected`."""
        seen = {}
        found = self.tables(comment)
        for document, table in found:
            for number, cells in table.rows:
                name = extract(cells)
                seen[name] = cells
                if name not in expected:
                    self.complain(document, number, f"'{name}' is not in the sources ({comment})")
        for name in expected:
            if found and name not in seen:
                self.complain(found[0][0], found[0][1].line, f"'{name}' is missing ({comment})")
        return seen

    def settings(self):
        text = self.source("src/node/config/settings.h")
        names = {variable: re.findall(r'"(\w+)"', body) for variable, body in
                 re.findall(r"std::string_view (k\w+)\[\] = \{(.*?)\};", text, re.S)}
        groups = re.findall(r'SettingGroup (k\w+)\{"(\w+)",\s*"[^"]*", (k\w+)\}', text)
        for kind, variable in (("pipeline", "kPipelineGroups"), ("node", "kNodeGroups")):
            listed = re.search(variable + r"\[\] = \{(.*?)\};", text, re.S).group(1)
            for group, identifier, names_variable in groups:
                if f"&{group}," in listed + ",":
                    self.compare(f"settings: {kind}/{identifier}", names[names_variable],
                                 lambda cells: code_of(cells[0]))

    def errors(self):
        text = self.source("src/base/error_codes.inc")
        summaries = dict(re.findall(r'RIVULET_ERROR\((\d+), \w+, "([^"]*)"\)', text))
        seen = self.compare("errors", {f"E{n}" for n in summaries}, lambda cells: cells[0])
        for number, summary in summaries.items():
            row = seen.get(f"E{number}")
            if row and row[1] != summary:
                self.complain(None, 0, f"E{number} is '{summary}', the documents say '{row[1]}'")
        for document in self.documents:
            for line, text in document.prose:
                for number in re.findall(r"\bE(\d{4})\b", text):
                    if number not in summaries:
                        self.complain(document, line, f"there is no error E{number}")

    def names_called(self, what, names):
        """Each function or aggregate is described where its kind is: `name(`."""
        text = (self.root / "docs/pipelines.md").read_text(encoding="utf-8")
        for name in sorted(names):
            if not re.search(r"`" + name + r"\(", text):
                self.complain(None, 0, f"docs/pipelines.md does not describe the {what} '{name}'")

    def functions(self):
        names = set()
        for path in self.root.glob("src/operators/expr/functions_*.cc"):
            text = path.read_text(encoding="utf-8")
            names |= set(re.findall(r'^    \{"(\w+)", \d', text, re.M))
            names |= set(re.findall(r'UnaryFunction<[^>]*>\("(\w+)"\)', text))
        self.names_called("function", names)
        text = self.source("src/operators/aggregate/aggregate_definitions.cc")
        aggregates = set(re.findall(r'\{"(\w+)", AccumulatorKind', text))
        self.names_called("aggregate", aggregates)
        if len(names) < 50 or len(aggregates) < 5:
            self.complain(None, 0, "the tables of functions cannot be read any more")

    def metrics(self):
        text = self.source("src/node/live/node_status.cc")
        self.compare("metrics", set(re.findall(r'"(rivulet_\w+)"', text)),
                     lambda cells: code_of(cells[0]))

    def journal_fields(self):
        text = self.source("src/node/live/journal_log.cc")
        self.compare("journal fields", set(re.findall(r'"([A-Z_]+)=', text)),
                     lambda cells: code_of(cells[0]))

    def options(self):
        for command in COMMANDS:
            done = subprocess.run([self.binary, command, "--help"], capture_output=True, text=True,
                                  check=True)
            options = set(re.findall(r"^  (?:-\w \[ )?(--[\w-]+)", done.stdout, re.M)) - {"--help"}
            self.compare(f"options: {command}", options,
                         lambda cells: re.search(r"--[\w-]+", cells[0]).group(0))

    def exit_codes(self):
        text = self.source("src/node/commands/commands.h")
        self.compare("exit codes", set(re.findall(r"kExit\w+ = (\d+)", text)),
                     lambda cells: cells[0])

    def links(self):
        by_path = {d.path: d for d in self.documents}
        for document in self.documents:
            for line, target in document.links():
                path, _, anchor = target.partition("#")
                if re.match(r"[a-z]+:", path):
                    continue
                file = (document.path.parent / path).resolve() if path else document.path
                if not file.exists():
                    self.complain(document, line, f"the link '{target}' leads nowhere")
                elif anchor and file in by_path and anchor not in by_path[file].anchors:
                    self.complain(document, line, f"no heading for the link '{target}'")

    def paths(self):
        for document in self.documents:
            for line, text in document.prose:
                for path in PATH.findall(text):
                    if not any(self.root.glob(path.rstrip("/"))):
                        self.complain(document, line, f"there is no '{path}'")

    def bench_block(self):
        text = self.source("README.md")
        for mark in ("<!-- bench:begin -->", "<!-- bench:end -->"):
            if text.count(mark) != 1:
                self.complain(None, 0, f"README.md must have '{mark}' once")

    def check_all(self):
        self.settings()
        self.errors()
        self.functions()
        self.metrics()
        self.journal_fields()
        self.options()
        self.exit_codes()
        self.links()
        self.paths()
        self.bench_block()
