"""Windows whose state is far larger than `state.memory`: very many slices, a window for each of very many keys.

What counts is the memory of its own: pages of the store's file are the system's to take back.
"""

import shutil
import time

from measure import BenchError, Row, memory_of, tail
from support import start

PIPELINE = """pipeline: state
source: {{ mqtt: in, time: {{ field: t, unit: ms }} }}
steps:
  - key: k
  - window: {window}
    aggregate: {{ n: count(), mean: avg(v), high: max(v) }}
sinks: {{ stdout: true }}
"""
BASE_MS = 1_700_006_400_000
MEMORY_MB = 64
BOUND_MB = MEMORY_MB + 20   # as with open windows: what is in flight comes on top


def seconds_of_few(path, seconds):
    with path.open("w", encoding="ascii") as out:
        for i in range(seconds):
            out.write(f'{{"k":"v{i % 5}","t":{BASE_MS + i * 1000},"v":{i % 100}}}\n')


def once_each_of_many(path, keys):
    """All at one time, so that all are due at one time: the worst for memory."""
    with path.open("w", encoding="ascii") as out:
        for i in range(keys):
            out.write(f'{{"k":"vehicle-{i * 7919 % keys:07d}","t":{BASE_MS},"v":{i % 100}}}\n')
        out.write(f'{{"k":"last","t":{BASE_MS + 70_000},"v":0}}\n')


def peak_of(context, folder, window, records):
    """The most memory of its own, MB, and seconds, of a replay that closes only what its records close."""
    pipeline, log = folder / "pipeline.yaml", folder / "log"
    pipeline.write_text(PIPELINE.format(window=window))
    began, peak = time.monotonic(), 0
    child = start([context.rivulet, "replay", str(pipeline), "--input", str(records), "--output",
                   str(folder / "out"), "--state", str(folder / "state"), "--memory", f"{MEMORY_MB}MB",
                   "--no-flush"], log)
    while child.poll() is None:
        try:
            peak = max(peak, memory_of(child.pid, "RssAnon"))
        except (BenchError, OSError):  # it has just ended
            pass
        time.sleep(0.05)
    if child.wait() != 0:
        raise BenchError(f"replay of {window} ended with {child.returncode}: {tail(log)}")
    return peak, time.monotonic() - began


def measure(context):
    folder = context.subfolder("state")
    days, keys = context.pick(100_000, 3_000), context.pick(1_000_000, 30_000)
    few, many = folder / "few.ndjson", folder / "many.ndjson"
    seconds_of_few(few, days)
    once_each_of_many(many, keys)
    for name, window, records, count in (
            ("sliding 24h by 1s, five keys", "{ sliding: 24h, every: 1s }", few, days),
            (f"a session of each of {keys:,} keys, all ending at once", "{ session: 5s }", many, keys),
            (f"a window of each of {keys:,} keys, all put out early at once",
             "{ tumbling: 1h, emit: every 1m }", many, keys)):
        subfolder = folder / f"{window.split()[1].rstrip(':')}"
        subfolder.mkdir()
        peak, seconds = peak_of(context, subfolder, window, records)
        yield Row(f"memory of its own, replay with `--memory {MEMORY_MB}MB`: {name}",
                  f"**{peak:.0f} MB** at most ({count / seconds:,.0f} records/s)",
                  f"below {BOUND_MB} MB", peak < BOUND_MB)
        shutil.rmtree(subfolder)
