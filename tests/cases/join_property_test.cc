// Random streams of two sources through interval joins. The model keeps every record for ever and applies the
// rules to one after the other; no cut into turns, workers, commits, evictions or crashes may show.

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "tests/cases/drive_variants.h"
#include "tests/cases/pipeline_harness.h"

namespace rivulet {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

struct Shape {
  int64_t lower = 0, upper = 0, delays[2] = {0, 0};  // us
  int type = 0;                                      // inner, left, full
};

struct Reading {
  bool right = false;
  std::string key, text;
  int64_t time = 0, value = 0;
  bool matched = false, gone = false;
};

class Model {
 public:
  explicit Model(const Shape& shape) : shape_(shape) {}

  void Add(Reading r, const std::string& line) {
    const int64_t w = std::min(channels_[0], channels_[1]);
    Release(w);
    int64_t& own = channels_[r.right ? 1 : 0];
    own = std::max(own, r.time - shape_.delays[r.right ? 1 : 0]);
    if (r.time < w) {
      late.push_back("{\"reason\":\"late\",\"record\":" + line + "}");
      return;
    }
    std::vector<Reading*> partners;
    for (Reading& other : all_) {
      if (other.right == r.right || other.key != r.key || other.gone) continue;
      const int64_t apart = r.right ? r.time - other.time : other.time - r.time;
      if (apart >= shape_.lower && apart <= shape_.upper) partners.push_back(&other);
    }
    std::stable_sort(partners.begin(), partners.end(),
                     [](const Reading* a, const Reading* b) { return a->time < b->time; });
    for (Reading* other : partners) {
      other->matched = r.matched = true;
      Put(r.right ? *other : r, r.right ? r : *other);
    }
    if (Due(r) <= w) {  // none can come any more
      r.gone = true;
      if (!r.matched && Outer(r)) PutAlone(r);
    }
    all_.push_back(std::move(r));
  }
  void Finish() { Release(kMax); }

  std::vector<std::string> results, late;

 private:
  int64_t Due(const Reading& r) const { return r.time + (r.right ? -shape_.lower : shape_.upper) + 1; }
  bool Outer(const Reading& r) const { return shape_.type == 2 || (shape_.type == 1 && !r.right); }

  void Release(int64_t w) {
    std::vector<Reading*> due;
    for (Reading& r : all_) {
      if (!r.gone && Due(r) <= w) due.push_back(&r);
    }
    std::stable_sort(due.begin(), due.end(), [this](const Reading* a, const Reading* b) {
      return std::tuple(Due(*a), std::string_view(a->key), a->time, a->right) <
             std::tuple(Due(*b), std::string_view(b->key), b->time, b->right);
    });
    for (Reading* r : due) {
      r->gone = true;
      if (!r->matched && Outer(*r)) PutAlone(*r);
    }
  }
  static int64_t Millis(int64_t us) { return us >= 0 ? us / 1000 : -((999 - us) / 1000); }
  static std::string Side(const char* name, const Reading* r) {
    const std::string side = std::string(",\"") + name;
    if (r == nullptr) return side + ".v\":null" + side + ".s\":null";
    return side + ".v\":" + std::to_string(r->value) + side + ".s\":\"" + r->text + "\"";
  }
  void Line(const std::string& key, int64_t start, int64_t end, const Reading* left,
            const Reading* right) {
    results.push_back("{\"k\":\"" + key + "\",\"window_start\":" + std::to_string(Millis(start)) +
                      ",\"window_end\":" + std::to_string(Millis(end)) + Side("a", left) +
                      Side("b", right) + "}");
  }
  void Put(const Reading& left, const Reading& right) {
    Line(left.key, std::min(left.time, right.time), std::max(left.time, right.time), &left, &right);
  }
  void PutAlone(const Reading& r) {
    Line(r.key, r.time, r.time, r.right ? nullptr : &r, r.right ? &r : nullptr);
  }

  Shape shape_;
  std::vector<Reading> all_;
  int64_t channels_[2] = {kMin, kMin};
};

std::string Us(int64_t us) { return std::to_string(us) + "us"; }

std::string Yaml(const Shape& shape) {
  const char* const types[] = {"inner", "left", "full"};
  std::string yaml = "pipeline: test\nsource:\n";
  for (int i = 0; i < 2; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    yaml += "  - name: " + name + "\n    mqtt: " + name + "\n    time: { field: t, unit: us, delay: " +
            Us(shape.delays[i]) + " }\n";
  }
  return yaml + "steps:\n  - join: { left: a, right: b, on: k, within: [" + Us(shape.lower) + ", " +
         Us(shape.upper) + "], type: " + types[shape.type] +
         " }\n  - select: [a.v, a.s, b.v, b.s]\nsinks: [{ stdout: true }]\n";
}

struct Stream {
  Shape shape;
  std::vector<StreamLine> lines;
  Outputs expected;
};

Stream RandomStream(uint64_t seed) {
  Random random(seed);
  const auto below = [&random](int64_t n) {
    return static_cast<int64_t>(random.Below(static_cast<uint64_t>(n)));
  };
  Stream stream;
  Shape& shape = stream.shape;
  const int64_t scale = random.Chance(0.5) ? 1 : 1000;
  shape.type = static_cast<int>(below(3));
  shape.lower = (below(60) - 30) * scale;
  shape.upper = shape.lower + below(40) * scale;
  for (int64_t& delay : shape.delays) delay = below(30) * scale;
  const int64_t keys = 1 + below(4), disorder = 1 + below(40) * scale;
  // Slow streams have many records at a time, fast ones jump over what they have.
  const int64_t pace = 1 + below(random.Chance(0.3) ? 60 : 4) * scale;
  Model model(shape);
  int64_t now = below(1000) - 500;
  const int64_t count = 20 + below(300);
  for (int64_t i = 0; i < count; ++i) {
    now += below(pace);
    Reading r;
    r.right = random.Chance(0.5);
    r.key = std::string(1, static_cast<char>('p' + below(keys)));
    r.time = now - below(disorder);
    r.value = i;
    if (random.Chance(0.1)) r.text.assign(static_cast<size_t>(below(1500)), 'x');
    const std::string line = std::string("{\"@source\":\"") + (r.right ? "b" : "a") + "\",\"k\":\"" + r.key +
                             "\",\"t\":" + std::to_string(r.time) + ",\"v\":" + std::to_string(i) +
                             ",\"s\":\"" + r.text + "\"}";
    StreamLine out{line, false, 0};
    out.source = r.right ? 1 : 0;
    stream.lines.push_back(out);
    model.Add(std::move(r), line);
  }
  model.Finish();
  stream.expected = {model.results, model.late, {}};
  return stream;
}

}  // namespace

TEST_CASE("joins of random streams equal the model, however they are cut") {
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + SeedCount(60); ++seed) {
    const Stream stream = RandomStream(seed);
    const std::string yaml = Yaml(stream.shape);
    CAPTURE(seed);
    CAPTURE(yaml);
    std::string difference = Difference(stream.expected, Drive(yaml, stream.lines, {}));
    REQUIRE_MESSAGE(difference.empty(), difference);
    for (const auto& [how, options] : Variants(seed)) {
      difference = Difference(stream.expected, Drive(yaml, stream.lines, options));
      REQUIRE_MESSAGE(difference.empty(), how, ": ", difference);
    }
  }
}

}  // namespace rivulet
