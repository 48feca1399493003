"""Memory, idle and with a million open windows, and starting again with those on disk."""

import json
import time

from measure import BenchBroker, BenchError, Row, end, grouped, median, memory_of
from mqtt_client import MqttClient
from node import Node
from support import PROJECT, wait_until

# A window that stays open: a day long, and its records all at its start.
OPEN = """\
pipeline: open
source:
  mqtt: batches
  format: json
  fields: { vehicle: string, ts: int, speed: float }
  time: { field: ts, unit: ms }
steps:
  - key: vehicle
  - window: { tumbling: 24h }
    aggregate: { avg: avg(speed), min: min(speed), max: max(speed), samples: count() }
sinks:
  - mqtt: aggregates/{vehicle}
"""
BASE_MS = 1_700_006_400_000  # a multiple of a day
READINGS = 500               # in one message


def idle(context, folder):
    examples = {p.name: p.read_text() for p in sorted((PROJECT / "config/pipelines").glob("*.yaml"))}
    with BenchBroker(folder) as broker:
        node = Node(folder, broker.port, examples, name="idle", commit="1s", workers="auto")
        node.start()
        try:
            node.wait_connected()
            broker.wait_subscribed("vehicles/+/telemetry")
            time.sleep(context.pick(3, 1))  # whatever starting leaves behind has been given back
            used = memory_of(node.process.pid, "VmRSS")
        finally:
            end(node.process)
    return Row(f"resident memory, idle, {len(examples)} example pipelines", f"**{used:.1f} MB**",
               "below 15 MB", used < 15)


def fill(broker, pairs):
    with MqttClient(broker.port, "bench-fill", max_inflight=50) as client:
        for first in range(0, pairs, READINGS):
            batch = [{"vehicle": f"v{k:07d}", "ts": BASE_MS + k // 1000, "speed": k % 1300 / 10}
                     for k in range(first, min(first + READINGS, pairs))]
            client.publish("batches", json.dumps(batch, separators=(",", ":")), qos=1)
        client.flush()


def wait_settled(node, pairs):
    """Until every record is processed and committed."""
    wait_until(lambda: node.pipeline("open")["records_in"] >= pairs, "every record processed",
               timeout=300, every=0.2)
    # Window state that no result waits for is committed at the next checkpoint.
    wait_until(lambda: node.status()["store"]["entries"] >= pairs, "every window committed",
               timeout=60, every=0.5)
    wait_until(lambda: quiet(node), "no commit under way", timeout=60, every=0.1)


def quiet(node):
    """Whether a while passes without a commit."""
    before = node.status()["commit"]["count"]
    time.sleep(1.5)
    return node.status()["commit"]["count"] == before


def restart(node, pairs):
    """Seconds from exec to ready after a kill -9."""
    node.kill()
    took = node.start()
    status = node.status()
    if status["store"]["entries"] < pairs:
        raise BenchError(f"{status['store']['entries']} rows in the store, expected {pairs}")
    return took


def million(context, folder):
    pairs = context.pick(1_000_000, 50_000)
    with BenchBroker(folder) as broker:
        node = Node(folder, broker.port, {"open.yaml": OPEN}, name="open", commit="1s",
                    workers="auto", settings="state: { memory: 64MB, map_size: 1GB }\n")
        node.start()
        try:
            broker.wait_subscribed("batches")
            fill(broker, pairs)
            wait_settled(node, pairs)
            peak = memory_of(node.process.pid, "VmHWM")
            settled = memory_of(node.process.pid, "VmRSS")
            starts = [restart(node, pairs) for _ in range(context.pick(5, 2))]
        finally:
            end(node.process)
    what = f"{grouped(pairs)} open windows, `state.memory: 64MB`"
    yield Row(f"resident memory, {what}", f"**{peak:.0f} MB** at most, {settled:.0f} MB settled",
              "below 84 MB", peak < 84)
    ready = median(starts) * 1000
    yield Row(f"kill -9, then exec to ready, {what}",
              f"**{ready:.0f} ms** (slowest {max(starts) * 1000:.0f} ms)", "below 300 ms", ready < 300)


def measure(context):
    folder = context.subfolder("footprint")
    yield idle(context, folder)
    yield from million(context, folder)
