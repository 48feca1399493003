"""Start, stop and mistakes: how fast it is ready, how fast it stops, what it refuses.

RIVULET_TIMING=loose prints the times and does not judge them: for machines that are very busy.
"""

import os
import signal

from broker import Broker
from counting import Readings
from mqtt_client import MqttClient
from node import COUNTING, Node
from support import check, check_equal, free_port, http_get, run, wait_until

READY_WITHIN = 0.3  # s, from exec until it can take messages in
STOP_WITHIN = 1.0   # s, from SIGTERM to the end of the process
KEYS = 20_000


def test(directory):
    broker = Broker(directory)
    start_and_stop_under_load(directory / "load", broker)
    start_without_broker(directory / "alone")
    stop_without_broker(directory / "gone")
    second_instance(directory / "second", broker)
    wrong_files(directory / "wrong", broker)


def timed(what, seconds, limit):
    print(f"{what}: {seconds * 1000:.0f} ms")
    if os.environ.get("RIVULET_TIMING", "strict") == "strict":
        check(seconds < limit, f"{what} took {seconds:.3f} s, expected less than {limit} s")


def start_and_stop_under_load(directory, broker):
    directory.mkdir()
    node = Node(directory, broker.port, {"counting.yaml": COUNTING})
    timed("first start to ready", node.start(), READY_WITHIN)
    broker.wait_subscribed("readings/+")
    readings = Readings(broker, sensors=KEYS)
    readings.publish_many(KEYS, step_ms=0)
    node.wait_journaled(readings.published)
    with MqttClient(broker.port, "dashboard", clean=False) as dashboard:
        dashboard.subscribe("counts/#")
        for i in range(3):
            readings.start(rate=4000)
            goal = readings.published + 3000
            wait_until(lambda: readings.published > goal and readings.running, "there is load")
            code, seconds = node.stop()
            check_equal(code, 0, "exit code after SIGTERM under load")
            timed("stop under load", seconds, STOP_WITHIN)
            readings.finish()
            timed(f"start to ready with {KEYS} keys", node.start(), READY_WITHIN)
        readings.close_windows()
        readings.check_results(dashboard)
        readings.check_rows(node)
    node.process.send_signal(signal.SIGINT)
    check_equal(node.process.wait(10), 0, "exit code after SIGINT")


def start_without_broker(directory):
    directory.mkdir()
    node = Node(directory, free_port(), {"counting.yaml": COUNTING})
    timed("start without a broker", node.start(connected=False), READY_WITHIN)
    wait_until(lambda: node.status()["mqtt"]["last_error"], "status tells that there is no broker")
    check(not node.status()["mqtt"]["connected"], "not connected")
    broker = Broker(directory, port=node.broker_port)
    broker.wait_subscribed("readings/+")
    with MqttClient(broker.port, "dashboard") as dashboard:
        dashboard.subscribe("counts/#")
        readings = Readings(broker)
        readings.publish_many(500)
        readings.close_windows()
        readings.check_results(dashboard)
    check_equal(node.status()["mqtt"]["last_error"], "", "last error once connected")
    node.stop()
    broker.stop()


def stop_without_broker(directory):
    """With results that cannot be delivered any more: they are kept for the next start."""
    directory.mkdir()
    broker = Broker(directory)
    node = Node(directory, broker.port, {"counting.yaml": COUNTING})
    node.start()
    broker.wait_subscribed("readings/+")
    dashboard = MqttClient(broker.port, "dashboard", clean=False)
    dashboard.subscribe("counts/#")
    readings = Readings(broker)
    readings.publish_many(2000, step_ms=3)
    readings.close_windows()
    node.wait_journaled(readings.published + 1)
    broker.stop()
    code, seconds = node.stop()
    check_equal(code, 0, "exit code after SIGTERM without a broker")
    timed("stop without a broker", seconds, STOP_WITHIN)
    broker.start()
    dashboard.reconnect()
    node.start()
    readings.check_results(dashboard)
    readings.check_rows(node)
    node.stop()
    broker.stop()


def second_instance(directory, broker):
    directory.mkdir()
    node = Node(directory, broker.port, {"counting.yaml": COUNTING})
    node.start()
    second = Node(directory, broker.port, {"counting.yaml": COUNTING}, name="again", data=node.data)
    second.start(ready=False)
    code = second.process.wait(20)
    check_equal(code, 1, "exit code of a second instance")
    log = second.log_text()
    check("E3005" in log and str(node.data) in log, f"the message says what is in use: {log}")
    check_equal(http_get(node.port, "/readyz")[0], 200, "the first goes on")
    node.kill()
    second.start()  # a killed process leaves no lock behind
    second.stop()


WRONG_PIPELINES = [  # what is replaced, with what; where in that the fault is; error
    ("tumbling: 1s", "tumbling: soon", "soon", "E1008"),
    ("samples: count()", "samples: cuont()", "cuont", "E2006"),
    ("sum(n)", "sum(nn)", "nn", "E2002"),
    ("sinks:", "sinkz:", "sinkz", "E1003"),
    ("format: json", "format: jason", "jason", "E1005"),
]


def place_of(text, part):
    """'line:column' of `part`, both from 1."""
    at = text.index(part)
    return f"{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"


def wrong_files(directory, broker):
    directory.mkdir()
    for i, (right, wrong, fault, error) in enumerate(WRONG_PIPELINES):
        text = COUNTING.replace(right, wrong)
        node = Node(directory, broker.port, {"counting.yaml": text}, name=f"node-{i}")
        node.start(ready=False)
        check_equal(node.process.wait(20), 3, f"exit code for {error}")
        where = f"{node.pipelines}/counting.yaml:{place_of(text, fault)}: {error}"
        check(where in node.log_text(), f"expected {where}, found: {node.log_text()}")
    node = Node(directory, broker.port, {"counting.yaml": COUNTING}, name="settings",
                settings="jurnal: { sync: always }\n")
    node.start(ready=False)
    check_equal(node.process.wait(20), 3, "exit code for a wrong node file")
    check(f"{node.config}:7:1: " in node.log_text() and "journal" in node.log_text(),
          f"the message names the place and the nearest name: {node.log_text()}")
    node.config.unlink()
    node.start(ready=False)
    check_equal(node.process.wait(20), 3, "exit code for a missing node file")


run(test)
