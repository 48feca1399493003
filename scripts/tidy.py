#!/usr/bin/env python3
"""Checks over the sources that no compiler makes: layers, vendors, clocks, order, size, leftovers.

    scripts/tidy.py [--root DIR]   every check over the checkout; exit code 1 when one complains
    scripts/tidy.py --self-test    every check over a sample it must find fault with, and one it
                                   must not

Both run as tests. Each check is a generator over a Tree that yields Findings; its samples stand
beside it. Sources are looked at line by line, with comments and literals blanked where they would
mislead: rough, but fast, and what it cannot see a reader of the code will.
"""

import argparse
import collections
import functools
import pathlib
import re
import sys

Finding = collections.namedtuple("Finding", "path line message")

# What each layer may include, itself aside.
LAYERS = {
    "base": set(),
    "operators": {"base"},
    "state": {"base", "operators"},
    "transport": {"base", "operators"},
    "node": {"base", "operators", "state", "transport"},
}

# Header of a library (regular expression) -> the only files (or folders) of src/ that may include
# it. Everything else sees the library through our own interface.
VENDORS = {
    r"lmdb\.h": ["state/lmdb_environment.h"],
    r"zmq.*|czmq.*": [],
    r"mqtt/.*|MQTT\w+\.h": ["transport/paho_client.cc", "transport/paho_options.cc",
                            "transport/paho_options.h", "transport/paho_probe.cc"],
    r"openssl/.*": ["transport/tls_probe.cc"],
    r"yaml-cpp/.*": ["node/config/yaml_tree.cc"],
    r"sqlite3\.h": ["node/sinks/sqlite_sink.cc", "node/tables/sqlite_table.cc"],
    r"simdjson\.h": ["operators/decode/json_decoder.cc"],
    r"re2/.*": ["operators/expr/regex.cc"],
    r"httplib\.h": ["node/http/http_library.h"],
    r"date/.*": ["operators/time/time_zone.cc"],
    r"boost/.*": ["node/commands/cli.cc"],
    r"xxhash\.h": ["base/hash.cc"],
    r"spdlog/.*": ["node/live/log.cc"],
    r"systemd/.*": ["node/live/systemd.cc"],
    r"nlohmann/.*": ["node/"],
}

# Clocks, threads and randomness exist only in these files of src/node, and nowhere below it. A file
# is added here on purpose, with the reason.
CLOCKS = r"(?:steady|system|high_resolution|file|utc)_clock::now|\bclock_gettime\b|\bgettimeofday\b"
CLOCKS += r"|\bclock_nanosleep\b|\bnanosleep\b|\bthis_thread::sleep_\w+|(?<![\w.>:])time\(|\bftime\("
THREADS = r"\bstd::j?thread\b(?!::hardware_concurrency)|\bstd::async\b|\bpthread_create\b"
RANDOMNESS = r"\brandom_device\b|(?<![\w.>:])s?rand\(|\bgetrandom\b|\bgetentropy\b|\barc4random\w*"
IMPURE_NODE_FILES = {
    "node/commands/terminal.cc": "the clocks that commands hand down",
    "node/commands/generate.cc": "waits between readings",
    "node/engine/task_runner.cc": "the workers' threads",
    "node/http/connection_loop.cc": "deadlines of connections",
    "node/http/http_server.cc": "the HTTP thread",
    "node/engine/background.cc": "the committer's and the sinks' threads",
    "node/live/daemon.cc": "the clocks handed to Node::Step",
    "node/live/supervisor.cc": "the thread that feeds the watchdog",
    "node/live/supervisor.h": "the thread that feeds the watchdog",
    "transport/paho_link.cc": "the link's own thread, which keeps the connection up",
    "transport/paho_link.h": "the link's own thread",
}

