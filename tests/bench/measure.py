"""What every measurement needs: a table row, processes with their CPU time, alternation, a broker."""

import dataclasses
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from support import free_port, program, start, wait_until  # noqa: E402


class BenchError(Exception):
    """A measurement that cannot be trusted: results differ, messages are lost, a program failed."""


@dataclasses.dataclass
class Row:
    """`met` None: there is no promise, the figure is for information."""
    what: str
    figure: str
    promise: str = ""
    met: bool | None = None


@dataclasses.dataclass
class Context:
    rivulet: str              # the program measured
    programs: pathlib.Path    # folder of the bench's own programs
    folder: pathlib.Path      # on the disk to be measured; removed at the end
    quick: bool

    def pick(self, full, quick):
        return quick if self.quick else full

    def subfolder(self, name):
        path = self.folder / name
        path.mkdir()
        return path

    def program(self, name):
        return str(self.programs / name)


@dataclasses.dataclass
class Usage:
    cpu: float   # seconds, user + system
    wall: float


def run(command, log):
    """Runs to the end; its CPU and wall time."""
    began = time.monotonic()
    child = start([str(part) for part in command], log)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise BenchError(f"{command[0]} ended with {child.returncode}: {tail(log)}")
    return Usage(usage.ru_utime + usage.ru_stime, wall)


def tail(log):
    return log.read_text(errors="replace")[-600:] if log.exists() else ""


def cpu_of(pid):
    """CPU seconds of a running process so far, all threads."""
    try:
        return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3)
    except OSError:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid, field):
    """A size of /proc/PID/status in MB (of 1024 KB)."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise BenchError(f"/proc/{pid}/status has no {field}")


def io_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/io").read_text().splitlines()
    return {name: int(value) for name, value in (line.split(": ") for line in lines)}


def alternate(pairs, first, second):
    """A B A B ...: `pairs` of what both return, so that a change of the machine's speed meets both."""
    return [(first(i), second(i)) for i in range(pairs)]


def median(values):
    return statistics.median(values)


def middle(pairs, ratio):
    """The pair with the median ratio, so that its parts and the ratio shown belong together."""
    return sorted(pairs, key=ratio)[len(pairs) // 2]


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def grouped(n):
    return f"{n:,.0f}"


class BenchBroker:
    """A mosquitto of its own on a free port, without limits that would hold back or drop."""

    def __init__(self, folder):
        self.port = free_port()
        self.log = folder / "mosquitto.log"
        self.log.unlink(missing_ok=True)  # an earlier broker's subscriptions are not this one's
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                          "persistence false\nmax_inflight_messages 1000\n"
                          "max_queued_messages 0\nmax_queued_bytes 0\n"
                          "log_type error\nlog_type subscribe\n")
        self.process = start([program("mosquitto"), "-c", str(config)], self.log)
        wait_until(self._listens, "mosquitto listens")

    def _listens(self):
        if self.process.poll() is not None:
            raise BenchError("mosquitto ended: " + tail(self.log))
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_subscribed(self, topic_filter, times=1):
        def taken():
            return self.log.read_text(errors="replace").count(f" {topic_filter}\n") >= times
        wait_until(taken, f"subscription to {topic_filter}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)


def end(child, seconds=20):
    """SIGTERM, and after a while SIGKILL."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()
