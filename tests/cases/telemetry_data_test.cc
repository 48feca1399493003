// Recorded telemetry through whole replays, against plain loops over the same files. The files are
// not part of
// the repository; without them the tests say so and pass.

#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "base/json_writer.h"
#include "node/config/reader.h"
#include "node/replay/replay.h"

namespace rivulet {
namespace {

namespace fs = std::filesystem;

bool HaveData(const std::string& path) {
  if (fs::exists(path)) return true;
  MESSAGE("skipped: ", path, " is not here");
  return false;
}

std::vector<std::vector<std::string>> ReadCsv(const std::string& path) {
  std::vector<std::vector<std::string>> rows;
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<std::string>& row = rows.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
  }
  return rows;
}

std::string ReplayFile(const std::string& yaml, const std::string& input, uint32_t workers) {
  std::string directory = (fs::temp_directory_path() / "rivulet-data-XXXXXX").string();
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  ReplayOptions options;
  options.state_size = 64 << 20;  // an emulator keeps books about each page of a map
  options.input = input;
  options.output = directory + "/results";
  options.workers = workers;
  options.progress = [](uint64_t, uint64_t, const PipelineCounters&) { return true; };
  options.clock = [] { return Monotonic{}; };
  PipelineSpec spec;
  ConfigErrors errors;
  REQUIRE(ReadPipeline(yaml, "test.yaml", &spec, &errors));
  const Result<ReplaySummary> summary = Replay(spec, options, &errors);
  REQUIRE_MESSAGE(summary.ok(), summary.status().ToString());
  CHECK(summary->counters.late == 0);
  CHECK(summary->counters.dead == 0);
  std::ostringstream text;
  text << std::ifstream(options.output).rdbuf();
  fs::remove_all(directory);
  return text.str();
}

std::string Number(double v) {
  std::string out;
  AppendJsonFloat(&out, v);
  return out;
}

// Local time with a fixed offset of -hh:00 to ms since 1970.
int64_t Millis(const std::string& text) {
  std::tm tm{};
  int zone = 0;
  REQUIRE(std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                      &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &zone) == 7);
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  return (static_cast<int64_t>(::timegm(&tm)) - zone * 3600) * 1000;
}

struct Fix {
  int64_t n = 0;
  double sum = 0, low = 0, high = 0, last = 0;
};

}  // namespace

TEST_CASE("buses: fixes and speed by vehicle and hour") {
  const std::string path = RIVULET_DATA_DIRECTORY "/capmetrics/2017-03-21.csv";
  if (!HaveData(path)) return;
  std::map<std::pair<int64_t, int64_t>, Fix> windows;  // hour, vehicle: the order of results
  for (const std::vector<std::string>& row : ReadCsv(path)) {
    const int64_t time = Millis(row[1]);
    Fix& fix = windows[{time / 3'600'000, std::stoll(row[0])}];
    const double speed = std::stod(row[2]);
    fix.low = fix.n == 0 ? speed : std::min(fix.low, speed);
    fix.high = fix.n == 0 ? speed : std::max(fix.high, speed);
    fix.sum += speed;
    fix.last = speed;
    ++fix.n;
  }
  // The average is checked on its own: the engine's sums are compensated, these are not.
  std::string expected;
  for (const auto& [id, fix] : windows) {
    expected += "{\"vehicle_id\":" + std::to_string(id.second) +
                ",\"window_start\":" + std::to_string(id.first * 3'600'000) +
                ",\"window_end\":" + std::to_string((id.first + 1) * 3'600'000) +
                ",\"fixes\":" + std::to_string(fix.n) + ",\"slowest\":" + Number(fix.low) +
                ",\"fastest\":" + Number(fix.high) + ",\"latest\":" + Number(fix.last) +
                ",\"error\":true}\n";
  }
  const std::string yaml =
      "pipeline: buses\nsource:\n  mqtt: buses\n  format: csv\n"
      "  time: { field: timestamp, unit: iso8601 }\nsteps:\n  - key: vehicle_id\n"
      "  - window: { tumbling: 1h }\n    aggregate:\n      fixes: count()\n"
      "      slowest: min(speed)\n      fastest: max(speed)\n      latest: last(speed)\n"
      "      error: avg(speed)\nsinks: [{ stdout: true }]\n";
  const auto check_average = [&](const std::string& results) {
    std::string out;
    auto window = windows.begin();
    std::istringstream lines(results);
    for (std::string line; std::getline(lines, line); ++window) {
      REQUIRE(window != windows.end());
      const size_t at = line.find("\"error\":") + 8;
      const double average = std::stod(line.substr(at));
      const double reference = window->second.sum / static_cast<double>(window->second.n);
      const bool close = std::fabs(average - reference) <= 1e-12 * (1 + std::fabs(reference));
      out += line.substr(0, at) + (close ? "true" : "false") + "}\n";
    }
    return out;
  };
  CHECK(windows.size() > 1000);
  const std::string one = ReplayFile(yaml, path, 1);
  CHECK(check_average(one) == expected);
  CHECK(ReplayFile(yaml, path, 3) == one);
}

TEST_CASE("CAN: frames a second by bus and address") {
  const std::string path = RIVULET_DATA_DIRECTORY "/comma2k19/can.csv";
  if (!HaveData(path)) return;
  struct Frames {
    int64_t n = 0;
    double first = 0, last = 0;
  };
  std::map<std::tuple<int64_t, int64_t, int64_t>, Frames> windows;  // second, bus, address
  int64_t rows = 0;
  for (const std::vector<std::string>& row : ReadCsv(path)) {
    // In integers: decimal ms with three places.
    const size_t dot = row[0].find('.');
    const int64_t us = std::stoll(row[0].substr(0, dot)) * 1000 + std::stoll(row[0].substr(dot + 1));
    Frames& f = windows[{us / 1'000'000, std::stoll(row[1]), std::stoll(row[2])}];
    const double ms = std::stod(row[0]);
    f.first = f.n == 0 ? ms : std::min(f.first, ms);
    f.last = f.n == 0 ? ms : std::max(f.last, ms);
    ++f.n;
    ++rows;
  }
  std::string expected;
  for (const auto& [id, frames] : windows) {
    const auto& [second, bus, address] = id;
    expected += "{\"bus\":" + std::to_string(bus) + ",\"address\":" + std::to_string(address) +
                ",\"window_start\":" + std::to_string(second * 1000) +
                ",\"window_end\":" + std::to_string(second * 1000 + 1000) +
                ",\"frames\":" + std::to_string(frames.n) + ",\"first_ms\":" + Number(frames.first) +
                ",\"last_ms\":" + Number(frames.last) + "}\n";
  }
  const std::string yaml =
      "pipeline: can\nsource:\n  mqtt: can\n  format: csv\n"
      "  time: { field: t_ms, unit: ms, delay: 100ms }\nsteps:\n  - key: [bus, address]\n"
      "  - window: { tumbling: 1s }\n    aggregate:\n      frames: count()\n"
      "      first_ms: min(t_ms)\n      last_ms: max(t_ms)\nsinks: [{ stdout: true }]\n";
  CHECK(rows == 135'468);
  const std::string one = ReplayFile(yaml, path, 1);
  CHECK(one == expected);
  CHECK(ReplayFile(yaml, path, 3) == one);
}

}  // namespace rivulet
