// Random streams through random patterns: the model says what must come out, and however the input is cut
// into turns, spread over workers, committed, evicted or crashed, the same bytes come out.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/cases/drive_variants.h"
#include "tests/cases/pattern_model.h"

namespace rivulet {
namespace {

struct Pattern {
  PatternModelSpec spec;
  int64_t delay = 0, keep = 0;
};

std::string Name(size_t element) { return "e" + std::to_string(element); }

class PatternMaker {
 public:
  explicit PatternMaker(Random* random) : random_(*random) {}

  Pattern Make() {
    Pattern p;
    p.keep = 5 + Below(40);
    p.delay = random_.Chance(0.5) ? Below(12) : 0;
    p.spec.to_next = random_.Chance(0.4);
    p.spec.within = random_.Chance(0.6) ? 1 + Below(60) : int64_t{1} << 40;
    p.spec.timeouts = p.spec.within < 1000 && random_.Chance(0.6);
    const size_t count = 1 + random_.Below(4);
    for (size_t i = 0; i < count; ++i) Add(i, count, &p);
    return p;
  }

 private:
  int64_t Below(int64_t n) { return static_cast<int64_t>(random_.Below(static_cast<uint64_t>(n))); }

  ModelCondition Condition(size_t index, const Pattern& p) {
    ModelCondition c;
    c.kind = static_cast<ModelCondition::Kind>(random_.Below(5));
    c.constant = Below(4);
    c.element = random_.Below(index + 1);
    const bool no_element = c.element == index || p.spec.elements[c.element].negated;
    if (c.kind == ModelCondition::Kind::kAboveLast && no_element) c.kind = ModelCondition::Kind::kEqual;
    if (c.kind == ModelCondition::Kind::kAny && random_.Chance(0.5)) c.kind = ModelCondition::Kind::kAtMost;
    return c;
  }

  void Add(size_t index, size_t count, Pattern* p) {
    ModelElement e;
    e.condition = Condition(index, *p);
    e.within = p->keep;
    const bool may_negate = index > 0 && !p->spec.elements.back().negated;
    if (may_negate && random_.Chance(0.35)) {
      e.negated = true;
      e.within = 0;
      if (index + 1 == count || random_.Chance(0.5)) e.hold = 1 + Below(20);
    } else {
      if (random_.Chance(0.4)) e.within = 1 + Below(25);
      e.least = random_.Chance(0.4) ? 1 + Below(3) : 1;
      e.most = random_.Chance(0.5) ? e.least + Below(3) : 0;
      e.optional = index > 0 && random_.Chance(0.25);
      e.next = random_.Chance(0.25);
      e.reluctant = random_.Chance(0.3);
    }
    p->spec.elements.push_back(e);
  }

  Random& random_;
};

std::string Ms(int64_t ms) { return std::to_string(ms) + "ms"; }

std::string Text(const ModelCondition& c) {
  switch (c.kind) {
    case ModelCondition::Kind::kAny: return "any";
    case ModelCondition::Kind::kEqual: return "x = " + std::to_string(c.constant);
    case ModelCondition::Kind::kAtMost: return "x <= " + std::to_string(c.constant);
    case ModelCondition::Kind::kNot: return "x != " + std::to_string(c.constant);
    case ModelCondition::Kind::kAboveLast: return "x > " + Name(c.element) + ".x";
  }
  return "";
}

std::string Text(const ModelElement& e, size_t index, int64_t keep) {
  if (e.negated) {
    return "          - { not: \"" + Text(e.condition) + "\"" +
           (e.hold > 0 ? ", for: " + Ms(e.hold) : "") + " }\n";
  }
  std::string text = "          - { name: " + Name(index);
  if (e.condition.kind != ModelCondition::Kind::kAny) text += ", where: \"" + Text(e.condition) + "\"";
  text += ", times: " + std::to_string(e.least) + ".." + (e.most > 0 ? std::to_string(e.most) : "");
  if (e.within != keep) text += ", within: " + Ms(e.within);
  if (e.optional) text += ", optional: true";
  if (e.next) text += ", next: true";
  if (e.reluctant) text += ", reluctant: true";
  return text + " }\n";
}

std::string Yaml(const Pattern& p) {
  std::string yaml = "pipeline: test\nsource:\n  mqtt: in\n  time: { field: t, unit: ms, delay: " +
                     Ms(p.delay) + " }\nsteps:\n  - key: k\n    keep: " + Ms(p.keep) +
                     "\n  - pattern:\n      sequence:\n";
  for (size_t i = 0; i < p.spec.elements.size(); ++i) yaml += Text(p.spec.elements[i], i, p.keep);
  if (p.spec.within < 1000) yaml += "      within: " + Ms(p.spec.within) + "\n";
  yaml += std::string("      skip: ") + (p.spec.to_next ? "to_next" : "past_last") + "\n";
  if (p.spec.timeouts) yaml += "      timeouts: true\n";
  yaml += "    select:\n";
  for (size_t i = 0; i < p.spec.elements.size(); ++i) {
    if (p.spec.elements[i].negated) continue;
    const std::string name = Name(i);
    yaml += "      n" + name + ": count(" + name + ")\n      i" + name + ": collect(" + name +
            ".id)\n      l" + name + ": " + name + ".x\n";
  }
  return yaml + "sinks: [{ stdout: true }]\n";
}

struct Stream {
  std::vector<StreamLine> lines;
  Outputs expected;
};

class StreamMaker {
 public:
  StreamMaker(const Pattern& pattern, uint64_t seed) : pattern_(pattern), random_(seed) {}

