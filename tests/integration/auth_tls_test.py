"""A broker that wants to know who is there: user and password, TLS with client certificates, and
what the status says when it refuses. With MQTT 5 results carry their id.
"""

import json
import os

from broker import Broker, add_password
from certificates import make_certificates, secret
from counting import Readings
from mqtt_client import MqttClient
from node import COUNTING, Node
from support import check, check_equal, free_port, run, wait_until

PASSWORD = "pass: word #1"


def test(directory):
    with_password(directory / "password")
    with_certificates(directory / "tls")


def with_password(directory):
    directory.mkdir()
    passwords = directory / "users"
    add_password(passwords, "rivulet", PASSWORD)
    broker = Broker(directory, f"allow_anonymous false\npassword_file {passwords}")
    wrong = secret(directory / "wrong", "not this one")
    login = ["user: rivulet", f"password_file: {wrong}"]
    node = Node(directory, broker.port, {"counting.yaml": COUNTING}, mqtt=login)
    node.start(connected=False)
    error = wait_until(lambda: node.status()["mqtt"]["last_error"], "status tells of the refusal")
    check("E5002" in error, f"status names the error: {error}")
    check(not node.status()["mqtt"]["connected"], "not connected")
    node.stop()
    for text in (node.log_text(), error):
        check("not this one" not in text, "the password is not shown")

    secret(wrong, PASSWORD)
    node.start()
    broker.wait_subscribed("readings/+")
    count(broker.port, node, dict(user="rivulet", password=PASSWORD))
    node.stop()
    with_credential(directory, broker, node)
    broker.stop()


def with_credential(directory, broker, node):
    """The same password as systemd hands it over."""
    folder = directory / "credentials"
    folder.mkdir()
    node.configure(mqtt=["user: rivulet", "password_file: credential:mqtt-password"])
    node.start(ready=False)
    check_equal(node.process.wait(20), 3, "exit code without credentials")
    check("E1013" in node.log_text() and "LoadCredential=mqtt-password:FILE" in node.log_text(),
          "the log says what is missing")
    secret(folder / "mqtt-password", PASSWORD)
    os.environ["CREDENTIALS_DIRECTORY"] = str(folder)
    try:
        node.start()
    finally:
        del os.environ["CREDENTIALS_DIRECTORY"]
    broker.wait_subscribed("readings/+", times=2)
    check_equal(node.stop()[0], 0, "exit code")
    check(PASSWORD not in node.log_text(), "the password is not shown")


def with_certificates(directory):
    directory.mkdir()
    make_certificates(directory)
    files = {name: directory / f"{name}.pem" for name in ("ca", "server", "server-key", "client",
                                                         "client-key")}
    plain = free_port()  # for the test's own clients
    broker = Broker(directory, f"cafile {files['ca']}\ncertfile {files['server']}\n"
                               f"keyfile {files['server-key']}\nrequire_certificate true\n"
                               "use_identity_as_username true\nallow_anonymous false\n"
                               f"listener {plain} 127.0.0.1\nallow_anonymous true")
    bare = Node(directory, broker.port, {"counting.yaml": COUNTING}, name="bare", scheme="ssl",
                mqtt=[f"tls: {{ ca: {files['ca']} }}"])
    bare.start(connected=False)
    wait_until(lambda: bare.status()["mqtt"]["last_error"], "no certificate: status tells")
    check(not bare.status()["mqtt"]["connected"], "not connected without a certificate")
    bare.stop()

    node = Node(directory, broker.port, {"counting.yaml": COUNTING}, scheme="ssl",
                mqtt=["version: 5", f"tls: {{ ca: {files['ca']}, cert: {files['client']}, "
                                    f"key: {files['client-key']} }}"])
    node.start()
    broker.wait_subscribed("readings/+")
    dashboard = count(plain, node, {})
    ids = [m.user.get("rivulet-id", "") for m in dashboard.messages]
    check(all(len(i) == 32 and set(i) <= set("0123456789abcdef") for i in ids), f"ids: {ids[:3]}")
    check_equal(len(set(ids)), len(ids), "distinct ids")
    # Without revisions the row of a window and its result have the ids that belong to both.
    check_equal(len({r["id"] for r in node.rows()}), len(ids), "ids of rows")
    node.stop()


def count(port, node, credentials):
    with MqttClient(port, "dashboard", version=5, **credentials) as dashboard:
        dashboard.subscribe("counts/#")
        readings = Readings(client=MqttClient(port, "publisher", **credentials))
        readings.publish_many(1000, step_ms=3)
        readings.close_windows()
        readings.check_results(dashboard)
        readings.check_rows(node)
        check("window_start" in json.loads(dashboard.messages[0].payload), "payload")
    return dashboard


run(test)
