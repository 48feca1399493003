"""`rivulet doctor` against a real mosquitto: a healthy node has nothing that failed, and each fault is
found by the check that is about it.
"""

import json
import os
import re
import subprocess

from broker import Broker, add_password
from certificates import make_certificates, secret
from disk import fill, small_disk
from mqtt_client import MqttClient
from node import COUNTING, Node
from support import Skip, binary, check, check_equal, free_port, run

PASSWORD = "pass: word #1"
# What the machine the test runs on is like is not the test's business.
OF_THE_MACHINE = {"clock", "card", "sync", "memory", "limits", "power", "cpu"}


def doctor(node, *options, code=None):
    """The findings, by check."""
    done = subprocess.run([binary(), "doctor", "--config", str(node.config), "--json", *options],
                          capture_output=True, text=True, timeout=60)
    check_equal(done.stderr, "", "stderr of doctor")
    report = json.loads(done.stdout)
    findings = {}
    for finding in report["findings"]:
        check_equal(set(finding), {"check", "result", "found", "expected", "advice"}, "fields")
        findings.setdefault(finding["check"], []).append(finding)
    failed = [f for f in report["findings"] if f["result"] == "failed"]
    check_equal(report["failed"], len(failed), "count of failures")
    check_equal(done.returncode, 1 if failed else 0, "exit code")
    if code is not None:
        check_equal(done.returncode, code, f"exit code with {failed}")
    check(PASSWORD not in done.stdout, "the password is not shown")
    return findings


def results(findings, name):
    return [f["result"] for f in findings.get(name, [])]


def expect(findings, name, result, words):
    """One finding of the check has this result and matches the words."""
    found = [f for f in findings.get(name, [])
             if re.fullmatch(result, f["result"]) and re.search(words, f["found"])]
    check(found, f"{name}: a finding '{result}' with /{words}/ among {findings.get(name)}")
    return found[0]


def test(directory):
    healthy(directory / "healthy")
    config_faults(directory / "config")
    broker_away(directory / "away")
    login_and_lists(directory / "login")
    low_limits(directory / "limits")
    certificates(directory / "tls")
    second_process(directory / "second")
    places(directory / "places")
    full_disk(directory / "full")


def healthy(directory):
    directory.mkdir()
    broker = Broker(directory)
    node = Node(directory, broker.port, {"counting.yaml": COUNTING})
    node.data.mkdir()
    before = doctor(node)
    expect(before, "process", "ok", "no node runs")
    node.start()
    broker.wait_subscribed("readings/+")
    findings = doctor(node)
    for name in findings.keys() - OF_THE_MACHINE - {"disk"}:
        check(set(results(findings, name)) <= {"ok", "skipped", "warning"}, f"{name} of a healthy node: "
              f"{findings[name]}")
    expect(findings, "pipelines", "ok", "counting")
    expect(findings, "process", "ok", f"process {node.process.pid}")
    expect(findings, "http", "ok", "the node runs")
    expect(findings, "broker", "ok", "lets the node in, MQTT 3.1.1")
    expect(findings, "access", "ok", "1 topic filters")
    expect(findings, "broker-limits", "ok", "mosquitto version .* has dropped no messages")
    expect(findings, "mosquitto", "ok", re.escape(str(broker.config)))
    expect(findings, "sync", "ok|warning", "syncs took")
    check_equal(sorted(p.name for p in node.data.iterdir() if p.name.startswith(".")), [],
                "what doctor leaves behind")
    # The node's own sessions were left alone, and the probe's are gone.
    mqtt = node.status()["mqtt"]
    check(mqtt["connected"] and mqtt["connects"] == 1, f"connection of the node: {mqtt}")
    check("rivulet-node-doctor" in broker.log.read_text(), "doctor came with an id of its own")
    with MqttClient(broker.port, "rivulet-node-doctor", clean=False) as again:
        check(not again.session_present, "no session is left behind")
    publishes(broker, node)
    node.stop()
    text = subprocess.run([binary(), "doctor", "--config", str(node.config), "--only", "broker"],
                          capture_output=True, text=True)
    check_equal(text.returncode, 0, "exit code")
    check(re.search(r"^ok +broker +tcp://.*\n\n1 ok, 0 warnings, 0 failed, 0 skipped\n$", text.stdout),
          f"report as text: {text.stdout}")


def publishes(broker, node):
    """Only when asked: subscribers see what it sends."""
    with MqttClient(broker.port, "watcher") as watcher:
        watcher.subscribe("#")
        expect(doctor(node, "--only", "access"), "access", "ok", "not tried")
        expect(doctor(node, "--only", "access", "--publish"), "access", "ok", "1 output topics")
        sent = [(m.topic, m.payload) for m in watcher.messages if m.topic.startswith("counts/")]
        check_equal(sent, [("counts/rivulet-doctor", b"")], "messages of doctor")