# What differs between platforms: functions of the C library that round as the CPU has it, and a
# type that 32-bit platforms do not have.
UNPORTABLE = r"\bstd::(?:sin|cos|tan|a(?:sin|cos|tan2?)|exp2?|expm1|log(?:2|10|1p)?|pow|cbrt|hypot|(?:sin|cos|tan)h)"
UNPORTABLE += r"(?=[(>])|\b__int128\b|\blong double\b"
UNPORTABLE_FILES = ("src/base/portable_math.cc", "src/base/portable_trigonometry.cc", "src/base/wide_int.h")

# Folders where an unordered container's order could reach results.
ORDERED_FOLDERS = ("src/operators/", "src/node/engine/")

FILE_LINES_WARN, FILE_LINES = 400, 500
FUNCTION_LINES = 80
COLUMNS = 110  # the formatter's limit is 100; this leaves room for tables that read better so


class File:
    """One text file; `code` is the text with comments and literals blanked, line by line alike."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        if self.lines and self.lines[-1] == "":
            self.lines.pop()

    @functools.cached_property
    def code(self):
        pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
        return re.sub(pattern, self._blank, self.text, flags=re.S)

    @staticmethod
    def _blank(match):
        token = match.group(0)
        # A digit separator, as in 1'000'000, is no literal.
        if token[0] == "'" and re.fullmatch(r"'\d{3}'?", token):
            return token
        return re.sub(r"[^\n]", " ", token)

    @functools.cached_property
    def code_lines(self):
        return self.code.split("\n")

    @property
    def in_src(self):
        """The path below src/, or nothing."""
        return self.path[len("src/"):] if self.path.startswith("src/") else None


class Tree:
    """The files that are checked, by path from the checkout's root."""

    def __init__(self, files):
        self.files = [File(path, text) for path, text in sorted(files.items())]
        self.paths = {f.path for f in self.files}

    def sources(self, *folders):
        for f in self.files:
            if f.path.endswith((".cc", ".h")) and f.path.startswith(folders or ("src/", "tests/")):
                yield f

    def text(self, path):
        return next((f.text for f in self.files if f.path == path), None)


def read_tree(root):
    files = {}
    suffixes = {".cc", ".h", ".inc", ".py", ".sh", ".md", ".txt", ".yaml", ".yml", ".json", ".dict",
                ".service", ".conf", ".cmake", ""}
    skipped = {".git", ".cache", "__pycache__", "corpus", "data"}
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        parts = relative.parts
        if skipped & set(parts) or parts[0].startswith("build") or not path.is_file():
            continue
        if path.suffix in suffixes:
            files[str(relative)] = path.read_text(encoding="utf-8", errors="replace")
    return Tree(files)


# --- checks: each with samples, as {path: text}, that it must find fault with or leave alone ---

CHECKS = []


def check(bad, good):
    def register(function):
        CHECKS.append((function, bad, good))
        return function
    return register


def includes(f):
    for number, line in enumerate(f.lines, 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^">]+)[">]', line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


@check(bad=[{"src/base/a.h": '#include "node/plan/planner.h"\n'},
            {"src/state/a.cc": '#include "transport/topic.h"\n'},
            {"src/transport/a.cc": '#include "state/store.h"\n'},
            {"src/operators/a.cc": '#include "state/store.h"\n'},
            {"src/operators/a.cc": '#include "tests/sim/sim_store.h"\n'},
            {"src/extra/a.cc": ""}, {"src/a.cc": ""}],
       good=[{"src/node/a.cc": '#include "state/store.h"\n#include "node/b.h"\n#include <map>\n'}])
def layers(tree):
    """base <- operators <- state, transport <- node: nothing points up or sideways."""
    for f in tree.sources("src/"):
        layer = f.in_src.split("/")[0]
        if layer not in LAYERS:
            yield Finding(f.path, 1, f"is in no layer; layers are {', '.join(LAYERS)}")
            continue
        for number, quoted, header in includes(f):
            other = header.split("/")[0]
            if quoted and other != layer and other not in LAYERS[layer]:
                allowed = ", ".join(sorted(LAYERS[layer] | {layer}))
                yield Finding(f.path, number, f"{layer} includes {header}; it may see {allowed}")


