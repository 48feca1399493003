"""A result that the broker does not take is set aside; everything else goes out once and in order."""

import json

from broker import Broker
from mqtt_client import MqttClient
from node import Node
from scripted_broker import ScriptedBroker
from support import check, check_equal, run, wait_until

# Results go to a broker that is not the one of the readings: here both are the scripted one for the node, so
# readings come from a file of the past: the node is fed by a first life with mosquitto.
PIPELINE = """\
pipeline: {name}
source: {{ mqtt: in/{name}, fields: {{ n: int, to: string, text: string }}, time: arrival }}
steps:
  - key: to
  - select: [n, text]
sinks: {{ mqtt: "out/{name}/{{to}}" }}
"""


def life(directory, name, version, broker, readings):
    """Journals readings with mosquitto, whose results must wait, and delivers to `broker`."""
    source = Broker(directory, name=f"{name}-broker")
    node = Node(directory, source.port, {"p.yaml": PIPELINE.format(name="p"), "q.yaml": PIPELINE.format(name="q")},
                name=name, mqtt=[f'version: "{version}"'], commit="30s")
    node.start()
    with MqttClient(source.port, "writer") as writer:
        for n, (pipeline, to, text) in enumerate(readings):
            writer.publish(f"in/{pipeline}", json.dumps({"n": n, "to": to, "text": text}))
        writer.flush()
    node.wait_journaled(len(readings))
    node.kill()
    source.kill()
    node.configure(broker=broker.port, commit="100ms")
    node.start()
    return node


def refused_file(node):
    path = node.data / "refused.ndjson"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def results(broker):
    """Topic and payload of each, as they came."""
    return [(t, p) for t, p, _, _ in broker.published if t.startswith("out/")]


def check_delivered(node, broker, expected, set_aside):
    wait_until(lambda: len(results(broker)) >= len(expected), "all others are delivered", timeout=60)
    wait_until(lambda: len(refused_file(node)) >= len(set_aside), "the rest is set aside", timeout=60)
    for pipeline in ("p", "q"):
        prefix = f"out/{pipeline}/"
        got = [json.loads(payload)["n"] for topic, payload in results(broker) if topic.startswith(prefix)]
        check_equal(got, [n for topic, n in expected if topic.startswith(prefix)],
                    f"results of {pipeline}, once and in order")
    check_equal([line["result"]["n"] for line in refused_file(node)], set_aside, "results set aside")
    wait_until(lambda: sum(s["refused"] for p in node.status()["pipelines"] for s in p["sinks"])
               == len(set_aside), "they are counted")
    check_equal(node.log_text().count("E5006"), 1, "lines about it in the log")


def readings(count, poison, text="x"):
    """Every reading of `poison` of pipeline p; those of q are in between."""
    return [("p" if n % 2 == 0 else "q", "bad" if n in poison else "good", text) for n in range(count)]


def expected_of(all, poison):
    return [(f"out/{p}/{to}", n) for n, (p, to, _) in enumerate(all) if n not in poison]


def test(directory):
    poison = [6, 20]
    all = readings(40, poison)
    # MQTT 5: a reason in PUBACK.
    broker = ScriptedBroker(refuse=lambda topic, _: 0x87 if topic.endswith("/bad") else 0)
    node = life(directory, "puback", "5", broker, all)
    check_delivered(node, broker, expected_of(all, poison), poison)
    check("not authorised" in refused_file(node)[0]["reason"], "the reason is in words")
    node.stop()

    # A maximum packet size, QoS 1 at most, a receive maximum of 2, no retained messages.
    limits = b"\x27" + (200).to_bytes(4, "big") + b"\x24\x01" + b"\x21\x00\x02" + b"\x25\x00"
    broker = ScriptedBroker(limits=limits)
    long = [(p, to, "y" * 300 if n == 7 else "x") for n, (p, to, _) in enumerate(readings(40, []))]
    node = life(directory, "limits", "5", broker, long)
    check_delivered(node, broker, expected_of(long, [7]), [7])
    check(broker.largest <= 200, f"a packet of {broker.largest} bytes")
    node.stop()

    # MQTT 3.1.1: the broker can only end the connection.
    broker = ScriptedBroker(drop=lambda topic: topic.endswith("/bad"))
    all = readings(30, [6])
    node = life(directory, "dropped", "3.1.1", broker, all)
    wait_until(lambda: len(refused_file(node)) == 1, "the culprit is set aside", timeout=90)
    check_equal([line["result"]["n"] for line in refused_file(node)], [6], "the culprit")
    wait_until(lambda: len(set(results(broker))) == 29, "the rest", timeout=60)
    check(broker.attempts.count("out/p/bad") < 12, f"{broker.attempts.count('out/p/bad')} attempts")
    node.stop()


run(test)
