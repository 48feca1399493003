"""Pipelines over a generated fleet: every kind of window with every aggregate, and the functions
whose results hang on how a platform computes."""

# Fields of `rivulet generate fleet --position`: vehicle, ts, speed, rpm, coolant, oil_pressure,
# battery, fuel, lat, lon.
AGGREGATES = """count(), count(fuel), sum(rpm), sum(fuel), avg(speed), min(battery), max(coolant),
first(speed), last(speed), var(speed), var_pop(rpm), stddev(speed), stddev_pop(rpm), range(fuel),
delta(fuel), median(speed), percentile(rpm, 0.9), percentile(fuel, 0.05, 0.001),
percentile_exact(speed, 0.3), distinct(rpm), distinct(speed), mode(rpm), top_k(rpm, 5),
histogram(speed, 0, 130, 8), collect(battery, 20), min_by(lat, speed), max_by(lon, speed),
bool_and(speed > 1), bool_or(coolant > 95), integral(speed), integral(speed, 'step'), twa(rpm),
twa(rpm, 'step'), increase(rpm), rate(rpm), slope(speed), slope(rpm, speed), corr(rpm, speed),
covar(rpm, speed), covar_pop(rpm, speed), ewma(speed, 10s), sum(speed) where rpm > 2000,
avg(sin(lat) * exp(fuel)), sum(speed ^ 1.7), max(geo_distance(lat, lon, 52.5, 13.4))"""

FUNCTIONS = """sin(speed), cos(speed), tan(rpm), asin(fuel), acos(fuel), atan(speed), exp(speed / 9),
atan2(lat, lon), ln(rpm), log10(rpm), log2(rpm), log(3, rpm), speed ^ fuel, pow(fuel, 7), cbrt(speed),
hypot(lat, lon), sinh(fuel), cosh(fuel), tanh(fuel), sqrt(speed), degrees(lat), radians(lon),
sin(rpm * 1e15), speed / rpm, speed * fuel + lat, speed % 7.3, -rpm % 17, rpm / 7, rpm * 9007199254740993,
round(speed / 3, 4), round(rpm / 7, -1), round(fuel, 12), to_fixed(fuel / 3, 20), floor(-speed), bucket(speed, 0.3),
width_bucket(speed, 0, 131, 17), rescale(fuel, 0, 1, 4, 20), gcd(rpm, 360), lcm(ts, 1000003),
bits(concat('0', hex(ts)), 7, 17, true, 0.1, -40, 'big'), bit_xor(ts, shift_left(rpm, 40)), hash64(vehicle), hash64(speed),
crc32(vehicle), convert(speed, 'km/h', 'mph'), convert(coolant, 'C', 'F'), geo_distance(lat, lon, 48.1, 11.6),
geo_bearing(lat, lon, 48.1, 11.6), geohash(lat, lon, 9), format_time(ts), date_add('month', rpm, ts),
date_diff('hour', 0, ts), date_trunc('week', ts), concat(speed, '/', fuel / 3, '/', ts),
prev(speed), prev(rpm, 3), changed(rpm), since(speed > 60)"""

WINDOWS = {
    "tumbling": {"tumbling": "10s", "lateness": "2m"},
    "sliding": {"sliding": "1m", "every": "7s"},
    "session": {"session": "350ms", "lateness": "20s"},
    "own_gap": {"session": {"gap": "speed * 9", "max": "3s"}},
    "cumulate": {"cumulate": "2m", "every": "20s"},
    "count": {"count": 60, "every": 20},
    "global": {"global": True, "emit": "every 200 records"},
    "zone": {"tumbling": "1h", "zone": "America/St_Johns", "emit": "every 70s"},
    "early": {"tumbling": "30s", "emit": ["every 7s", "every 40 records"], "mode": "discarding"},
}


def calls_of(text):
    """The expressions of a list, cut at the commas outside of brackets."""
    calls, depth, start = [], 0, 0
    for at, letter in enumerate(text + ","):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            calls.append(" ".join(text[start:at].split()))
            start = at + 1
    return calls


def pipeline(name, time, steps):
    return {"pipeline": name,
            "source": {"mqtt": "vehicles/{vehicle}/telemetry",
                       "time": {"field": "ts", "delay": "3s", **time}},
            "steps": [{"key": "vehicle"}, *steps], "sinks": {"stdout": True}}


def all_pipelines():
    """Pairs of a name and a pipeline."""
    aggregates = {f"a{i}": call for i, call in enumerate(calls_of(AGGREGATES))}
    functions = {f"f{i}": call for i, call in enumerate(calls_of(FUNCTIONS))}
    found = []
    for name, window in WINDOWS.items():
        found.append((name, pipeline(name, {}, [{"window": window, "aggregate": aggregates}])))
    found.append(("per_key", pipeline("per_key", {"per": "vehicle", "hold": "10m"}, [
        {"window": {"tumbling": "10s"}, "aggregate": aggregates}])))
    found.append(("functions", pipeline("functions", {}, [{"select": [functions]}])))
    found.append(("keyed", pipeline("keyed", {}, [
        {"dedup": {"by": "rpm", "within": "20s"}},
        {"detect": {"name": "odd", "anomaly": "speed", "score": 2, "over": 5, "pass": "all"}},
        {"detect": {"name": "hot", "when": "coolant > 90", "until": "coolant < 89", "for": "2s",
                    "pass": "all"}},
        {"select": ["odd", "odd_score", "hot", "speed"]}])))
    return found
