// A fleet of which a tenth is out of reach for 5 to 30 minutes at a time and sends what it read afterwards:
// what per-key time makes of it, and what one time for all would.

#include <doctest/doctest.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string>
#include <vector>

#include "node/generate/reading_stream.h"
#include "node/sinks/sink.h"
#include "tests/cases/pipeline_harness.h"

namespace rivulet {
namespace {

constexpr uint32_t kVehicles = 100;
constexpr uint64_t kHours = 2;
constexpr int64_t kSecond = 1'000'000;

ReadingStreamOptions FleetOf(double out_of_reach) {
  ReadingStreamOptions options;
  options.fleet.vehicles = kVehicles;
  options.rate_milli = kVehicles * 1000;  // each vehicle once a second
  options.count = kVehicles * kHours * 3600;
  options.out_of_reach = out_of_reach;
  return options;
}

// The tenth: every tenth vehicle.
bool Healthy(uint32_t vehicle) { return vehicle % 10 != 9; }

int64_t Number(const std::string& json, const std::string& name) {
  const size_t at = json.find("\"" + name + "\":") + name.size() + 3;
  int64_t value = 0;
  std::from_chars(json.data() + at, json.data() + json.size(), value);
  return value;
}

// Takes results and notes how long after the end of its window each came, going by when readings arrive.
class TimingSink final : public Sink {
 public:
  struct Seen {
    std::vector<std::string> results;
    int64_t readings = 0;              // in all windows together
    int64_t now_us = 0;
    int64_t healthy_latest_us = 0;     // of the vehicles that are always in reach
  };
  explicit TimingSink(Seen* seen) : seen_(seen) {}

  Status Open(SinkCursor*) override { return Status::Ok(); }
  size_t Offer(std::span<const OutputEntry> entries) override {
    for (const OutputEntry& entry : entries) {
      seen_->results.push_back(entry.json);
      seen_->readings += Number(entry.json, "n");
      const int64_t after = seen_->now_us - Number(entry.json, "window_end") * 1000;
      uint32_t vehicle = 0;
      const size_t name = entry.json.find("\"v") + 2;  // {"vehicle":"v0042": the first is the name
      const size_t digits = entry.json.find("\"v", name) + 2;
      std::from_chars(&entry.json[digits], &entry.json[digits + 4], vehicle);
      if (Healthy(vehicle)) seen_->healthy_latest_us = std::max(seen_->healthy_latest_us, after);
    }
    next_ += entries.size();
    return entries.size();
  }
  SinkCursor Cursor() const override { return {next_, 0}; }
  bool WantsIds() const override { return false; }
  SinkStats Stats() const override { return {}; }

 private:
  Seen* seen_;
  uint64_t next_ = 0;
};

struct Figures {
  TimingSink::Seen seen;
  uint64_t late = 0;
  double landed = 0;          // share of the readings that are in their windows
  double latest_s = 0;        // healthy vehicles' slowest result, after the end of its window
};

// Readings go in as they arrive, those of one second together.
Figures Run(const std::string& time, double out_of_reach) {
  const std::string yaml = "pipeline: fleet\nsource: { mqtt: \"v/{vehicle}\", time: { field: ts, " +
                           time +
                           " } }\nsteps:\n  - key: vehicle\n  - window: { tumbling: 10s }\n"
                           "    aggregate: { n: count(), fastest: max(speed), way: sum(speed) }\n"
                           "sinks: { stdout: true }\n";
  std::string why;
  std::unique_ptr<PipelinePlan> plan = PlanText(yaml, {}, &why);
  REQUIRE_MESSAGE(plan != nullptr, why);
  const std::unique_ptr<Store> store = NewMemoryStore();
  const std::unique_ptr<TaskRunner> runner = NewSerialRunner();
  Result<std::unique_ptr<Pipeline>> opened = Pipeline::Open(std::move(plan), {}, store.get(), false);
  REQUIRE(opened.ok());
  Pipeline& pipeline = **opened;
  Figures figures;
  REQUIRE(pipeline.channel(ChannelKind::kResults)
              .AddSink("timing", std::make_unique<TimingSink>(&figures.seen))
              .ok());
  const ReadingStreamOptions fleet = FleetOf(out_of_reach);
  ReadingStream stream(fleet);
  ReadingStream::Reading reading;
  uint64_t offset = 0;
  bool more = stream.Next(&reading);
  while (more) {
    const int64_t until = reading.arrival.us / kSecond * kSecond + kSecond;
    std::string bytes;
    std::vector<size_t> ends;
    for (; more && reading.arrival.us < until; more = stream.Next(&reading)) {
      bytes += reading.json;
      ends.push_back(bytes.size());
    }
    bytes.append(kPayloadPadding, '\0');
    std::vector<InputMessage> messages;
    for (size_t i = 0, begin = 0; i < ends.size(); begin = ends[i++]) {
      InputMessage message;
      message.payload = {std::string_view(bytes).substr(begin, ends[i] - begin), 0, offset++};
      messages.push_back(message);
    }
    figures.seen.now_us = until;
    REQUIRE(pipeline.Turn(messages, offset, runner.get()).ok());
    REQUIRE(pipeline.offset() == offset);
    REQUIRE(pipeline.Pump().ok());
  }
  figures.latest_s = static_cast<double>(figures.seen.healthy_latest_us) / kSecond;
  REQUIRE(pipeline.Finish(runner.get()).ok());
  while (*pipeline.Pump()) {
  }
  figures.late = pipeline.counters().late;
  figures.landed = static_cast<double>(figures.seen.readings) / static_cast<double>(fleet.count);
  return figures;
}

std::string Describe(const std::string& time, const Figures& figures) {
  std::ostringstream text;
  text << time << ": " << figures.landed * 100 << " % in their windows, " << 100 - figures.landed * 100
       << " % lost; healthy vehicles' results within " << figures.latest_s << " s";
  return text.str();
}

}  // namespace

TEST_CASE("a tenth of the fleet out of reach: per-key time loses nothing and nobody waits") {
  const Figures per_key = Run("delay: 2s, per: vehicle, hold: 40m", 0.1);
  const Figures one_time = Run("delay: 2s", 0.1);
  const Figures patient = Run("delay: 40m", 0.1);
  MESSAGE(Describe("per: vehicle, hold: 40m", per_key));
  MESSAGE(Describe("one time, delay: 2s", one_time));
  MESSAGE(Describe("one time, delay: 40m", patient));
  CHECK(per_key.landed >= 0.999);
  CHECK(per_key.late == 0);
  // 2 s delay, 1 s until the vehicle's next reading, and seconds are looked at whole.
  CHECK(per_key.latest_s <= 4);
  CHECK(one_time.landed < 0.97);
  CHECK(one_time.latest_s <= 4);
  CHECK(patient.landed >= 0.999);
  CHECK(patient.latest_s >= 40 * 60);

  // The readings are in the right windows: as if every vehicle had been in reach all the time.
  Figures in_reach = Run("delay: 2s", 0);
  std::vector<std::string> results = per_key.seen.results;
  std::sort(results.begin(), results.end());
  std::sort(in_reach.seen.results.begin(), in_reach.seen.results.end());
  CHECK(results == in_reach.seen.results);
}

}  // namespace rivulet
