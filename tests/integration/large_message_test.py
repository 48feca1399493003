"""Single messages that cost much, in the memory that the service has: the node neither dies of them nor keeps
what they took, at once and after a start that reads them again.

Control groups need root.
"""

import json

from broker import Broker
from memory_limit import memory_group, resident
from mqtt_client import MqttClient
from node import Node
from support import check, check_equal, run, wait_until

LIMIT = 512 << 20
LISTS = """\
pipeline: lists
source: { mqtt: "lists/{device}", time: { field: e.at, unit: s, max_ahead: 36500d } }
steps:
  - explode: { field: list, as: e }
  - key: e.k
  - window: { tumbling: 10s }
    aggregate: { n: count() }
sinks: { mqtt: out }
late: { mqtt: late }
dead_letters: { mqtt: dead }
"""


def elements(count, second, padding=""):
    body = ",".join(f'{{"at":{second},"k":{k % 7}}}' for k in range(count))
    return f'{{"list":[{body}],"padding":"{padding}"}}'.encode()


def test(directory):
    broker = Broker(directory)
    node = Node(directory, broker.port, {"lists.yaml": LISTS},
                settings="state: { memory: 64MB, map_size: 64MB }\n")
    with memory_group(LIMIT) as group:
        node.start()
        group.add(node.process)
        try:
            broker.wait_subscribed("lists/+")
            with MqttClient(broker.port, "dashboard") as dashboard:
                for topic in ("out", "late", "dead"):
                    dashboard.subscribe(topic)
                with MqttClient(broker.port, "device") as device:
                    costly_messages(node, group, device, dashboard)
                    starts_again(node, group, device, dashboard)
        finally:
            node.kill()


def on(dashboard, topic):
    return [json.loads(m.payload) for m in dashboard.messages if m.topic == topic]


def costly_messages(node, group, device, dashboard):
    device.publish("lists/a", elements(7, 1_700_000_000))
    before = resident(node.process)
    # Late, each element of a payload of 200 KB.
    device.publish("lists/a", elements(2_000, 1_600_000_000, "x" * 150_000))
    # At fault, each element of 30 KB.
    device.publish("lists/a", b'{"list":[' + b"1," * 15_000 + b"1]}")
    device.publish("lists/a", b"\x01" * 60_000_000)
    device.publish("lists/a", elements(7, 1_700_000_100))
    dashboard.wait_messages(1, match=lambda m: m.topic == "out", timeout=60)
    wait_until(lambda: any("E4017" in d["reason"] for d in on(dashboard, "dead")),
               "the large message is a dead letter")
    check_equal(len(on(dashboard, "late")), 2_000, "late lines")
    check_equal([d["record_bytes"] for d in on(dashboard, "dead") if "E4017" in d["reason"]],
                [60_000_000], "dead letter of the large message")
    late = sum(len(m.payload) for m in dashboard.messages if m.topic == "late")
    check(late < 2_000_000, f"late lines of a 200 KB message take {late} bytes")
    kept = lambda: resident(node.process) - before
    # But for the MQTT library's buffer, which stays as large as the largest packet was.
    wait_until(lambda: kept() < (60 + 24) << 20, "what the messages took is given back")
    peak = group.peak()
    print(f"kept {kept() >> 20} MB, at most {(peak or 0) >> 20} MB in use")


def starts_again(node, group, device, dashboard):
    """Killed with costly messages in the journal that no commit has processed."""
    device.publish("lists/b", elements(40_000, 1_600_000_000))
    device.publish("lists/b", b'{"list":[' + b"1," * 60_000 + b"1]}")
    node.kill()
    node.start()
    group.add(node.process)
    results = len(on(dashboard, "out"))
    device.publish("lists/a", elements(7, 1_700_000_200))
    dashboard.wait_messages(results + 7, match=lambda m: m.topic == "out", timeout=60)


run(test)
