"""The socket that a service manager gives a daemon (NOTIFY_SOCKET), and what came over it."""

import os
import socket
import threading
import time

from support import wait_until


class NotifySocket:
    """What is started while it is open, inside a `with`, tells this one. `watchdog` in seconds; 0: none."""

    def __init__(self, directory, watchdog=0.0):
        self.path = str(directory / "notify")
        self.environment = {"NOTIFY_SOCKET": self.path}
        if watchdog:
            self.environment["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
        self.told = []  # (monotonic time, {name: value})
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        threading.Thread(target=self._receive, daemon=True).start()

    def __enter__(self):
        os.environ.update(self.environment)
        return self

    def __exit__(self, *_):
        for name in self.environment:
            del os.environ[name]

    def _receive(self):
        while True:
            text = self._socket.recv(65536).decode()
            self.told.append((time.monotonic(), dict(line.split("=", 1) for line in text.splitlines())))

    def values(self, name, since=0.0):
        return [lines[name] for at, lines in list(self.told) if name in lines and at >= since]

    def times(self, name, since=0.0):
        return [at for at, lines in list(self.told) if name in lines and at >= since]

    def wait(self, name, since=0.0, accept=lambda value: True, timeout=30):
        """The first value of the name told after `since` that is acceptable."""
        return wait_until(lambda: next((v for v in self.values(name, since) if accept(v)), None),
                          f"{name} is told", timeout=timeout)

    def longest_gap(self, name, begin, end):
        """The longest time without it, in seconds."""
        moments = [begin, *(t for t in self.times(name) if begin <= t <= end), end]
        return max(b - a for a, b in zip(moments, moments[1:]))
