#include "tests/cases/pattern_model.h"

#include <algorithm>
#include <limits>

namespace rivulet {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

enum class Fate { kDead, kTimedOut, kOpen, kSure, kMatch };

// Where a search stands.
struct Place {
  std::vector<std::vector<size_t>> taken;
  size_t at = 0;
  bool passed = false;      // `at` is a negation whose time is over
  int64_t start = 0, base = 0;
  size_t last = 0;
  size_t blocked = std::numeric_limits<size_t>::max();
  bool skipped = false;
};

struct Outcome {
  Fate fate = Fate::kDead;
  Place place;
  int64_t died = 0;         // when
  bool by_time = false;     // and whether time alone did it, which comes behind the records of that time
};

class Search {
 public:
  Search(const PatternModelSpec& spec, const std::vector<PatternModelRecord>& records, size_t known,
         int64_t now)
      : spec_(spec), records_(records), known_(known), now_(now) {}

  Outcome From(size_t first) {
    Place place;
    place.taken.resize(spec_.elements.size());
    place.start = place.base = records_[first].time;
    Take(first, 0, &place);
    return Go(place, first + 1);
  }

  bool Meets(size_t element, size_t record, const Place& place) const {
    const ModelCondition& c = spec_.elements[element].condition;
    const std::optional<int64_t> x = records_[record].x;
    switch (c.kind) {
      case ModelCondition::Kind::kAny: return true;
      case ModelCondition::Kind::kEqual: return x && *x == c.constant;
      case ModelCondition::Kind::kAtMost: return x && *x <= c.constant;
      case ModelCondition::Kind::kNot: return x && *x != c.constant;
      case ModelCondition::Kind::kAboveLast: break;
    }
    // last() skips nulls.
    const auto& of = place.taken[c.element];
    for (size_t i = of.size(); i-- > 0;) {
      if (records_[of[i]].x) return x && *x > *records_[of[i]].x;
    }
    return false;
  }

 private:
  const ModelElement& Element(size_t i) const { return spec_.elements[i]; }

  void Take(size_t record, size_t element, Place* place) const {
    place->taken[element].push_back(record);
    place->at = element;
    place->passed = false;
    place->base = records_[record].time;
    place->last = record;
    place->blocked = std::numeric_limits<size_t>::max();
    place->skipped = false;
  }

  bool Enough(const Place& p) const {
    return p.passed || static_cast<int64_t>(p.taken[p.at].size()) >= Element(p.at).least;
  }

  bool CanEnd(const Place& p) const {
    if (!Enough(p)) return false;
    for (size_t i = p.at + 1; i < spec_.elements.size(); ++i) {
      if (Element(i).negated ? Element(i).hold > 0 : !Element(i).optional) return false;
    }
    return true;
  }

  // What may come next, preferred first, from element `i` on.
  void Onward(const Place& p, size_t i, std::vector<size_t>* out, int64_t* pass, size_t* negation) const {
    if (i == spec_.elements.size()) return;
    const ModelElement& e = Element(i);
    if (e.negated) {
      if (i >= p.blocked) return;
      if (e.hold > 0) {
        *pass = p.base + e.hold;
        *negation = i;
        return;
      }
      return Onward(p, i + 1, out, pass, negation);
    }
    if (!e.optional) {
      out->push_back(i);
      return;
    }
    if (!e.reluctant) out->push_back(i);
    Onward(p, i + 1, out, pass, negation);
    if (e.reluctant && !CanEnd(p)) out->push_back(i);
  }

  std::vector<size_t> Ways(const Place& p, int64_t* pass, size_t* negation) const {
    std::vector<size_t> ways;
    *pass = kNever;
    const ModelElement& e = Element(p.at);
    const bool again =
        !p.passed && (e.most == 0 || static_cast<int64_t>(p.taken[p.at].size()) < e.most);
    if (again && !e.reluctant) ways.push_back(p.at);
    if (Enough(p)) Onward(p, p.at + 1, &ways, pass, negation);
    if (again && e.reluctant && !CanEnd(p)) ways.push_back(p.at);
    return ways;
  }

  Outcome Ended(Fate fate, const Place& p, int64_t when, bool by_time) const {
    return {fate, p, when, by_time};
  }

  Outcome Go(const Place& p, size_t i) const {
    int64_t pass = kNever;
    size_t negation = 0;
    const std::vector<size_t> ways = Ways(p, &pass, &negation);
    int64_t due = kNever;
    bool hope = pass != kNever;
    int64_t latest = p.base;
    for (const size_t w : ways) {
      if (Element(w).next && p.skipped) continue;
      hope = true;
      latest = std::max(latest, p.base + Element(w).within);
    }
    const int64_t last_time = i > 0 ? records_[i - 1].time : p.base;
    if (!hope) return Ended(CanEnd(p) ? Fate::kMatch : Fate::kDead, p, last_time, false);
    due = std::min(p.start + spec_.within, pass != kNever ? pass : latest);
    if (i < known_ && records_[i].time <= due) return Next(p, i, ways);
    if (due > now_) return {CanEnd(p) ? Fate::kSure : Fate::kOpen, p, 0, false};
    if (pass == due) {
      Place on = p;
      on.at = negation;
      on.passed = true;
      on.base = due;
      on.blocked = std::numeric_limits<size_t>::max();
      on.skipped = false;
      return Go(on, i);
    }
    return Ended(CanEnd(p) ? Fate::kMatch : Fate::kTimedOut, p, due, true);
  }

