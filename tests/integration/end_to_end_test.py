"""The temperature example, from readings on MQTT to aggregates on MQTT, rows in SQLite, late
readings, dead letters, and figures that agree with all of these.
"""

import json

from broker import Broker
from mqtt_client import MqttClient
from node import Node
from support import PROJECT, check, check_equal, run, wait_until

BASE = 1_700_000_000_000  # ms; a multiple of the window
WINDOW = 5000
SENSORS = ["attic", "cellar", "hall"]


def readings():
    """(sensor, time, Celsius). Multiples of 5 degrees: their conversion and sums are exact."""
    for step in range(60):  # 30 s in steps of half a second
        for i, sensor in enumerate(SENSORS):
            yield sensor, BASE + step * 500, 5.0 * ((step * 7 + i * 3) % 11 - 3)


def payload(time_ms, celsius):
    return json.dumps({"fahrenheit": celsius * 9 / 5 + 32, "ts": time_ms})


def expected_results(values):
    groups = {}
    for sensor, time_ms, celsius in values:
        start = time_ms // WINDOW * WINDOW
        groups.setdefault((f"aggregates/temperature/{sensor}", start), []).append(celsius)
    return {(topic, start): {"sensor": topic.split("/")[-1], "window_start": start,
                             "window_end": start + WINDOW, "avg_c": sum(c) / len(c),
                             "max_c": max(c), "samples": len(c)}
            for (topic, start), c in groups.items()}


def test(directory):
    broker = Broker(directory)
    example = (PROJECT / "config/pipelines/temperature.yaml").read_text()
    node = Node(directory, broker.port, {"temperature.yaml": example})
    node.start()
    broker.wait_subscribed("sensors/+/temperature")
    with MqttClient(broker.port, "dashboard") as dashboard, \
            MqttClient(broker.port, "sensors") as sensors:
        dashboard.subscribe("aggregates/#")
        dashboard.subscribe("late/#")
        sent = publish_all(sensors, dashboard)
        expected = sent["expected"]
        results = dashboard.wait_messages(len(expected) + 1, match=is_result)
        check_results(results, expected, sent["revised"])
        check_late(dashboard, sent["late"])
        check_dead(node, sent["dead"])
        check_rows(node, expected, sent["revised"])
        check_figures(node, sent["published"], len(results))
    check_retained(broker, expected)
    check_equal(node.stop()[0], 0, "exit code")


def is_result(message):
    return message.topic.startswith("aggregates/")


def publish_all(sensors, dashboard):
    values, published = list(readings()), 0

    def send(sensor, text):
        nonlocal published
        sensors.publish(f"sensors/{sensor}/temperature", text)
        published += 1

    for sensor, time_ms, celsius in values:
        send(sensor, payload(time_ms, celsius))
    # Filtered out by `where`: no result, no dead letter.
    send("attic", payload(BASE + 29_900, 500.0))
    dead = ['{"fahrenheit": 50, "ts": ', "not json", '{"fahrenheit": 50}',
            '{"fahrenheit": 50, "ts": 99999999999999}',
            '{"fahrenheit": "warm", "ts": 1700000000000}']
    for text in dead:
        send("hall", text)
    # Closes the windows before it: with 2 s of delay W is 4 s after the last window's end.
    closer = ("hall", BASE + 36_000, 20.0)
    send(closer[0], payload(*closer[1:]))
    expected = expected_results(values)
    dashboard.wait_messages(len(expected), match=is_result)
    # Within the lateness of a minute: the window comes again as revision 1.
    extra = ("cellar", BASE + 1000, 85.0)
    send(extra[0], payload(*extra[1:]))
    dashboard.wait_messages(len(expected) + 1, match=is_result)
    revised = ("aggregates/temperature/cellar", BASE)
    again = expected_results(values + [extra])[revised]
    # A minute on, a reading for the first window is too late.
    send("hall", payload(BASE + 70_000, 20.0))
    late = ("attic", BASE + 2000, 25.0)
    send(late[0], payload(*late[1:]))
    sensors.flush()
    # The window of `closer` has closed too.
    expected.update(expected_results([closer]))
    expected[revised] = dict(again, revision=1)
    return dict(expected=expected, revised=(revised, expected_results(values)[revised]), late=late,
                dead=dead, published=published)