@check(bad=[{"src/state/journal.cc": "#include <lmdb.h>\n"},
            {"src/node/live/node.cc": "#include <mqtt/async_client.h>\n"},
            {"src/node/plan/planner.cc": "#include <boost/regex.hpp>\n"},
            {"src/transport/zmq_link.cc": "#include <zmq.hpp>\n"}],
       good=[{"src/state/lmdb_environment.h": "#include <lmdb.h>\n"},
             {"tests/node/sink_test.cc": "#include <sqlite3.h>\n"}])
def vendors(tree):
    """A library is named by its adapter only."""
    for f in tree.sources("src/"):
        for number, _, header in includes(f):
            for pattern, allowed in VENDORS.items():
                if re.fullmatch(pattern, header) and not f.in_src.startswith(tuple(allowed)):
                    yield Finding(f.path, number, f"includes <{header}>; only these may: "
                                  f"{', '.join(allowed) or 'none'}")


@check(bad=[{"src/base/a.cc": "auto t = std::chrono::steady_clock::now();\n"},
            {"src/state/a.cc": "std::thread t(f);\n"},
            {"src/operators/a.cc": "long t = time(nullptr);\n"},
            {"src/operators/a.cc": "int r = rand();\n"},
            {"src/node/plan/a.cc": "std::random_device seed;\n"},
            {"src/transport/a.cc": "gettimeofday(&tv, nullptr);\n"}],
       good=[{"src/base/a.cc": "// never call time(nullptr)\nFindTime(x); e.time(3); event_time(1);\n"},
             {"src/node/http/http_server.cc": "std::thread t(f);\n"},
             {"src/node/plan/a.cc": "n = std::thread::hardware_concurrency();\n"}])
def seams(tree):
    """Time, threads and randomness are handed in: only listed files of node have their own."""
    kinds = (("a clock", CLOCKS), ("a thread", THREADS), ("randomness", RANDOMNESS))
    for f in tree.sources("src/"):
        if f.in_src in IMPURE_NODE_FILES:
            continue
        for number, line in enumerate(f.code_lines, 1):
            for what, pattern in kinds:
                match = re.search(pattern, line)
                if match:
                    yield Finding(f.path, number, f"uses {what} ('{match.group(0)}'); take it as an "
                                  "argument, or list the file in IMPURE_NODE_FILES")


@check(bad=[{"src/operators/a.cc": "return std::sin(x);\n"}, {"src/base/a.h": "unsigned __int128 v;\n"}],
       good=[{"src/operators/a.cc": "return std::sqrt(portable::Sin(x));  // not std::sin(x)\n"}])
def platforms(tree):
    """The same bits on every platform: base/portable_math.h and base/wide_int.h instead."""
    for f in tree.sources("src/"):
        if f.path in UNPORTABLE_FILES:
            continue
        for number, line in enumerate(f.code_lines, 1):
            found = re.search(UNPORTABLE, line)
            if found:
                yield Finding(f.path, number, f"'{found.group(0)}' differs between platforms; use "
                              "base/portable_math.h or base/wide_int.h")


@check(bad=[{"src/operators/a.cc": "std::unordered_map<int, int> sums_;\nfor (auto& s : sums_) f(s);\n"},
            {"src/node/engine/a.h": "std::unordered_set<std::string> names_;\n",
             "src/node/engine/a.cc": "for (const auto& n : names_) out += n;\n"},
            {"src/operators/a.cc": "std::unordered_map<int, int> m;\nauto it = m.begin();\n"}],
       good=[{"src/operators/a.cc": "std::map<int, int> sums_;\nfor (auto& s : sums_) f(s);\n"},
             {"src/operators/a.cc": "std::unordered_map<int, int> m;\nm.find(3); m.end();\n"},
             {"src/operators/a.cc": "std::unordered_map<int, int> m;\n// In any order: they are "
                                    "freed.\nfor (auto& x : m) f(x);\n"}])
