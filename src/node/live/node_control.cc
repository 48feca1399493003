// What is done to a node from outside: reloading its pipelines, stopping it, describing it.
#include <algorithm>

#include "node/live/node.h"
#include "node/tables/check_tables.h"

namespace rivulet {
namespace {

// Ready is who can take in what is sent to it.
std::string TroubleOf(const NodeStatus& s, bool wants_nothing) {
  if (!s.error.empty()) return s.error;
  // A node that waits for room on its disk goes on by itself, and the broker holds what comes.
  if (s.lane.connected || s.paused || wants_nothing) return "";
  return "no broker: " + std::string(LinkStateName(s.lane.state)) +
         (s.lane.reason.empty() ? "" : ", " + s.lane.reason);
}

}  // namespace

Status Node::Reload(std::vector<PipelineSource> sources, Now now, ConfigErrors* errors) {
  RIVULET_RETURN_IF_ERROR(CommitNow(now));
  // What the old text's windows closed with must not be lost to a new text that has other windows.
  for (RunningPipeline& r : pipelines_) {
    while (r.pipeline->closing()) {
      RIVULET_RETURN_IF_ERROR(r.pipeline->Continue(parts_.runner));
      RIVULET_RETURN_IF_ERROR(CommitNow(now));
    }
  }
  // Commits made below see some of the pipelines only.
  const Offset consumed = LeastCommitted();
  std::vector<std::unique_ptr<PipelinePlan>> plans;
  PlanAll(&sources, errors, &plans);
  const std::vector<size_t> order = SettleChains(&sources, errors, &plans);
  groups_.clear();
  assembled_ = false;
  PipelineSet::Members before = pipelines_.TakeAll();
  for (const size_t i : order) {
    const std::string& name = sources[i].spec.name.text;
    // A file that cannot be read says no name: it keeps what came from it before.
    const auto old = std::find_if(before.begin(), before.end(), [&](const RunningPipeline& r) {
      if (r.pipeline == nullptr) return false;
      return sources[i].readable ? r.pipeline->name() == name
                                 : r.pipeline->plan().spec.file == sources[i].spec.file;
    });
    const bool unchanged = old != before.end() && old->text == sources[i].text;
    if (unchanged || plans[i] == nullptr || !CheckTableFiles(*plans[i], errors)) {
      if (old != before.end()) {
        old->pipeline->tables().Refresh(true, now.wall.us, parts_.log);
        pipelines_.Add(std::move(*old));
      }
      continue;
    }
    // The old one must let go of its files and cursors before the new one opens them.
    std::unique_ptr<PipelinePlan> fallback;
    std::string fallback_text;
    if (old != before.end()) {
      ConfigErrors ignored;
      fallback = PlanPipeline(old->pipeline->plan().spec, {}, &ignored);
      fallback_text = old->text;
      old->pipeline.reset();
    }
    const Status status = StartPipeline(std::move(plans[i]), sources[i].text);
    if (status.ok()) {
      parts_.log('i', LogMessage("pipeline '" + name + "' " + (fallback ? "changed" : "started")).Of(name));
      continue;
    }
    errors->push_back({sources[i].spec.file, 0, 0, status.code(), status.message()});
    if (fallback != nullptr) {
      RIVULET_RETURN_IF_ERROR(StartPipeline(std::move(fallback), fallback_text));
    }
  }
  for (const RunningPipeline& r : before) {
    if (r.pipeline == nullptr) continue;
    const std::string& name = r.pipeline->name();
    parts_.log('i', LogMessage("pipeline '" + name + "' stopped").Of(name));
  }
  RIVULET_RETURN_IF_ERROR(BuildGroups());
  assembled_ = true;
  KeepForReaders();
  Subscribe();
  parts_.lane_link->Retry();
  parts_.sink_link->Retry();
  const Status status = CommitNow(now);
  consumed_ = std::min(consumed_, consumed);
  consumed_before_ = std::min(consumed_before_, consumed);
  return status;
}

Status Node::Stop(Monotonic deadline) {
  stopping_ = true;
  ready_ = false;
  if (!lane_.is_open()) return status_;
  parts_.lane_link->Stop(Duration::Millis(200));
  // With each commit there can be results that others read.
  for (bool more = true; more;) {
    while (status_.ok() && parts_.clock().monotonic < deadline && ReadTurns()) {
    }
    RIVULET_RETURN_IF_ERROR(CommitNow(parts_.clock()));
    more = status_.ok() && parts_.clock().monotonic < deadline && ReadTurns();
  }
  const auto drained = [this] {
    return std::all_of(pipelines_.begin(), pipelines_.end(),
                       [](const RunningPipeline& r) { return r.pipeline->Drained(); });
  };
  while (status_.ok() && !drained() && parts_.clock().monotonic < deadline) {
    const bool moved = PumpSinks();
    if (!moved && !parts_.sink_link->Stats().connected) break;  // delivered after the next start
    if (!moved && parts_.wait) parts_.wait(Duration::Millis(2));
  }
  RIVULET_RETURN_IF_ERROR(CommitNow(parts_.clock()));
  parts_.sink_link->Stop(Duration::Millis(200));
  return status_.ok() ? lane_.journal().Sync() : status_;
}

NodeStatus Node::Describe(Now now) const {
  NodeStatus s;
  s.name = spec_.name;
  s.version = RIVULET_VERSION;
  s.uptime_us = (now.monotonic - started_).us;
  s.wall_us = now.wall.us;
  s.started = ready_;
  s.paused = paused_;
  if (!status_.ok()) s.error = status_.ToString();
  s.lane = parts_.lane_link->Stats();
  s.sink = parts_.sink_link->Stats();
  s.trouble = TroubleOf(s, lane_.session().wants_nothing());
  s.ready = s.started && s.trouble.empty();
  s.refused = lane_.refused();
  if (lane_.is_open()) {
    s.journal = lane_.journal().Stats();
    s.clock = lane_.DescribeClock();
  }
  s.store = parts_.store->Stats();
  s.counters = counters_;
  s.counters.note_bytes = notes_.bytes_written();
  for (const RunningPipeline& r : pipelines_) {
    PipelineStatus p;
    p.name = r.pipeline->name();
    p.counters = r.pipeline->counters();
    p.watermark_us = r.pipeline->watermark();
    if (r.pipeline->plan().source.several()) p.inputs = r.pipeline->inputs();
    p.waits = r.pipeline->Waits();
    p.follows_time = pipelines_.FollowsTime(*r.pipeline);
    p.reads = r.pipeline->upstream();
    p.offset = r.pipeline->offset();
    p.lag = LagOf(*r.pipeline);
    p.state_panes = r.pipeline->StatePanes();
    p.state_bytes = r.pipeline->StateBytes();
    p.outputs_waiting = r.pipeline->OutputsWaiting();
    p.sinks = r.pipeline->Sinks();
    p.tables = r.pipeline->tables().Stats();
    s.pipelines.push_back(std::move(p));
  }
  return s;
}

}  // namespace rivulet
