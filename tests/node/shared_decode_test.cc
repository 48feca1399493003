// Pipelines that read the same topics share a decode. What each puts out is what it would alone, also of
// payloads that only some of them can read.
#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/node/node_bench.h"

namespace rivulet {

using testing::NodeBench;
using testing::NodeSource;

namespace {

constexpr const char* kSource =
    "{ mqtt: in, time: { field: t, max_ahead: 1000d } }";

std::vector<PipelineSource> Pipelines() {
  const auto steps = [](const std::string& field) {
    return "  - key: k\n  - window: { tumbling: 10ms }\n    aggregate: { n: count(), x: last(" + field +
           ") }";
  };
  std::vector<PipelineSource> all;
  for (const char* field : {"a", "b", "c.d", "d"}) {
    all.push_back(NodeSource("p" + std::to_string(all.size()), kSource, steps(field)));
    std::string& text = all.back().text;
    text += "late: { mqtt: late" + std::to_string(all.size()) + " }\n";
    text += "dead_letters: { mqtt: dead" + std::to_string(all.size()) + " }\n";
    ConfigErrors errors;
    REQUIRE(ReadPipeline(text, all.back().spec.file, &all.back().spec, &errors));
  }
  return all;
}

std::string Value(Random* random) {
  const char* const values[] = {"1", "2.5", "\"x\"", "null", "1e999", "-1e999", "true", "{\"d\":1e400}",
                                "{\"d\":3}", "[1e999]", "tru", "nul", "1e"};
  // Mostly such that anybody can read them.
  return values[random->Below(random->Chance(0.85) ? 4 : std::size(values))];
}

std::vector<std::string> Payloads(uint64_t seed) {
  Random random(seed);
  std::vector<std::string> payloads;
  for (int i = 1; i <= 60; ++i) {
    std::string payload = "{\"k\":\"x\",\"t\":" + (random.Chance(0.03) ? "1e999" : std::to_string(i * 3));
    for (const char* field : {"a", "b", "c", "d"}) {
      if (random.Chance(0.5)) payload += std::string(",\"") + field + "\":" + Value(&random);
    }
    payloads.push_back(payload + "}");
  }
  return payloads;
}

// What the pipelines have put out, in all.
std::vector<std::string> PutOut(const std::vector<PipelineSource>& pipelines,
                                const std::vector<std::string>& payloads, size_t at_once, uint32_t workers) {
  NodeBench bench(pipelines, workers);
  for (size_t i = 0; i < payloads.size(); i += at_once) {
    bench.Deliver({payloads.begin() + static_cast<std::ptrdiff_t>(i),
                   payloads.begin() + static_cast<std::ptrdiff_t>(std::min(i + at_once, payloads.size()))});
  }
  std::vector<std::string> published = bench.sink.published;
  std::stable_sort(published.begin(), published.end(), [](const std::string& a, const std::string& b) {
    return a.substr(0, a.find(' ')) < b.substr(0, b.find(' '));
  });
  return published;
}

}  // namespace

TEST_CASE("shared decode: every pipeline puts out what it would alone") {
  const std::vector<PipelineSource> pipelines = Pipelines();
  uint64_t dead = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const std::vector<std::string> payloads = Payloads(seed);
    std::vector<std::string> alone;
    for (const PipelineSource& one : pipelines) {
      for (std::string& line : PutOut({one}, payloads, payloads.size(), 1)) alone.push_back(std::move(line));
    }
    std::stable_sort(alone.begin(), alone.end(), [](const std::string& a, const std::string& b) {
      return a.substr(0, a.find(' ')) < b.substr(0, b.find(' '));
    });
    for (const std::string& line : alone) dead += line.starts_with("dead") ? 1 : 0;
    CHECK(PutOut(pipelines, payloads, 1 + seed % 7, static_cast<uint32_t>(1 + seed % 3)) == alone);
    CHECK(PutOut(pipelines, payloads, payloads.size(), 1) == alone);
  }
  CHECK(dead > 100);
}

}  // namespace rivulet
