"""A full disk: the node stops reading from MQTT and goes on when there is room; nothing is lost.

The data directory is on a small tmpfs, so the test must run as root.
"""

from broker import Broker
from counting import Readings
from disk import fill, small_disk
from mqtt_client import MqttClient
from node import COUNTING, Node
from support import check, check_equal, run, wait_until

DISK = 64 << 20
RESERVE = 16 << 20


def test(directory):
    with small_disk(directory / "disk", DISK) as disk:
        broker = Broker(directory)
        node = Node(directory, broker.port, {"counting.yaml": COUNTING}, data=disk / "data",
                    settings=f"disk: {{ reserve: {RESERVE} }}\njournal: {{ segment: 1MB }}\n")
        node.start()
        try:
            broker.wait_subscribed("readings/+")
            with MqttClient(broker.port, "dashboard") as dashboard:
                dashboard.subscribe("counts/#")
                readings = Readings(broker)
                pause_and_go_on(disk, node, readings, dashboard)
                no_room_at_all(disk, node, readings, dashboard)
        finally:
            node.kill()


def pause_and_go_on(disk, node, readings, dashboard):
    readings.publish_many(2000, step_ms=3)
    node.wait_journaled(readings.published)
    fill(disk, RESERVE // 2)
    wait_until(lambda: node.status()["node"]["paused"], "the node pauses")
    check_equal(node.metrics()["rivulet_ingest_paused"], 1.0, "rivulet_ingest_paused")
    check("disk nearly full" in node.log_text(), "the log says so")
    wait_until(lambda: not node.status()["mqtt"]["connected"], "it reads no more from the broker")
    journaled = node.status()["journal"]["end"]
    readings.publish_many(2000, step_ms=3)  # the broker takes and holds them
    readings.settle()
    check_equal(node.status()["journal"]["end"], journaled, "journal while paused")
    # Results of what it has still go out, and it stays alive and ready.
    check(node.ready(), "ready while paused")
    (disk / "ballast").unlink()
    wait_until(lambda: not node.status()["node"]["paused"], "the node goes on")
    readings.close_windows()
    readings.check_results(dashboard)
    readings.check_rows(node)
    check_equal(node.status()["mqtt"]["refused"], 0, "messages the journal could not take")
    print(f"paused and went on: {readings.published} readings counted")


def no_room_at_all(disk, node, readings, dashboard):
    """Another program takes the last byte at once, while readings flow."""
    readings.padding = "x" * 1500  # more than fits the room the journal has set aside
    readings.start(rate=2000)
    goal = readings.published + 2000
    wait_until(lambda: readings.published > goal and readings.running, "readings flow")
    fill(disk, 0)
    goal = readings.published + 4000
    wait_until(lambda: readings.published > goal and readings.running, "readings flow on")
    readings.finish()
    alive = node.process.poll() is None
    (disk / "ballast").unlink()
    if not alive:
        node.start()
    readings.close_windows()
    readings.check_results(dashboard)
    readings.check_rows(node)
    refused = node.status()["mqtt"]["refused"]
    fate = "stayed up" if alive else "ended and was started again"
    print(f"no room at all: {refused} messages refused, {readings.published} readings counted; "
          f"the node {fate}")


run(test)
