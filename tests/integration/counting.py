"""A publisher of numbered readings for the pipeline node.COUNTING, and what must come of them."""

import json
import threading
import time

from mqtt_client import MqttClient
from support import by_window, check, check_equal, wait_until

CLOSER = "closer"  # a sensor whose readings only move the watermark
_WINDOW = 1000


class Readings:
    """Publishes readings of several sensors, in time order, event time being now; remembers what
    the broker has to deliver."""

    def __init__(self, broker=None, sensors=7, qos=1, client=None):
        self.client = client or MqttClient(broker.port, "publisher")
        self.sensors, self.qos = [f"s{i}" for i in range(sensors)], qos
        self.published, self.padding = 0, ""
        self._windows = {}
        self._last_ms = 0
        self._thread = self._failure = None
        self._ending = threading.Event()

    def publish(self, time_ms=None):
        """One reading; the next number, the next sensor."""
        n = self.published
        now = int(time.time() * 1000) if time_ms is None else time_ms
        self._last_ms = now = max(self._last_ms, now)  # the wall clock may step back
        sensor = self.sensors[n % len(self.sensors)]
        self.published += 1
        self._windows.setdefault((sensor, now // _WINDOW * _WINDOW), []).append(n)
        self._send(sensor, now, n)

    def _send(self, sensor, time_ms, n):
        topic = f"readings/{sensor}"
        extra = {"pad": self.padding} if self.padding else {}
        payload = json.dumps({"ts": time_ms, "n": n, **extra})
        try:
            self.client.publish(topic, payload, self.qos)
        except OSError:
            if self.qos == 0:
                raise
            self.client.reconnect()  # sends it, too

    def publish_many(self, count, step_ms=1, start_ms=None):
        """`count` readings as fast as the broker takes them, each `step_ms` after the last."""
        at = start_ms or max(self._last_ms, int(time.time() * 1000) - count * step_ms)
        for i in range(count):
            self.publish(at + i * step_ms)

    # --- in the background ---

    def start(self, rate, seconds=None):
        self._thread = threading.Thread(target=self._run, args=(rate, seconds), daemon=True)
        self._thread.start()

    def _run(self, rate, seconds):
        began, first = time.monotonic(), self.published
        try:
            while not self._ending.is_set():
                elapsed = time.monotonic() - began
                if seconds is not None and elapsed > seconds:
                    break
                due = first + int(elapsed * rate)
                while self.published < due:
                    self.publish()
                self._ending.wait(0.005)
        except Exception as e:
            self._failure = e

    @property
    def running(self):
        if self._failure:
            raise self._failure
        return self._thread is not None and self._thread.is_alive()

    def finish(self):
        """Ends the background thread and waits until the broker has everything."""
        self._ending.set()
        if self._thread:
            self._thread.join(60)
        check(not self.running, "the publisher ends")
        self._thread = None
        self._ending.clear()
        self.settle()

    def settle(self):
        try:
            self.client.flush()
        except OSError:
            self.client.reconnect()
            self.client.flush()

    def close_windows(self):
        """Moves the watermark past every window published so far."""
        self._last_ms += 3 * _WINDOW
        payload = json.dumps({"ts": self._last_ms, "n": 0})
        self.client.publish(f"readings/{CLOSER}", payload, max(1, self.qos))
        self.settle()

    # --- what must come of them ---

    def expected(self):
        """By (topic, window start): the fields of the final result."""
        return {(f"counts/{sensor}", start):
                {"sensor": sensor, "window_start": start, "window_end": start + _WINDOW,
                 "samples": len(n), "total": sum(n), "first": min(n), "last": max(n)}
                for (sensor, start), n in self._windows.items()}

    def check_results(self, subscriber, timeout=60):
        """Every reading is counted exactly once in the final results that `subscriber` has."""
        expected = self.expected()
        try:
            wait_until(lambda: not expected.keys() - _windows_of(subscriber), "all windows",
                       timeout, every=0.05)
        except AssertionError:
            pass  # the comparison says which are missing
        found = {k: _plain(r) for k, r in by_window(list(subscriber.messages)).items()
                 if k[0] != f"counts/{CLOSER}"}
        check_equal(found, expected, "final results")
        check_equal(sum(r["samples"] for r in found.values()), self.published, "readings counted")
        return len(found)

    def check_rows(self, node, timeout=30):
        """The SQLite sink has exactly one row a window, with the same values."""
        expected = self.expected()
        fields = "sensor, window_start, window_end, samples, total, first, last"
        def rows():
            return [r for r in node.rows(columns=fields) if r["sensor"] != CLOSER]
        try:
            wait_until(lambda: len(rows()) >= len(expected), "all rows", timeout, every=0.05)
        except AssertionError:
            pass
        found = rows()
        check_equal(len({(r["sensor"], r["window_start"]) for r in found}), len(found), "rows")
        check_equal({(f"counts/{r['sensor']}", r["window_start"]): r for r in found}, expected,
                    "rows of the SQLite sink")


def _windows_of(subscriber):
    return {(m.topic, json.loads(m.payload)["window_start"]) for m in list(subscriber.messages)}


def _plain(result):
    return {k: v for k, v in result.items() if k != "revision"}
