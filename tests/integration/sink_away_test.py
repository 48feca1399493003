"""Sinks that are away: results wait in the output log and arrive afterwards, in order, once.

The node has the same brokers for readings and results, so for results without a broker it needs
readings that are journaled and not yet processed: it is killed before it commits and started again
while the broker is down.
"""

import contextlib
import json
import sqlite3

from broker import Broker
from counting import CLOSER, Readings
from mqtt_client import MqttClient
from node import COUNTING, Node
from support import check, check_equal, run, wait_until


def test(directory):
    broker_away(directory / "a")
    database_locked(directory / "b")


def broker_away(directory):
    directory.mkdir()
    broker = Broker(directory)
    node = Node(directory, broker.port, {"counting.yaml": COUNTING}, commit="1h")
    node.start()
    broker.wait_subscribed("readings/+")
    dashboard = MqttClient(broker.port, "dashboard", clean=False)
    dashboard.subscribe("counts/#")
    readings = Readings(broker)
    readings.publish_many(3000, step_ms=5)
    readings.close_windows()
    node.wait_journaled(readings.published + 1)
    node.kill()
    broker.stop()
    check_equal(dashboard.messages, [], "results before the kill")

    node.configure(commit="100ms")
    node.start(connected=False)
    windows = len(readings.expected())
    wait_until(lambda: node.pipeline()["outputs_waiting"] >= windows, "the results wait")
    wait_until(lambda: mqtt_sink(node)["last_error"], "status tells why")
    check(not mqtt_sink(node)["available"], "status tells that MQTT takes nothing")
    check(not node.status()["mqtt"]["connected"], "status tells that the broker is away")
    readings.check_rows(node)  # the other sink has them meanwhile

    broker.start()
    dashboard.reconnect()
    readings.check_results(dashboard)
    check_in_order(dashboard)
    wait_until(lambda: node.pipeline()["outputs_waiting"] == 0, "nothing waits any more")
    print(f"{windows} results waited for the broker")
    dashboard.close()
    node.stop()
    broker.stop()


def mqtt_sink(node):
    return next(s for s in node.pipeline()["sinks"] if s["name"].startswith("mqtt"))


def check_in_order(dashboard):
    order = [(r["window_end"], r["sensor"]) for r in
             (json.loads(m.payload) for m in dashboard.messages)]
    check_equal(order, sorted(set(order)), "order of results")


def database_locked(directory):
    directory.mkdir()
    broker = Broker(directory)
    node = Node(directory, broker.port, {"counting.yaml": COUNTING})
    node.start()
    broker.wait_subscribed("readings/+")
    with MqttClient(broker.port, "dashboard") as dashboard:
        dashboard.subscribe("counts/#")
        readings = Readings(broker)
        readings.publish_many(1000, step_ms=5)
        readings.close_windows()
        readings.check_rows(node)
        with locked(node.data / "counts.db"):
            readings.publish_many(1000, step_ms=5)
            readings.close_windows()
            # The other sink is not held up.
            readings.check_results(dashboard)
            sink = wait_until(lambda: unavailable_sqlite(node), "status tells that SQLite is away")
            check("locked" in sink["last_error"], f"status tells why: {sink['last_error']}")
            check(sink["errors"] > 0, "status counts its errors")
            check(node.pipeline()["outputs_waiting"] > 0, "results wait")
        readings.check_rows(node)
        check_in_order(dashboard)
        wait_until(lambda: unavailable_sqlite(node) is None, "status tells that SQLite is back")
        check(CLOSER in {r["sensor"] for r in node.rows()}, "the rows of the closing records too")
    print("results waited for the database")
    node.stop()


@contextlib.contextmanager
def locked(path):
    """Another process's write lock; SQLite has no other kind."""
    with contextlib.closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        yield
        db.execute("ROLLBACK")


def unavailable_sqlite(node):
    found = [s for s in node.pipeline()["sinks"]
             if s["name"].startswith("sqlite") and not s["available"]]
    return found[0] if found else None


run(test)
