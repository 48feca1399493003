"""The log in systemd's journal: levels and fields, by the journal's own protocol; and plain text where standard
error is something else.

A socket stands in for the journal at its well-known path, in a mount namespace of its own (as root).
"""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading

from node import COUNTING, Node
from support import Skip, binary, check, check_equal, free_port, run, wait_until

INSIDE = "RIVULET_TEST_OWN_RUN"
JOURNAL = "/run/systemd/journal/socket"


def parse(datagram):
    """Fields of the journal's native protocol: NAME=value and a line end, or NAME, a line end, the length (64
    bits, little endian), the value and a line end."""
    fields = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack("<Q", rest[:8])
            value, rest = rest[8:8 + size], rest[8 + size + 1:]
        check(name.decode() not in fields, f"{name} comes once: {datagram}")
        fields[name.decode()] = value.decode()
        datagram = rest
    return fields


class Journal:
    def __init__(self):
        os.makedirs(os.path.dirname(JOURNAL))
        self.entries = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(JOURNAL)
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        while True:
            self.entries.append(parse(self._socket.recv(1 << 20)))

    def wait(self, text):
        return wait_until(lambda: next((e for e in list(self.entries) if text in e["MESSAGE"]), None),
                          f"'{text}' in the journal")


def test(directory):
    if os.environ.get(INSIDE) != "1":
        return enter_namespace()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    journal = Journal()
    node = Node(directory, free_port(), {"counting.yaml": COUNTING})
    ours, theirs = socket.socketpair()
    status = os.fstat(theirs.fileno())
    environment = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
    daemon = subprocess.Popen([binary(), "run", "--config", str(node.config)], stderr=theirs,
                              stdin=subprocess.DEVNULL, env=environment)
    try:
        fields_of_lines(node, journal, daemon)
    finally:
        daemon.kill()
        daemon.wait()
    theirs.close()
    check_equal(ours.recv(4096), b"", "nothing as text")
    wrong_node_file(node, journal)
    plain_elsewhere(node, environment)


def enter_namespace():
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        raise Skip("it needs root and unshare for a /run of its own")
    if subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/run"], check=False,
                      capture_output=True).returncode != 0:
        raise Skip("no mount namespace can be made here")
    command = ["unshare", "--mount", sys.executable, "-B", __file__]
    outcome = subprocess.run(command, env={**os.environ, INSIDE: "1"}, check=False)
    check_equal(outcome.returncode, 0, "exit code of the test in its namespace")


def fields_of_lines(node, journal, daemon):
    ready = journal.wait(" ready: node ")
    check_equal({k: ready.get(k) for k in ("PRIORITY", "RIVULET_NODE", "SYSLOG_IDENTIFIER")},
                {"PRIORITY": "6", "RIVULET_NODE": "node", "SYSLOG_IDENTIFIER": "rivulet"}, "fields")
    check(not any(k.startswith("CODE_") for k in ready), f"no places of the source: {ready}")

    node.write_pipeline("counting.yaml", COUNTING.replace("sum(n)", "sum(nn)"))
    daemon.send_signal(signal.SIGHUP)
    fault = journal.wait("E2002")
    line = 1 + COUNTING[:COUNTING.index("sum(n)")].count("\n")
    expected = {"PRIORITY": "3", "RIVULET_ERROR_CODE": "E2002", "RIVULET_LINE": str(line),
                "RIVULET_FILE": str(node.pipelines / "counting.yaml")}
    check_equal({k: fault.get(k) for k in expected}, expected, "a fault in a file")
    check_equal(journal.wait("files with faults were refused")["PRIORITY"], "4", "a warning")

    # A text with a line end, which could pass for a field, stays in its value.
    node.write_pipeline("counting.yaml", COUNTING)
    node.write_pipeline("bad.yaml", 'pipeline: "x\\nPRIORITY=0"\nfoo: 1\n')
    (node.pipelines / "evil\nPRIORITY=0\nX.yaml").write_text("foo: 1\n")
    daemon.send_signal(signal.SIGHUP)
    evil = journal.wait("evil\nPRIORITY=0\nX.yaml")
    check_equal(evil["PRIORITY"], "3", "its level")
    check(evil["RIVULET_FILE"].endswith("evil\nPRIORITY=0\nX.yaml"), f"the file's name: {evil}")
    (node.pipelines / "bad.yaml").unlink()
    (node.pipelines / "evil\nPRIORITY=0\nX.yaml").unlink()

    node.write_pipeline("counting.yaml", COUNTING.replace("last: max(n)", "last: max(n), low: min(n)"))
    daemon.send_signal(signal.SIGHUP)
    check_equal(journal.wait("'counting' changed").get("RIVULET_PIPELINE"), "counting", "its pipeline")
    daemon.send_signal(signal.SIGTERM)
    check_equal(daemon.wait(20), 0, "exit code")
    journal.wait("stopped; everything is committed")


def wrong_node_file(node, journal):
    """Also what is wrong before anything runs."""
    wrong = node.directory / "wrong.yaml"
    wrong.write_text("mqqt: {}\n")
    ours, theirs = socket.socketpair()
    status = os.fstat(theirs.fileno())
    code = subprocess.run([binary(), "run", "--config", str(wrong)], stderr=theirs, check=False,
                          env={**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}).returncode
    check_equal(code, 3, "exit code")
    entry = journal.wait("mqqt")
    check_equal((entry["PRIORITY"], entry["RIVULET_ERROR_CODE"]), ("3", "E1003"), "its fields")


def plain_elsewhere(node, environment):
    """JOURNAL_STREAM is inherited by programs whose standard error is something else."""
    log = node.directory / "plain.log"
    with open(log, "wb") as file:
        daemon = subprocess.Popen([binary(), "run", "--config", str(node.config)], stderr=file, env=environment)
    wait_until(lambda: " info rivulet " in log.read_text(), "plain text")
    daemon.terminate()
    check_equal(daemon.wait(20), 0, "exit code")


run(test)
