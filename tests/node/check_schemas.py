#!/usr/bin/env python3
"""The JSON Schemas accept the examples in config/ and refuse files with a fault in them.

Usage: check_schemas.py [CONFIG_FOLDER]. Needs python3-jsonschema and python3-yaml. Exit code 77
(skipped, for CTest) when these are not installed.
"""

import copy
import json
import pathlib
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

DROP = object()

# What is changed in temperature.yaml, as (path, value), to make it wrong.
BROKEN_PIPELINES = [
    (["source", "null"], [["NA"]]),
    (["source", "bad"], "skip"),
    (["source", "time"], {"field": "a", "value": "b"}),
    (["source", "time"], {"zone": "Europe/Berlin"}),
    (["source", "time"], {"arrival": True, "format": "%F"}),
    (["pipeline"], "Not A Name"),
    (["pipeline"], DROP),
    (["source"], DROP),
    (["sinks"], []),
    (["sinkz"], []),
    (["source", "mqtt"], DROP),
    (["source", "mqtt"], "a/{x"),
    (["source", "mqtt"], "a/#/b"),
    (["source", "mqtt"], "a/b{x}"),
    (["source", "mqtt"], []),
    (["source", "pipeline"], "other"),
    (["source"], {"pipeline": "Not A Name"}),
    (["source"], {"pipeline": ["a", "b"]}),
    (["source"], {"pipeline": "other", "format": "json"}),
    (["source"], {"pipeline": "other", "time": "arrival"}),
    (["source"], {"pipeline": "other", "time": {"max_ahead": "1s"}}),
    (["source"], {"pipeline": "other", "time": {"unit": "s"}}),
    (["source", "format"], "xml"),
    (["source", "format"], {}),
    (["source", "format"], {"csv": {"delimiter": "ab"}}),
    (["source", "format"], {"csv": {}, "value": {}}),
    (["source", "fields", "ts"], "integer"),
    (["source", "fields", "ts"], {"required": True}),
    (["source", "time"], DROP),
    (["source", "time"], "arival"),
    (["source", "time", "field"], DROP),
    (["source", "time", "arrival"], True),
    (["source", "time", "unit"], "min"),
    (["source", "time", "delay"], "5 s"),
    (["source", "time", "delay"], 5),
    (["steps"], []),
    (["steps", 0], {}),
    (["steps", 0], {"filter": "a"}),
    (["steps", 0], {"set": {}}),
    (["steps", 0], {"set": {"a": [1]}}),
    (["steps", 0], {"where": ""}),
    (["steps", 0], {"where": "a", "key": "b"}),
    (["steps", 0], {"where": "a", "aggregate": {"n": "count()"}}),
    (["steps", 2], {"key": []}),
    (["steps", 3, "aggregate"], DROP),
    (["steps", 3, "window"], DROP),
    (["steps", 3, "window", "lateniss"], "5s"),
    (["steps", 3, "window", "tumbling"], DROP),
    (["steps", 3, "window", "every"], "1s"),
    (["steps", 3, "window"], {"sliding": "5s"}),
    (["steps", 3, "window"], {"tumbling": "5s", "session": "5s"}),
    (["steps", 3, "window"], {"session": "5s", "offset": "1s"}),
    (["steps", 3, "window"], {"session": {"gap": "g"}}),
    (["steps", 3, "window"], {"cumulate": "5s"}),
    (["steps", 3, "window"], {"count": 0}),
    (["steps", 3, "window"], {"count": 5, "lateness": "1s"}),
    (["steps", 3, "window"], {"count": 5, "emit": "on change"}),
    (["steps", 3, "window"], {"global": False, "emit": "on change"}),
    (["steps", 3, "window"], {"global": True}),
    (["steps", 3, "window"], {"sliding": "5s", "every": "1s", "zone": "UTC"}),
    (["steps", 3, "window"], {"tumbling": "5s", "mode": "discarding"}),
    (["steps", 3, "window"], {"tumbling": "5s", "emit": "sometimes"}),
    (["steps", 3, "window"], {"tumbling": "1 decade"}),
    (["steps", 3, "window"], {"tumbling": "1 month", "day": 32}),
    (["steps", 3, "window"], {"session": "1h", "day": 3}),
    (["steps", 3, "window"], {"tumbling": "1h", "repeated_hour": "apart"}),
    (["steps", 3, "window"], {"tumbling": "5s", "emit": "every 5"}),
    (["steps", 3], {"dedup": {"by": "id"}}),
    (["steps", 3], {"dedup": {"by": ["id", "id"], "within": "5s"}}),
    (["steps", 3], {"dedup": {"within": "5s"}, "keep": "1h"}),
    (["steps", 3], {"select": []}),
    (["tables"], {"t": {"csv": "t.csv"}}),
    (["tables"], {"t": {"key": "k"}}),
    (["tables"], {"t": {"csv": "t.csv", "sqlite": "t.db", "table": "t", "key": "k"}}),
    (["tables"], {"t": {"sqlite": "t.db", "key": "k"}}),
    (["tables"], {"t": {"csv": "t.csv", "key": "k", "format": "json"}}),
    (["tables"], {"t": {"mqtt": "t", "key": "k", "fields": {"a": "int"}, "keep": "1h"}}),
    (["tables"], {"t": {"csv": "t.csv", "key": "k", "rows": 0}}),
    (["steps", 0], {"join": {"on": "k"}}),
    (["steps", 0], {"join": {"table": "t", "type": "left"}}),
    (["steps", 0], {"join": {"table": "t", "type": "right", "take": "a"}}),
    (["steps", 3], {"select": {}}),
    (["steps", 3], {"detect": {"when": "v > 1"}}),
    (["steps", 3], {"detect": {"name": "a"}}),
    (["steps", 3], {"detect": {"name": "a", "when": "v > 1", "gap": "5s"}}),
    (["steps", 3], {"detect": {"name": "a", "when": "v > 1", "by": 5}}),
    (["steps", 3], {"detect": {"name": "a", "stuck": "v"}}),
    (["steps", 3], {"detect": {"name": "a", "gap": "5s", "for": "5s"}}),
    (["steps", 3], {"detect": {"name": "a", "anomaly": "v", "over": 1}}),
    (["steps", 3], {"detect": {"name": "a", "gap": "5s", "pass": "some"}}),
    (["source"], []),
    (["source"], [{"mqtt": "a", "time": "arrival"}]),
    (["source"], [{"name": "a.b", "mqtt": "a", "time": "arrival"}]),
    (["source"], [{"name": "a", "mqtt": "a"}]),
    (["steps", 3], {"join": {"left": "a", "right": "b", "on": "k"}}),
    (["steps", 3], {"join": {"left": "a", "right": "b", "within": ["1s"]}}),
    (["steps", 3], {"join": {"left": "a", "right": "b", "within": "-1s"}}),
    (["steps", 3], {"join": {"left": "a", "right": "b", "within": "1s", "type": "right"}}),
    (["sinks", 0], {"mqt": "a"}),
    (["sinks", 0, "mqtt"], "a/+"),
    (["sinks", 0, "qos"], 3),
    (["sinks", 0, "table"], "t"),
    (["sinks", 1, "table"], "a-b"),
    (["sinks", 1, "revisions"], "all"),
    (["late"], {"stdout": False}),
    (["dead_letters"], "file"),
]

