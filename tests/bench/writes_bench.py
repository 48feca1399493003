"""What goes to the disk for each byte that comes in."""

from measure import BenchBroker, BenchError, Row, end, grouped, io_of, run
from node import Node
from live_bench import FLEET, TOPIC
from support import wait_until

RATE = 1000


def payload_bytes(context, folder, vehicles, count):
    """The same options give the same lengths in a file as live: times always have 13 digits."""
    readings = folder / "payloads.ndjson"
    run([context.rivulet, "generate", "fleet", "--vehicles", vehicles, "--rate", RATE, "--count", count,
         "--output", readings], folder / "generate.log")
    size = readings.stat().st_size - count
    readings.unlink()
    return size


def row(context, folder, vehicles):
    seconds = context.pick(60, 20)
    count = RATE * seconds
    payload = payload_bytes(context, folder, vehicles, count)
    with BenchBroker(folder) as broker:
        node = Node(folder, broker.port, {"bench.yaml": FLEET}, name=f"node-{vehicles}", commit="1s",
                    workers="auto")
        node.start()
        try:
            broker.wait_subscribed(TOPIC)
            before, status = io_of(node.process.pid), node.status()
            run([context.rivulet, "generate", "fleet", "--vehicles", vehicles, "--mqtt",
                 f"tcp://127.0.0.1:{broker.port}", "--rate", RATE, "--count", count],
                folder / "generate.log")
            wait_until(lambda: node.pipeline("bench")["records_in"] >= count, "every record processed")
            after, end_status = io_of(node.process.pid), node.status()
        finally:
            end(node.process)
    if end_status["journal"]["end"] != count:
        raise BenchError(f"{end_status['journal']['end']} messages journaled of {count}")
    return make_row(vehicles, seconds, payload, before, after, status, end_status)


def make_row(vehicles, seconds, payload, before, after, status, end_status):
    wchar, blocks = ((after[name] - before[name]) / payload for name in ("wchar", "write_bytes"))
    journal = (end_status["journal"]["appended_bytes"] - status["journal"]["appended_bytes"]) / payload
    commit = (end_status["commit"]["bytes"] - status["commit"]["bytes"]) / payload
    return Row(f"bytes written per byte of payload, {grouped(RATE)} records/s for {seconds} s, "
               f"{vehicles} vehicles, commit interval 1 s",
               f"**{wchar:.2f}** by write calls (wchar, sockets included), {blocks:.2f} as the kernel "
               f"counts dirty pages (write_bytes; whole folios on some kernels); of it journal "
               f"{journal:.2f}, commits before the store's pages {commit:.2f}",
               "aim: below 2.5", wchar < 2.5)


def measure(context):
    folder = context.subfolder("writes")
    yield row(context, folder, 100)
    yield row(context, folder, 1000)
