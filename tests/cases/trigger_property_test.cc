// Random streams through windows that keep accumulators of their own: early results, counts, all time,
// gaps and time zones. The model says what must come out; no cut into turns, workers, commits, evictions
// or crashes may show.

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "operators/key/key_codec.h"
#include "tests/cases/pipeline_harness.h"
#include "tests/cases/trigger_model.h"

namespace rivulet {
namespace {

using Kind = TriggerSpec::Kind;

constexpr int64_t kHour = int64_t{3600} * 1'000'000;

std::string Us(int64_t v) { return std::to_string(v) + "us"; }

std::string WindowText(const TriggerSpec& spec) {
  switch (spec.kind) {
    case Kind::kTumbling: return "tumbling: " + Us(spec.size_us);
    case Kind::kSliding: return "sliding: " + Us(spec.size_us) + ", every: " + Us(spec.slide_us);
    case Kind::kCumulate: return "cumulate: " + Us(spec.size_us) + ", every: " + Us(spec.slide_us);
    case Kind::kSession:
      return spec.own_gaps ? "session: { gap: g / 1000, max: " + Us(spec.size_us) + " }"
                           : "session: " + Us(spec.size_us);
    case Kind::kCount:
      return "count: " + std::to_string(spec.count) +
             (spec.count_slide < spec.count ? ", every: " + std::to_string(spec.count_slide) : "");
    case Kind::kGlobal: return "global: true";
  }
  return "";
}

std::string Yaml(const TriggerSpec& spec, const std::string& more = "") {
  std::string window = WindowText(spec);
  const bool timed = spec.kind != Kind::kCount && spec.kind != Kind::kGlobal;
  if (timed && spec.kind != Kind::kSession) window += ", offset: " + Us(spec.offset_us);
  if (timed) window += ", lateness: " + Us(spec.lateness_us);
  if (spec.zone) window += ", zone: Europe/Berlin";
  std::string emit;
  if (spec.on_change) emit += ", on change";
  if (spec.records > 0) emit += ", every " + std::to_string(spec.records) + " records";
  if (spec.interval_us > 0) emit += ", every " + Us(spec.interval_us);
  if (!emit.empty() || spec.discarding || spec.kind == Kind::kGlobal) {
    window += ", emit: [on close" + emit + "]";
  }
  if (spec.discarding) window += ", mode: discarding";
  if (spec.keep_us > 0) window += ", keep: " + Us(spec.keep_us);
  return "pipeline: test\nsource:\n  mqtt: in\n  time: { field: t, unit: us, delay: " +
         Us(spec.delay_us) + " }\nsteps:\n  - key: k\n  - window: { " + window +
         " }\n    aggregate: { n: count(), total: sum(v), a: first(s), z: last(s)" + more +
         " }\nsinks: [{ stdout: true }]\n";
}

void ChooseEmit(Random* random, TriggerSpec* spec) {
  if (spec->kind == Kind::kCount || random->Chance(0.25)) return;
  if (random->Chance(0.3)) spec->on_change = true;
  if (random->Chance(0.5)) spec->records = 1 + random->Below(6);
  if (random->Chance(0.7)) {
    const auto part = static_cast<int64_t>(1 + random->Below(6));
    spec->interval_us = std::max<int64_t>(1, spec->size_us / part);
  }
  const bool any = spec->on_change || spec->records > 0 || spec->interval_us > 0;
  spec->discarding = random->Chance(any ? 0.4 : 0.2);
}

TriggerSpec RandomSpec(Random* random) {
  TriggerSpec spec;
  const auto below = [random](uint64_t n) { return static_cast<int64_t>(random->Below(n)); };
  constexpr int64_t scale = 1000;
  spec.kind = static_cast<Kind>(random->Below(6));
  spec.size_us = (1 + below(60)) * scale;
  spec.slide_us = std::max(scale, spec.size_us / (1 + below(8)));
  if (spec.kind == Kind::kSliding && random->Chance(0.3)) {
    spec.slide_us = std::max({scale, spec.size_us / 10 + 1, below(static_cast<uint64_t>(spec.size_us))});
    spec.slide_us = std::min(spec.slide_us, spec.size_us);
  }
  if (spec.kind == Kind::kCumulate) spec.size_us = spec.slide_us * (1 + below(8));
  if (random->Chance(0.5)) spec.offset_us = below(100) * scale;
  if (random->Chance(0.6)) spec.lateness_us = below(150) * scale;
  if (random->Chance(0.5)) spec.delay_us = below(40) * scale;
  spec.count = 1 + below(20);
  spec.count_slide = random->Chance(0.3) ? spec.count : 1 + below(static_cast<uint64_t>(spec.count));
  spec.own_gaps = spec.kind == Kind::kSession && random->Chance(0.7);
  if (spec.kind == Kind::kTumbling && random->Chance(0.5)) {
    spec.zone = true;
    constexpr int64_t kHours[] = {1, 2, 3, 6, 12, 24, 48, 168};
    spec.size_us = kHours[random->Below(8)] * kHour;
    spec.offset_us = random->Chance(0.5) ? below(30) * kHour / 2 : 0;
    spec.lateness_us = random->Chance(0.5) ? below(100) * kHour : 0;
    spec.delay_us = random->Chance(0.5) ? below(5) * kHour : 0;
  }
  ChooseEmit(random, &spec);
  if ((spec.kind == Kind::kCount || spec.kind == Kind::kGlobal) && random->Chance(0.7)) {
    spec.keep_us = 1 + below(static_cast<uint64_t>(3 * spec.size_us));
  }
  return spec;
}

struct Stream {
  std::vector<StreamLine> lines;
  std::vector<std::string> results, late;
};

class StreamMaker {
 public:
  // `exact` false: numbers whose sums depend on the order, which the model cannot follow.
  StreamMaker(const TriggerSpec& spec, uint64_t seed, bool exact)
      : spec_(spec), random_(seed), exact_(exact), model_(spec) {
    time_ = Below(3) * 1'000'000 - 1'000'000;
    // Half of the streams meet the edges of windows often.
    if (!spec.zone && random_.Chance(0.5)) grain_ = 1000;
    // Around the days on which Berlin's clocks are set.
    if (spec.zone) time_ = (random_.Chance(0.5) ? 1'698'400'000 : 1'711'700'000) * int64_t{1'000'000};
    step_ = std::max<int64_t>(1, spec.size_us / (1 + Below(8)));
    keys_ = 1 + random_.Below(5);
  }

