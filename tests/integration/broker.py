"""A real mosquitto on a free loopback port, with its own configuration and data."""

import os
import re
import signal
import socket
import subprocess

from support import free_port, program, start, wait_until

# The defaults would spoil every test with a fast publisher and a consumer that is away:
# max_inflight_messages 20 makes a consumer wait for a round trip every 20 messages, and beyond
# max_queued_messages 1000 mosquitto silently DROPS what it has acknowledged to the publisher.
# Without persistence a restart of the broker would lose the sessions.
_COMMON = """\
per_listener_settings true
max_inflight_messages 1000
max_queued_messages 0
max_queued_bytes 0
persistence true
persistence_location {data}/
autosave_interval 1
user root
log_type error
log_type warning
log_type notice
log_type subscribe
"""


class Broker:
    def __init__(self, directory, listener="allow_anonymous true", name="broker",
                 port=None):
        self.directory = directory / name
        self.directory.mkdir()
        self.directory.chmod(0o777)
        self.log = directory / f"{name}.log"
        self.port = port or free_port()
        self.config = self.directory / "mosquitto.conf"
        self.config.write_text(_COMMON.format(data=self.directory) +
                               f"listener {self.port} 127.0.0.1\n{listener}\n")
        self.process = None
        self.start()

    @property
    def database(self):
        return self.directory / "mosquitto.db"

    def start(self):
        self.process = start([program("mosquitto"), "-c", str(self.config)], self.log)
        wait_until(self._listening, "mosquitto listens")

    def _listening(self):
        if self.process.poll() is not None:
            raise AssertionError("mosquitto ended: " + self.log.read_text(errors="replace"))
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        """An orderly end: mosquitto saves its sessions. It is asked until it ends: while it starts it
        can forget a signal."""
        def ended():
            self.process.send_signal(signal.SIGTERM)
            return self.process.poll() is not None
        wait_until(ended, "mosquitto ends", every=0.2)

    def save(self):
        """Has mosquitto write its sessions to disk now, and waits for it."""
        before = self._stamp()
        self.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: self._stamp() != before, "mosquitto saves its sessions")

    def wait_subscribed(self, topic_filter, times=1):
        """Until the broker has taken this subscription; what is published before it is lost."""
        line = re.compile(rf"^\d+: \S+ [012] {re.escape(topic_filter)}$", re.MULTILINE)
        wait_until(lambda: len(line.findall(self.log.read_text(errors="replace"))) >= times,
                   f"subscription to {topic_filter}")

    def _stamp(self):
        try:
            status = os.stat(self.database)
            return status.st_mtime_ns, status.st_ino
        except FileNotFoundError:
            return None

    def kill(self):
        self.process.kill()
        self.process.wait(20)


def add_password(path, user, password):
    subprocess.run([program("mosquitto_passwd"), "-b", *([] if path.exists() else ["-c"]),
                    str(path), user, password], check=True, capture_output=True)