def order(tree):
    """No unordered container is walked where the order could reach results. Where it cannot, a
    comment with the words "in any order" on the line, or the one before, says why."""
    for f in tree.sources(*ORDERED_FOLDERS):
        declared = f.code
        header = f.path[:-len(".cc")] + ".h" if f.path.endswith(".cc") else ""
        declared += "".join(h.code for h in tree.files if h.path == header)
        names = set(re.findall(r"\bunordered_\w+\s*<[^;{}()]*>\s+(\w+)\s*[;={]", declared))
        for number, line in enumerate(f.code_lines, 1):
            near = " ".join(f.lines[max(0, number - 2):number])
            for name in () if "in any order" in near.lower() else names:
                walked = re.search(rf"\bfor\s*\([^;]*:\s*(?:this->)?{name}\s*\)", line)
                if walked or re.search(rf"\b{name}\.c?begin\s*\(", line):
                    yield Finding(f.path, number, f"walks the unordered '{name}'; sort first, or "
                                  "use an ordered container")


@check(bad=[{"src/base/a.cc": "int x;\n" * (FILE_LINES + 1)}],
       good=[{"src/base/a.cc": "int x;\n" * FILE_LINES}])
def file_length(tree):
    """One idea a file."""
    for f in tree.sources():
        if len(f.lines) > FILE_LINES:
            yield Finding(f.path, FILE_LINES, f"is {len(f.lines)} lines long; at most {FILE_LINES}")


def functions(f):
    """(name, first line, lines) of function bodies, found by their braces."""
    depth, opened = 0, []
    head = ""
    for number, line in enumerate(f.code_lines, 1):
        if line.lstrip().startswith("#"):
            continue
        for c in line:
            if c == "{":
                opened.append((head.strip(), number))
                depth, head = depth + 1, ""
            elif c == "}":
                if opened:
                    text, start = opened.pop()
                    if is_function_head(text):
                        yield function_name(text), start, number - start + 1
                depth, head = depth - 1, ""
            elif c == ";":
                head = ""
            else:
                head += c
        head += " "


def is_function_head(text):
    if re.match(r"(?:inline\s+)?(?:namespace|class|struct|union|enum|extern)\b", text):
        return False
    if re.search(r"(?:^|[^=!<>])=\s*(?:\{|$)", text) or "(" not in text:
        return False
    return not re.match(r"(?:\}?\s*else\s+)?(?:if|for|while|switch|do|catch)\b", text)


def function_name(text):
    match = re.search(r"([\w:~]+)\s*\(", text)
    return match.group(1) if match else text[:30]


LONG_BODY = "  Call();\n" * FUNCTION_LINES


@check(bad=[{"src/base/a.cc": "int F(int x) {\n" + LONG_BODY + "}\n"},
            {"tests/base/a_test.cc": 'TEST_CASE("long") {\n' + LONG_BODY + "}\n"}],
       good=[{"src/base/a.cc": "namespace rivulet {\n" + LONG_BODY + "}\n"},
             {"src/base/a.cc": "const Row kRows[] = {\n" + "  {1, f(2)},\n" * 90 + "};\n"},
             {"src/base/a.cc": "int F(int x) {\n" + "  Call();\n" * 70 + "}\n"}])
def function_length(tree):
    """A function fits a screen."""
    for f in tree.sources():
        for name, start, lines in functions(f):
            if lines > FUNCTION_LINES:
                yield Finding(f.path, start, f"'{name}' is {lines} lines long; at most "
                              f"{FUNCTION_LINES}")


TYPE = r"(?:template <[^;{]*> ?)?(?:class|struct|union|enum class) (\w+)(?: final)?(?: :.*)?(?: \{.*)?"


