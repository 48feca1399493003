"""What a service manager hears of the daemon: readiness, status, reloads, stops - and the watchdog, which is
fed while the daemon is idle, busy, without a broker or waiting for a disk, and not while it is stuck.

A stuck thread is made with ptrace, which stops a single one; a disk that does not answer is a file system in a
file, frozen (as root).
"""

import ctypes
import json
import os
import shutil
import subprocess
import time

from broker import Broker
from mqtt_client import MqttClient
from node import COUNTING, Node
from notify_socket import NotifySocket
from support import check, check_equal, free_port, http_get, run, wait_until

WATCHDOG = 4.0  # s
BASE = 1_700_000_000_000
_libc = ctypes.CDLL(None, use_errno=True)
SEIZE, INTERRUPT, DETACH, WAIT_ALL = 0x4206, 0x4207, 17, 0x40000000


def test(directory):
    port = free_port()
    node = Node(directory, port, {"counting.yaml": COUNTING})
    with NotifySocket(directory, WATCHDOG) as notify:
        ready_without_broker(node, notify)
        broker = Broker(directory, port=port)
        broker.wait_subscribed("readings/+")
        with MqttClient(port, "publisher") as client:
            status_tells(client, notify)
            reload_is_told(node, notify)
            stuck_thread(node, notify)
            stop_is_told(node, notify)
    slow_disk(directory / "slow", broker)


def ready_without_broker(node, notify):
    node.start(ready=False)
    notify.wait("READY")
    # For the service manager it is ready when it could take messages in; for others when it does.
    check_equal([http_get(node.port, path)[0] for path in ("/healthz", "/readyz")], [200, 503], "answers")
    check(notify.times("EXTEND_TIMEOUT_USEC", 0) and
          notify.times("EXTEND_TIMEOUT_USEC")[0] < notify.times("READY")[0], "more time for a long start")
    status = notify.wait("STATUS", accept=lambda s: "pipeline," in s)
    check("no broker" in status, f"the status tells that there is no broker: {status}")
    begin = time.monotonic()
    time.sleep(2 * WATCHDOG)
    gap = notify.longest_gap("WATCHDOG", begin, time.monotonic())
    check(gap < WATCHDOG / 2, f"fed while idle and without a broker; once not for {gap:.1f} s")


def status_tells(client, notify):
    begin = time.monotonic()
    while not notify.values("STATUS", begin + 11):
        for i in range(20):
            client.publish("readings/a", json.dumps({"ts": BASE + i, "n": 1}))
        client.flush()
        time.sleep(0.1)
        check(time.monotonic() < begin + 30, "a status every ten seconds")
    status = notify.values("STATUS", begin + 11)[-1]
    check(" 0 messages/s" not in status and "lag" in status and "broker tcp://" in status,
          f"messages/s, lag and broker are told: {status}")


def reload_is_told(node, notify):
    for text, expected in ((COUNTING, "pipelines reloaded"), ("steps: [", "1 fault(s)"),
                           (COUNTING, "pipelines reloaded")):
        node.write_pipeline("counting.yaml", text)
        before = time.monotonic()
        node.reload()
        reloading = notify.wait("MONOTONIC_USEC", before)
        check(before - 0.01 <= int(reloading) / 1e6 <= time.monotonic(), "the time of the reload")
        notify.wait("READY", before)
        told = [lines for at, lines in notify.told if at >= before and ("RELOADING" in lines or "READY" in lines)]
        check_equal([sorted(lines)[0] for lines in told], ["MONOTONIC_USEC", "READY"], "their order")
        check(expected in told[-1]["STATUS"], f"what came of it: {told[-1]}")


def stuck_thread(node, notify):
    pid = node.process.pid  # the engine is the main thread
    begin = time.monotonic()
    if _libc.ptrace(SEIZE, pid, None, None) != 0:
        return print(f"stuck thread: left out, ptrace is not allowed here: {os.strerror(ctypes.get_errno())}")
    check_equal(_libc.ptrace(INTERRUPT, pid, None, None), 0, "ptrace")
    os.waitpid(pid, WAIT_ALL)
    time.sleep(2.5 * WATCHDOG)
    fed = notify.times("WATCHDOG", begin)
    check(fed and max(fed) < begin + 0.75 * WATCHDOG, f"fed for up to half the time, then no more")
    check("no progress for 2 s in: engine" in node.log_text(), "the log names the thread")
    resumed = time.monotonic()
    check_equal(_libc.ptrace(DETACH, pid, None, None), 0, "ptrace")
    wait_until(lambda: notify.times("WATCHDOG", resumed), "fed again", timeout=WATCHDOG)


def stop_is_told(node, notify):
    begin = time.monotonic()
    check_equal(node.stop()[0], 0, "exit code")
    notify.wait("STOPPING", begin)
    check(not notify.values("READY", begin), "no READY=1 behind it")


def slow_disk(directory, broker):
    """A disk that does not answer for several times the watchdog's time is nothing to restart for."""
    directory.mkdir()
    if os.geteuid() != 0 or not all(map(shutil.which, ("mkfs.ext4", "mount", "fsfreeze"))):
        return print("slow disk: left out, it needs root, mkfs.ext4, mount and fsfreeze")
    image, disk = directory / "image", directory / "disk"
    disk.mkdir()
    with open(image, "wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    if subprocess.run(["mount", "-o", "loop", str(image), str(disk)], capture_output=True).returncode != 0:
        return print("slow disk: left out, a file system in a file cannot be mounted here")
    frozen = False
    node = None
    try:
        with NotifySocket(directory, WATCHDOG) as notify:
            node = Node(directory, broker.port, {"counting.yaml": COUNTING.replace("counts", "slow")},
                        name="slow", data=disk / "data")
            node.start()
            node.wait_connected()
        with MqttClient(broker.port, "dashboard") as client:
            client.subscribe("slow/#")
            subprocess.run(["fsfreeze", "-f", str(disk)], check=True)
            frozen = True
            begin = time.monotonic()
            for i in range(10):
                client.publish("readings/slow", json.dumps({"ts": BASE + i * 1000, "n": i}))
            time.sleep(3 * WATCHDOG)
            end = time.monotonic()
            subprocess.run(["fsfreeze", "-u", str(disk)], check=True)
            frozen = False
            gap = notify.longest_gap("WATCHDOG", begin, end)
            check(gap < WATCHDOG / 2, f"fed while the disk does not answer; once not for {gap:.1f} s")
            check("no progress" not in node.log_text(), "nothing is said to be stuck")
            wait_until(lambda: any(m.topic == "slow/slow" for m in list(client.messages)), "results afterwards")
        check_equal(node.stop()[0], 0, "exit code")
    finally:
        if frozen:
            subprocess.run(["fsfreeze", "-u", str(disk)], check=False)
        if node is not None and node.process.poll() is None:
            node.kill()
        subprocess.run(["umount", "-l", str(disk)], check=False)


run(test)
