#!/usr/bin/env python3
"""The units in systemd/: systemd-analyze finds nothing wrong with them, their sandboxes are at most so exposed,
each group of lines says why it is there, and the commands in them are ones that the program understands.

Exit code 77 (skipped, for CTest) where systemd-analyze is not installed.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

UNITS = pathlib.Path(__file__).resolve().parents[2] / "systemd"
# By 'systemd-analyze security', in tenths: 0 is best, 100 is worst. What was promised, with room for what later
# versions of systemd will look at too; with systemd 252 it is 1.3 and 0.4.
EXPOSURE = {"rivulet.service": 20, "rivulet-replay@.service": 10}
PROGRAM = "/usr/bin/rivulet"


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, "SYSTEMD_COLORS": "0", "SYSTEMD_EMOJI": "0"})
    return done.returncode, done.stdout + done.stderr


def verify(unit):
    """With a program where the unit expects it, which need not be installed here."""
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "rivulet")
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        copy = pathlib.Path(folder, unit.name)
        copy.write_text(unit.read_text().replace(PROGRAM, str(program)))
        code, output = analyze("verify", "--man=no", str(copy))
    # Units of the machine itself may have faults of their own.
    ours = [line for line in output.splitlines() if unit.stem.rstrip("@") in line]
    if ours or (code != 0 and not output):
        yield f"systemd-analyze verify: {ours or code}"


def security(unit):
    limit = EXPOSURE[unit.name]
    code, output = analyze("security", "--offline=true", "--no-pager", f"--threshold={limit}", str(unit))
    if "Overall exposure level" not in output:
        yield f"systemd-analyze security says nothing: {output}"
    elif code != 0:
        exposed = [line for line in output.splitlines() if line.startswith("✗")]
        yield "\n  ".join([f"its exposure is above {limit / 10}:", *exposed])


def settings(unit):
    """(line number, name, value) of each setting, those that are commented out too."""
    for number, line in enumerate(unit.read_text().splitlines(), 1):
        found = re.fullmatch(r"#?([A-Z][A-Za-z]+)=(.*)", line)
        if found:
            yield number, *found.groups()


def explained(unit):
    """Each group of lines between two empty ones begins with a comment, or follows a section's name."""
    group_begins = True
    for number, line in enumerate(unit.read_text().splitlines(), 1):
        if not line:
            group_begins = True
        elif group_begins:
            if not line.startswith(("#", "[")):
                yield f"line {number}: a group of settings without a comment that says why"
            group_begins = False


def commands(unit, program):
    """Each command of the program in it is one, with options that are."""
    for number, name, value in settings(unit):
        if not name.startswith("Exec") or not value.startswith(PROGRAM):
            continue
        words = value.split()[1:]
        known = subprocess.run([program, words[0], "--help"], capture_output=True, text=True, check=False)
        if known.returncode != 0:
            yield f"line {number}: there is no 'rivulet {words[0]}'"
        for option in (w for w in words if w.startswith("--")):
            if not re.search(rf"{option}\b", known.stdout):
                yield f"line {number}: 'rivulet {words[0]}' has no option {option}"


def same_sandbox(units):
    """The backfill's sandbox leaves nothing out that the daemon's has, the network aside."""
    daemon, replay = ({(n, v) for _, n, v in settings(unit)} for unit in units)
    begin = [n for _, n, _ in settings(units[0])].index("ProtectSystem")
    wanted = {(n, v) for _, n, v in list(settings(units[0]))[begin:]}
    network = {"RestrictAddressFamilies", "IPAddressDeny", "IPAddressAllow", "WantedBy"}
    for name, value in sorted(wanted & daemon - replay):
        if name not in network:
            yield f"{units[1].name} lacks {name}={value} of {units[0].name}"


def main():
    if shutil.which("systemd-analyze") is None:
        print("SKIPPED: systemd-analyze is not installed")
        return 77
    program = os.environ.get("RIVULET_BIN", "")
    units = [UNITS / name for name in EXPOSURE]
    faults = [f"{p.name}: nobody says how exposed it may be" for p in UNITS.glob("*.service") if p not in units]
    for unit in units:
        found = [*verify(unit), *security(unit), *explained(unit)]
        if program:
            found += commands(unit, program)
        faults += [f"{unit.name}: {fault}" for fault in found]
    faults += same_sandbox(units)
    print("\n".join(faults) or f"{len(units)} units are good")
    return 1 if faults else 0


sys.exit(main())
