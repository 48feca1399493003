"""What every integration test needs: a directory of its own, child processes that never outlive
it, waiting for conditions, and one way to pass, fail or be skipped.

Processes get free loopback ports. The binary under test is named by the environment variable
RIVULET_BIN.
"""

import atexit
import ctypes
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

SKIPPED = 77  # CTest's SKIP_RETURN_CODE
PROJECT = pathlib.Path(__file__).resolve().parents[2]
_libc = ctypes.CDLL(None)
_children = []


class Skip(Exception):
    """The test cannot run here; the message says why."""


def binary():
    path = os.environ.get("RIVULET_BIN", "")
    if not os.access(path, os.X_OK):
        raise Skip("RIVULET_BIN does not name the rivulet program")
    return path


def program(name):
    """The path of a program the test needs besides rivulet."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise Skip(f"{name} is not installed")
    return path


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def start(command, log, **options):
    """Starts a child whose output goes to the file `log`; it is killed when the test ends."""
    with open(log, "ab") as out:
        child = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                 preexec_fn=_die_with_parent, **options)
    _children.append(child)
    return child


@atexit.register
def _kill_children():
    for child in _children:
        if child.poll() is None:
            child.kill()
            child.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, what, timeout=30, every=0.01):
    """The condition's first true value; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(every)


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def check_equal(found, expected, what):
    if found == expected:
        return
    if isinstance(found, dict) and isinstance(expected, dict):
        raise AssertionError(f"{what}: {len(found)} found, {len(expected)} expected"
                             + _difference(found, expected))
    raise AssertionError(f"{what}: found {_brief(found)}, expected {_brief(expected)}")


def _brief(value):
    text = repr(value)
    return text if len(text) < 400 else text[:400] + f"... ({len(text)} characters)"


def _difference(found, expected):
    lines = [f"\n  missing {k}: {expected[k]}" for k in expected if k not in found]
    lines += [f"\n  unexpected {k}: {found[k]}" for k in found if k not in expected]
    lines += [f"\n  {k}: found {found[k]}, expected {expected[k]}"
              for k in expected if k in found and found[k] != expected[k]]
    rest = len(lines) - 12
    return "".join(lines[:12]) + (f"\n  and {rest} more" if rest > 0 else "")


def http_get(port, path, token=None, timeout=5, address="127.0.0.1", method="GET"):
    """(status, body, headers); status 0 when nobody answers."""
    request = urllib.request.Request(f"http://{address}:{port}{path}", method=method)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(), e.headers
    except (OSError, ValueError):
        return 0, "", {}


def seeded_random():
    """Reproducible with RIVULET_SEED; the seed is printed."""
    seed = int(os.environ.get("RIVULET_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
    print(f"seed {seed}", flush=True)
    return random.Random(seed)


def by_window(messages):
    """Final results by (key, window start): of several revisions the last. A result that came twice
    must have come with the same bytes."""
    final, seen = {}, {}
    for m in messages:
        result = json.loads(m.payload)
        window = (m.topic, result["window_start"])
        revision = result.get("revision", 0)
        before = seen.setdefault((*window, revision), m.payload)
        check_equal(m.payload, before, f"the same result {window} revision {revision} twice")
        if revision >= final.get(window, {}).get("revision", 0):
            final[window] = result
    return final


def run(test):
    """Runs `test(directory)` in a fresh directory and ends the process with its outcome."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="rivulet-"))
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    code = 1
    try:
        test(directory)
        code = 0
        print(f"passed in {time.monotonic() - started:.1f} s")
    except Skip as reason:
        code = SKIPPED
        print(f"SKIPPED: {reason}")
    except Exception:
        traceback.print_exc()
        _print_logs(directory)
    finally:
        sys.stdout.flush()
        _kill_children()
        shutil.rmtree(directory, ignore_errors=True)
    os._exit(code)  # reader threads may still be blocked in a socket


def _print_logs(directory):
    for log in sorted(directory.rglob("*.log")):
        lines = log.read_text(errors="replace").splitlines()
        print(f"--- {log.name} ({len(lines)} lines) ---", *lines[-30:], sep="\n")
