"""`rivulet replay --state` killed at random moments and started again ends with the same bytes as a
run without interruption, whatever the number of workers.
"""

import signal
import subprocess
import time

from support import PROJECT, binary, check, check_equal, run, seeded_random, start, wait_until

KILLS = 16
COMMIT_INTERVAL = 1.0  # of a replay, s

TUMBLING = """\
pipeline: fuel
source:
  mqtt: vehicles/{vehicle}/telemetry
  fields: { ts: { type: int, required: true }, speed: float, fuel: float }
  time: { field: ts, unit: ms, delay: 1s }
steps:
  - key: vehicle
  - window: { tumbling: 10s, lateness: 1m }
    aggregate: { top: max(speed), mean: avg(speed), spread: stddev(speed), readings: count() }
sinks:
  - stdout: true
"""


def test(directory):
    random = seeded_random()
    data = directory / "fleet.ndjson"
    subprocess.run([binary(), "generate", "fleet", "--count", "400000", "--vehicles", "200",
                    "--rate", "500", "--disorder", "3000", "--late-share", "0.02", "--seed", "7",
                    "--output", str(data)], check=True, capture_output=True)
    tumbling = directory / "tumbling.yaml"
    tumbling.write_text(TUMBLING)
    sliding = PROJECT / "config/pipelines/engine-health.yaml"
    for pipeline in (tumbling, sliding):
        kill_and_compare(directory / pipeline.stem, pipeline, data, random)


class Run:
    """Runs of one replay, each in the same files."""

    def __init__(self, directory, pipeline, data, state):
        self.directory, self.pipeline, self.data, self.state = directory, pipeline, data, state
        directory.mkdir(parents=True)
        self.outputs = [directory / name for name in ("results", "late", "dead")]

    def start(self, workers):
        results, late, dead = map(str, self.outputs)
        command = [binary(), "replay", str(self.pipeline), "--input", str(self.data), "--output",
                   results, "--late", late, "--dead-letters", dead, "--workers", str(workers)]
        command += ["--state", str(self.directory / "state")] if self.state else []
        return start(command, self.directory.parent.parent / "replay.log")

    def bytes(self):
        return [f.read_bytes() if f.exists() else b"" for f in self.outputs]


def kill_and_compare(directory, pipeline, data, random):
    whole = Run(directory / "whole", pipeline, data, state=False)
    began = time.monotonic()
    check_equal(whole.start(1).wait(120), 0, "exit code of the whole run")
    took = time.monotonic() - began
    expected = whole.bytes()
    check(expected[0] and expected[1], "there are results and late records")
    kills = finished = resumed = 0
    while kills < KILLS // 2 or finished == 0:
        broken = Run(directory / f"broken-{finished}", pipeline, data, state=True)
        while kill_at_random(broken.start(random.choice((1, 2))), random, took):
            kills += 1
            resumed += len(broken.bytes()[0]) > 0
        finished += 1
        for found, whole_bytes, name in zip(broken.bytes(), expected, ("results", "late", "dead")):
            check(found == whole_bytes, f"{name} of {pipeline.name} differ after {kills} kills: "
                                        f"{len(found)} bytes, expected {len(whole_bytes)}")
    check(resumed > 0, "some run went on from where a killed one had committed")
    print(f"{pipeline.stem}: {kills} kills in {finished} broken runs, {resumed} after a commit; "
          f"{len(expected[0])} bytes of results are the same")


def kill_at_random(process, random, took):
    """True when it was killed, False when it had finished. Mostly it is first held until a commit
    is due, so that a small input has commits in the middle."""
    def reached(moment):
        return process.poll() is not None or time.monotonic() >= moment
    began = time.monotonic()
    moment = began + random.uniform(0.01, took * 0.6)
    wait_until(lambda: reached(moment), "a moment", every=0.002)
    if random.random() < 0.8 and process.poll() is None:
        process.send_signal(signal.SIGSTOP)
        held = began + COMMIT_INTERVAL + 0.05
        wait_until(lambda: reached(held), "a commit is due", every=0.01)
        process.send_signal(signal.SIGCONT)
        moment = time.monotonic() + random.uniform(0, took * 0.4)
        wait_until(lambda: reached(moment), "a moment", every=0.002)
    if process.poll() is None:
        process.kill()
        process.wait(20)
    if process.returncode == -signal.SIGKILL:
        return True
    check_equal(process.returncode, 0, "exit code of a finished run")
    return False


run(test)