def check_results(messages, expected, revised):
    first, last = {}, {}
    for m in messages:
        check(not m.retain, "a live result has no retained flag")
        result = json.loads(m.payload)
        window = (m.topic, result["window_start"])
        first.setdefault(window, result)
        last[window] = result
    check_equal(last, expected, "results")
    check_equal(first[revised[0]], revised[1], "the revised window before its revision")
    ends = [json.loads(m.payload) for m in messages if b"revision" not in m.payload]
    order = [(r["window_end"], r["sensor"]) for r in ends]
    check_equal(order, sorted(order), "order of results")


def check_late(dashboard, late):
    found = dashboard.wait_messages(1, match=lambda m: m.topic.startswith("late/"))
    check_equal([m.topic for m in found], ["late/temperature"], "late readings' topics")
    line = json.loads(found[0].payload)
    check(str(late[1]) in json.dumps(line), f"late reading names its time: {line}")


def check_dead(node, dead):
    file = node.data / "dead-temperature.ndjson"
    wait_until(lambda: file.exists() and len(file.read_text().splitlines()) >= len(dead),
               "dead letters")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    check_equal(len(lines), len(dead), "number of dead letters")
    for line, text in zip(lines, dead):
        check(line["reason"], "a dead letter has a reason")
        try:
            check_equal(line["record"], json.loads(text), "dead letter")
        except json.JSONDecodeError:
            check_equal(line["record"], text, "dead letter")


def check_rows(node, expected, revised):
    wait_until(lambda: len(node.rows("temperature", "results.db")) >= len(expected), "all rows")
    wait_until(lambda: any(r["revision"] for r in node.rows("temperature", "results.db")),
               "the revised row")
    rows = node.rows("temperature", "results.db")
    ids = {r.pop("id") for r in rows}
    check_equal(len(ids), len(rows), "distinct ids of rows")
    fields = ["revision", *next(iter(expected.values()))]
    found = {(f"aggregates/temperature/{r['sensor']}", r["window_start"]):
             {f: r[f] for f in fields} for r in rows}
    check_equal(len(found), len(rows), "one row a window")
    check_equal(found, {k: {"revision": 0, **v} for k, v in expected.items()}, "rows")


def check_figures(node, published, results):
    def settled():
        p = node.pipeline("temperature")
        return p["outputs_waiting"] == 0 and p["journal_lag"] == 0 and p["late"] == 1
    wait_until(settled, "everything is delivered")
    status, metrics = node.status(), node.metrics()
    p = node.pipeline("temperature")
    expected = {"records_in": published - 3, "results": results, "late": 1, "dead_letters": 5}
    check_equal({k: p[k] for k in expected}, expected, "figures of the pipeline")
    check_equal(status["journal"]["appended_entries"], published, "journaled messages")
    check_equal(status["mqtt"]["received"], published, "received messages")
    label = '{pipeline="temperature"}'
    for name, figure in (("rivulet_records_total", published - 3),
                         ("rivulet_results_total", results),
                         ("rivulet_late_records_total", 1), ("rivulet_dead_letters_total", 5),
                         ("rivulet_journal_lag_entries", 0), ("rivulet_outputs_waiting", 0)):
        check_equal(metrics.get(name + label), figure, name)
    check_equal(metrics["rivulet_journal_entries_total"], published, "journal entries metric")
    for sink in p["sinks"]:
        labels = f'{{pipeline="temperature",sink="{sink["name"]}"}}'
        check_equal(metrics["rivulet_sink_delivered_total" + labels], sink["delivered"], labels)
    delivered = {s["name"].split()[0]: s["delivered"] for s in p["sinks"][:2]}
    check_equal(delivered, {"mqtt": results, "sqlite": results}, "deliveries")
    check_equal(p["watermark_ms"], BASE + 68_000, "watermark")


def check_retained(broker, expected):
    with MqttClient(broker.port, "latecomer") as latecomer:
        latecomer.subscribe("aggregates/#")
        found = latecomer.wait_messages(len(SENSORS))
    check(all(m.retain for m in found), "what was there before has the retained flag")
    # cellar's last publication was the revision of its first window.
    newest = {"attic": BASE + 25_000, "cellar": BASE, "hall": BASE + 35_000}
    for m in found:
        sensor = m.topic.split("/")[-1]
        kept = expected[(m.topic, newest[sensor])]
        check_equal(json.loads(m.payload), kept, f"kept for {sensor}")


run(test)
