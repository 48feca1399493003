"""A broker that refuses one of two subscriptions: the pipeline that reads the other one works, what the broker
had retained for it is counted once over kills, and a reload without the refused one ends the trouble without a
new connection.
"""

import json
import os
import sys

from broker import Broker
from mqtt_client import MqttClient
from node import COUNTING, Node
from support import Skip, check, check_equal, run, wait_until

BASE = 1_700_000_000_000
OTHER = COUNTING.replace("pipeline: counting", "pipeline: other").replace("readings/", "secrets/") \
    .replace("mqtt: counts/", "mqtt: others/").replace("counts", "others", 2)


def strict_broker(directory):
    """It grants the subscription to readings/+ and no other to the node."""
    plugin = next((p for p in (f"/usr/lib/{a}-linux-gnu/mosquitto_dynamic_security.so"
                               for a in ("x86_64", "aarch64")) if os.path.exists(p)), None)
    if plugin is None:
        raise Skip("mosquitto's dynamic security plug-in is not there")
    rules = directory / "dynamic-security.json"
    rules.write_text(json.dumps({
        "defaultACLAccess": {"publishClientSend": True, "publishClientReceive": True, "subscribe": False,
                             "unsubscribe": True},
        "clients": [], "anonymousGroup": "all",
        "groups": [{"groupname": "all", "roles": [{"rolename": "reader"}]}],
        "roles": [{"rolename": "reader", "acls": [
            {"acltype": "subscribeLiteral", "topic": t, "allow": True} for t in ("readings/+", "counts/#")]}]}))
    rules.chmod(0o666)
    return Broker(directory, f"allow_anonymous true\nplugin {plugin}\nplugin_opt_config_file {rules}")


def test(directory):
    version = sys.argv[1]
    broker = strict_broker(directory)
    with MqttClient(broker.port, "publisher") as client, MqttClient(broker.port, "dashboard") as dashboard:
        for sensor in ("a", "b"):
            client.publish(f"readings/{sensor}", json.dumps({"ts": BASE, "n": 1}), retain=True)
        client.flush()
        dashboard.subscribe("counts/#")
        node = Node(directory, broker.port, {"counting.yaml": COUNTING, "other.yaml": OTHER},
                    mqtt=[f"version: {version}"])
        node.start(connected=False)

        def journaled(entries):  # of this process
            wait_until(lambda: node.status()["journal"]["appended_entries"] == entries and node.pipeline()["journal_lag"] == 0, f"{entries} messages are journaled and processed")

        journaled(2)
        for _ in range(3):
            node.kill()
            node.start(connected=False)
            wait_until(lambda: "secrets/+" in node.status()["mqtt"]["last_error"], "the refusal is said")
        check(not node.status()["mqtt"]["connected"], "not all that is wanted holds")
        client.publish("readings/a", json.dumps({"ts": BASE + 5000, "n": 10}))
        client.publish("readings/b", json.dumps({"ts": BASE + 5000, "n": 10}))
        client.flush()
        journaled(2)
        wait_until(lambda: len(dashboard.messages) >= 2, "the first window of both")
        check_equal(sorted((m.topic, json.loads(m.payload)["samples"]) for m in dashboard.messages),
                    [("counts/a", 1), ("counts/b", 1)], "what was retained is counted once")
        connects = node.status()["mqtt"]["connects"]
        (node.pipelines / "other.yaml").unlink()
        node.reload()
        wait_until(lambda: node.status()["mqtt"]["connected"], "nothing is refused any more")
        check_equal(node.status()["mqtt"]["connects"], connects, "connects")
        node.stop()


run(test)
