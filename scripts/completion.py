#!/usr/bin/env python3
"""Makes the bash completion of `rivulet` from the tables of options in docs/, which the test `docs` compares
with the program.

    scripts/completion.py FILE
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts/lib"))

from manual import markdown  # noqa: E402

# What commands take that are no options.
OPERANDS = {"validate": "@yaml", "explain": "@yaml", "replay": "@yaml", "generate": "fleet temperature",
            "help": "@commands"}
# What to offer for the value of an option, by its placeholder in the documents.
VALUES = {"FILE": "@file", "DIR": "@folder", "NAME=FILE": "@none"}
# Placeholders that stand for a name in the first column of a table, by the comment above it.
NAMED_IN = {"CHECK": "doctor checks"}

TEMPLATE = """# bash completion for rivulet. Made from docs/ by scripts/completion.py.

# _rivulet_offer WORDS: completes the current word to one of the words, or to what an @name stands for.
_rivulet_offer() {
  case $1 in
    @yaml)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -d -- "$cur"; compgen -f -X '!*.yaml' -- "$cur")
      ;;
    @file)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      ;;
    @folder)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      ;;
    @commands) mapfile -t COMPREPLY < <(compgen -W '@ALL@' -- "$cur") ;;
    @none) ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur") ;;
  esac
}

_rivulet() {
  local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  local options='' operands=@none values=''
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _rivulet_offer '@ALL@ --help --version'
    return
  fi
  case $command in
@CASES@
    *) return ;;
  esac
  case $command:$previous in
@VALUES@
  esac
  if [[ -n $values ]]; then
    _rivulet_offer "$values"
  elif [[ $cur == -* ]]; then
    _rivulet_offer "$options --help"
  else
    _rivulet_offer "$operands"
  fi
}

complete -F _rivulet rivulet
"""


def value_of(cell, names):
    """What the value of an option may be: "" when it takes none. "`--format json` or `csv`" may be either. `names` has
    the names in the first columns of tables, by their comments."""
    spans = re.findall(r"`([^`]*)`", cell)
    placeholder = spans[0].partition(" ")[2]
    if len(spans) > 1:
        return " ".join([placeholder] + spans[1:])
    if placeholder in NAMED_IN:
        return " ".join(names.get(NAMED_IN[placeholder], [])) or "@none"
    if placeholder and not placeholder.isupper():
        return placeholder.replace("|", " ") if "|" in placeholder else "@none"
    return VALUES.get(placeholder, "@none") if placeholder else ""


def commands():
    """{command: {option: value_of}} of all tables below a comment `options: COMMAND`."""
    found = {}
    parts = [part for path in sorted((ROOT / "docs").glob("*.md"))
             for part in markdown.parse(path.read_text(encoding="utf-8"))]
    tables = [part for part in parts if isinstance(part, markdown.Table)]
    names = {table.comment: re.findall(r"^`([\w-]+)`", "\n".join(row[0] for row in table.rows), re.M)
             for table in tables if table.comment}
    for table in tables:
        if table.comment.startswith("options: "):
            options = {re.search(r"--[\w-]+", row[0])[0]: value_of(row[0], names) for row in table.rows}
            found.setdefault(table.comment.removeprefix("options: "), {}).update(options)
    return found


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    cases, values = [], {}
    known = commands()
    for command, options in known.items():
        operands = OPERANDS.get(command, "@none")
        cases.append(f"    {command}) options='{' '.join(options)}' operands='{operands}' ;;")
        for option, value in options.items():
            # A node file and a pipeline are YAML.
            value = "@yaml" if option in ("--config", "--node") and value == "@file" else value
            if value:
                values.setdefault(value, []).append(f"{command}:{option}")
    cases.append(f"    help) operands='{OPERANDS['help']}' ;;")
    lines = [f"    {' | '.join(of)}) values='{value}' ;;" for value, of in values.items()]
    text = TEMPLATE.replace("@CASES@", "\n".join(cases)).replace("@VALUES@", "\n".join(lines))
    pathlib.Path(sys.argv[1]).write_text(text.replace("@ALL@", " ".join([*known, "help"])), encoding="utf-8")


if __name__ == "__main__":
    main()
