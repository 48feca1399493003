"""The HTTP interface: paths, methods, fields of the status, and the token that an address others
can reach needs.
"""

import socket
import subprocess
import urllib.error
import urllib.request

from broker import Broker
from mqtt_client import MqttClient
from node import COUNTING, Node
from support import binary, check, check_equal, http_get, run, wait_until

TOKEN = "a-token-of-the-test"
FIELDS = {
    "node": {"name", "version", "uptime_s", "ready", "paused", "clock", "error"},
    "mqtt": {"connected", "broker", "connects", "received", "last_error", "refused"},
    "mqtt_output": {"connected", "broker", "connects", "published", "last_error"},
    "journal": {"bytes", "segments", "begin", "end", "synced", "appended_entries", "appended_ticks", "duplicates",
                "damaged_entries"},
    "store": {"used_bytes", "capacity_bytes", "entries"},
    "commit": {"count", "bytes", "last_us", "longest_us"},
}
PIPELINE_FIELDS = {"name", "records_in", "results", "late", "dead_letters", "ahead", "unquoted", "watermark_ms",
                   "watermark_lag_ms", "waits_for", "journal_lag", "state_keys", "state_bytes",
                   "outputs_waiting", "sinks"}

UNQUOTED = """\
pipeline: hot
source: { mqtt: "beds/{bed}", time: arrival }
steps:
  - where: temp-C > 30
  - key: bed
  - select: [bed_width]
sinks: { mqtt: "hot/{bed}" }
"""


def test(directory):
    broker = Broker(directory)
    on_loopback(directory, broker)
    for_others(directory, broker)
    without_token(directory, broker)
    port_taken(directory, broker)
    unquoted(directory, broker)


def on_loopback(directory, broker):
    node = Node(directory, broker.port, {"counting.yaml": COUNTING})
    node.start()
    check_equal(http_get(node.port, "/healthz")[:2], (200, "ok\n"), "/healthz")
    check_equal(http_get(node.port, "/readyz")[:2], (200, "ready\n"), "/readyz")
    for path in ("/", "/nothing", "/api/v1", "/api/v1/status/", "/../etc/passwd", "/%2e%2e"):
        code, body, _ = http_get(node.port, path)
        check_equal(code, 404, f"answer of {path}")
        check("error" in body, f"{path} says what is wrong: {body}")
    check_equal(http_get(node.port, "/healthz", method="POST")[0], 405, "POST")
    code, _, headers = http_get(node.port, "/api/v1/status")
    check_equal((code, headers["Content-Type"]), (200, "application/json"), "status")
    status = node.status()
    for section, fields in FIELDS.items():
        check_equal(fields - status[section].keys(), set(), f"fields missing in {section}")
    pipeline, = status["pipelines"]
    check_equal(PIPELINE_FIELDS - pipeline.keys(), set(), "fields missing in a pipeline")
    check_equal(pipeline["watermark_ms"], None, "watermark before any reading")
    check_equal(len(pipeline["sinks"]), 2, "sinks")
    check_equal(node.metrics()["rivulet_ready"], 1.0, "rivulet_ready")
    shown = subprocess.run([binary(), "status", "--url", f"http://127.0.0.1:{node.port}"],
                           capture_output=True, text=True)
    check_equal(shown.returncode, 0, "exit code of rivulet status")
    check("counting" in shown.stdout, "rivulet status shows the pipeline")
    node.stop()
    check_equal(http_get(node.port, "/healthz")[0], 0, "answer after the end")
    gone = subprocess.run([binary(), "status", "--url", f"http://127.0.0.1:{node.port}"],
                          capture_output=True, text=True)
    check_equal(gone.returncode, 4, "exit code of rivulet status without a node")


def for_others(directory, broker):
    node = Node(directory, broker.port, {"counting.yaml": COUNTING}, name="open")
    secret = directory / "token"
    secret.write_text(TOKEN + "\n")
    secret.chmod(0o600)
    node.configure(listen=f"listen: 0.0.0.0:{node.port}, token_file: {secret}")
    node.start(ready=False)
    wait_until(lambda: http_get(node.port, "/readyz", TOKEN)[0] == 200, "the node is ready")
    for path in ("/healthz", "/readyz", "/metrics", "/api/v1/status", "/nothing"):
        for token in (None, "wrong", TOKEN[:-1], TOKEN + "x", ""):
            check_equal(http_get(node.port, path, token)[0], 401, f"{path} with token {token}")
    check_equal(http_get(node.port, "/api/v1/status", TOKEN)[0], 200, "status with the token")
    shown = subprocess.run([binary(), "status", "--url", f"http://127.0.0.1:{node.port}",
                            "--token-file", str(secret)], capture_output=True, text=True)
    check_equal(shown.returncode, 0, "exit code of rivulet status with the token")
    node.stop()


def without_token(directory, broker):
    node = Node(directory, broker.port, {"counting.yaml": COUNTING}, name="careless")
    node.configure(listen=f"listen: 0.0.0.0:{node.port}")
    node.start(ready=False)
    check_equal(node.process.wait(20), 3, "exit code without a token")
    check(f"{node.config}:2:" in node.log_text() and "token_file" in node.log_text(),
          f"the message names the place and the setting: {node.log_text()}")


def unquoted(directory, broker):
    """Fields that are named without back quotes: in the log once, and as figures."""
    node = Node(directory, broker.port, {"hot.yaml": UNQUOTED}, name="unquoted")
    node.start()
    broker.wait_subscribed("beds/+")
    status = [binary(), "status", "--url", f"http://127.0.0.1:{node.port}"]
    shown = subprocess.run(status, capture_output=True, text=True).stdout
    check("back quotes" not in shown, f"no line where there is nothing to say: {shown}")
    with MqttClient(broker.port, "beds") as beds:
        for i in range(3):
            beds.publish("beds/a", f'{{"temp-C": {i}}}'.encode())
            wait_until(lambda: node.pipeline("hot")["unquoted"] == i + 1, "the record is counted")
    check_equal(node.metrics()['rivulet_unquoted_records_total{pipeline="hot"}'], 3.0, "metric")
    check_equal(node.log_text().count("a record has the field 'temp-C'"), 1, "times it is said")
    shown = subprocess.run(status, capture_output=True, text=True).stdout
    check("hot: 3 records have a field that is named without back quotes" in shown, f"status: {shown}")
    node.stop()


def port_taken(directory, broker):
    """The pipelines run while another program has the port; the node answers once it is free."""
    node = Node(directory, broker.port, {"counting.yaml": COUNTING}, name="late")
    with socket.create_server(("127.0.0.1", node.port)):
        node.start(ready=False)
        wait_until(lambda: "E5005" in node.log_text(), "the taken port is said")
        wait_until(lambda: "ready" in node.log_text(), "the node runs without its port")
    wait_until(lambda: http_get(node.port, "/readyz")[0] == 200, "the node answers when the port is free")
    check_equal(node.log_text().count("E5005"), 1, "times the taken port is said")
    request = urllib.request.Request(f"http://127.0.0.1:{node.port}/healthz", headers={"Host": "evil.example"})
    try:
        urllib.request.urlopen(request, timeout=5)
        raise AssertionError("a request for a foreign host is answered")
    except urllib.error.HTTPError as error:
        check_equal(error.code, 421, "answer to a foreign host")
    node.stop()


run(test)
