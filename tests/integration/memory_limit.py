"""A limit on a process's memory, as the service's MemoryMax sets one."""

import contextlib
import os
import pathlib

from support import Skip

ROOT = pathlib.Path("/sys/fs/cgroup")


def _hierarchy():
    """Where memory groups are made, the file of the limit, and that of the most that was used."""
    if (ROOT / "memory" / "memory.limit_in_bytes").exists():
        return ROOT / "memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"
    controllers = ROOT / "cgroup.subtree_control"
    if controllers.exists() and "memory" in controllers.read_text().split():
        return ROOT, "memory.max", "memory.peak"
    raise Skip("there is no memory controller of control groups here")


@contextlib.contextmanager
def memory_group(limit):
    """A control group of `limit` bytes; making it needs root."""
    root, limit_file, peak_file = _hierarchy()
    path = root / f"rivulet-test-{os.getpid()}"
    try:
        path.mkdir()
        (path / limit_file).write_text(str(limit))
    except OSError as error:
        raise Skip(f"a control group cannot be made here: {error}") from error
    try:
        yield MemoryGroup(path, peak_file)
    finally:
        with contextlib.suppress(OSError):
            path.rmdir()


class MemoryGroup:
    def __init__(self, path, peak_file):
        self.path, self._peak_file = path, peak_file

    def add(self, process):
        (self.path / "cgroup.procs").write_text(str(process.pid))

    def peak(self):
        file = self.path / self._peak_file
        return int(file.read_text()) if file.exists() else None


def resident(process):
    """Bytes of the process in memory now."""
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise AssertionError("the process has no VmRSS")