  Stream Make(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (random_.Chance(0.04)) {
        const int64_t w = time_ - spec_.delay_us + Below(2 * spec_.size_us + 1) - spec_.size_us;
        stream_.lines.push_back({"", true, w});
        model_.Punctuate(w);
      } else {
        AddRecord();
      }
    }
    model_.Finish();
    stream_.results = std::move(model_.results);
    for (const std::string& line : model_.late) {
      stream_.late.push_back("{\"reason\":\"late\",\"record\":" + line + "}");
    }
    return std::move(stream_);
  }

 private:
  int64_t Below(int64_t n) { return static_cast<int64_t>(random_.Below(static_cast<uint64_t>(n))); }

  int64_t NextTime() {
    if (random_.Chance(0.02)) time_ += spec_.size_us * Below(spec_.zone ? 4 : 100);
    if (random_.Chance(0.6)) time_ += Below(step_ + 1);
    const int64_t back = random_.Chance(0.1) ? spec_.size_us * 3 + spec_.lateness_us : step_ * 2;
    const int64_t time = random_.Chance(0.4) ? time_ - Below(back + 1) : time_;
    return time - FloorMod(time, grain_);
  }

  void AddRecord() {
    TriggerRecord record;
    record.time_us = NextTime();
    record.gap_us = 1000 + Below(2 * spec_.size_us);
    record.gap_us -= record.gap_us % grain_;
    record.value = Below(41) - 20;
    record.text = std::string(1 + random_.Below(3), static_cast<char>('a' + random_.Below(26)));
    const int64_t k = Below(static_cast<int64_t>(keys_));
    const Value key = k == 0 ? Value::String("x") : Value::Int(k * 7 - 20);
    AppendKeyValue(&record.sort_key, key);
    AppendJsonValue(&record.key, key);
    const std::string text = "{\"k\":" + record.key + ",\"t\":" + std::to_string(record.time_us) +
                             ",\"g\":" + std::to_string(record.gap_us) +
                             ",\"v\":" + std::to_string(record.value) + Fraction() + ",\"s\":\"" +
                             record.text + "\"}";
    stream_.lines.push_back({text});
    model_.Add(record, text);
  }