GOOD_PIPELINES = [
    (["source", "mqtt"], ["a/{x}/+/#", "b"]),
    (["source", "format"], {"csv": None}),
    (["source", "format"], {"value": {"field": "celsius"}}),
    (["source", "format"], "ndjson"),
    (["source", "null"], ["NA", -9999, ""]),
    (["source", "null"], "NA"),
    (["source", "bad"], None),
    (["source", "bad"], "dead"),
    (["source", "fields"], {"v": {"type": "float", "bad": None, "null": []}}),
    (["source", "time"], {"value": "a + b", "unit": "s"}),
    (["source", "time"], {"field": "a", "format": "%F %T", "zone": "Europe/Berlin"}),
    (["source", "time"], "arrival"),
    (["source", "time"], {"arrival": True, "delay": 0}),
    (["source", "fields"], DROP),
    (["steps"], DROP),
    (["steps", 0], {"set": [{"a": 1}, {"b": None}]}),
    (["steps", 2], {"key": ["a", "b"]}),
    (["steps", 3, "window"], {"sliding": "1h30m", "every": "1.5s", "offset": "10us"}),
    (["steps", 3, "window"], {"tumbling": "1 quarter", "day": 15, "month": 2, "zone": "Europe/Berlin"}),
    (["steps", 3, "window"], {"tumbling": "1h", "repeated_hour": "apart", "zone": "Europe/Berlin"}),
    (["steps", 3, "window"], {"session": "30s"}),
    (["steps", 3, "window"], {"session": {"gap": "hold * 2", "max": "1h"}}),
    (["steps", 3, "window"], {"cumulate": "1h", "every": "10m", "emit": "on close"}),
    (["steps", 3, "window"], {"count": 100, "every": 10}),
    (["steps", 3, "window"], {"global": True, "emit": ["every 1m", "every 100 records"]}),
    (["steps", 3, "window"], {"tumbling": "1d", "zone": "Europe/Berlin"}),
    (["steps", 3, "window"], {"tumbling": "5s", "emit": "on change", "mode": "discarding"}),
    (["steps", 3], {"dedup": {"within": "5s"}}),
    (["steps", 3], {"key": "a", "keep": "7d"}),
    (["steps", 3], {"select": "v"}),
    (["steps", 3], {"select": ["v", {"w": "v + 1"}]}),
    (["steps", 3], {"select": {"w": "v + 1"}}),
    (["steps", 3], {"detect": {"name": "a", "when": "v > 1", "until": "v < 0", "for": "5s"}}),
    (["steps", 3], {"detect": {"name": "a", "change": "v", "by": 0.5, "pass": "all"}}),
    (["steps", 3], {"detect": {"name": "a", "anomaly": "v", "score": 3, "over": 50, "for": "5s"}}),
    (["source"], [{"name": "a", "mqtt": "a", "time": "arrival", "set": {"x": 1}, "where": "x > 0"},
                  {"name": "b", "mqtt": ["b", "c"], "time": {"field": "t", "idle": "30s"}}]),
    (["steps", 3], {"join": {"left": "a", "right": "b", "within": ["-10s", "5s"], "on": "k"}}),
    (["steps", 3], {"join": {"left": "a", "right": "b", "within": "1m", "type": "full"}}),
    (["sinks"], {"stdout": True}),
    (["late"], [{"mqtt": "late/{odd name}"}, {"file": "late.ndjson"}]),
]