def config_faults(directory):
    directory.mkdir()
    node = Node(directory, 1, {"counting.yaml": COUNTING})
    node.write_pipeline("bad.yaml", COUNTING.replace("window:", "windou:").replace("counting", "bad"))
    findings = doctor(node, "--only", "pipelines", code=1)
    expect(findings, "pipelines", "failed", r"bad\.yaml:\d+:\d+: E1003")
    node.configure(settings="jurnal: {}\n")
    findings = doctor(node, code=1)
    expect(findings, "config", "failed", r"node\.yaml:\d+:\d+: E1003")
    expect(findings, "disk", "skipped", "node file")
    usage = subprocess.run([binary(), "doctor", "--only", "clok"], capture_output=True, text=True)
    check_equal(usage.returncode, 2, "exit code of a check that is not there")
    check("did you mean 'clock'" in usage.stderr, usage.stderr)


def broker_away(directory):
    directory.mkdir()
    node = Node(directory, free_port(), {"counting.yaml": COUNTING})
    findings = doctor(node, code=1)
    found = expect(findings, "broker", "failed", "nothing listens on 127.0.0.1:|nothing listens on \\[::1\\]:")
    check("mosquitto" in found["advice"], found["advice"])
    expect(findings, "access", "skipped", "")
    text = node.config.read_text()
    node.config.write_text(text.replace("localhost:", "no-such-host.invalid:"))
    expect(doctor(node, code=1), "broker", "failed", "the name 'no-such-host.invalid' is not known")


def login_and_lists(directory):
    directory.mkdir()
    users, rights = directory / "users", directory / "rights"
    add_password(users, "rivulet", PASSWORD)
    rights.write_text("user rivulet\ntopic read readings/#\ntopic write counts/#\n"
                      "topic write rivulet/#\ntopic read $SYS/#\n")
    broker = Broker(directory, f"allow_anonymous false\npassword_file {users}\nacl_file {rights}")
    word = secret(directory / "word", "not this one")
    node = Node(directory, broker.port, {"counting.yaml": COUNTING})
    expect(doctor(node, code=1), "broker", "failed", "asks for a user")
    node.configure(mqtt=["user: rivulet", f"password_file: {word}"])
    expect(doctor(node, code=1), "broker", "failed", "user 'rivulet' is not let in")

    secret(word, PASSWORD)
    findings = doctor(node, "--publish", code=0)
    expect(findings, "access", "ok", f"as {rights} says too; 1 output topics can be written")
    word.chmod(0o644)
    expect(doctor(node, code=0), "permissions", "warning", "others may read or change the secret")
    word.chmod(0o600)

    # mosquitto grants the subscription, and would deliver nothing.
    rights.write_text("user rivulet\ntopic read other/#\ntopic write counts/s1\n")
    broker.stop()
    broker.start()
    findings = doctor(node, "--publish", code=1)
    expect(findings, "access", "failed", r"does not let user 'rivulet' read 'readings/\+'")
    expect(findings, "access", "warning", r"lets user 'rivulet' write only part of 'counts/\+'")
    # mosquitto 2.0.11 hangs up behind its answer, which may then be lost.
    expect(findings, "access", "failed", "refuses a message to 'counts/rivulet-doctor': "
                                         "(not authorised|the broker hung up)")
    expect(findings, "access", "failed", "write 'rivulet/node/status'")
    broker.stop()
    refused_subscription(directory, node)


def refused_subscription(directory, node):
    """By the plug-in, which does refuse subscriptions."""
    plugin = next((p for p in (f"/usr/lib/{a}-linux-gnu/mosquitto_dynamic_security.so"
                               for a in ("x86_64", "aarch64")) if os.path.exists(p)), None)
    if plugin is None:
        print("the dynamic security plug-in is not there: a refused subscription was not tried")
        return
    rules = directory / "dynamic-security.json"
    rules.write_text(json.dumps({"defaultACLAccess": {
        "publishClientSend": True, "publishClientReceive": True, "subscribe": False,
        "unsubscribe": True}, "clients": [], "groups": [], "roles": []}))
    rules.chmod(0o666)
    broker = Broker(directory, f"allow_anonymous true\nplugin {plugin}\n"
                               f"plugin_opt_config_file {rules}", name="strict")
    node.configure(broker=broker.port, mqtt=[])
    for version in ("3.1.1", "5"):
        node.configure(mqtt=[f"version: {version}"])
        findings = doctor(node, "--only", "access")
        expect(findings, "access", "failed", r"refuses the subscription to 'readings/\+'")
    broker.stop()


