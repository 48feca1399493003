"""Runs the examples of one document, in order, in a folder of their own.

    ```yaml pipeline=NAME        written to NAME.yaml, must be valid
    ```yaml node=NAME            a node file, written to NAME.yaml, must be valid
    ```json input=FILE           written to FILE (csv likewise)
    ```json expected=NAME        what `rivulet replay NAME.yaml` makes of the last input; options=".."
    ```json late / dead          what that replay wrote as late records, as dead letters
    ```console                   `$ command` lines and what they print, both outputs together
    ```json over=expressions     the record that the tables with Example and Result are about
    ```json over=aggregates      likewise, for aggregates over several records
    ```text                      no example
    ```LANGUAGE skip="reason"    an example that is not run, and why

In what is shown `...` stands for any text of a line, a line `...` for any lines.
"""
import json
import os
import re
import shutil
import subprocess

from document import Block, code_of

# Commands that examples may use besides rivulet itself.
TOOLS = {"rivulet", "cat", "head", "tail", "sort", "wc", "grep", "cp", "sed", "mkdir"}
TIMEOUT_S = 60
ERROR_NUMBER = re.compile(r"^E[1-5]\d{3}$")


def pattern_of(lines):
    """A regular expression for shown lines."""
    text = ""
    for line in lines:
        if line.strip() == "...":
            text += r"(?:.*\n)*?"
        else:
            text += r".*?".join(re.escape(part) for part in line.split("...")) + r"\n"
    return re.compile(text + r"\Z")