BROKEN_NODES = [
    (["nodes"], {}),
    (["node", "name"], "a/b"),
    (["node", "partitions"], 0),
    (["node", "workers"], "many"),
    (["pipelines"], []),
    (["mqtt", "brokers"], []),
    (["mqtt", "brokers"], "localhost"),
    (["mqtt", "brokers"], ["ws://localhost"]),
    (["mqtt", "version"], 4),
    (["mqtt", "qos"], 3),
    (["mqtt", "password_file"], "secret"),
    (["mqtt", "tls"], {"cert": "c.pem"}),
    (["mqtt", "tls"], {"cert": "c.pem", "key": "credential:a/b"}),
    (["http", "token_file"], "credential:"),
    (["http", "token_file"], " "),
    (["mqtt", "status_topic"], "a/{pi}"),
    (["mqtt", "status_topic"], True),
    (["mqtt", "reconnect"], {"mn": "5s"}),
    (["mqtt", "max_inflight"], 0),
    (["journal", "sync"], "sometimes"),
    (["journal", "segment"], "8 MB"),
    (["journal", "retain"], "64MB"),
    (["state", "memory"], "lots"),
    (["commit", "interval"], 1),
    (["commit", "durability"], "peer"),
    (["http", "listen"], 8377),
    (["http", "listen"], True),
    (["log", "level"], "loud"),
]

GOOD_NODES = [
    (["http", "token_file"], "credential:http-token"),
    (["http", "token_file"], "credentials/token"),
    (["mqtt", "tls"], {"ca": "credential:ca.pem", "cert": "c.pem", "key": "credential:client.key"}),
    (["node"], None),
    (["node", "workers"], 3),
    (["mqtt", "brokers"], "mqtts://[fe80::1]:8883"),
    (["mqtt", "version"], 5),
    (["mqtt", "status_topic"], False),
    (["mqtt", "tls"], {"ca": "ca.pem", "verify_hostname": False}),
    (["disk", "reserve"], 0),
    (["http", "listen"], False),
    (["pipelines"], "p/*.yaml"),
]


def changed(document, path, value):
    result = copy.deepcopy(document)
    place = result
    for step in path[:-1]:
        place = place[step]
    if value is DROP:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return result


def check(schema_file, examples, broken, good):
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    faults = []
    documents = [yaml.safe_load(e.read_text(encoding="utf-8")) for e in examples]
    for example, document in zip(examples, documents):
        faults += [f"{example.name} is refused: {e.message}" for e in validator.iter_errors(document)]
    for path, value in broken:
        if validator.is_valid(changed(documents[0], path, value)):
            faults.append(f"{schema_file.name} accepts {path} = {value!r}")
    for path, value in good:
        for error in validator.iter_errors(changed(documents[0], path, value)):
            faults.append(f"{schema_file.name} refuses {path} = {value!r}: {error.message}")
    print(f"{schema_file.name}: {len(examples)} examples, {len(broken)} broken, {len(good)} good")
    return faults


def main():
    here = pathlib.Path(__file__).resolve().parent
    config = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent.parent / "config"
    pipelines = sorted((config / "pipelines").glob("*.yaml"))
    pipelines.sort(key=lambda path: path.name != "temperature.yaml")
    faults = check(config / "pipeline.schema.json", pipelines, BROKEN_PIPELINES, GOOD_PIPELINES)
    faults += check(config / "node.schema.json", [config / "node.yaml"], BROKEN_NODES, GOOD_NODES)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