def low_limits(directory):
    directory.mkdir()
    broker = Broker(directory, "allow_anonymous true")
    text = broker.config.read_text()
    broker.stop()
    broker.config.write_text(text.replace("max_queued_messages 0", "max_queued_messages 50")
                             .replace("max_inflight_messages 1000", "max_inflight_messages 20")
                             .replace("persistence true", "persistence false")
                             + "max_packet_size 2000\npersistent_client_expiration 2h\n")
    broker.start()
    node = Node(directory, broker.port, {"counting.yaml": COUNTING}, mqtt=["version: 5"])
    findings = doctor(node, code=0)
    expect(findings, "mosquitto", "warning", "max_queued_messages is 50")
    expect(findings, "mosquitto", "warning", "max_inflight_messages is 20")
    expect(findings, "mosquitto", "warning", "persistence is off")
    expect(findings, "broker-limits", "warning", "takes 20 unacknowledged publishes")
    expect(findings, "broker-limits", "warning", "packets up to 2")
    expect(findings, "mosquitto", "warning", "persistent_client_expiration is 2h")
    broker.stop()


def certificates(directory):
    directory.mkdir()
    make_certificates(directory)
    pem = {name: directory / f"{name}.pem" for name in ("ca", "server", "server-key", "client",
                                                       "client-key")}
    tls = (f"cafile {pem['ca']}\ncertfile {pem['server']}\nkeyfile {pem['server-key']}\n"
           "require_certificate true\nallow_anonymous true\n")
    other = free_port()
    broker = Broker(directory, f"{tls}listener {other} 127.0.0.2\n{tls}")
    for file in pem.values():
        file.chmod(0o600)
    node = Node(directory, broker.port, {"counting.yaml": COUNTING}, scheme="ssl")
    found = expect(doctor(node, code=1), "broker", "failed", "no TLS: .*certificate")
    check("mqtt.tls.ca" in found["advice"], found["advice"])
    node.configure(mqtt=[f"tls: {{ ca: {pem['ca']} }}"])
    found = expect(doctor(node, code=1), "broker", "failed", "no TLS: .*alert")
    check("client certificate" in found["advice"], found["advice"])
    node.configure(mqtt=[f"tls: {{ ca: {pem['ca']}, cert: {pem['client']}, "
                         f"key: {pem['client-key']} }}"])
    findings = doctor(node, code=0)
    expect(findings, "broker", "ok", "lets the node in")
    expect(findings, "broker", "warning", "the broker's certificate expires on")
    text = node.config.read_text()
    node.config.write_text(text.replace(f"localhost:{broker.port}", f"127.0.0.2:{other}"))
    found = expect(doctor(node, code=1), "broker", "failed", "mismatch")
    check("name in the broker's certificate" in found["advice"], found["advice"])
    broker.stop()


def second_process(directory):
    directory.mkdir()
    broker = Broker(directory)
    first = Node(directory, broker.port, {"counting.yaml": COUNTING}, name="first")
    first.start()
    second = Node(directory, broker.port, {"counting.yaml": COUNTING}, name="second", data=first.data)
    found = expect(doctor(second, code=1), "process", "failed", f"process {first.process.pid} ")
    check("E3005" in found["advice"], found["advice"])
    third = Node(directory, broker.port, {"counting.yaml": COUNTING}, name="third",
                 listen=f"listen: 127.0.0.1:{first.port}")
    expect(doctor(third, code=1), "http", "failed", "cannot be listened on")
    first.stop()
    broker.stop()


def places(directory):
    directory.mkdir()
    node = Node(directory, 1, {"counting.yaml": COUNTING.replace(
        "sqlite: counts.db", "sqlite: /media/rivulet-test-stick/counts.db")})
    found = expect(doctor(node, "--only", "paths", code=1), "paths", "failed",
                   "/media/rivulet-test-stick: nothing is mounted there")
    check("card" in found["found"], found["found"])
    node.write_pipeline("counting.yaml", COUNTING.replace("sqlite: counts.db",
                                                          f"sqlite: {directory}/none/counts.db"))
    expect(doctor(node, "--only", "paths", code=1), "paths", "failed", "/none of a sink is not there")


def full_disk(directory):
    directory.mkdir()
    try:
        with small_disk(directory / "disk", 64 << 20) as disk:
            node = Node(directory, 1, {"counting.yaml": COUNTING}, data=disk / "data",
                        settings="disk: { reserve: 16MB }\njournal: { retain: { bytes: 16MB } }\n")
            node.data.mkdir()
            findings = doctor(node, "--only", "disk", "--only", "sync", code=1)
            expect(findings, "disk", "failed", "tmpfs .* gone with the next restart")
            check_equal(len(findings["disk"]), 1, f"findings of an empty disk: {findings['disk']}")
            fill(disk, 24 << 20)
            expect(doctor(node, "--only", "disk"), "disk", "warning", "free of 64 MB")
            fill(disk, 8 << 20)
            findings = doctor(node, "--only", "disk", "--only", "sync", code=1)
            expect(findings, "disk", "failed", "takes no messages")
            expect(findings, "sync", "skipped", "full")
    except Skip as reason:
        print(f"a full disk was not tried: {reason}")


run(test)
