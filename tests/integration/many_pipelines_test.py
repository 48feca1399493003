"""Two hundred pipelines and ten thousand topics in one node: exact, and in little memory; also where all of
them read the same topics, so that each message is of a key of each."""

import json

from broker import Broker
from memory_limit import resident
from mqtt_client import MqttClient
from node import Node
from support import check, check_equal, run

PIPELINES, SENSORS, READINGS = 200, 50, 3
BASE = 1_700_000_000_000
SAME = 500  # topics that all read
IDLE, BUSY, BUSY_TOGETHER = 60 << 20, 84 << 20, 110 << 20
PIPELINE = """\
pipeline: p{i}
source:
  mqtt: plant/{i}/{{sensor}}
  fields: {{ ts: int, v: float }}
  time: {{ field: ts, unit: ms, max_ahead: 3650d }}
steps:
  - key: sensor
  - window: {{ tumbling: 10s }}
    aggregate: {{ n: count(), mean: avg(v) }}
sinks: {{ mqtt: "out/{i}/{{sensor}}" }}
"""



def test(directory):
    each_its_own(directory / "own")
    all_the_same(directory / "same")


def each_its_own(directory):
    directory.mkdir()
    broker = Broker(directory, "allow_anonymous true\nmax_queued_messages 0")
    node = Node(directory, broker.port, {f"{i}.yaml": PIPELINE.format(i=i) for i in range(PIPELINES)},
                settings="state: { memory: 64MB }\n")
    node.start()
    idle = resident(node.process)
    check(idle < IDLE, f"{idle >> 20} MB without a message")
    with MqttClient(broker.port, "dashboard", clean=False) as dashboard:
        dashboard.subscribe("out/#")
        with MqttClient(broker.port, "devices") as devices:
            for second in [*range(READINGS), 60]:
                for i in range(PIPELINES):
                    for s in range(SENSORS):
                        reading = {"ts": BASE + second * 1000, "v": i + s}
                        devices.publish(f"plant/{i}/s{s}", json.dumps(reading))
            devices.flush()
            dashboard.wait_messages(PIPELINES * SENSORS, timeout=60)
    results = sorted((m.topic, json.loads(m.payload)["n"], json.loads(m.payload)["mean"])
                     for m in dashboard.messages)
    check_equal(results, sorted((f"out/{i}/s{s}", READINGS, i + s) for i in range(PIPELINES)
                                for s in range(SENSORS)), "results")
    busy = resident(node.process)
    check(busy < BUSY, f"{busy >> 20} MB after {PIPELINES * SENSORS} topics")
    longest = node.status()["commit"]["longest_us"] // 1000
    print(f"{idle >> 20} MB idle, {busy >> 20} MB with {PIPELINES * SENSORS} topics, longest commit {longest} ms")
    check_equal(node.stop()[0], 0, "exit code")



def all_the_same(directory):
    directory.mkdir()
    broker = Broker(directory, "allow_anonymous true\nmax_queued_messages 0")
    pipelines = {f"{i}.yaml": PIPELINE.format(i=i).replace(f"plant/{i}/", "plant/") for i in range(PIPELINES)}
    node = Node(directory, broker.port, pipelines, settings="state: { memory: 64MB }\n")
    node.start()
    most = 0
    with MqttClient(broker.port, "dashboard", clean=False) as dashboard:
        dashboard.subscribe("out/#")
        with MqttClient(broker.port, "devices") as devices:
            for second in [*range(READINGS), 60]:
                for s in range(SAME):
                    devices.publish(f"plant/s{s}", json.dumps({"ts": BASE + second * 1000, "v": s}))
            devices.flush()
            while len(dashboard.messages) < PIPELINES * SAME:
                most = max(most, resident(node.process))
                dashboard.wait_messages(min(PIPELINES * SAME, len(dashboard.messages) + 5000), timeout=60)
    results = sorted((m.topic, json.loads(m.payload)["n"], json.loads(m.payload)["mean"])
                     for m in dashboard.messages)
    check_equal(results, sorted((f"out/{i}/s{s}", READINGS, s) for i in range(PIPELINES) for s in range(SAME)),
                "results of pipelines that read the same")
    print(f"{most >> 20} MB at most where all read {SAME} topics", flush=True)
    check(most < BUSY_TOGETHER, f"{most >> 20} MB where {PIPELINES} pipelines read {SAME} topics")
    check_equal(node.stop()[0], 0, "exit code")


run(test)
