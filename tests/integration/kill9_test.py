"""kill -9 at random moments under load: every reading the broker took over is counted exactly once.

Usage: kill9_test.py VERSION QOS SECONDS KILLS [chain | rare] - version of MQTT and QoS of the node's
subscription, how long readings are published, and how many kills there must be. With `chain` one pipeline
takes the readings, and one that reads its results counts them. With `rare` commits are rare and bring many
results, few of which may be under way at a time.

Of its results a node that is killed sends no more once more than were under way.
"""

import sys
import time

from broker import Broker
from counting import Readings
from mqtt_client import MqttClient
from node import COUNTING, COUNTING_RESULTS, READINGS, Node
from support import check, check_equal, run, seeded_random, wait_until

RATE = 1500
RARE = {"commit": "2s, checkpoint: 1m", "sensors": 25, "max_inflight": 4}
OFTEN = {"commit": "200ms", "sensors": 7, "max_inflight": 100}


def test(directory):
    version, qos, seconds, kills_wanted = sys.argv[1], int(sys.argv[2]), *map(int, sys.argv[3:5])
    kind = sys.argv[5:6]
    settings = RARE if kind == ["rare"] else OFTEN
    random = seeded_random()
    broker = Broker(directory)
    pipelines = {"counting.yaml": COUNTING}
    if kind == ["chain"]:
        pipelines = {"counting.yaml": COUNTING_RESULTS, "readings.yaml": READINGS}
    node = Node(directory, broker.port, pipelines, commit=settings["commit"],
                mqtt=[f'version: {version}', f"qos: {qos}", f'max_inflight: {settings["max_inflight"]}'])
    node.start()
    broker.wait_subscribed("readings/+")
    with MqttClient(broker.port, "dashboard", version=5) as dashboard:
        dashboard.subscribe("counts/#")
        readings = Readings(broker, settings["sensors"], qos=max(1, qos))
        readings.start(RATE, seconds)
        kills = kill_while(readings, node, random, seconds / (kills_wanted * 1.15), kills_wanted)
        readings.finish()
        wait_until(node.ready, "the node is ready")
        readings.close_windows()
        windows = readings.check_results(dashboard)
        readings.check_rows(node)
        repeated = check_repetitions(dashboard, by_id=version == "5")
        most = kills * settings["max_inflight"]
        check(repeated <= most, f"{repeated} results came twice, at most {most} were under way at {kills} kills")
        wait_until(lambda: node.pipeline()["outputs_waiting"] == 0, "everything is delivered")
        check_equal(node.pipeline()["late"], 0, "late readings")
    print(f"{kills} kills, {readings.published} readings counted in {windows} windows, "
          f"{repeated} of {len(dashboard.messages)} results came once more")


def kill_while(readings, node, random, mean, wanted):
    """Kills at random moments: also while it starts, connects or has not yet committed anything."""
    kills = 0
    while readings.running or kills < wanted:
        moment = time.monotonic() + random.uniform(0.02, 2 * mean)
        wait_until(lambda: time.monotonic() >= moment, "the moment of the kill", every=0.002)
        check(node.kill(), "the node was running when it was killed")
        kills += 1
        node.start(ready=False)
    return kills


def check_repetitions(dashboard, by_id):
    """A result that came again came with the same bytes. Returns how many did."""
    seen, repeated = {}, 0
    for m in dashboard.messages:
        key = m.user["rivulet-id"] if by_id else (m.topic, m.payload)
        repeated += key in seen
        before = seen.setdefault(key, (m.topic, m.payload))
        check_equal((m.topic, m.payload), before, f"result {key}")
    return repeated


run(test)