  Outcome Next(const Place& p, size_t i, const std::vector<size_t>& ways) const {
    std::optional<Outcome> dead;
    for (const size_t w : ways) {
      if (Element(w).next && p.skipped) continue;
      if (records_[i].time - p.base > Element(w).within || !Meets(w, i, p)) continue;
      Place on = p;
      Take(i, w, &on);
      const Outcome outcome = Go(on, i + 1);
      if (outcome.fate >= Fate::kOpen) return outcome;
      // The one that lasted longest speaks for all.
      if (!dead || std::pair(outcome.died, outcome.by_time) > std::pair(dead->died, dead->by_time)) {
        dead = outcome;
      }
    }
    if (dead) return CanEnd(p) ? Ended(Fate::kMatch, p, records_[i].time, false) : *dead;
    Place on = p;
    on.skipped = true;
    for (size_t j = p.at + 1; Enough(p) && j < std::min(p.blocked, spec_.elements.size()); ++j) {
      const ModelElement& e = Element(j);
      if (e.negated && Meets(j, i, p)) on.blocked = j;
      if (e.negated ? e.hold > 0 : !e.optional) break;
    }
    int64_t pass = kNever;
    size_t negation = 0;
    bool hope = false;
    for (const size_t w : Ways(on, &pass, &negation)) hope = hope || !Element(w).next;
    if (!hope && pass == kNever) {
      return Ended(CanEnd(p) ? Fate::kMatch : Fate::kDead, p, records_[i].time, false);
    }
    return Go(on, i + 1);
  }

  const PatternModelSpec& spec_;
  const std::vector<PatternModelRecord>& records_;
  size_t known_;
  int64_t now_;
};

// Follows all attempts of a key through time.
class Follow {
 public:
  Follow(const PatternModelSpec& spec, const std::vector<PatternModelRecord>& records)
      : spec_(spec), records_(records) {}

  std::vector<PatternModelMatch> Run() {
    if (records_.empty()) return {};
    int64_t end = records_.back().time + 1;
    for (const ModelElement& e : spec_.elements) end += e.within + e.hold;
    size_t next = 0;
    for (int64_t t = records_.front().time; t <= end; ++t) {
      for (; next < records_.size() && records_[next].time == t; ++next) {
        Event(next + 1, t - 1, t);
        MayBegin(next, t);
      }
      Event(next, t, t);
    }
    return std::move(matches_);
  }

 private:
  struct Attempt {
    size_t first;
    bool sure = false;
  };

  void Event(size_t known, int64_t now, int64_t at) {
    claimed_ = 0;
    std::vector<Attempt> before = std::move(attempts_);
    attempts_.clear();
    for (Attempt& a : before) {
      if (a.first >= claimed_) Look(a, known, now, at);
    }
  }

  void MayBegin(size_t record, int64_t at) {
    Place empty;
    empty.taken.resize(spec_.elements.size());
    if (record < claimed_ || !Search(spec_, records_, 0, 0).Meets(0, record, empty)) return;
    Look({record}, record + 1, at - 1, at);
  }

  void Look(Attempt a, size_t known, int64_t now, int64_t at) {
    const Outcome outcome = Search(spec_, records_, known, now).From(a.first);
    if (outcome.fate == Fate::kDead) return;
    if (outcome.fate == Fate::kTimedOut) {
      if (spec_.timeouts) Put(outcome.place, at, outcome.died, true);
      return;
    }
    a.sure = outcome.fate >= Fate::kSure;
    if (a.sure && !spec_.to_next) {
      claimed_ = std::max(claimed_, outcome.place.last + 1);
      std::erase_if(attempts_, [](const Attempt& other) { return !other.sure; });
    }
    // One that may still grow has the first say.
    const bool waits = !spec_.to_next && !attempts_.empty();
    if (outcome.fate == Fate::kMatch && !waits) {
      Put(outcome.place, at, outcome.place.base, false);
    } else {
      attempts_.push_back(a);
    }
  }

  void Put(const Place& place, int64_t at, int64_t end, bool timed_out) {
    matches_.push_back({at, place.start, end, timed_out, place.taken});
  }

  const PatternModelSpec& spec_;
  const std::vector<PatternModelRecord>& records_;
  std::vector<Attempt> attempts_;
  size_t claimed_ = 0;
  std::vector<PatternModelMatch> matches_;
};

}  // namespace

std::vector<PatternModelMatch> FindMatches(const PatternModelSpec& spec,
                                           const std::vector<PatternModelRecord>& records) {
  return Follow(spec, records).Run();
}

}  // namespace rivulet