  Stream Make(size_t count) {
    const uint64_t keys = 1 + random_.Below(3);
    const int64_t step = 1 + Below(8);
    for (size_t i = 0; i < count; ++i) {
      time_ += random_.Chance(0.7) ? Below(step) : 0;
      if (random_.Chance(0.03)) time_ += Below(60);
      const int64_t back = random_.Chance(0.3) ? Below(pattern_.delay + 3) : 0;
      AddRecord(std::string(1, static_cast<char>('a' + random_.Below(keys))), time_ - back,
                static_cast<int64_t>(i));
    }
    Expect();
    return std::move(stream_);
  }

 private:
  int64_t Below(int64_t n) { return static_cast<int64_t>(random_.Below(static_cast<uint64_t>(n))); }

  void AddRecord(const std::string& key, int64_t time, int64_t id) {
    PatternModelRecord record{time, std::nullopt, id};
    if (random_.Chance(0.93)) record.x = Below(4);
    std::string text = "{\"k\":\"" + key + "\",\"t\":" + std::to_string(time) +
                       ",\"id\":" + std::to_string(id);
    if (record.x) text += ",\"x\":" + std::to_string(*record.x);
    text += "}";
    stream_.lines.push_back({text});
    if (any_ && time < newest_ - pattern_.delay) {
      stream_.expected.late.push_back("{\"reason\":\"late\",\"record\":" + text + "}");
    } else {
      records_[key].push_back(record);
    }
    newest_ = any_ ? std::max(newest_, time) : time;
    any_ = true;
  }

  std::string Line(const std::string& key, const std::vector<PatternModelRecord>& records,
                   const PatternModelMatch& m) const {
    std::string line = "{\"k\":\"" + key + "\",\"window_start\":" + std::to_string(m.start) +
                       ",\"window_end\":" + std::to_string(m.end);
    if (pattern_.spec.timeouts) line += std::string(",\"timed_out\":") + (m.timed_out ? "true" : "false");
    for (size_t i = 0; i < m.taken.size(); ++i) {
      if (pattern_.spec.elements[i].negated) continue;
      std::string ids, last = "null";
      for (const size_t r : m.taken[i]) {
        ids += (ids.empty() ? "" : ",") + std::to_string(records[r].id);
        if (records[r].x) last = std::to_string(*records[r].x);
      }
      const std::string name = Name(i);
      line += ",\"n" + name + "\":" + std::to_string(m.taken[i].size()) + ",\"i" + name + "\":[" + ids +
              "],\"l" + name + "\":" + last;
    }
    return line + "}";
  }

  void Expect() {
    std::vector<std::tuple<int64_t, std::string, std::string>> found;
    for (auto& [key, records] : records_) {
      std::stable_sort(records.begin(), records.end(),
                       [](const auto& a, const auto& b) { return a.time < b.time; });
      for (const PatternModelMatch& m : FindMatches(pattern_.spec, records)) {
        found.emplace_back(m.at, key, Line(key, records, m));
      }
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
      return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
    });
    for (auto& [at, key, line] : found) stream_.expected.results.push_back(std::move(line));
  }

  const Pattern& pattern_;
  Random random_;
  Stream stream_;
  std::map<std::string, std::vector<PatternModelRecord>> records_;
  int64_t time_ = 1000, newest_ = 0;
  bool any_ = false;
};

}  // namespace

TEST_CASE("patterns find what the model finds, however they are driven") {
  const uint64_t first = FirstSeed();
  size_t results = 0, late = 0;
  for (uint64_t seed = first; seed < first + SeedCount(150); ++seed) {
    Random random(seed * 31 + 7);
    const Pattern pattern = PatternMaker(&random).Make();
    const std::string yaml = Yaml(pattern);
    const Stream stream = StreamMaker(pattern, seed * 7919).Make(10 + random.Below(40));
    CAPTURE("seed " + std::to_string(seed) + "\n" + yaml);
    const Outputs one = Drive(yaml, stream.lines, {});
    const std::string difference = Difference(stream.expected, one);
    REQUIRE_MESSAGE(difference.empty(), difference);
    results += one.results.size();
    late += one.late.size();
    if (seed % 3 != 0) continue;
    for (const auto& [how, options] : Variants(seed)) {
      CAPTURE(how);
      const std::string other = Difference(one, Drive(yaml, stream.lines, options));
      REQUIRE_MESSAGE(other.empty(), other);
    }
  }
  if (SeedCount(150) < 150) return;
  CHECK(results > 4 * 150);
  CHECK(late > 150);
}

}  // namespace rivulet
