#include "node/engine/pipeline_set.h"

#include <algorithm>

namespace rivulet {

Pipeline* PipelineSet::Find(const std::string& name) const {
  for (const RunningPipeline& r : members_) {
    if (r.pipeline != nullptr && r.pipeline->name() == name) return r.pipeline.get();
  }
  return nullptr;
}

ResultsLog* PipelineSet::ResultsOf(const std::string& name) const {
  for (const RunningPipeline& r : members_) {
    if (r.pipeline != nullptr && r.pipeline->name() == name) return r.results.get();
  }
  return nullptr;
}

void PipelineSet::Add(RunningPipeline running) {
  if (running.results == nullptr) {
    running.results = std::make_unique<ResultsLog>(running.pipeline.get(), &results_);
  }
  members_.push_back(std::move(running));
}

template <typename Visit>
bool PipelineSet::AnyReader(const Pipeline& pipeline, Visit visit) const {
  return std::any_of(members_.begin(), members_.end(), [&](const RunningPipeline& r) {
    return r.pipeline->upstream() == pipeline.name() && visit(*r.pipeline);
  });
}

bool PipelineSet::DueBy(const Pipeline& pipeline, int64_t watermark) const {
  return pipeline.DueBy(watermark) || ReadersDue(pipeline, pipeline.Held(watermark));
}

bool PipelineSet::ReadersDue(const Pipeline& pipeline, int64_t released) const {
  const bool outside = std::any_of(members_.begin(), members_.end(), [&](const RunningPipeline& r) {
    return r.pipeline.get() == &pipeline && r.read_outside != OutputChannel::kNobody;
  });
  return outside || AnyReader(pipeline, [&](const Pipeline& reader) {
    return DueBy(reader, reader.plan().source.Brought(released));
  });
}

bool PipelineSet::AnyWaits(const Pipeline& pipeline) const {
  return pipeline.Waits() ||
         AnyReader(pipeline, [this](const Pipeline& reader) { return AnyWaits(reader); });
}

bool PipelineSet::TickIsDue(EventTime received, bool tell) const {
  return std::any_of(members_.begin(), members_.end(), [&](const RunningPipeline& r) {
    const Pipeline& p = *r.pipeline;
    if (!p.plan().source.FollowsTime()) return false;
    return DueBy(p, p.source().WatermarkAt(received.us)) || (tell && AnyWaits(p));
  });
}

bool PipelineSet::FollowsTime(const Pipeline& pipeline) const {
  const Pipeline* upstream = Find(pipeline.upstream());
  return upstream != nullptr ? FollowsTime(*upstream) : pipeline.plan().source.FollowsTime();
}

void PipelineSet::ReadOutside(const std::string& name, uint64_t from) {
  for (RunningPipeline& r : members_) {
    if (r.pipeline->name() == name) r.read_outside = from;
  }
}

void PipelineSet::KeepForReaders(bool committed) {
  for (RunningPipeline& r : members_) {
    uint64_t least = r.read_outside;
    AnyReader(*r.pipeline, [&least, committed](const Pipeline& reader) {
      least = std::min(least, committed ? reader.committed_offset() : reader.offset());
      return false;
    });
    r.pipeline->channel(ChannelKind::kResults).KeepFrom(least);
  }
}

}  // namespace rivulet
