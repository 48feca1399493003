// Random streams through whole pipelines: the model says what must come out, and however the input is
// cut into turns, spread over workers, committed, evicted or crashed, the same bytes come out.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/json_writer.h"
#include "operators/key/key_codec.h"
#include "tests/cases/drive_variants.h"
#include "tests/cases/window_model.h"

namespace rivulet {
namespace {

constexpr const char* kAggregates =
    "    aggregate:\n"
    "      n: count()\n"
    "      total: sum(v)\n"
    "      mean: avg(v)\n"
    "      low: min(v)\n"
    "      high: max(v)\n"
    "      a: first(s)\n"
    "      z: last(s)\n"
    "      least: min(s)\n"
    "      above: count() where v > 10\n";

std::string Yaml(const ModelSpec& spec, const std::string& aggregates) {
  const auto us = [](int64_t v) { return std::to_string(v) + "us"; };
  std::string window;
  switch (spec.kind) {
    case ModelSpec::Kind::kTumbling: window = "tumbling: " + us(spec.size_us); break;
    case ModelSpec::Kind::kSliding:
      window = "sliding: " + us(spec.size_us) + ", every: " + us(spec.slide_us);
      break;
    case ModelSpec::Kind::kSession: window = "session: " + us(spec.size_us); break;
  }
  if (spec.kind != ModelSpec::Kind::kSession) window += ", offset: " + us(spec.offset_us);
  return "pipeline: test\nsource:\n  mqtt: in\n  time: { field: t, unit: us, delay: " +
         us(spec.delay_us) + (spec.per_key ? ", per: k, hold: " + us(spec.hold_us) : "") +
         " }\nsteps:\n  - key: k\n  - where: x is null\n  - window: { " + window +
         ", lateness: " + us(spec.lateness_us) + " }\n" + aggregates + "sinks: [{ stdout: true }]\n";
}

ModelSpec RandomSpec(Random* random) {
  ModelSpec spec;
  constexpr int64_t scale = 1000;
  spec.kind = static_cast<ModelSpec::Kind>(random->Below(3));
  spec.size_us = static_cast<int64_t>(1 + random->Below(60)) * scale;
  if (spec.kind == ModelSpec::Kind::kSliding) {
    // From slide = size to fifty windows at once, divisible or not.
    const auto ratio = static_cast<int64_t>(1 + random->Below(50));
    spec.slide_us = std::max(scale, spec.size_us / ratio);
    if (random->Chance(0.3)) {
      spec.slide_us = 1 + static_cast<int64_t>(random->Below(static_cast<uint64_t>(spec.size_us)));
      spec.slide_us = std::max({scale, spec.slide_us, spec.size_us / 60 + 1});
      spec.slide_us = std::min(spec.slide_us, spec.size_us);
    }
  }
  if (random->Chance(0.5)) spec.offset_us = static_cast<int64_t>(random->Below(100)) * scale;
  if (spec.kind == ModelSpec::Kind::kSession) spec.offset_us = 0;
  if (random->Chance(0.6)) spec.lateness_us = static_cast<int64_t>(random->Below(150)) * scale;
  if (random->Chance(0.5)) spec.delay_us = static_cast<int64_t>(random->Below(40)) * scale;
  spec.per_key = random->Chance(0.5);
  if (spec.per_key) spec.hold_us = static_cast<int64_t>(random->Below(400)) * scale;
  return spec;
}

struct Stream {
  std::vector<StreamLine> lines;
  Outputs expected;      // dead: only so many
};

// One record line with random fields; some are faulty.
class StreamMaker {
 public:
  StreamMaker(const ModelSpec& spec, uint64_t seed, bool exact)
      : spec_(spec), random_(seed), exact_(exact), model_(spec) {
    time_ = static_cast<int64_t>(random_.Below(3)) * 1'000'000 - 1'000'000;
    // Half of the streams meet the edges of windows often.
    if (random_.Chance(0.5)) grain_ = 1000;
    step_ = std::max<int64_t>(1, spec.size_us / static_cast<int64_t>(1 + random_.Below(8)));
    keys_ = 1 + random_.Below(6);
    if (spec.per_key) behind_.resize(6);
  }

