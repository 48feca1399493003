// Random streams through windows with `carry` and `fill`: the model says what must come out, and however the
// input is cut into turns, spread over workers, committed, evicted or crashed, the same bytes come out.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/json_writer.h"
#include "operators/key/key_codec.h"
#include "tests/cases/drive_variants.h"
#include "tests/cases/fill_model.h"

namespace rivulet {
namespace {

std::string Yaml(const FillSpec& spec) {
  const auto s = [](int64_t v) { return std::to_string(v) + "s"; };
  std::string window = "tumbling: " + s(spec.size) + ", offset: " + s(spec.offset) +
                       ", lateness: " + s(spec.lateness);
  if (spec.carry > 0) window += ", carry: " + s(spec.carry);
  static const char* const kFills[] = {"", ", fill: null", ", fill: last", ", fill: 0"};
  window += kFills[static_cast<size_t>(spec.fill)];
  if (spec.fill != FillSpec::Fill::kNone) window += ", keep: " + s(spec.keep);
  return "pipeline: test\nsource:\n  mqtt: in\n  time: { field: t, unit: s, delay: " + s(spec.delay) +
         (spec.per_key ? ", per: k, hold: " + s(spec.hold) : "") +
         " }\nsteps:\n  - key: k\n  - window: { " + window +
         " }\n    aggregate:\n      n: count()\n      total: sum(v)\n      held: \"integral(v, 'step')\"\n"
         "      mean: \"twa(v, 'step')\"\n      up: increase(v)\nsinks: [{ stdout: true }]\n";
}

FillSpec RandomSpec(Random* random) {
  const auto below = [random](int64_t n) {
    return static_cast<int64_t>(random->Below(static_cast<uint64_t>(n)));
  };
  FillSpec spec;
  spec.size = 1 + below(60);
  spec.offset = random->Chance(0.5) ? below(spec.size) : 0;
  spec.lateness = random->Chance(0.6) ? below(200) : 0;
  spec.delay = random->Chance(0.5) ? below(40) : 0;
  spec.fill = static_cast<FillSpec::Fill>(below(4));
  if (spec.fill == FillSpec::Fill::kNone || random->Chance(0.7)) spec.carry = 1 + below(spec.size * 4);
  if (spec.fill != FillSpec::Fill::kNone) spec.keep = 1 + below(spec.size * 6);
  spec.per_key = random->Chance(0.4);
  if (spec.per_key) spec.hold = below(400);
  return spec;
}

struct Stream {
  std::vector<StreamLine> lines;
  Outputs expected;
};

Stream RandomStream(const FillSpec& spec, uint64_t seed, size_t count) {
  Random random(seed);
  const auto below = [&random](int64_t n) {
    return static_cast<int64_t>(random.Below(static_cast<uint64_t>(n)));
  };
  FillModel model(spec);
  Stream stream;
  int64_t time = below(3) * 1'000'000 - 1'000'000;
  const int64_t step = std::max<int64_t>(1, spec.size / (1 + below(6)));
  const int64_t keys = 1 + below(4);
  for (size_t i = 0; i < count; ++i) {
    if (random.Chance(0.03)) {
      const int64_t w = time - spec.delay + below(2 * spec.size + 1) - spec.size;
      stream.lines.push_back({"", true, w * 1'000'000});
      model.Punctuate(w);
      continue;
    }
    if (random.Chance(0.06)) time += below(spec.size * 9);
    if (random.Chance(0.6)) time += below(step + 1);
    FillRecord record;
    const int64_t back = random.Chance(0.3) ? spec.size * 4 + spec.lateness : step * 2;
    record.time = random.Chance(0.4) ? time - below(back + 1) : time;
    const int64_t key = below(keys);
    AppendKeyValue(&record.sort_key, Value::Int(key));
    record.key = std::to_string(key);
    std::string text = "{\"k\":" + record.key + ",\"t\":" + std::to_string(record.time);
    if (random.Chance(0.85)) {
      record.value = below(40);
      text += ",\"v\":" + std::to_string(*record.value);
    }
    text += "}";
    stream.lines.push_back({text});
    model.Add(record, text);
  }
  model.Finish();
  stream.expected.results = std::move(model.results);
  for (const std::string& line : model.late) {
    stream.expected.late.push_back("{\"reason\":\"late\",\"record\":" + line + "}");
  }
  return stream;
}

}  // namespace

TEST_CASE("windows that are filled put out what the model says, however they are driven") {
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + SeedCount(100); ++seed) {
    Random random(seed);
    const FillSpec spec = RandomSpec(&random);
    const std::string yaml = Yaml(spec);
    const Stream stream = RandomStream(spec, seed * 7919, 30 + random.Below(200));
    const Outputs one = Drive(yaml, stream.lines, {});
    CAPTURE(seed);
    CAPTURE(yaml);
    const std::string results = Difference(stream.expected.results, one.results);
    REQUIRE_MESSAGE(results.empty(), results);
    const std::string late = Difference(stream.expected.late, one.late);
    REQUIRE_MESSAGE(late.empty(), late);
    for (const auto& [how, options] : Variants(seed)) {
      CAPTURE(how);
      const std::string difference = Difference(one, Drive(yaml, stream.lines, options));
      REQUIRE_MESSAGE(difference.empty(), difference);
    }
  }
}

}  // namespace rivulet
