// PipelineSet: the pipelines that run on a node, and who of them reads whose results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/engine/pipeline.h"
#include "node/engine/results_log.h"

namespace rivulet {

struct RunningPipeline {
  std::unique_ptr<Pipeline> pipeline;
  std::string text;   // it was read from: decides whether a reload changes anything
  std::unique_ptr<ResultsLog> results;
  // Somebody outside the set has read its results up to there.
  uint64_t read_outside = OutputChannel::kNobody;
};

// One thread (the engine's). Each pipeline stands behind the one it reads.
class PipelineSet {
 public:
  using Members = std::vector<RunningPipeline>;

  Members::iterator begin() { return members_.begin(); }
  Members::iterator end() { return members_.end(); }
  Members::const_iterator begin() const { return members_.begin(); }
  Members::const_iterator end() const { return members_.end(); }
  size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }
  RunningPipeline& back() { return members_.back(); }

  void Add(RunningPipeline running);
  void RemoveLast() { members_.pop_back(); }
  Members TakeAll() { return std::exchange(members_, {}); }
  // Null when none has the name.
  Pipeline* Find(const std::string& name) const;
  // Its results, for those that read them. Null likewise.
  ResultsLog* ResultsOf(const std::string& name) const;

  // Whether it, or what reads its results, has something to do once its W is `watermark`.
  bool DueBy(const Pipeline& pipeline, int64_t watermark) const;
  // Likewise what reads its results, once those up to `released` can be read. Of readers of other sets that
  // is not known: they may have.
  bool ReadersDue(const Pipeline& pipeline, int64_t released) const;
  // Whether a tick at `received` in the journal would bring something about. With `tell`, also whether
  // anything waits for time to go on.
  bool TickIsDue(EventTime received, bool tell) const;
  // Whether its W can go on when no record comes: by itself, or with that of what it reads.
  bool FollowsTime(const Pipeline& pipeline) const;

  // Readers of other sets are to have them from there.
  void ReadOutside(const std::string& name, uint64_t from);
  // Tells each from where on its results are still to be read: from where its readers have committed, or else
  // have read. To be called when all readers are members.
  void KeepForReaders(bool committed);

 private:
  bool AnyWaits(const Pipeline& pipeline) const;
  // Calls `visit` with each that reads the pipeline's results, until it returns true; whether one did.
  template <typename Visit>
  bool AnyReader(const Pipeline& pipeline, Visit visit) const;

  ResultsLog::Buffer results_;
  Members members_;
};

}  // namespace rivulet