  Stream Make(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (random_.Chance(0.03)) {
        Punctuate();
      } else if (random_.Chance(0.04)) {
        AddFault();
      } else {
        AddRecord();
      }
    }
    model_.Finish();
    stream_.expected.results = std::move(model_.results);
    for (const std::string& line : model_.late) {
      stream_.expected.late.push_back("{\"reason\":\"late\",\"record\":" + line + "}");
    }
    return std::move(stream_);
  }

 private:
  int64_t Below(int64_t n) { return static_cast<int64_t>(random_.Below(static_cast<uint64_t>(n))); }

  int64_t NextTime() {
    if (random_.Chance(0.02)) time_ += spec_.size_us * Below(100);  // over many empty windows
    if (random_.Chance(0.6)) time_ += Below(step_ + 1);
    const int64_t back = random_.Chance(0.1) ? spec_.size_us * 3 + spec_.lateness_us : step_ * 2;
    const int64_t time = random_.Chance(0.4) ? time_ - Below(back + 1) : time_;
    return time - FloorMod(time, grain_);
  }

  void Punctuate() {
    const int64_t w = time_ - spec_.delay_us + Below(2 * spec_.size_us + 1) - spec_.size_us;
    stream_.lines.push_back({"", true, w});
    model_.Punctuate(w);
  }

  void AddFault() {
    static const char* const kNoTime[] = {"{\"k\":1", "{\"k\":1,\"v\":1}", "{\"k\":1,\"t\":true}"};
    std::string text = kNoTime[random_.Below(3)];
    if (random_.Chance(0.5)) {
      const bool no_key = random_.Chance(0.5);
      text = std::string(no_key ? "{" : "{\"k\":1,\"v\":\"fast\",") +
             "\"t\":" + std::to_string(time_) + "}";
      if (no_key) {
        model_.Refuse(time_);
      } else {
        model_.Pass(KeyedRecord());
      }
    }
    stream_.lines.push_back({text});
    stream_.expected.dead.push_back(text);
  }

  ModelRecord KeyedRecord() {
    ModelRecord record;
    record.time_us = time_;
    AppendKeyValue(&record.sort_key, Value::Int(1));
    AppendJsonValue(&record.key, Value::Int(1));
    return record;
  }

  // With per-key time, keys fall behind for a while each: their records are those of some time ago.
  int64_t Behind(size_t key) {
    if (behind_.empty()) return 0;
    if (random_.Chance(0.02)) behind_[key] = Below(spec_.hold_us * 2 + 1);
    if (random_.Chance(0.05)) behind_[key] = 0;
    return behind_[key];
  }

  // A key of any type; 1 and 1.0 are one key.
  std::string SetKey(ModelRecord* record) {
    Value key;
    std::string text;
    const uint64_t which = random_.Below(keys_);
    record->time_us -= Behind(which);
    switch (which) {
      case 0: text = "\"a\""; key = Value::String("a"); break;
      case 1: key = Value::Int(1); text = random_.Chance(0.5) ? "1" : "1.0"; break;
      case 2: text = "-7"; key = Value::Int(-7); break;
      case 3: text = "2.5"; key = Value::Float(2.5); break;
      case 4: text = "\"ab\""; key = Value::String("ab"); break;
      default: text = "true"; key = Value::Bool(true); break;
    }
    AppendKeyValue(&record->sort_key, key);
    AppendJsonValue(&record->key, key);
    return text;
  }

  std::string SetNumber(ModelRecord* record) {
    std::string text;
    if (random_.Chance(0.5)) {
      record->number = Value::Int(Below(41) - 20);
    } else if (exact_) {
      record->number = Value::Float(static_cast<double>(Below(161) - 80) / 4);
    } else {
      record->number = Value::Float((random_.Unit() - 0.5) * (random_.Chance(0.1) ? 1e17 : 100));
    }
    AppendJsonValue(&text, record->number);
    return text;
  }