class Runner:
    """The examples of one document. `complain(line, text)` receives what is wrong."""

    def __init__(self, document, folder, root, complain):
        self.document = document
        self.folder = folder
        self.complain = complain
        self.input = None
        self.records = {}
        self.mode = None
        self.count = 0
        shutil.copytree(root / "config", folder / "config")

    def run_all(self):
        for part in self.document.parts:
            if isinstance(part, Block):
                self.run_block(part)
            elif {"Example", "Result"} <= set(part.header):
                self.check_table(part)

    def run_block(self, block):
        options, language = block.options, block.language
        if language == "text":
            return
        if "skip" in options:
            if not options["skip"]:
                self.complain(block.line, "skip needs a reason: skip=\"why\"")
            return
        self.count += 1
        if language == "yaml" and {"pipeline", "node"} & set(options):
            self.validate(block)
        elif language in ("json", "csv") and "input" in options:
            self.input = options["input"]
            (self.folder / self.input).write_text(block.text, encoding="utf-8")
        elif language == "json" and "over" in options:
            self.mode = options["over"]
            self.records[self.mode] = block.text
        elif language == "json" and "expected" in options:
            self.replay(block)
        elif language == "json" and {"late", "dead"} & set(options):
            self.compare(block, (self.folder / next(iter(options))).read_text(encoding="utf-8"))
        elif language == "console":
            self.run_console(block)
        else:
            self.complain(block.line, f"'{language} {options}' is not a kind of example that is "
                          "run; see tests/docs/examples.py, or mark it: skip=\"why\"")

    def call(self, arguments):
        """Runs rivulet; returns exit code, standard output, standard error."""
        done = subprocess.run(["rivulet", *arguments], cwd=self.folder, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S)
        return done.returncode, done.stdout, done.stderr

    def validate(self, block):
        name = block.options.get("pipeline") or block.options["node"]
        (self.folder / f"{name}.yaml").write_text(block.text, encoding="utf-8")
        arguments = ["--config"] if "node" in block.options else []
        code, _, errors = self.call(["validate", "--quiet", *arguments, f"{name}.yaml"])
        if code != 0:
            self.complain(block.line, f"not valid:\n{errors}")

    def replay(self, block):
        options = block.options
        more = options.get("options", "").split()
        code, output, errors = self.call(
            ["replay", options["expected"] + ".yaml", "--input", options.get("of", self.input or ""),
             "--late", "late", "--dead-letters", "dead", *more])
        if code != 0:
            self.complain(block.line, f"replay ended with {code}:\n{errors}")
        self.compare(block, output)

    def compare(self, block, found):
        if not pattern_of(block.lines).match(found):
            self.complain(block.line, f"shown:\n{block.text}found:\n{found}")

    def run_console(self, block):
        commands = []
        for number, line in enumerate(block.lines, block.line + 1):
            if line.startswith("$ "):
                commands.append((number, line[2:], []))
            elif commands and commands[-1][1].endswith("\\"):
                number, command, shown = commands.pop()
                commands.append((number, command[:-1] + line.strip(), shown))
            elif commands:
                commands[-1][2].append(line)
            else:
                self.complain(number, "a console block begins with a '$ command' line")
        for number, command, shown in commands:
            self.run_command(number, command, shown)

    def run_command(self, number, command, shown):
        programs = {part.split()[0] for part in re.split(r"[|;&]+", command) if part.split()}
        if not programs <= TOOLS:
            self.complain(number, f"runs {sorted(programs - TOOLS)}; allowed are {sorted(TOOLS)}")
            return
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
        if not pattern_of(shown).match(done.stdout):
            self.complain(number, f"'{command}' printed (exit code {done.returncode}):\n"
                          f"{done.stdout}")

    def check_table(self, table):
        """Computes the examples of a table, all in one run where none is meant to fail."""
        example, result = table.column("Example"), table.column("Result")
        pairs = []
        for number, cells in table.rows:
            if len(cells) != len(table.header):
                self.complain(number, f"the row has {len(cells)} cells, not {len(table.header)}")
                continue
            shown = code_of(cells[result]) or cells[result]
            pairs.append((number, code_of(cells[example]), shown))
        self.count += len(pairs)
        good = [pair for pair in pairs if not ERROR_NUMBER.match(pair[2])]
        if not self.compute(good):
            for pair in good:
                if not self.compute([pair]):
                    self.complain(pair[0], f"`{pair[1]}` cannot be computed: {self.failure}")
        for pair in pairs:
            if pair not in good:
                self.expect_error(*pair)

    def evaluate(self, expressions):
        """The results of the expressions (or aggregate calls) by replay: lines and complaints."""
        names = [f"e{i}" for i in range(len(expressions))]
        steps = [{"key": "device"}]
        if self.mode == "aggregates":
            calls = dict(zip(names, expressions))
        else:
            steps.insert(0, {"set": [{n: e} for n, e in zip(names, expressions)]})
            calls = {n: f"first({n})" for n in names}
        steps.append({"window": {"tumbling": "1h"}, "aggregate": calls})
        pipeline = {"pipeline": "table", "source": {"mqtt": "t", "time": {"field": "ts"}},
                    "steps": steps, "sinks": {"stdout": True}}
        (self.folder / "table.yaml").write_text(json.dumps(pipeline), encoding="utf-8")
        (self.folder / "table.ndjson").write_text(self.records[self.mode], encoding="utf-8")
        _, output, errors = self.call(["replay", "table.yaml", "--input", "table.ndjson",
                                       "--dead-letters", "dead"])
        dead = self.folder / "dead"
        faults = errors + (dead.read_text(encoding="utf-8") if dead.exists() else "")
        return names, output, faults

    def compute(self, pairs):
        """True when all could be computed; complains about those that are not as shown."""
        if not pairs:
            return True
        names, output, self.failure = self.evaluate([example for _, example, _ in pairs])
        lines = output.splitlines()
        if len(lines) != 1:
            return False
        results = json.loads(lines[0])
        for (number, example, shown), name in zip(pairs, names):
            found = json.dumps(results[name], ensure_ascii=False)
            if found != shown:
                self.complain(number, f"`{example}` is `{found}`, shown is `{shown}`")
        return True

    def expect_error(self, number, example, shown):
        _, _, faults = self.evaluate([example])
        if shown not in faults:
            self.complain(number, f"`{example}` should fail with {shown}; found: {faults}")


def run_examples(document, folder, root, binary, complain):
    """Returns how many examples were run."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "rivulet").symlink_to(binary)
    os.environ["PATH"] = f"{bin_folder}:{os.environ['PATH']}"
    work = folder / "work"
    work.mkdir()
    runner = Runner(document, work, root, complain)
    runner.run_all()
    return runner.count
