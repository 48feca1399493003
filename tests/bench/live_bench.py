"""The daemon against a real broker: CPU per message, and latency."""

import subprocess
import time

from measure import (BenchBroker, BenchError, Row, alternate, cpu_of, end, grouped, middle,
                     percentile, run, tail)
from node import Node
from support import start, wait_until

TOPIC = "vehicles/+/telemetry"

FLEET = """\
pipeline: bench
source:
  mqtt: vehicles/{vehicle}/telemetry
  format: json
  fields: { ts: int, speed: float }
  time: { field: ts, unit: ms }
steps:
  - key: vehicle
  - window: { tumbling: 5s }
    aggregate: { avg: avg(speed), min: min(speed), max: max(speed), samples: count() }
sinks:
  - mqtt: aggregates/{vehicle}
"""

LATENCY = """\
pipeline: latency
source:
  mqtt: latency/in/{{key}}
  format: json
  fields: {{ ts: int, speed: float }}
  time: {{ field: ts, unit: ms }}
steps:
  - key: key
  - window: {{ tumbling: {window_ms}ms }}
    aggregate: {{ avg: avg(speed), samples: count() }}
sinks:
  - mqtt: latency/out/{{key}}
"""


def publish(context, folder, broker, count):
    """As fast as the broker acknowledges; seconds it took."""
    return run([context.rivulet, "generate", "fleet", "--vehicles", 1000, "--mqtt",
                f"tcp://127.0.0.1:{broker.port}", "--rate", 0, "--count", count, "--seed", 1],
               folder / "generate.log").wall


def bare(context, folder, number, count):
    """(CPU seconds, messages/s) of the subscriber that only counts."""
    log = folder / f"bare-{number}.log"
    with BenchBroker(folder) as broker:
        child = start([context.program("bare_subscriber"), str(broker.port), TOPIC, str(count)], log)

        def says(line):
            if child.poll() is not None:
                raise BenchError("bare_subscriber ended: " + tail(log))
            return line in log.read_text().split()

        try:
            wait_until(lambda: says("ready"), "bare_subscriber is ready")
            before, began = cpu_of(child.pid), time.monotonic()
            publish(context, folder, broker, count)
            wait_until(lambda: says("done"), f"bare_subscriber has {count} messages", timeout=120)
            used, took = cpu_of(child.pid) - before, time.monotonic() - began
        finally:
            end(child)
    return used, count / took


def rivulet(context, folder, number, count):
    """The same of `rivulet run`, until it has processed every message."""
    with BenchBroker(folder) as broker:
        node = Node(folder, broker.port, {"bench.yaml": FLEET}, name=f"node-{number}", commit="1s",
                    workers="auto")
        node.start()
        try:
            broker.wait_subscribed(TOPIC)
            before, began = cpu_of(node.process.pid), time.monotonic()
            publish(context, folder, broker, count)
            wait_processed(node, count)
            used, took = cpu_of(node.process.pid) - before, time.monotonic() - began
        finally:
            end(node.process)
    return used, count / took


def wait_processed(node, count):
    """Until every message is a record; one that is lost, or a dead letter, is an error. The journal has a tick a
    second besides, at most."""
    deadline = time.monotonic() + 60
    while True:
        status = node.status()
        pipeline = status["pipelines"][0]
        found = (pipeline["records_in"], pipeline["dead_letters"], status["journal"]["end"])
        if found[:2] == (count, 0) and 0 <= found[2] - count <= 1 + status["node"]["uptime_s"]:
            return
        if time.monotonic() > deadline or pipeline["dead_letters"] > 0:
            raise BenchError(f"of {count} messages: records, dead letters, journaled = {found}; "
                             f"received {status['mqtt']}; log: {node.log_text()[-300:]}")
        time.sleep(0.1)


def cpu_row(context, folder):
    count, pairs = context.pick(100_000, 20_000), context.pick(5, 2)
    costs = alternate(pairs, lambda i: bare(context, folder, i, count),
                      lambda i: rivulet(context, folder, i, count))
    costs = middle(costs, lambda pair: pair[1][0] / pair[0][0])
    ratio = costs[1][0] / costs[0][0]
    micros = [cost[0] / count * 1e6 for cost in costs]
    rates = [cost[1] for cost in costs]
    return Row(f"CPU per MQTT message (QoS 1, {grouped(count)} of 124 bytes; journal, windows, results) "
               f"against a bare Paho subscriber, median of {pairs}",
               f"**{ratio:.2f}** times: {micros[1]:.1f} against {micros[0]:.1f} us; with broker and "
               f"publisher on this machine {grouped(rates[1])} against {grouped(rates[0])} messages/s",
               "at most 1.5 times", ratio <= 1.5)


def latency_row(context, folder, commit, commit_ms):
    # No multiple or divisor of the commit interval, so that windows close at every phase of it.
    window_ms, rate, keys = 170, 5000, 10
    seconds = context.pick(20, 5)
    where = folder / f"latency-{commit}"
    where.mkdir()
    with BenchBroker(where) as broker:
        node = Node(where, broker.port, {"latency.yaml": LATENCY.format(window_ms=window_ms)},
                    commit=commit, workers="auto")
        node.start()
        try:
            broker.wait_subscribed("latency/in/+")
            done = subprocess.run([context.program("latency_probe"), str(broker.port), str(rate),
                                   str(seconds), str(window_ms), str(keys)],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise BenchError(done.stderr.strip() or "latency_probe failed")
            slowest = node.status()["commit"]["longest_us"] / 1000
        finally:
            end(node.process)
    times = [int(line) / 1000 for line in done.stdout.split()]
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    return Row(f"publish that closes a window to its result at a subscriber, {grouped(rate)} records/s, "
               f"commit interval {commit}",
               f"p50 {p50:.0f} ms, p99 **{p99:.0f} ms** ({grouped(len(times))} results; longest commit "
               f"{slowest:.0f} ms)", f"p99 at most {commit_ms + 10} ms (interval + 10 ms)",
               p99 <= commit_ms + 10)


def measure(context):
    yield cpu_row(context, context.subfolder("live"))


def measure_latency(context):
    folder = context.subfolder("latency")
    yield latency_row(context, folder, "1s", 1000)
    yield latency_row(context, folder, "100ms", 100)