  std::string Fraction() {
    if (exact_) return "";
    return "." + std::to_string(Below(1'000'000'000)) + (random_.Chance(0.1) ? "e17" : "");
  }

  TriggerSpec spec_;
  Random random_;
  bool exact_;
  int64_t grain_ = 1;  // us, of times and gaps
  TriggerModel model_;
  Stream stream_;
  int64_t time_ = 0, step_ = 1;
  uint64_t keys_ = 1;
};

std::vector<std::pair<std::string, DriveOptions>> Variants(uint64_t seed) {
  std::vector<std::pair<std::string, DriveOptions>> all;
  DriveOptions o;
  o.seed = seed;
  o.longest_turn = 1;
  all.emplace_back("turns of one", o);
  o.longest_turn = 7;
  all.emplace_back("small turns", o);
  o.longest_turn = 30;
  o.workers = 3;
  all.emplace_back("3 workers", o);
  o.workers = 2;
  o.longest_turn = 12;
  o.durable = true;
  o.commit = 0.5;
  o.evict = 1;
  all.emplace_back("commits and evictions", o);
  o.overlap = 0.7;
  o.crash = 0.15;
  o.evict = 0.6;
  o.any_workers = true;
  all.emplace_back("crashes", o);
  return all;
}

void CheckVariants(uint64_t seed, const std::string& yaml, const std::vector<StreamLine>& lines,
                   const Outputs& expected) {
  for (const auto& [how, options] : Variants(seed)) {
    CAPTURE(how);
    const std::string difference = Difference(expected, Drive(yaml, lines, options));
    REQUIRE_MESSAGE(difference.empty(), difference);
  }
}

uint64_t FromEnvironment(const char* name, uint64_t usual) {
  const char* text = std::getenv(name);
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_CASE("early results, counts, all time, gaps and zones come as the model says, however driven") {
  const uint64_t first = FromEnvironment("RIVULET_TEST_SEED", 1);
  const uint64_t seeds = FromEnvironment("RIVULET_TEST_SEEDS", 240);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    Random random(seed * 31 + 5);
    const TriggerSpec spec = RandomSpec(&random);
    const std::string yaml = Yaml(spec);
    const Stream stream = StreamMaker(spec, seed * 7919, true).Make(20 + random.Below(200));
    CAPTURE(seed);
    CAPTURE(yaml);
    const Outputs one = Drive(yaml, stream.lines, {});
    const std::string results = Difference(stream.results, one.results);
    REQUIRE_MESSAGE(results.empty(), results);
    const std::string late = Difference(stream.late, one.late);
    REQUIRE_MESSAGE(late.empty(), late);
    CheckVariants(seed, yaml, stream.lines, one);
  }
}

TEST_CASE("not a bit of early results and counts depends on how they are driven") {
  const uint64_t first = FromEnvironment("RIVULET_TEST_SEED", 1);
  const uint64_t seeds = FromEnvironment("RIVULET_TEST_SEEDS", 100);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    Random random(seed * 37 + 11);
    const TriggerSpec spec = RandomSpec(&random);
    const std::string yaml = Yaml(spec, ", mean: avg(v), spread: stddev(v)");
    const Stream stream = StreamMaker(spec, seed * 104729, false).Make(20 + random.Below(200));
    CAPTURE(seed);
    CAPTURE(yaml);
    CheckVariants(seed, yaml, stream.lines, Drive(yaml, stream.lines, {}));
  }
}

}  // namespace rivulet
