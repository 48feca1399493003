"""Data directories of versions that people have go on: each was left by a killed node of that version in the
middle of windows, patterns, joins, with rows of every kind in its store. The node that opens it now is given
the rest of the readings, and what both have put out together is what a node gives that had them all.

shipped_test.py                 tries all of shipped/*.tar.xz
shipped_test.py make VERSION    leaves one, with the program of that version as RIVULET_BIN
"""

import json
import pathlib
import random
import sys
import tarfile
import time

from broker import Broker
from mqtt_client import MqttClient
from node import Node
from support import check, check_equal, run, wait_until

SHIPPED = pathlib.Path(__file__).parent / "shipped"
READINGS, BEFORE = 900, 600
START = 1_700_000_000_000

SOURCE = """\
source:
  mqtt: readings/{key}
  fields: { ts: int, v: float, n: int, state: string, on: bool }
  time: { field: ts, unit: ms, delay: 1s }
"""
PIPELINES = {
    "windows": SOURCE + """\
steps:
  - key: key
  - window: { tumbling: 40s, lateness: 20s }
    aggregate:
      n: count()
      total: sum(v)
      whole: sum(n)
      mean: avg(v)
      low: min(v)
      high: max(state)
      first: first(n)
      last: last(state)
      at_most: "max_by(n, v)"
      spread: stddev(v)
      together: "corr(v, n)"
      kinds: distinct(state)
      most: "percentile_exact(v, 0.9)"
      states: "collect(state, 5)"
      top: "top_k(state, 2)"
      smooth: "ewma(v, 5s)"
      bars: "histogram(v, 0, 100, 4)"
      all_on: bool_and(on)
""",
    # Version 0.1 leaves late readings out of these.
    "curves": SOURCE + """\
steps:
  - where: n % 100 <> 99
  - key: key
  - window: { tumbling: 40s, lateness: 20s }
    aggregate: { area: integral(v), grown: increase(n), faster: rate(n), level: "twa(v, 'step')" }
""",
    # An estimate in version 0.1, exact since: only that it is a middle is compared.
    "middles": SOURCE + """\
steps:
  - key: key
  - window: { tumbling: 40s, lateness: 20s }
    aggregate: { middle: "median(v)" }
""",
    "sliding": SOURCE + """\
steps:
  - key: [key, state]
  - window: { sliding: 30s, every: 10s, emit: every 5s }
    aggregate: { n: count(), total: sum(v) }
""",
    "sessions": SOURCE + """\
steps:
  - where: v > 20
  - key: key
  - window: { session: { gap: 4s, max: 5m } }
    aggregate: { n: count(), total: sum(v) }
""",
    "counts": SOURCE + """\
steps:
  - key: key
  - window: { count: 13 }
    aggregate: { n: count(), total: sum(v) }
""",
    "own_time": SOURCE.replace("delay: 1s", "delay: 1s, per: key, hold: 1h") + """\
steps:
  - key: key
  - window: { tumbling: 20s }
    aggregate: { n: count(), total: sum(v) }
""",
    "history": SOURCE + """\
steps:
  - key: key
  - dedup: { by: [state, on], within: 20s }
  - set: { before: "prev(v, 2)", other: changed(state), for_ms: since(on) }
  - select: [v, before, other, for_ms]
""",
    "episodes": SOURCE + """\
steps:
  - key: key
  - detect: { name: high, when: v > 50, until: v < 40, for: 1s }
  - detect: { name: stuck, stuck: state, for: 2s }
  - detect: { name: strange, anomaly: v }
  - where: high is not null or stuck is not null or strange is not null
  - select: [v, high, high_since, stuck, stuck_since, strange]
""",
    "patterns": SOURCE + """\
steps:
  - key: key
  - pattern:
      sequence:
        - { name: rise, where: v > 60 }
        - { name: low, where: v < 30, times: 1.. }
        - { name: back, where: v > 60 }
      within: 30s
    select: { from: rise.v, lows: count(low), to: back.v }
""",
    "limits": SOURCE + """\
tables:
  limits: { mqtt: "limits/{key}", key: key, fields: { limit: float } }
steps:
  - join: { table: limits, take: limit, type: left }
  - key: key
  - where: v > coalesce(limit, 95)
  - select: [v, limit]
""",
    "pairs": """\
source:
  - name: a
    mqtt: readings/{key}
    fields: { ts: int, v: float }
    time: { field: ts, unit: ms, delay: 1s }
  - name: b
    mqtt: others/{key}
    fields: { ts: int, w: int }
    time: { field: ts, unit: ms, delay: 1s }
steps:
  - join: { left: a, right: b, on: key, within: [-1s, 8s], type: full }
  - select: [a.v, b.w]
""",
    "hot": """\
source: { pipeline: windows, fields: { key: string, total: float, n: int } }
steps:
  - key: key
  - window: { tumbling: 2m }
    aggregate: { n: sum(n), total: sum(total) }
""",
}


def pipelines():
    return {f"{name}.yaml": f"pipeline: {name}\n{text}sinks: {{ mqtt: out/{name} }}\n"
                            f"late: {{ mqtt: late/{name} }}\ndead_letters: {{ mqtt: dead/{name} }}\n"
            for name, text in PIPELINES.items()}