def types(f):
    """(full name, line) of types defined in a namespace with a name, not within another type."""
    spaces = []
    for number, line in enumerate(f.code_lines, 1):
        space = re.match(r"(?:inline )?namespace ?([\w:]*) ?\{", line)
        if space:
            spaces.append(space.group(1))
        elif re.match(r"\}\s*$", line) and "namespace" in f.lines[number - 1] and spaces:
            spaces.pop()
        found = re.fullmatch(TYPE, line.rstrip())
        if found and not line.rstrip().endswith(";") and all(spaces):
            yield "::".join([*spaces, found.group(1)]), number


@check(bad=[{"src/base/a.h": "namespace rivulet {\nclass A {\n};\n}  // namespace rivulet\n",
             "src/node/b.cc": "namespace rivulet {\nstruct A final : B {\n};\n}  // namespace rivulet\n"}],
       good=[{"src/base/a.h": "namespace rivulet {\nclass A;\nclass A {\n};\n}  // namespace rivulet\n",
              "src/base/b.cc": "namespace rivulet {\nnamespace {\nclass A {\n};\n}  // namespace\n"
                               "}  // namespace rivulet\n",
              "src/base/c.h": "namespace rivulet::expr {\nclass A {\n};\n}  // namespace rivulet::expr\n"}])
def one_definition(tree):
    """No two types of one name: no compiler and no linker tells, and one gets the other's functions."""
    seen = {}
    for f in tree.sources():
        for name, number in types(f):
            first = seen.setdefault(name, f.path)
            if first != f.path:
                yield Finding(f.path, number, f"defines {name}, and so does {first}")


@check(bad=[{"src/base/a.cc": "x" * (COLUMNS + 1) + "\n"}],
       good=[{"src/base/a.cc": "x" * COLUMNS + "\n"}, {"tests/a.cc": "\u00fc" * COLUMNS + "\n"}])
def line_length(tree):
    for f in tree.sources():
        for number, line in enumerate(f.lines, 1):
            if len(line) > COLUMNS:
                yield Finding(f.path, number, f"is {len(line)} columns wide; at most {COLUMNS}")


# In two parts, so that this file passes its own check.
LEFTOVERS = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")


@check(bad=[{"src/base/a.cc": "// TO" + "DO: all of it\n"}, {"docs/a.md": "FIX" + "ME\n"}],
       good=[{"src/base/a.cc": "// XXH3, hackable, todo\n"}])
def leftovers(tree):
    """What is there is done; what is not done is not there."""
    for f in tree.files:
        for number, line in enumerate(f.lines, 1):
            match = LEFTOVERS.search(line)
            if match:
                yield Finding(f.path, number, f"says {match.group(0)}")


MACHINE_PATHS = re.compile(r"(?<![\w.$}/])/(?:work|root|home/\w+|Users/\w+|tmp/\w)(?![\w])|"
                           r"(?<![\w.$}/])/(?:work|root|home|tmp)/\w")


@check(bad=[{"scripts/a": "cd /wo" + "rk/main\n"}, {"tests/a.cc": 'Open("/tm' + 'p/x");\n'},
            {"docs/a.md": "see /ho" + "me/me/x\n"}],
       good=[{"docs/a.md": "$HOME/x, /var/lib/rivulet, src/tmp/x, the /tmp folder\n"}])
def machine_paths(tree):
    """Nothing depends on where it was written."""
    for f in tree.files:
        for number, line in enumerate(f.lines, 1):
            match = MACHINE_PATHS.search(line)
            if match:
                yield Finding(f.path, number, f"names a path of one machine ('{match.group(0)}')")


@check(bad=[{"src/base/a.h": "// What it is.\nint x;\n"}, {"src/base/a.h": "#pragma once\nint x;\n"},
            {"tests/sim/a.h": "#pragma once\n"}],
       good=[{"src/base/a.h": "// What it is.\n#pragma once\n"}])