  void AddRecord() {
    ModelRecord record;
    record.time_us = NextTime();
    std::string text = "{\"k\":" + SetKey(&record);
    text += ",\"t\":" + std::to_string(record.time_us);
    if (random_.Chance(0.9)) text += ",\"v\":" + SetNumber(&record);
    if (random_.Chance(0.7)) {
      record.text = std::string(1 + random_.Below(3), static_cast<char>('a' + random_.Below(26)));
      text += ",\"s\":\"" + *record.text + "\"";
    }
    const bool taken_out = random_.Chance(0.05);
    text += taken_out ? ",\"x\":1}" : "}";
    stream_.lines.push_back({text});
    if (taken_out) {
      model_.Pass(record);
    } else {
      model_.Add(record, text);
    }
  }

  ModelSpec spec_;
  Random random_;
  bool exact_;
  int64_t grain_ = 1;  // us, of times
  WindowModel model_;
  Stream stream_;
  int64_t time_ = 0, step_ = 1;
  uint64_t keys_ = 1;
  std::vector<int64_t> behind_;  // by key
};

std::string Describe(uint64_t seed, const std::string& how, const std::string& yaml) {
  return "seed " + std::to_string(seed) + ", " + how + "\n" + yaml;
}

void CheckVariants(uint64_t seed, const std::string& yaml, const std::vector<StreamLine>& lines,
                   const Outputs& expected) {
  for (const auto& [how, options] : Variants(seed)) {
    CAPTURE(Describe(seed, how, yaml));
    const std::string difference = Difference(expected, Drive(yaml, lines, options));
    REQUIRE_MESSAGE(difference.empty(), difference);
  }
}

}  // namespace

TEST_CASE("windows put out what the model says, however they are driven") {
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + SeedCount(100); ++seed) {
    Random random(seed);
    const ModelSpec spec = RandomSpec(&random);
    const std::string yaml = Yaml(spec, kAggregates);
    const Stream stream = StreamMaker(spec, seed * 7919, true).Make(40 + random.Below(300));
    const Outputs one = Drive(yaml, stream.lines, {});
    {
      CAPTURE(Describe(seed, "against the model", yaml));
      const std::string results = Difference(stream.expected.results, one.results);
      REQUIRE_MESSAGE(results.empty(), results);
      const std::string late = Difference(stream.expected.late, one.late);
      REQUIRE_MESSAGE(late.empty(), late);
      REQUIRE(one.dead.size() == stream.expected.dead.size());
    }
    CheckVariants(seed, yaml, stream.lines, one);
  }
}

// Sums of arbitrary floats, deviations, and steps after the window that fail for some results: the model
// cannot follow their bits, but every way to drive them must come to the same.
TEST_CASE("not a bit depends on turns, workers, commits, evictions or crashes") {
  const std::string aggregates = std::string(kAggregates) +
                                 "      spread: stddev(v)\n"
                                 "      cube: var_pop(v * v * v)\n"
                                 "      p90: percentile(v, 0.9)\n"
                                 "      p90_exact: percentile_exact(v, 0.9)\n"
                                 "      kinds: distinct(s)\n"
                                 "      often: top_k(s, 3)\n"
                                 "      usual: mode(v)\n"
                                 "      sizes: histogram(v, -10, 10, 5)\n"
                                 "      firsts: collect(s, 5)\n"
                                 "      area: integral(v)\n"
                                 "      up: increase(v)\n"
                                 "      trend: slope(v)\n"
                                 "      likeness: corr(v, t)\n"
                                 "      best: max_by(s, v)\n"
                                 "      some: bool_or(v > 5)\n"
                                 "      recent: ewma(v, 1ms)\n"
                                 "  - set: { odd: case when n % 3 = 0 then z * 2 else n end }\n"
                                 "  - where: n % 5 != 0\n";
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + SeedCount(60); ++seed) {
    Random random(seed);
    const ModelSpec spec = RandomSpec(&random);
    const std::string yaml = Yaml(spec, aggregates);
    const Stream stream = StreamMaker(spec, seed * 104729, false).Make(40 + random.Below(300));
    CheckVariants(seed, yaml, stream.lines, Drive(yaml, stream.lines, {}));
  }
}

}  // namespace rivulet
