"""A sink's file or database that is gone, replaced, or of another program: the node and its other
pipelines go on, it is said in the log, and what happens to the results is what `gap` says."""

import contextlib
import json
import sqlite3
import subprocess

from broker import Broker
from counting import Readings
from mqtt_client import MqttClient
from node import COUNTING, Node
from support import binary, check, check_equal, run, wait_until

FILED = """\
pipeline: filed
source:
  mqtt: readings/{sensor}
  time: { field: ts, unit: ms }
steps:
  - key: sensor
  - select: { n: n }
sinks: { file: filed.ndjson%s }
"""
OTHER = """\
pipeline: other
source:
  mqtt: readings/{sensor}
  time: { field: ts, unit: ms }
steps:
  - key: sensor
  - select: { n: n }
sinks: { sqlite: other.db }
"""


def test(directory):
    validate(directory)
    broker = Broker(directory)
    node = Node(directory, broker.port, {"counting.yaml": COUNTING, "filed.yaml": FILED % "",
                                         "other.yaml": OTHER})
    node.data.mkdir(exist_ok=True)
    filed, other = node.data / "filed.ndjson", node.data / "other.db"
    filed.write_text("a person's notes\n")
    other.write_bytes(b"no database" * 500)
    node.start()
    broker.wait_subscribed("readings/+")
    with MqttClient(broker.port, "dashboard") as dashboard:
        dashboard.subscribe("counts/#")
        readings = Readings(broker)
        readings.publish_many(500, step_ms=5)
        readings.close_windows()
        readings.check_results(dashboard)  # nobody else is held up
        wait_until(lambda: sink(node, "filed")["last_error"].startswith("E3018"), "the notes are left alone")
        wait_until(lambda: sink(node, "other")["last_error"].startswith("E3003"), "no database, and said")
        check_equal(filed.read_text(), "a person's notes\n", "the file that was there")
        waiting = node.pipeline("filed")["outputs_waiting"]
        check_equal(waiting, readings.published + 1, "results that wait")
        filed.unlink()
        other.unlink()
        wait_until(lambda: node.pipeline("filed")["outputs_waiting"] == 0, "the file is written")
        wait_until(lambda: node.pipeline("other")["outputs_waiting"] == 0, "the database is written")
        check_equal(oct(filed.stat().st_mode & 0o777), "0o640", "mode of the file")
        check_equal(oct(other.stat().st_mode & 0o777), "0o640", "mode of the database")
        before = filed.read_text()

        node.stop()  # stores how far the sinks are: otherwise all of it would be written anew
        node.start()
        node.wait_connected()
        removed = node.data / "moved"
        filed.rename(removed)
        readings.publish_many(100, step_ms=5)
        wait_until(lambda: sink(node, "filed")["last_error"].startswith("E3017"), "it is noticed")
        wait_until(lambda: "they wait: E3017" in node.log_text(), "it is said")
        check(not filed.exists(), "no new file is begun")
        wait_until(lambda: node.pipeline("filed")["outputs_waiting"] == 100, "results wait")
        removed.rename(filed)
        wait_until(lambda: node.pipeline("filed")["outputs_waiting"] == 0, "it goes on")
        check(filed.read_text().startswith(before), "what was there before")
        check_equal(numbers(filed), [*range(500), 0, *range(500, 600)], "each once, in order")
        for text in ("takes no results, they wait: E3018", "takes results again"):
            wait_until(lambda text=text: text in node.log_text(), f"the log says '{text}'")
    node.stop()

    older(node, broker, readings, other)
    broker.stop()


def older(node, broker, readings, other):
    """Both files are gone while the node is down; one pipeline records that, the other stops."""
    (node.data / "filed.ndjson").unlink()
    for end in ("", "-wal", "-shm"):
        (node.data / ("other.db" + end)).unlink(missing_ok=True)
    node.write_pipeline("filed.yaml", FILED % ", gap: record")
    node.start()
    broker.wait_subscribed("readings/+")
    readings.publish_many(50, step_ms=5)
    def new_lines():
        return (node.data / "filed.ndjson").read_text().splitlines()
    wait_until(lambda: len(new_lines()) >= 51, "the new file is written")
    lines = new_lines()
    check("@gap" in lines[0], f"the first line tells of the gap: {lines[0]}")
    check_equal(len(lines), 51, "lines of the new file")
    wait_until(lambda: sink(node, "other")["last_error"].startswith("E3017"), "the database is missed")
    check(not other.exists(), "no new database is made")
    wait_until(lambda: node.pipeline("other")["outputs_waiting"] == 50, "its results wait")
    node.stop()
    node.write_pipeline("other.yaml", OTHER.replace("other.db", "other.db, gap: record"))
    node.start()
    wait_until(lambda: node.pipeline("other")["outputs_waiting"] == 0, "the new database is written")
    with contextlib.closing(sqlite3.connect(other)) as db:
        rows = db.execute("SELECT count(*) FROM other").fetchone()[0]
        gaps = db.execute("SELECT \"first\", \"next\" FROM rivulet_gap").fetchall()
    check_equal(rows, 50, "rows of the new database")
    check_equal(len(gaps), 1, "rows of rivulet_gap")
    check_equal(gaps[0][0], 0, "the gap begins with all it had")
    node.stop()


def validate(directory):
    """A sink may not write what is the node's own."""
    file = directory / "own.yaml"
    file.write_text(FILED.replace("filed.ndjson%s", "state/data.mdb"))
    result = subprocess.run([binary(), "validate", str(file)], capture_output=True, text=True)
    check_equal(result.returncode, 3, "exit code of validate")
    check("E1005" in result.stderr and "own.yaml:8:" in result.stderr, result.stderr)


def sink(node, pipeline):
    return node.pipeline(pipeline)["sinks"][0]


def numbers(path):
    return [json.loads(line)["n"] for line in path.read_text().splitlines()]


run(test)