def headers(tree):
    """A header begins by saying what it is for, and is safe to include twice."""
    for f in tree.sources():
        if not f.path.endswith(".h"):
            continue
        if not f.lines or not f.lines[0].startswith("//"):
            yield Finding(f.path, 1, "begins without a comment that says what it is for")
        if "#pragma once" not in f.lines:
            yield Finding(f.path, 1, "has no '#pragma once'")


ERRORS_FILE = "src/base/error_codes.inc"
ERROR_LINE = 'RIVULET_ERROR(1001, kA, "a")\n'


@check(bad=[{ERRORS_FILE: ERROR_LINE},
            {ERRORS_FILE: ERROR_LINE + 'RIVULET_ERROR(1001, kB, "b")\n', "src/a.cc": "kA kB"},
            {ERRORS_FILE: ERROR_LINE + 'RIVULET_ERROR(1002, kA, "b")\n', "src/a.cc": "kA"},
            {ERRORS_FILE: ERROR_LINE, "src/a.cc": "kA", "docs/operations.md": "E1002\n"}],
       good=[{ERRORS_FILE: ERROR_LINE, "src/a.cc": "kA"},
             {ERRORS_FILE: ERROR_LINE, "src/a.cc": "kA", "docs/operations.md": "| 1001 | a |\n"}])
def error_numbers(tree):
    """Every error has one number, is reported somewhere, and is explained to operators."""
    text = tree.text(ERRORS_FILE) or ""
    manual = tree.text("docs/operations.md")
    used = {word for f in tree.sources("src/") for word in re.findall(r"\bk[A-Z]\w*", f.code)}
    numbers, names = set(), set()
    for line, content in enumerate(text.split("\n"), 1):
        match = re.match(r"RIVULET_ERROR\((\d+),\s*(\w+)", content)
        if not match:
            continue
        number, name = match.groups()
        if number in numbers or name in names:
            yield Finding(ERRORS_FILE, line, f"{number} {name} is taken")
        if name not in used:
            yield Finding(ERRORS_FILE, line, f"{number} {name} is never reported")
        if manual is not None and not re.search(rf"\bE?{number}\b", manual):
            yield Finding("docs/operations.md", 1, f"does not mention error {number}")
        numbers.add(number)
        names.add(name)


# --- running them ---


def self_test():
    faults = []
    for function, bad, good in CHECKS:
        for sample in bad:
            if not list(function(Tree(sample))):
                faults.append(f"{function.__name__} finds nothing wrong with {sample!r:.200}")
        for sample in good:
            for finding in function(Tree(sample)):
                faults.append(f"{function.__name__} wrongly says: {finding}")
    for fault in faults:
        print(fault)
    samples = sum(len(bad) + len(good) for _, bad, good in CHECKS)
    print(f"{len(CHECKS)} checks, {samples} samples, {len(faults)} faults")
    return 1 if faults else 0


def run(root):
    tree = read_tree(root)
    found = 0
    for function, _, _ in CHECKS:
        for finding in function(tree):
            print(f"{finding.path}:{finding.line}: {finding.message} [{function.__name__}]")
            found += 1
    for f in tree.sources():
        if FILE_LINES_WARN < len(f.lines) <= FILE_LINES:
            print(f"{f.path}: warning: {len(f.lines)} lines, soon over {FILE_LINES}")
    listed = list(IMPURE_NODE_FILES)
    listed += [path for allowed in VENDORS.values() for path in allowed if not path.endswith("/")]
    for path in listed:
        if f"src/{path}" not in tree.paths:
            print(f"scripts/tidy.py: lists {path}, which is not there")
            found += 1
    print(f"{len(tree.files)} files, {len(CHECKS)} checks, {found} findings")
    return 1 if found else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    return self_test() if arguments.self_test else run(arguments.root.resolve())


if __name__ == "__main__":
    sys.exit(main())
