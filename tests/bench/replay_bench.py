"""`rivulet replay` against a program written by hand for the same job."""

import json

from measure import BenchError, Row, alternate, grouped, median, middle, run

PIPELINE = """\
pipeline: bench
source:
  mqtt: vehicles/{{vehicle}}/telemetry
  format: json
  fields: {{ ts: int, {field}: float }}
  time: {{ field: ts, unit: ms }}
steps:
  - key: vehicle
  - window: {{ tumbling: 5s }}
    aggregate:
      avg_{field}: avg({field})
      min_{field}: min({field})
      max_{field}: max({field})
      samples: count()
sinks:
  - mqtt: aggregates/{{vehicle}}
"""


def generate(context, folder, count):
    readings = folder / "readings.ndjson"
    run([context.rivulet, "generate", "fleet", "--vehicles", 1000, "--rate", 10000, "--count", count,
         "--seed", 1, "--output", readings], folder / "generate.log")
    return readings


def results(path):
    """(vehicle, start, end) -> the aggregates, by order in the line."""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            r = json.loads(line)
            key = (r.pop("vehicle"), r.pop("window_start"), r.pop("window_end"))
            if key in found:
                raise BenchError(f"two results for {key} in {path.name}")
            found[key] = list(r.values())
    return found


def check_same(ours, theirs):
    """Averages may differ in their last digits: replay's sums are compensated, the loop's are not."""
    if ours.keys() != theirs.keys():
        raise BenchError(f"replay has {len(ours)} windows, the loop {len(theirs)}, or others")
    for key, (avg, *rest) in ours.items():
        other_avg, *other_rest = theirs[key]
        if rest != other_rest or abs(avg - other_avg) > 1e-9 * max(abs(avg), abs(other_avg)):
            raise BenchError(f"results for {key} differ: {ours[key]} and {theirs[key]}")


def measure_field(context, folder, readings, field, where, pairs, count):
    pipeline = folder / f"{field}.yaml"
    pipeline.write_text(PIPELINE.format(field=field))
    ours, theirs = folder / "replay.ndjson", folder / "loop.ndjson"

    def replay(_):
        ours.unlink(missing_ok=True)
        return run([context.rivulet, "replay", pipeline, "--input", readings, "--output", ours,
                    "--workers", 1], folder / "replay.log")

    def loop(_):
        return run([context.program("hand_loop"), readings, theirs, field], folder / "loop.log")

    usages = alternate(pairs, replay, loop)
    check_same(results(ours), results(theirs))
    ratios = [b.cpu / a.cpu for a, b in usages]
    ours_used, loop_used = middle(usages, lambda pair: pair[1].cpu / pair[0].cpu)
    share = loop_used.cpu / ours_used.cpu
    wall = median(b.wall / a.wall for a, b in usages)
    figure = (f"**{share:.0%}** of its speed in CPU time ({min(ratios):.0%} to {max(ratios):.0%}; wall "
              f"time {wall:.0%}): {count / ours_used.cpu / 1e6:.2f} against "
              f"{count / loop_used.cpu / 1e6:.2f} M records/s a core")
    return Row(f"replay against a hand-written simdjson loop, `{field}` ({where}), "
               f"{grouped(count)} records, median of {pairs}", figure, "at least 75 %", share >= 0.75)


def measure(context):
    folder = context.subfolder("replay")
    count = context.pick(3_000_000, 200_000)
    pairs = context.pick(5, 2)
    readings = generate(context, folder, count)
    yield measure_field(context, folder, readings, "speed", "third of 8 fields", pairs, count)
    yield measure_field(context, folder, readings, "fuel", "last of 8 fields", pairs, count)
    readings.unlink()
