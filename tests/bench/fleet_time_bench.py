"""What per-key time saves on a fleet of which a tenth is out of reach now and then, and what it costs.

Every tenth of the vehicles is out of reach for 5 to 30 minutes at a time and sends what it read afterwards. One
replay gives each vehicle its own time, the other has one watermark for all with the same delay.
"""

import re

from measure import Row, run

PIPELINE = """pipeline: {name}
source:
  mqtt: vehicles/{{vehicle}}/telemetry
  time: {{ field: ts, unit: ms, delay: 2s{per} }}
steps:
  - key: vehicle
  - window: {{ tumbling: 10s }}
    aggregate: {{ n: count(), average: avg(speed) }}
sinks: {{ stdout: true }}
"""


def late_share(context, folder, readings, name, per):
    pipeline = folder / f"{name}.yaml"
    pipeline.write_text(PIPELINE.format(name=name, per=per))
    usage = run([context.rivulet, "replay", pipeline, "--input", readings, "--output",
                 folder / f"{name}.ndjson"],
                folder / f"{name}.log")
    summary = (folder / f"{name}.log").read_text()
    figures = re.search(r"(\d+) records, \d+ results, (\d+) late", summary)
    return int(figures[2]) / int(figures[1]), usage.cpu


def measure(context):
    folder = context.subfolder("fleet_time")
    readings = folder / "fleet.ndjson"
    run([context.rivulet, "generate", "fleet", "--vehicles", 100, "--rate", 100, "--seconds",
         context.pick(4 * 3600, 3600), "--out-of-reach", 0.1, "--output", readings],
        folder / "generate.log")
    per_key, cpu = late_share(context, folder, readings, "per_vehicle", ", per: vehicle, hold: 40m")
    one_time, plain_cpu = late_share(context, folder, readings, "one_time", "")
    yield Row("a tenth of the fleet out of reach for 5-30 minutes: readings lost with `per: vehicle`",
              f"**{per_key:.2%}**", "at most 0.1 %", per_key <= 0.001)
    yield Row("the same, one watermark for all, same delay", f"{one_time:.2%}")
    yield Row("CPU of `per: vehicle` against one watermark", f"{cpu / plain_cpu:.2f}")
