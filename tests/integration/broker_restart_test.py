"""The broker goes away and comes back while readings flow: nothing is lost, nothing counted twice.

An orderly end comes in the middle of publishing. The publisher uses QoS 2: with QoS 1 it would have
to send again what the broker may have passed on already, and count that twice by itself. kill -9
comes after the broker has saved its sessions: what mosquitto had acknowledged and not yet saved
would be gone, whoever subscribes.
"""

from broker import Broker
from counting import Readings
from mqtt_client import MqttClient
from node import COUNTING, Node
from support import check, check_equal, run, seeded_random, wait_until

ROUNDS = 4


def test(directory):
    random = seeded_random()
    broker = Broker(directory)
    node = Node(directory, broker.port, {"counting.yaml": COUNTING})
    node.start()
    broker.wait_subscribed("readings/+")
    readings = Readings(broker, qos=2,
                        client=MqttClient(broker.port, "publisher", clean=False, max_inflight=200))
    dashboard = MqttClient(broker.port, "dashboard", clean=False)
    dashboard.subscribe("counts/#")
    for _ in range(ROUNDS):
        restart_while_publishing(broker, node, readings, 300 + random.randrange(1500))
        dashboard.reconnect()
    kill_after_saving(broker, node, readings)
    dashboard.reconnect()
    connects = node.status()["mqtt"]["connects"]
    check(connects >= ROUNDS + 2, f"the node has connected {ROUNDS + 2} times: {connects}")
    readings.close_windows()
    readings.check_results(dashboard)
    readings.check_rows(node)
    wait_until(lambda: node.pipeline()["outputs_waiting"] == 0, "everything is delivered")
    status = node.status()
    check_equal(node.pipeline()["late"], 0, "late readings")
    print(f"{ROUNDS + 1} restarts of the broker, {readings.published} readings, "
          f"{status['journal']['duplicates']} redelivered and dropped")


def restart_while_publishing(broker, node, readings, after):
    goal = readings.published + after
    readings.start(rate=3000)
    wait_until(lambda: readings.published >= goal and readings.running, "readings are published")
    broker.stop()
    broker.start()
    wait_until(lambda: readings.published >= goal + after and readings.running, "it goes on")
    node.wait_connected()
    readings.finish()


def kill_after_saving(broker, node, readings):
    readings.publish_many(500)
    readings.settle()
    node.wait_journaled(readings.published)
    wait_until(lambda: node.pipeline()["outputs_waiting"] == 0, "the broker has the results")
    broker.save()
    broker.kill()
    wait_until(lambda: not node.status()["mqtt"]["connected"], "the node sees that it is gone")
    broker.start()
    node.wait_connected()
    readings.client.reconnect()
    readings.publish_many(500)
    readings.settle()


run(test)
