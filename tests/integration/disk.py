"""A small disk that can be filled."""

import contextlib
import os
import subprocess

from support import Skip, program


@contextlib.contextmanager
def small_disk(path, size):
    """A tmpfs of `size` bytes at `path`; mounting it needs root."""
    if os.geteuid() != 0:
        raise Skip("mounting a tmpfs needs root")
    path.mkdir()
    mounted = subprocess.run([program("mount"), "-t", "tmpfs", "-o", f"size={size}", "tmpfs",
                              str(path)], capture_output=True, text=True)
    if mounted.returncode != 0:
        raise Skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run([program("umount"), "-l", str(path)], check=True)


def free_bytes(disk):
    s = os.statvfs(disk)
    return s.f_bavail * s.f_frsize


def fill(disk, leave):
    """Takes all but `leave` bytes, as another program's files would."""
    with open(disk / "ballast", "wb") as f:
        with contextlib.suppress(OSError):
            os.posix_fallocate(f.fileno(), 0, max(1, free_bytes(disk) - leave))
