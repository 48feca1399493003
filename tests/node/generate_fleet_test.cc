#include "node/generate/fleet.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/hash.h"
#include "node/generate/reading_stream.h"
#include "node/sinks/flat_json.h"

using namespace rivulet;

namespace {

std::vector<std::string> Readings(const ReadingStreamOptions& options) {
  REQUIRE(ReadingStream::Check(options).ok());
  ReadingStream stream(options);
  ReadingStream::Reading reading;
  std::vector<std::string> lines;
  EventTime last = EventTime::Min();
  while (stream.Next(&reading)) {
    CHECK(reading.arrival >= last);
    last = reading.arrival;
    lines.emplace_back(reading.json);
  }
  return lines;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

double Number(const std::string& line, const char* name) {
  FlatMember m;
  REQUIRE(FindMember(line, name, &m));
  return std::stod(std::string(m.text.raw));
}

}  // namespace

TEST_CASE("fleet: the same seed gives the same bytes, for ever and everywhere") {
  ReadingStreamOptions options;
  options.count = 10'000;
  const std::string text = Joined(Readings(options));
  CHECK(Hash128Hex(text) == "e84ca66717f5e6f700ecba0ea6143bf1");
  options.fleet.kind = ReadingKind::kTemperature;
  CHECK(Hash128Hex(Joined(Readings(options))) == "e5d704bc868feeeff8811745eee6c647");
  options.fleet.seed = 2;
  CHECK(Joined(Readings(options)) != text);
}

TEST_CASE("fleet: readings are flat JSON of about 125 bytes with plausible, smooth values") {
  ReadingStreamOptions options;
  options.count = 50'000;
  options.fleet.vehicles = 7;
  const std::vector<std::string> lines = Readings(options);
  REQUIRE(lines.size() == 50'000);
  size_t bytes = 0;
  std::map<std::string, double> speeds;
  for (const std::string& line : lines) {
    bytes += line.size();
    FlatJsonReader reader(line);
    FlatMember m;
    int members = 0;
    while (reader.Next(&m)) ++members;
    REQUIRE(reader.ok());
    REQUIRE(members == 8);
    const double speed = Number(line, "speed");
    REQUIRE((speed >= 0 && speed <= 130));
    const double rpm = Number(line, "rpm");
    REQUIRE((rpm >= 700 && rpm <= 3500));
    const double fuel = Number(line, "fuel");
    REQUIRE((fuel >= 0 && fuel <= 1));
    REQUIRE(FindMember(line, "vehicle", &m));
    const auto [it, first] = speeds.emplace(m.text.raw, speed);
    if (!first) REQUIRE(std::abs(it->second - speed) <= 6);
    it->second = speed;
  }
  CHECK(speeds.size() == 7);
  CHECK(bytes / lines.size() >= 120);
  CHECK(bytes / lines.size() <= 130);
}

TEST_CASE("fleet: event time advances by the rate without drift") {
  ReadingStreamOptions options;
  options.count = 3001;
  options.rate_milli = 3'000'000;  // 3000 a second
  const std::vector<std::string> lines = Readings(options);
  CHECK(Number(lines.front(), "ts") == 1'700'000'000'000.0);
  CHECK(Number(lines.back(), "ts") == 1'700'000'001'000.0);
}

TEST_CASE("fleet: positions are added without changing anything else") {
  ReadingStreamOptions options;
  options.count = 2000;
  const std::vector<std::string> plain = Readings(options);
  options.fleet.position = true;
  const std::vector<std::string> placed = Readings(options);
  for (size_t k = 0; k < plain.size(); ++k) {
    REQUIRE(std::abs(Number(placed[k], "lat") - 48.137) < 0.5);
    REQUIRE(std::abs(Number(placed[k], "lon") - 11.576) < 0.5);
    std::string without = placed[k];
    const size_t from = without.find(",\"lat\"");
    without.erase(from, without.find(",\"fuel\"") - from);
    REQUIRE(without == plain[k]);
  }
}

TEST_CASE("fleet: disorder and lateness reorder within their bounds and lose nothing") {
  ReadingStreamOptions options;
  options.count = 20'000;
  const std::vector<std::string> ordered = Readings(options);
  options.disorder = Duration::Millis(500);
  std::vector<std::string> shuffled = Readings(options);
  CHECK(shuffled != ordered);
  double newest = 0, most_behind = 0;
  for (const std::string& line : shuffled) {
    const double ts = Number(line, "ts");
    most_behind = std::max(most_behind, newest - ts);
    newest = std::max(newest, ts);
  }
  CHECK(most_behind > 300);
  CHECK(most_behind <= 500);
  options.late_share = 0.01;
  std::vector<std::string> late = Readings(options);
  newest = 0;
  int minutes_late = 0;
  for (const std::string& line : late) {
    const double ts = Number(line, "ts");
    if (newest - ts > 50'000) ++minutes_late;
    newest = std::max(newest, ts);
  }
  CHECK(minutes_late > 50);
  CHECK(minutes_late < 400);
  std::vector<std::string> sorted = ordered;
  std::sort(sorted.begin(), sorted.end());
  std::sort(shuffled.begin(), shuffled.end());
  std::sort(late.begin(), late.end());
  CHECK(shuffled == sorted);
  CHECK(late == sorted);
}

TEST_CASE("fleet: a share of the vehicles is out of reach, and sends its backlog in order afterwards") {
  ReadingStreamOptions options;
  options.count = 100 * 3600;
  options.fleet.vehicles = 100;
  std::vector<std::string> ordered = Readings(options);
  options.out_of_reach = 0.1;
  std::vector<std::string> lines = Readings(options);
  CHECK(lines == Readings(options));
  std::map<std::string, double> last;
  std::map<std::string, double> furthest_behind;
  double newest = 0;
  for (const std::string& line : lines) {
    const std::string vehicle = line.substr(12, 5);
    const double ts = Number(line, "ts");
    CHECK(ts >= last[vehicle]);
    last[vehicle] = ts;
    newest = std::max(newest, ts);
    furthest_behind[vehicle] = std::max(furthest_behind[vehicle], newest - ts);
  }
  int behind = 0;
  for (const auto& [vehicle, ms] : furthest_behind) {
    if (ms <= 1000) continue;
    ++behind;
    CHECK(vehicle.back() == '9');
    CHECK(ms >= 300'000);
    CHECK(ms <= 1'800'000);
  }
  CHECK(behind == 10);
  std::sort(lines.begin(), lines.end());
  std::sort(ordered.begin(), ordered.end());
  CHECK(lines == ordered);
}

TEST_CASE("fleet: extremes fit and bad options are refused") {
  ReadingStreamOptions options;
  options.count = 3;
  options.fleet.vehicles = 1'000'000;
  options.fleet.position = true;
  options.start.us = 4'102'444'800'000'000;
  for (const std::string& line : Readings(options)) CHECK(line.size() < Fleet::kMaxReadingBytes);
  const auto refused = [](auto change) {
    ReadingStreamOptions bad;
    bad.count = 1'000'000'000;
    change(&bad);
    return ReadingStream::Check(bad).code() == ErrorCode::kUsage;
  };
  CHECK_FALSE(refused([](auto*) {}));
  CHECK(refused([](auto* o) { o->rate_milli = 0; }));
  CHECK(refused([](auto* o) { o->fleet.vehicles = 0; }));
  CHECK(refused([](auto* o) { o->late_share = 1.5; }));
  CHECK(refused([](auto* o) { o->late_share = -0.1; }));
  CHECK(refused([](auto* o) { o->out_of_reach = 1.1; }));
  CHECK(refused([](auto* o) { o->shortest_outage = Duration::Seconds(1801); }));
  CHECK(refused([](auto* o) { o->out_of_reach = 0.5, o->rate_milli = 10'000'000; }));
  CHECK(refused([](auto* o) { o->start.us = -1; }));
  CHECK(refused([](auto* o) { o->disorder.us = -1; }));
  CHECK(refused([](auto* o) { o->late_share = 0.5, o->rate_milli = 100'000'000; }));
}
