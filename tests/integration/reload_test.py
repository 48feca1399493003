"""SIGHUP: what did not change runs on untouched, what changed keeps its open windows, what is wrong
is refused, what is new starts, what is gone stops.
"""

import json

from broker import Broker
from mqtt_client import MqttClient
from node import COUNTING, Node
from support import check, check_equal, run, wait_until

BASE = 1_700_000_000_000
OTHER = (COUNTING.replace("pipeline: counting", "pipeline: other")
         .replace("mqtt: counts/", "mqtt: others/").replace("counts", "others", 2))
NEW = OTHER.replace("pipeline: other", "pipeline: fresh").replace("others", "fresh")


class Feed:
    """Readings of one sensor at given times."""

    def __init__(self, broker, node):
        self.client = MqttClient(broker.port, "publisher")
        self.node, self.sent = node, 0

    def send(self, *readings):
        for time_ms, n in readings:
            self.client.publish("readings/a", json.dumps({"ts": BASE + time_ms, "n": n}))
        self.client.flush()
        self.sent += len(readings)
        wait_until(lambda: all(p["journal_lag"] == 0 for p in self.node.status()["pipelines"])
                   and self.node.status()["journal"]["appended_entries"] == self.sent, "all is processed")


def test(directory):
    broker = Broker(directory)
    node = Node(directory, broker.port, {"counting.yaml": COUNTING, "other.yaml": OTHER})
    node.start()
    broker.wait_subscribed("readings/+")
    with MqttClient(broker.port, "dashboard") as dashboard:
        dashboard.subscribe("#")
        feed = Feed(broker, node)
        add_an_aggregate(node, feed, dashboard)
        refuse_bad_files(node, feed, dashboard)
        start_and_stop(broker, node, feed, dashboard)
        nothing_changed(node, feed)
    check_equal(node.stop()[0], 0, "exit code")


def result(dashboard, topic, start):
    """The first result of the window on the topic."""
    def found():
        for m in list(dashboard.messages):
            if m.topic == topic and json.loads(m.payload)["window_start"] == BASE + start:
                return json.loads(m.payload)
    return wait_until(found, f"window {start} on {topic}")


def counters(node, name):
    p = node.pipeline(name)
    return {k: p[k] for k in ("records_in", "results", "late", "dead_letters", "watermark_ms")}


def add_an_aggregate(node, feed, dashboard):
    feed.send((0, 1), (100, 5), (200, 3))  # an open window
    before = counters(node, "other")
    changed = COUNTING.replace("last: max(n)", "last: max(n), low: min(-n)")
    node.write_pipeline("counting.yaml", changed)
    log = node.reload()
    check("pipeline 'counting' changed" in log, f"the log says what changed: {log}")
    check("'other'" not in log, f"the other pipeline is not touched: {log}")
    check_equal(counters(node, "other"), before, "the other pipeline's counters")
    feed.send((300, 2), (2000, 9))
    found = result(dashboard, "counts/a", 0)
    expected = {"sensor": "a", "window_start": BASE, "window_end": BASE + 1000, "samples": 4,
                "total": 11, "first": 1, "last": 5}
    check_equal({k: found.get(k) for k in expected}, expected, "aggregates go on")
    check_equal(found["low"], -2, "the new aggregate knows what came since")
    other = result(dashboard, "others/a", 0)
    check_equal({k: other.get(k) for k in expected}, expected, "the other pipeline's window")


def refuse_bad_files(node, feed, dashboard):
    before = (node.pipelines / "counting.yaml").read_text()
    for text, error in ((before.replace("sum(n)", "sum(nn)"), "E2002"),
                        (before.replace("tumbling: 1s", "tumbling: soon"), "E1008"),
                        ("steps: [", "E1002")):
        node.write_pipeline("counting.yaml", text)
        log = node.reload()
        check(f"{node.pipelines}/counting.yaml:" in log and error in log,
              f"the log says where the fault is: {log}")
        check("goes on" in log, f"the log says what happens: {log}")
    feed.send((2100, 2), (4000, 4))
    found = result(dashboard, "counts/a", 2000)
    check_equal((found["samples"], found["total"], found["low"]), (2, 11, -9), "the old goes on")
    node.write_pipeline("counting.yaml", before)
    check("pipelines reloaded" in node.reload(), "the old file is taken again")
    feed.send((4100, 4), (6000, 6))
    check_equal(result(dashboard, "counts/a", 4000)["samples"], 2, "readings around the reload")


def start_and_stop(broker, node, feed, dashboard):
    node.write_pipeline("fresh.yaml", NEW)
    (node.pipelines / "other.yaml").unlink()
    log = node.reload()
    check("pipeline 'fresh' started" in log and "pipeline 'other' stopped" in log,
          f"the log says what started and stopped: {log}")
    check_equal({p["name"] for p in node.status()["pipelines"]}, {"counting", "fresh"}, "pipelines")
    feed.send((6100, 1), (8000, 1))
    check_equal(result(dashboard, "fresh/a", 6000)["samples"], 1, "the new one counts")
    check_equal(result(dashboard, "counts/a", 6000)["samples"], 2, "the old one counts on")
    check(not any(m.topic == "others/a" and json.loads(m.payload)["window_start"] >= BASE + 6000
                  for m in dashboard.messages), "the removed one is silent")
    # Another topic: it is subscribed to, and the one nobody wants any more is not.
    node.write_pipeline("fresh.yaml", NEW.replace("readings/{sensor}", "values/{sensor}"))
    node.reload()
    broker.wait_subscribed("values/+")


def nothing_changed(node, feed):
    feed.send((8100, 1))
    before, status = counters(node, "counting"), node.status()
    for _ in range(5):
        node.reload()
    check_equal(counters(node, "counting"), before, "counters after reloads of unchanged files")
    check_equal(node.status()["mqtt"]["connects"], status["mqtt"]["connects"], "connects")


run(test)
