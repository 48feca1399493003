"""Time goes on when nothing comes, at a real broker: the last window of a publisher that has stopped comes
out; a freezer that reports only changes is alarmed, and a room whose gateway is gone is reported silent,
with no other message; what a broker held up while it was away is not late; and where nothing waits,
nothing is written.

quiet_test.py [SECONDS until alarms [SECONDS without broker]], 3 and 8: what takes minutes in life takes
seconds here, unless it is asked for."""

import json
import sys
import time

from broker import Broker
from mqtt_client import MqttClient
from node import Node
from support import check, check_equal, run, wait_until

HOLD = int(sys.argv[1]) if len(sys.argv) > 1 else 3
AWAY = int(sys.argv[2]) if len(sys.argv) > 2 else 8

READINGS = """\
pipeline: readings
source: { mqtt: "readings/{sensor}", time: { field: ts, unit: ms, idle: 4s } }
steps:
  - key: sensor
  - window: { tumbling: 1s }
    aggregate: { n: count() }
sinks: [ { mqtt: "counts/{sensor}" } ]
late: { mqtt: late }
"""
ARRIVALS = """\
pipeline: arrivals
source: { mqtt: "readings/{sensor}", time: arrival }
steps:
  - key: sensor
  - window: { tumbling: 1s }
    aggregate: { n: count() }
sinks: [ { mqtt: "arrivals/{sensor}" } ]
"""
FREEZER = f"""\
pipeline: freezer
source: {{ mqtt: "freezer/{{name}}", time: {{ field: ts, unit: ms, idle: 500ms }} }}
steps:
  - key: name
  - pattern:
      sequence:
        - {{ name: warm, where: celsius > -15 }}
        - {{ not: celsius <= -15, for: {HOLD}s }}
    select: {{ celsius: warm.celsius }}
sinks: {{ mqtt: "alarm/{{name}}" }}
"""
CELLAR = f"""\
pipeline: cellar
source: {{ mqtt: "freezer/{{name}}", time: {{ field: ts, unit: ms, idle: 500ms }} }}
steps:
  - key: name
  - detect: {{ name: too_warm, when: celsius > -15, for: {2 * HOLD}s }}
  - select: [too_warm, too_warm_since, celsius]
sinks: {{ mqtt: "cellar/{{name}}" }}
"""
ROOMS = f"""\
pipeline: rooms
source: {{ mqtt: "room/{{room}}", time: {{ field: ts, unit: ms, idle: 500ms }} }}
steps:
  - key: room
  - pattern:
      sequence: [ {{ name: last }}, {{ not: any, for: {HOLD}s }} ]
      skip: to_next
    select: {{ at: last.ts }}
sinks: {{ mqtt: "silent/{{room}}" }}
"""


def now_ms():
    return int(time.time() * 1000)


def reading(**fields):
    return json.dumps({"ts": now_ms(), **fields})


def test(directory):
    broker = Broker(directory)
    pipelines = {"a.yaml": READINGS, "b.yaml": ARRIVALS, "c.yaml": FREEZER, "d.yaml": ROOMS, "e.yaml": CELLAR}
    node = Node(directory, broker.port, pipelines)
    node.start()
    for topic_filter in ("readings/+", "freezer/+", "room/+"):
        broker.wait_subscribed(topic_filter)
    dashboard = MqttClient(broker.port, "dashboard", clean=False)
    dashboard.subscribe("#")
    publisher = MqttClient(broker.port, "publisher", clean=False)
    stopped_publisher(publisher, dashboard)
    alarm(publisher, dashboard)
    alarm_of_a_detector(node, publisher, dashboard)
    nothing_is_written(node)
    broker_away(broker, node, publisher, dashboard)
    check_equal(node.stop()[0], 0, "exit code")


def came(dashboard, topic):
    return dashboard.wait_messages(1, 2 * HOLD + 30, match=lambda m: m.topic == topic)


