"""A real `rivulet run` with its own configuration and data directory."""

import contextlib
import json
import re
import signal
import sqlite3
import time

from support import binary, check, check_equal, free_port, http_get, start, wait_until

# Counts readings per sensor and second, and adds up their serial numbers: a loss that a doubling
# makes up for would show in the sum.
COUNTING = """\
pipeline: counting
source:
  mqtt: readings/{sensor}
  format: json
  fields: { ts: int, n: int }
  time: { field: ts, unit: ms, delay: 500ms }
steps:
  - key: sensor
  - window: { tumbling: 1s, lateness: 1m }
    aggregate: { samples: count(), total: sum(n), first: min(n), last: max(n) }
sinks:
  - mqtt: counts/{sensor}
  - sqlite: counts.db
    table: counts
"""

# The same results by a chain: one pipeline takes the readings, one that reads its results counts them.
READINGS = """\
pipeline: readings
source:
  mqtt: readings/{sensor}
  fields: { ts: int, n: int }
  time: { field: ts, unit: ms, delay: 500ms }
steps:
  - key: sensor
  - select: [n]
"""
COUNTING_RESULTS = """\
pipeline: counting
source: { pipeline: readings, fields: { sensor: string, n: int } }
""" + COUNTING[COUNTING.index("steps:"):]


class Node:
    """`settings` are further sections of the node file, as YAML text; `mqtt` further lines of its
    mqtt section."""

    def __init__(self, directory, broker_port, pipelines, name="node", settings=None, mqtt=(),
                 data=None, scheme="tcp", commit="200ms", listen=None, workers=2):
        self.directory = directory / name
        self.pipelines = self.directory / "pipelines"
        self.pipelines.mkdir(parents=True)
        self.data = data or self.directory / "data"
        self.log = directory / f"{name}.log"
        self.config = self.directory / "node.yaml"
        self.port, self.broker_port = free_port(), broker_port
        self.process = None
        self._text = dict(name=name, broker=broker_port, scheme=scheme, mqtt=list(mqtt),
                          commit=commit, settings=settings or "", listen=listen, workers=workers)
        self.configure()
        for file, text in pipelines.items():
            self.write_pipeline(file, text)

    def configure(self, **changes):
        self._text.update(changes)
        t = self._text
        listen = t["listen"] or f"listen: 127.0.0.1:{self.port}"
        lines = [f"node: {{ name: {t['name']}, data: {self.data}, workers: {t['workers']} }}",
                 f"http: {{ {listen} }}", f"commit: {{ interval: {t['commit']} }}", "mqtt:",
                 f"  brokers: [{t['scheme']}://localhost:{t['broker']}]",
                 "  reconnect: { min: 20ms, max: 200ms }", *("  " + line for line in t["mqtt"])]
        self.config.write_text("\n".join(lines) + "\n" + t["settings"])

    def write_pipeline(self, file, text):
        (self.pipelines / file).write_text(text)

    # --- the process ---

    def start(self, ready=True, connected=True):
        """Starts it; returns how many seconds it took until it could take messages in, which is when it begins to
        answer. With `connected`, waits until /readyz says 200 too, in which the broker has a part."""
        began = time.monotonic()
        self.process = start([binary(), "run", "--config", str(self.config)], self.log)
        if not ready:
            return None
        wait_until(self.answers, "the node answers", every=0.002)
        took = time.monotonic() - began
        if connected:
            wait_until(self.ready, "the node is ready", every=0.002)
        return took

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the node ended with {self.process.returncode}")
        return http_get(self.port, "/readyz")[0] in (200, 503)

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the node ended with {self.process.returncode}")
        return http_get(self.port, "/readyz")[0] == 200

    def kill(self):
        """kill -9; True when it was still running."""
        running = self.process.poll() is None
        self.process.kill()
        self.process.wait(20)
        return running

    def stop(self):
        """SIGTERM; returns (exit code, seconds)."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        return code, time.monotonic() - began

    def reload(self):
        """SIGHUP, and waits for the log to say that it is done; returns the new log lines."""
        before = len(self.log_text())
        self.process.send_signal(signal.SIGHUP)
        done = re.compile(r"pipelines reloaded|reloaded; files with faults")
        wait_until(lambda: done.search(self.log_text()[before:]), "the reload is done")
        return self.log_text()[before:]

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    # --- what it says ---

    def status(self):
        code, body, _ = http_get(self.port, "/api/v1/status")
        check_equal(code, 200, "answer of /api/v1/status")
        return json.loads(body)

    def pipeline(self, name="counting"):
        found = [p for p in self.status()["pipelines"] if p["name"] == name]
        check(found, f"pipeline {name} is not running")
        return found[0]

    def metrics(self):
        """Prometheus samples: {'name{labels}': value}."""
        code, body, headers = http_get(self.port, "/metrics")
        check_equal(code, 200, "answer of /metrics")
        check(headers["Content-Type"].startswith("text/plain; version=0.0.4"), "metrics type")
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in body.splitlines() if not line.startswith("#")}

    def wait_connected(self):
        wait_until(lambda: self.status()["mqtt"]["connected"], "the node is connected")

    def wait_journaled(self, entries):
        """Waits until the journal's next number is `entries`."""
        wait_until(lambda: self.status()["journal"]["end"] >= entries, f"{entries} in the journal",
                   timeout=60, every=0.02)

    def rows(self, table="counts", database="counts.db", columns="*"):
        with contextlib.closing(sqlite3.connect(self.data / database, timeout=10)) as db:
            db.row_factory = sqlite3.Row
            try:
                return [dict(r) for r in db.execute(f"SELECT {columns} FROM {table}")]
            except sqlite3.OperationalError:
                return []  # not there yet
