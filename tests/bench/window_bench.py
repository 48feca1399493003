"""The windowing path by itself, and what sliding windows cost by size and slide."""

import json
import subprocess

from measure import BenchError, Row, median

SIZES = {"1h": 3600, "10m": 600, "1m": 60}


# Aggregates by what they keep, as text of the table and as they are written.
FAMILIES = {
    "percentiles": ("p50, p95 and p99 of one sketch",
                    "{ a: median(speed), b: 'percentile(speed, 0.95)', c: 'percentile(speed, 0.99)' }"),
    "distinct counts": ("distinct", "{ a: distinct(speed) }"),
    "frequent values": ("top_k, mode", "{ a: 'top_k(speed, 5)', b: mode(speed) }"),
    "over time": ("integral, twa, rate", "{ a: integral(speed), b: twa(speed), c: rate(speed) }"),
    "trends": ("slope, ewma", "{ a: slope(speed), b: 'ewma(speed, 10s)' }"),
    "histogram": ("histogram of 20", "{ a: 'histogram(speed, 0, 130, 20)' }"),
    "lists": ("collect", "{ a: collect(speed) }"),
}


def path(context, window, warm, seconds, rate, keys=1000, aggregates="", steps=()):
    command = [context.program("window_bench"), window, keys, warm, seconds, rate, aggregates, *steps]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError("window_bench failed: " + done.stderr)
    return json.loads(done.stdout)


def total_ns(cost):
    return (cost["record_ns"] + cost["close_ns"]) / cost["records"]


def tumbling(context):
    runs = [path(context, "{ tumbling: 5s }", 5, context.pick(400, 40), 10_000)
            for _ in range(context.pick(5, 2))]
    rate = 1e9 / median(total_ns(c) for c in runs)
    yield Row("keys and windows alone, decoded batches of 2,048, 1,000 keys, tumbling 5 s, one core",
              f"**{rate / 1e6:.1f} M records/s**", "at least 8 M/s", rate >= 8e6)
    allocations = max(c["allocations"] / c["records"] for c in runs)
    yield Row("heap allocations per record on that path, after warm-up", f"**{allocations:.5f}**",
              "0 (amortised below 0.001)", allocations < 0.001)


def sliding(context):
    """The same records through windows of one slide and different sizes, in alternation: a record and a
    result must not cost more because 60 times as many windows overlap."""
    long, seconds = context.pick("1h", "10m"), context.pick(60, 10)
    windows = [(long, "1s"), (long, "10s"), ("1m", "1s")]
    costs = {w: [] for w in windows}
    for _ in range(context.pick(3, 1)):
        for w in windows:
            window = f"{{ sliding: {w[0]}, every: {w[1]} }}"
            costs[w].append(path(context, window, SIZES[w[0]], seconds, 10_000))
    texts = []
    for w in windows:
        record = median(c["record_ns"] / c["records"] for c in costs[w])
        close = median(c["close_ns"] / max(1, c["results"]) for c in costs[w])
        texts.append(f"{w[0]} by {w[1]}: {record:.0f} ns/record + {close:.0f} ns/result")
    ratio = median(total_ns(a) / total_ns(b)
                   for a, b in zip(costs[windows[0]], costs[windows[2]]))
    windows_more = SIZES[long] // 60
    yield Row(f"sliding windows, 1,000 keys: {windows_more} times as many overlapping windows "
              f"({long} against 1m, by 1s)",
              f"**{ratio:.2f}** times the cost ({'; '.join(texts)})",
              "independent of size / slide (at most 2 times)", ratio <= 2)


def aggregates(context):
    """Each family of aggregates against avg, min, max and count, in alternation: 1,000 keys, 100 records of
    each in a window."""
    seconds, rate = context.pick(60, 20), 10_000
    usual, costs = [], {name: [] for name in FAMILIES}
    for _ in range(context.pick(3, 1)):
        usual.append(total_ns(path(context, "{ tumbling: 10s }", 10, seconds, rate)))
        for name, (_, text) in FAMILIES.items():
            costs[name].append(total_ns(path(context, "{ tumbling: 10s }", 10, seconds, rate,
                                             aggregates=text)))
    base = median(usual)
    for name, (what, _) in FAMILIES.items():
        share = base / median(costs[name])
        asked = name in ("percentiles", "distinct counts")
        yield Row(f"{name} ({what}): rate against avg, min, max and count, tumbling",
                  f"**{share:.2f}** ({median(costs[name]):.0f} ns/record)",
                  "at least a third" if asked else "", share >= 1 / 3 if asked else None)


