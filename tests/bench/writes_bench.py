"""What goes to the disk for each byte that comes in."""

from live_bench import FLEET, TOPIC, wait_processed
from measure import BenchBroker, Row, end, grouped, io_of, run
from mqtt_client import MqttClient
from node import Node

RATE = 1000


def payload_bytes(context, folder, vehicles, count):
    """The same options give the same lengths in a file as live: times always have 13 digits."""
    readings = folder / "payloads.ndjson"
    run([context.rivulet, "generate", "fleet", "--vehicles", vehicles, "--rate", RATE, "--count", count,
         "--output", readings], folder / "generate.log")
    size = readings.stat().st_size - count
    readings.unlink()
    return size


def sent_to_broker(results, count):
    """Bytes of the node's own MQTT packets: each result's PUBLISH, and a PUBACK for each message. They
    count as written, but not to the disk."""
    return 4 * count + sum(len(m.topic) + len(m.payload) + 7 for m in results)


def row(context, folder, vehicles):
    seconds = context.pick(60, 20)
    count = RATE * seconds
    payload = payload_bytes(context, folder, vehicles, count)
    with BenchBroker(folder) as broker, MqttClient(broker.port, "bench-results") as receiver:
        receiver.subscribe("aggregates/#")
        node = Node(folder, broker.port, {"bench.yaml": FLEET}, name=f"node-{vehicles}", commit="1s",
                    workers="auto")
        node.start()
        try:
            broker.wait_subscribed(TOPIC)
            before, status = io_of(node.process.pid), node.status()
            run([context.rivulet, "generate", "fleet", "--vehicles", vehicles, "--mqtt",
                 f"tcp://127.0.0.1:{broker.port}", "--rate", RATE, "--count", count],
                folder / "generate.log")
            wait_processed(node, count)
            after, end_status = io_of(node.process.pid), node.status()
        finally:
            end(node.process)
        written = {name: after[name] - before[name] for name in ("wchar", "write_bytes")}
        written["wchar"] -= sent_to_broker(receiver.messages, count)
    return make_row(vehicles, seconds, payload, written, status, end_status)


def make_row(vehicles, seconds, payload, written, before, after):
    journal = (after["journal"]["appended_bytes"] - before["journal"]["appended_bytes"]) / payload
    commits = (after["commit"]["bytes"] - before["commit"]["bytes"]) / payload
    share = written["wchar"] / payload
    return Row(f"bytes written to files per byte of payload, {grouped(RATE)} records/s for {seconds} s, "
               f"{vehicles} vehicles, commit interval 1 s",
               f"**{share:.2f}** by write calls (wchar without MQTT); of it journal {journal:.2f}, changes "
               f"before they become pages of the store {commits:.2f}. As the kernel counts dirty pages "
               f"(write_bytes; whole folios on some kernels): {written['write_bytes'] / payload:.2f}",
               "aim: below 2.5", share < 2.5)


def measure(context):
    folder = context.subfolder("writes")
    yield row(context, folder, 100)
    yield row(context, folder, 1000)
