// PatternMatcher: takes one key's records, in order of event time, through a pattern.
//
// A record that meets the first element's condition begins an attempt. An attempt finds at most one match:
// the one that a backtracking search would find first that, at each record and in order of preference, lets
// a greedy element take it, or goes on to the next element (an optional one before what is behind it), and
// passes a record over only when nothing can take it. The alternatives that are still open are runs (R.
// Pike's way to match regular expressions); a match is put out as soon as no preferred run can come to one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/record_batch.h"
#include "base/status.h"
#include "operators/pattern/pattern_table.h"

namespace rivulet {

// A record whose turn has come.
struct PatternRecord {
  int64_t time;
  uint64_t met;                 // see WaitingRecord
  std::string_view values;
};

class PatternSink {
 public:
  virtual ~PatternSink() = default;
  // `run` took all it needs, or its time ran out at `end_us`.
  virtual void OnMatch(const PatternRun& run, int64_t end_us, bool timed_out) = 0;
  // Something was wrong with the record of this time.
  virtual void OnFault(int64_t time_us, ErrorCode code, std::string detail) = 0;
};

// One thread.
class PatternMatcher {
 public:
  PatternMatcher(const PatternPlan* plan, PatternTable* table);

  // The next record of the key; all of an earlier time, and all dues before this one, have been taken.
  void Take(PatternState* state, const PatternRecord& record, PatternSink* sink);
  // All records up to `time`, which is the earliest due, have been taken.
  void Pass(PatternState* state, int64_t time, PatternSink* sink);
  // kNoTimer: nothing is due.
  static int64_t Due(const PatternState& state);

 private:
  // Where a run can go.
  struct Ways {
    std::array<uint32_t, kMaxPatternElements + 1> elements;  // that may take a record, preferred first
    uint32_t count = 0;
    bool accept = false;        // it could end here
    int64_t pass_us = kNoTimer;  // when the `for` of the negation `pass` is over
    uint32_t pass = 0;
  };
  Ways WaysOf(const PatternRun& run) const;
  bool CanGoOn(const PatternRun& run, const Ways& ways) const;
  int64_t DueOf(const PatternRun& run, const Ways& ways) const;

  // Whether the record meets the condition, and can be taken.
  bool Meets(uint32_t element, const PatternRun& run);
  bool Takes(uint32_t element, const PatternRun& run);
  bool MeetsLinked(const LinkedCondition& linked, size_t of, const PatternRun& run);
  void LoadRecord();
  void TakeAs(uint32_t element, PatternRun* run);

  void Begin(PatternState* state, PatternSink* sink);
  // Calls `step` for each run of each attempt until it says that those behind cannot matter any more.
  template <typename StepRun>
  void ForAttempts(int64_t time, StepRun step);
  // These put the run, or what becomes of it, into the attempt at hand; false when runs behind it
  // cannot matter any more, as this one is sure to come to a match.
  bool Push(PatternRun run);
  bool Step(PatternRun run);
  bool StepTaken(PatternRun run, const Ways& ways);
  bool StepOver(PatternRun run, const Ways& ways);
  bool Expire(PatternRun run, int64_t time);
  void Start();
  // Puts out the match of the attempt at hand, or keeps it. `time`: of what happens, us.
  void EndAttempt(int64_t time);
  // The attempt at hand is sure to come to a match: others that began up to its last record give way.
  void Claim(const PatternRun& sure);
  void Free(PatternRun* run);
  // False, and a fault, when the key can have no more runs.
  bool Room();
  void Fault(ErrorCode code, std::string detail);

  const PatternPlan* plan_;
  PatternTable* table_;
  PatternState* state_ = nullptr;
  PatternSink* sink_ = nullptr;
  // The record at hand.
  PatternRecord record_{};
  uint64_t number_ = 0;
  std::vector<Column> values_;      // one row each
  bool loaded_ = false;
  bool faulty_ = false;             // the record has had a fault
  // Attempts that have been gone through, the one at hand, and a run of it that ran out of time.
  std::vector<PatternRun> done_, attempt_;
  PatternRun timed_out_;
  size_t alive_ = 0;                // runs of the key
  uint64_t claimed_ = 0;            // no attempt that began with a record below this number goes on
  bool sure_before_ = false;        // an attempt that began before the one at hand is sure
  std::vector<uint32_t> takers_;
  RecordBatch linked_batch_;
  Column condition_;
  expr::EvalContext context_;
  std::vector<RowError> errors_;
};

}  // namespace rivulet
