"""Reference tables while a node runs: rows that a broker has retained, rows that change, files that
change, vanish and come late, and a second pipeline with a table on a topic the session knows.
"""

import json

from broker import Broker
from mqtt_client import MqttClient
from node import Node
from support import check, check_equal, run, wait_until

PIPELINE = """
pipeline: NAME
source: { mqtt: "in/{device}", fields: { n: int }, time: arrival }
tables:
  limits: { mqtt: "config/{device}/limit", key: device, fields: { limit: int } }
  owners: { csv: OWNERS, key: device }
steps:
  - join: { table: limits, take: limit, type: left }
  - join: { table: owners, take: owner, type: left }
  - key: device
  - select: [n, limit, owner]
sinks: { mqtt: "out/NAME/{device}" }
"""


def pipeline(name, owners):
    return PIPELINE.replace("NAME", name).replace("OWNERS", str(owners))


class Feed:
    """Publishes readings one by one, and says what came of each."""

    def __init__(self, broker, node):
        self.client = MqttClient(broker.port, "publisher")
        self.dashboard = MqttClient(broker.port, "dashboard")
        self.dashboard.subscribe("out/#")
        self.node, self.number = node, 0

    def configure(self, device, limit, away=False):
        before = 0 if away else self.node.status()["journal"]["end"]
        payload = "" if limit is None else json.dumps({"limit": limit})
        self.client.publish(f"config/{device}/limit", payload, retain=True)
        self.client.flush()
        if not away:
            wait_until(lambda: self.node.status()["journal"]["end"] > before, "the row is journaled")

    def ask(self, device, name="one"):
        """(limit, owner) of a new reading's result."""
        self.number += 1
        self.client.publish(f"in/{device}", json.dumps({"n": self.number}))

        def found():
            for m in list(self.dashboard.messages):
                result = json.loads(m.payload)
                if m.topic == f"out/{name}/{device}" and result["n"] == self.number:
                    return result
        result = wait_until(found, f"reading {self.number}")
        return result["limit"], result["owner"]


def table(node, name, pipeline_name="one"):
    return next(t for t in node.pipeline(pipeline_name)["tables"] if t["name"] == name)


def test(directory):
    broker = Broker(directory)
    owners = directory / "owners.csv"
    node = Node(directory, broker.port, {"one.yaml": pipeline("one", owners)})
    with MqttClient(broker.port, "before") as before:
        before.publish("config/a/limit", '{"limit":10}', retain=True)
        before.flush()
    node.start()
    broker.wait_subscribed("config/+/limit")
    feed = Feed(broker, node)
    wait_for_file(node, feed, owners)
    rows_change(node, feed)
    files_change(node, feed, owners)
    survive_restart(broker, node, feed)
    second_pipeline(node, feed, owners)
    check_equal(node.stop()[0], 0, "exit code")


def wait_for_file(node, feed, owners):
    check(not table(node, "owners")["ready"], "the file is not there yet")
    check("E1001" in table(node, "owners")["last_error"], "and the status says so")
    feed.client.publish("in/a", '{"n":0}')
    feed.client.flush()
    wait_until(lambda: node.pipeline("one")["journal_lag"] > 0, "the record waits in the journal")
    owners.write_text("device,owner\na,Ann\n")
    wait_until(lambda: table(node, "owners")["ready"], "the file is read")
    check_equal(feed.ask("a"), (10, "Ann"), "the row the broker had retained, and that of the file")


def rows_change(node, feed):
    feed.configure("a", 20)
    feed.configure("b", 30)
    check_equal(feed.ask("a"), (20, "Ann"), "a row is replaced")
    check_equal(feed.ask("b"), (30, None), "a row is added")
    feed.configure("b", None)
    check_equal(feed.ask("b"), (None, None), "a row is removed")
    check_equal(table(node, "limits")["keys"], 1, "keys")


def files_change(node, feed, owners):
    owners.write_text("device,owner\na,Anna\nb,Ben\n")
    wait_until(lambda: table(node, "owners")["loads"] == 2, "the file is read again")
    check_equal(feed.ask("b"), (None, "Ben"), "its new rows")
    owners.write_text("device,owner\na,Anna,\n")
    log = node.reload()
    check("line 2: line has 3 cells" in log, f"the log says what is wrong: {log}")
    check_equal(feed.ask("b"), (None, "Ben"), "the rows read last stay")
    owners.write_text("device,owner\na,Alma\nb,Ben\n")
    node.reload()
    check_equal(feed.ask("a"), (20, "Alma"), "a reload reads at once")


def survive_restart(broker, node, feed):
    node.kill()
    node.start()
    broker.wait_subscribed("config/+/limit", times=2)
    check_equal(feed.ask("a"), (20, "Alma"), "rows survive")
    node.stop()
    feed.configure("a", 25, away=True)
    node.start()
    check_equal(feed.ask("a"), (25, "Alma"), "what changed while the node was away")


def second_pipeline(node, feed, owners):
    node.write_pipeline("two.yaml", pipeline("two", owners.with_name("none.csv")))
    log = node.reload()
    check("E1001" in log and "two.yaml" in log, f"refused without its file: {log}")
    node.write_pipeline("two.yaml", pipeline("two", owners))
    node.reload()
    wait_until(lambda: table(node, "limits", "two")["keys"] == 1, "retained rows come once more")
    check_equal(feed.ask("a", "two"), (25, "Alma"), "what the second pipeline knows")
    check_equal(feed.ask("a", "one"), (25, "Alma"), "what the first one knows")


run(test)