KEYED_STEPS = {
    "prev": "{ where: speed != prev(speed) }",
    "detect": "{ detect: { name: fast, when: speed > 120, until: speed < 100, for: 1s, pass: all } }",
    "dedup": "{ dedup: { by: ts, within: 5s } }",
}


def keyed(context):
    """What a step with a memory adds to a record, in alternation with the same path without it."""
    seconds = context.pick(100, 10)
    extra = {name: [] for name in KEYED_STEPS}
    allocations = 0.0
    for _ in range(context.pick(3, 1)):
        bare = path(context, "{ tumbling: 5s }", 5, seconds, 10_000)
        for name, step in KEYED_STEPS.items():
            cost = path(context, "{ tumbling: 5s }", 5, seconds, 10_000, steps=[step])
            extra[name].append(total_ns(cost) - total_ns(bare))
            allocations = max(allocations, cost["allocations"] / cost["records"])
    text = ", ".join(f"{name} {median(ns):.0f}" for name, ns in extra.items())
    yield Row("what steps with a memory add, ns per record, 1,000 keys (dedup: 50,000 ids remembered)",
              f"**{text}**", "at most 1,000 each", max(median(ns) for ns in extra.values()) <= 1000)
    yield Row("heap allocations per record with them, after warm-up", f"**{allocations:.5f}**",
              "0 (amortised below 0.01)", allocations < 0.01)


PATTERNS = {
    "silence": ("{ sequence: [{ name: last }, { not: any, for: 1s }] }", "{ v: last.speed }"),
    "a then b within 10 s": ("{ sequence: [{ name: a, where: speed > 125 }, "
                             "{ name: b, where: speed < 5, within: 10s }] }",
                             "{ v: a.speed, w: b.speed }"),
    "a then 2 to 5 b that are compared with it": (
        "{ sequence: [{ name: a, where: speed > 120 }, "
        "{ name: b, where: speed < a.speed - 50, times: 2..5, within: 10s }], within: 20s }",
        "{ v: a.speed, w: max(b.speed) }"),
}


def patterns(context):
    """Records a second through patterns, and what they keep of each key."""
    texts, allocations = [], 0.0
    for name, (pattern, select) in PATTERNS.items():
        costs = [path(context, f"pattern: {pattern}", 5, context.pick(60, 10), 10_000, aggregates=select)
                 for _ in range(context.pick(3, 1))]
        rate = 1e9 / median(total_ns(c) for c in costs)
        allocations = max(allocations, *(c["allocations"] / c["records"] for c in costs))
        texts.append(f"{name}: {rate / 1e6:.1f} M records/s, {costs[-1]['state_bytes'] // 1000} bytes a key")
    yield Row("patterns, 1,000 keys, 10 records a second of each, one core", f"**{'; '.join(texts)}**",
              "", None)
    yield Row("heap allocations per record with them, after warm-up", f"**{allocations:.5f}**",
              "0 (amortised below 0.05)", allocations < 0.05)


# By their text in the table: the interval, and seconds until the buffers are full.
JOINS = {"within 1 s": ("1s", 5), "from 9 to 10 s later": ("[9s, 10s]", 15)}


def joins(context):
    """Records a second through joins of two sources, and what they keep of each key."""
    texts, allocations = [], 0.0
    for name, (within, warm) in JOINS.items():
        costs = [path(context, f"join: {{ left: a, right: b, within: {within} }}", warm, context.pick(120, 10),
                      10_000, aggregates="[a.speed, { other: b.speed }]")
                 for _ in range(context.pick(3, 1))]
        rate = 1e9 / median(total_ns(c) for c in costs)
        allocations = max(allocations, *(c["allocations"] / c["records"] for c in costs))
        pairs = costs[-1]["results"] / costs[-1]["records"]
        texts.append(f"{name}: {rate / 1e6:.2f} M records/s with {pairs:.1f} pairs a record, "
                     f"{costs[-1]['state_bytes'] // 1000} bytes a key")
    yield Row("inner joins of two sources, 1,000 keys, 10 records a second of each, one core",
              f"**{'; '.join(texts)}**", "", None)
    yield Row("heap allocations per record with them, after warm-up", f"**{allocations:.2f}**",
              "0 (amortised below 0.05)", allocations < 0.05)


def measure(context):
    yield from tumbling(context)
    yield from aggregates(context)
    yield from keyed(context)
    yield from patterns(context)
    yield from joins(context)
    yield from sliding(context)
