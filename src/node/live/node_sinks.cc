#include "node/live/node_sinks.h"

#include <memory>
#include <utility>

#include "base/coding.h"
#include "node/config/sink_paths.h"
#include "node/engine/store_keys.h"
#include "node/plan/publish_loops.h"
#include "node/sinks/make_sink.h"

namespace rivulet {
namespace {

std::string SinkName(const SinkSpec& sink) {
  switch (sink.kind) {
    case SinkSpec::Kind::kMqtt: return "mqtt " + sink.target.text;
    case SinkSpec::Kind::kSqlite: return "sqlite " + sink.target.text + " " + sink.table;
    case SinkSpec::Kind::kFile: return "file " + sink.target.text;
    case SinkSpec::Kind::kStdout: return "stdout";
  }
  return "";
}

}  // namespace

NodeSinks::NodeSinks(const NodeSpec& spec, FileSystem* files, MqttLink* link,
                     const std::function<Now()>& clock, LogFunction log)
    : spec_(spec),
      files_(files),
      link_(link),
      log_(std::move(log)),
      refused_results_(files, spec.data_directory, [clock] { return clock().wall; }, log_),
      notes_(files, spec.data_directory + "/delivery.notes") {}

Status NodeSinks::Open(const Store& store) {
  std::string stored;
  uint64_t epoch = 0;
  RIVULET_ASSIGN_OR_RETURN(const bool found, store.Get(store_keys::NotesEpoch(), &stored));
  std::string_view in = stored;
  if (found && !GetVarint(&in, &epoch)) {
    return Status(ErrorCode::kCorrupt, "the stored epoch of delivery notes cannot be read");
  }
  notes_.Open(epoch);
  return Status::Ok();
}

Status NodeSinks::OpenOf(Pipeline* pipeline, Delta* delta) {
  const PipelineSpec& spec = pipeline->plan().spec;
  RIVULET_RETURN_IF_ERROR(Add(pipeline, ChannelKind::kResults, spec.sinks));
  RIVULET_RETURN_IF_ERROR(Add(pipeline, ChannelKind::kLate, spec.late));
  RIVULET_RETURN_IF_ERROR(Add(pipeline, ChannelKind::kDead, spec.dead_letters));
  if (const uint64_t epoch = notes_.TakeNewEpoch(); epoch != 0) {
    std::string value;
    PutVarint(&value, epoch);
    delta->Put(store_keys::NotesEpoch(), value);
  }
  return Status::Ok();
}

Status NodeSinks::Add(Pipeline* pipeline, ChannelKind kind, const std::vector<SinkSpec>& sinks) {
  OutputChannel& channel = pipeline->channel(kind);
  channel.NoteIn(&notes_, spec_.mqtt.max_inflight);
  for (SinkSpec sink : sinks) {
    const std::string name = SinkName(sink);
    if (WritesFile(sink)) sink.target.text = SinkPath(spec_.data_directory, sink);
    RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<Sink> made,
                             MakeSink(sink, pipeline->name(), link_, files_, &refused_results_));
    RIVULET_RETURN_IF_ERROR(channel.AddSink(name, std::move(made), /*may_wait=*/true));
    watch_.Look(pipeline->name(), channel.Stats(), log_);
  }
  return Status::Ok();
}

void NodeSinks::SetReaders(const PipelineSet& pipelines) {
  std::vector<const PipelineSpec*> specs;
  for (const RunningPipeline& r : pipelines) specs.push_back(&r.pipeline->plan().spec);
  refused_results_.SetLoops(TopicsThatComeBack(specs));
}

void NodeSinks::Look(const PipelineSet& pipelines) {
  for (const RunningPipeline& r : pipelines) watch_.Look(r.pipeline->name(), r.pipeline->Sinks(), log_);
}

}  // namespace rivulet