# Three readings sent by hand, and no fourth.
def stopped_publisher(publisher, dashboard):
    for _ in range(3):
        publisher.publish("readings/hand", reading())
    publisher.flush()
    for topic in ("counts/hand", "arrivals/hand"):
        wait_until(lambda: sum(json.loads(m.payload)["n"] for m in list(dashboard.messages)
                               if m.topic == topic) == 3, f"all that was sent is counted in {topic}")


def alarm(publisher, dashboard):
    publisher.publish("room/hall", reading(celsius=20))
    publisher.publish("freezer/cellar", reading(celsius=-11.5))
    publisher.flush()
    sent = time.monotonic()
    came(dashboard, "alarm/cellar")
    took = time.monotonic() - sent
    check(took > HOLD - 1, f"the alarm waits for {HOLD} s: {took:.1f} s")
    print(f"alarmed {took:.1f} s after the reading", flush=True)
    came(dashboard, "silent/hall")


# By time alone, and once, whatever becomes of the node before and after.
def alarm_of_a_detector(node, publisher, dashboard):
    publisher.publish("freezer/shop", reading(celsius=-12))
    publisher.flush()
    wait_until(lambda: node.pipeline("cellar")["records_in"] == 2, "the reading is taken in")
    check_equal(node.pipeline("cellar")["waits_for"], "time", "what the detector waits for")
    node.kill()
    node.start()
    node.wait_connected()
    for name in ("cellar", "shop"):
        said = json.loads(came(dashboard, f"cellar/{name}")[0].payload)
        check_equal(said["too_warm"], True, "what is said")
        check_equal(said["window_start"] - said["too_warm_since"], 2000 * HOLD, "when it was noticed")
    node.kill()
    node.start()
    node.wait_connected()
    publisher.publish("freezer/shop", reading(celsius=-18))
    publisher.flush()
    # Results come in order: had the alarm come once more, with another id, it would have by now.
    wait_until(lambda: any(not json.loads(m.payload)["too_warm"] for m in list(dashboard.messages)
                           if m.topic == "cellar/shop"), "the end of it is said")
    said = {m.payload for m in list(dashboard.messages) if m.topic.startswith("cellar/")}
    check_equal(len(said), 3, f"different results of the detector: {said}")


# Whatever was open is closed.
def nothing_is_written(node):
    wait_until(lambda: all(p["waits_for"] is None for p in node.status()["pipelines"]), "nothing waits")
    wait_until(lambda: all(p["outputs_waiting"] == 0 for p in node.status()["pipelines"]), "all is delivered")
    before = settled(node)
    time.sleep(5)  # a stretch in which there is nothing to wait for
    after = node.status()
    check_equal(after["journal"]["end"], before["journal"]["end"], "entries of the journal")
    check_equal(after["commit"]["count"], before["commit"]["count"], "commits")


def settled(node):
    def unchanged():
        first = node.status()
        time.sleep(11)  # what the subscriptions brought is noted once they have held for 10 s
        return first if first["commit"]["count"] == node.status()["commit"]["count"] else None
    return wait_until(unchanged, "no commit is made any more", timeout=60)


# For twice as long as `idle` or more, and readings that could not be sent meanwhile come then.
def broker_away(broker, node, publisher, dashboard):
    late = [m for m in list(dashboard.messages) if m.topic == "late"]
    check_equal(late, [], "late readings so far")
    sensor = "away"
    publisher.publish(f"readings/{sensor}", reading())
    publisher.flush()
    broker.stop()
    backlog = []
    for _ in range(4):
        backlog.append(reading())
        time.sleep(AWAY / 4)
    broker.start()
    node.wait_connected()
    publisher.reconnect()
    dashboard.reconnect()
    for payload in backlog:
        publisher.publish(f"readings/{sensor}", payload)
    publisher.flush()
    wait_until(lambda: sum(json.loads(m.payload)["n"] for m in list(dashboard.messages)
                           if m.topic == f"counts/{sensor}") == 5, "all readings are counted", timeout=60)
    check_equal(node.pipeline("readings")["late"], 0, "late readings")


run(test)
