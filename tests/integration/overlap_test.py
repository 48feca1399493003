"""Pipelines whose filters overlap count each message once, also with brokers that send a copy for each
subscription, over a reload and a restart. Arguments: MQTT version of the node."""

import json
import sys

from broker import Broker
from mqtt_client import MqttClient
from node import Node
from support import check_equal, run, wait_until

COUNT = """\
pipeline: {name}
source: {{ mqtt: "{filter}", fields: {{ n: int }}, time: arrival }}
steps:
  - set: {{ all: "'all'" }}
  - key: all
  - select: [n]
sinks: {{ mqtt: "out/{name}" }}
"""

FILTERS = {"wide": "plant/#", "temp": "plant/+/temp", "north": "plant/north/#", "cars": "cars/+/speed",
           "front": "cars/front/+"}


def test(directory):
    version = sys.argv[1]
    broker = Broker(directory, "allow_anonymous true\nallow_duplicate_messages true")
    files = {f"{name}.yaml": COUNT.format(name=name, filter=f) for name, f in FILTERS.items()
             if name != "wide"}
    node = Node(directory, broker.port, files, mqtt=[f'version: "{version}"'])
    sent = {}
    with MqttClient(broker.port, "reader") as reader, MqttClient(broker.port, "writer") as writer:
        reader.subscribe("out/#")
        writer.publish("plant/north/temp", '{"n": 0}', retain=True)
        writer.flush()
        sent["plant/north/temp"] = [0]
        node.start()

        def publish(first):
            topics = ["plant/north/temp", "plant/south/temp", "plant/north/door", "cars/front/speed",
                      "cars/rear/speed", "cars/front/belt", "cars/rear/belt"]
            for k, topic in enumerate(topics):
                n = first + k
                writer.publish(topic, json.dumps({"n": n}))
                sent.setdefault(topic, []).append(n)
            writer.flush()

        publish(100)
        node.write_pipeline("wide.yaml", COUNT.format(name="wide", filter=FILTERS["wide"]))
        expect(reader, sent, ["temp", "north", "cars", "front"])
        node.reload()
        node.wait_connected()
        wide_from = 200
        publish(200)
        expect(reader, sent, ["temp", "north", "cars", "front"])
        node.kill()
        publish(300)
        node.start()
        publish(400)
        expect(reader, sent, ["temp", "north", "cars", "front"])
        expect(reader, {t: [n for n in all if n >= wide_from] for t, all in sent.items()}, ["wide"])
        # What no pipeline wants is not in the journal either.
        entries = sum(len(all) for topic, all in sent.items() if topic != "cars/rear/belt")
        starts = 2  # a tick each
        check_equal(node.status()["journal"]["end"], entries + starts, "entries of the journal")
        node.stop()


def matches(topic_filter, topic):
    want, have = topic_filter.split("/"), topic.split("/")
    for k, level in enumerate(want):
        if level == "#":
            return True
        if k >= len(have) or level not in ("+", have[k]):
            return False
    return len(want) == len(have)


def expect(reader, sent, names):
    for name in names:
        expected = sorted(n for topic, all in sent.items() if matches(FILTERS[name], topic) for n in all)

        def counted():
            return sorted({m.payload for m in reader.messages if m.topic == f"out/{name}"})

        wait_until(lambda: len(counted()) >= len(expected), f"{len(expected)} results of {name}")
        # The same bytes may come again after a kill; a message that counted twice has another number of its own.
        got = sorted(json.loads(p)["n"] for p in counted())
        check_equal(got, expected, f"readings that '{name}' counted")


run(test)