def messages():
    """(topic, payload) in the order of sending; the same in every version of Python."""
    random_ = random.Random(1)
    states = ["open", "shut", "ajar"]
    for i in range(READINGS):
        ts = START + i * 500 + int(random_.random() * 400)
        key = f"k{int(random_.random() * 3)}"
        if i % 90 == 10:
            yield f"limits/{key}", json.dumps({"limit": 60 + i // 30})
        if i % 7 == 0:
            yield f"others/{key}", json.dumps({"ts": ts - 200, "w": i})
        if i % 150 == 149:
            yield f"readings/{key}", json.dumps({"ts": "never", "n": i})
        late = 30_000 if i % 100 == 99 else 0
        reading = {"ts": ts - late, "v": round(random_.random() * 100, 2), "n": i,
                   "state": states[int(random_.random() * 3)], "on": random_.random() < 0.5}
        yield f"readings/{key}", json.dumps(reading)


def halves():
    every = list(messages())
    cut = next(i for i, (_, payload) in enumerate(every) if json.loads(payload).get("n") == BEFORE)
    return every[:cut], every[cut:]


class Bench:
    """A broker, a node, and what the node puts out."""

    def __init__(self, directory, name, data=None):
        (directory / name).mkdir()
        self.broker = Broker(directory / name)
        self.node = Node(directory / name, self.broker.port, pipelines(), name="node", data=data)
        self.dashboard = MqttClient(self.broker.port, "dashboard", clean=False)
        for topic_filter in ("out/#", "late/#", "dead/#"):
            self.dashboard.subscribe(topic_filter)
        self.publisher = MqttClient(self.broker.port, "publisher", clean=False)

    def start(self):
        self.node.start()
        for topic_filter in ("readings/+", "others/+", "limits/+"):
            self.broker.wait_subscribed(topic_filter)

    def send(self, half):
        for topic, payload in half:
            self.publisher.publish(topic, payload)
        self.publisher.flush()

    def settle(self, entries):
        """Until all is journaled, processed, committed and delivered."""
        self.node.wait_journaled(entries)
        wait_until(self._still, "the node has done its work", timeout=60)

    # Nothing is to do, and no commit was made in a second without.
    def _still(self):
        first = self.node.status()
        if any(p["outputs_waiting"] or p["journal_lag"] for p in first["pipelines"]):
            return False
        time.sleep(1)
        return self.node.status()["commit"]["count"] == first["commit"]["count"]

    def results(self):
        """(topic, payload); of a record that was put aside without its reason, and when and where it came from."""
        def what(m):
            result = json.loads(m.payload)
            if "middle" in result:
                result["middle"] = 20 < result["middle"] < 80
            return json.dumps(result if m.topic.startswith("out/") else result["record"])
        return [(m.topic, what(m)) for m in list(self.dashboard.messages)]


def make(directory, version):
    before, _ = halves()
    bench = Bench(directory, "maker")
    bench.start()
    bench.send(before)
    bench.settle(len(before))
    bench.node.kill()
    results = bench.results()
    (bench.node.data / "results.json").write_text(json.dumps(results))
    with tarfile.open(SHIPPED / f"{version}.tar.xz", "w:xz") as archive:
        archive.add(bench.node.data, "data")
    print(f"{len(results)} results so far, {len(before)} messages")


def test(directory):
    shipped = sorted(SHIPPED.glob("*.tar.xz"))
    check(shipped, "there are no data directories of former versions")
    before, after = halves()
    whole = Bench(directory, "whole")
    whole.start()
    whole.send(before + after)
    whole.settle(len(before) + len(after))
    expected = whole.results()
    check_equal(len(set(expected)), len(expected), "results, each once")
    check_equal(whole.node.stop()[0], 0, "exit code")
    for archive in shipped:
        goes_on(directory, archive, before, after, expected)


def goes_on(directory, path, before, after, expected):
    version = path.name.removesuffix(".tar.xz")
    with tarfile.open(path) as archive:
        archive.extractall(directory / version)
    data = directory / version / "data"
    had = [(topic, what) for topic, what in json.loads((data / "results.json").read_text())]
    bench = Bench(directory, f"after-{version}", data)
    bench.start()
    bench.send(after)
    bench.settle(len(before) + len(after))
    came = bench.results()
    check_equal(bench.node.stop()[0], 0, "exit code")
    # Some come once more: what was delivered last had not been noted when the node died.
    missing, other = set(expected) - set(had + came), set(had + came) - set(expected)
    check(not missing and not other, f"{version}: {len(missing)} missing {sorted(missing)[:5]}, "
                                     f"{len(other)} not expected {sorted(other)[:5]}")
    check_equal(len(set(came)), len(came), "results that came, each once")
    again = len(set(came) & set(had))
    print(f"{version}: {len(had)} results before, {len(came)} after, {again} of them again", flush=True)


if sys.argv[1:2] == ["make"]:
    run(lambda directory: make(directory, sys.argv[2]))
else:
    run(test)
