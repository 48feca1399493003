"""Subscriptions with QoS 0, 1 and 2, in MQTT 3.1.1 and 5, count every reading if nothing fails."""

from broker import Broker
from counting import Readings
from mqtt_client import MqttClient
from node import COUNTING, Node
from support import check_equal, run


def test(directory):
    broker = Broker(directory)
    for version in ("3.1.1", "5"):
        for qos in (0, 1, 2):
            count(directory, broker, version, qos)


def count(directory, broker, version, qos):
    name = f"node-{version.split('.')[0]}-{qos}"
    node = Node(directory, broker.port, {"counting.yaml": COUNTING}, name=name,
                mqtt=[f'version: {version}', f"qos: {qos}"])
    node.start()
    # The number of subscriptions to the filter so far: one a node.
    broker.wait_subscribed("readings/+", times=len(list(directory.glob("node-*.log"))))
    with MqttClient(broker.port, f"dashboard-{qos}") as dashboard:
        dashboard.subscribe("counts/#")
        readings = Readings(broker, qos=qos)
        for _ in range(10):  # QoS 0 has no flow control but this
            readings.publish_many(300, step_ms=2)
            node.wait_journaled(readings.published)
        readings.close_windows()
        readings.check_results(dashboard)
        readings.check_rows(node)
        readings.client.close()
    check_equal(node.status()["mqtt"]["received"], readings.published + 1, "messages received")
    check_equal(node.stop()[0], 0, "exit code")
    print(f"MQTT {version}, QoS {qos}: {readings.published} readings counted")


run(test)
