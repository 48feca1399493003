// How a node runs pipelines that read other pipelines' results.
//
// The results are read out of the output log of the pipeline they come from, once they are committed. A
// reader's position there is part of its own commit; the log keeps what any reader has not committed
// yet, as it keeps what a sink has not. So the same holds between pipelines as between the journal and them:
// nothing is missed and nothing counts twice.
#include <algorithm>

#include "node/engine/memory_budget.h"
#include "node/live/node.h"
#include "node/plan/chains.h"

namespace rivulet {
namespace {

bool Known(const ConfigErrors& errors, const ConfigError& e) {
  return std::any_of(errors.begin(), errors.end(), [&e](const ConfigError& known) {
    return known.file == e.file && known.line == e.line && known.code == e.code;
  });
}

}  // namespace

std::vector<size_t> Node::SettleChains(std::vector<PipelineSource>* sources, ConfigErrors* errors,
                                       std::vector<std::unique_ptr<PipelinePlan>>* plans) const {
  // What will run: the new text, or what runs now where that cannot be.
  std::vector<const PipelineSpec*> specs;
  std::vector<size_t> of_source;
  const auto collect = [&] {
    specs.clear();
    of_source.clear();
    for (size_t i = 0; i < sources->size(); ++i) {
      const PipelineSource& source = (*sources)[i];
      const auto old = std::find_if(pipelines_.begin(), pipelines_.end(), [&source](const auto& r) {
        const PipelineSpec& spec = r.pipeline->plan().spec;
        return source.readable ? spec.name.text == source.spec.name.text : spec.file == source.spec.file;
      });
      if ((*plans)[i] == nullptr && old == pipelines_.end()) continue;
      specs.push_back((*plans)[i] != nullptr ? &(*plans)[i]->spec : &old->pipeline->plan().spec);
      of_source.push_back(i);
    }
  };
  for (bool changed = true; changed;) {
    changed = false;
    collect();
    ConfigErrors found;
    for (const size_t faulty : CheckChains(specs, true, &found)) {
      std::unique_ptr<PipelinePlan>& plan = (*plans)[of_source[faulty]];
      changed = changed || plan != nullptr;
      plan.reset();
    }
    for (ConfigError& e : found) {
      if (!Known(*errors, e)) errors->push_back(std::move(e));
    }
  }
  // Whoever is read by one that goes on goes on too.
  for (size_t i = 0; i < specs.size(); ++i) {
    const auto upstream = std::find_if(pipelines_.begin(), pipelines_.end(), [&](const RunningPipeline& r) {
      return r.pipeline->name() == specs[i]->source.pipeline.text;
    });
    if (upstream == pipelines_.end()) continue;
    const PipelineSpec& spec = upstream->pipeline->plan().spec;
    if (std::any_of(specs.begin(), specs.end(), [&spec](const PipelineSpec* other) {
          return other->name.text == spec.name.text;
        })) {
      continue;
    }
    parts_.log('w', LogMessage("pipeline '" + spec.name.text + "' goes on: '" + specs[i]->name.text +
                               "' reads its results")
                        .Of(spec.name.text));
    sources->push_back({spec, upstream->text, true});
    plans->push_back(nullptr);
    specs.push_back(&spec);
    of_source.push_back(sources->size() - 1);
  }
  std::vector<size_t> order;
  for (const size_t k : ChainOrder(specs)) order.push_back(of_source[k]);
  return order;
}

Status Node::PlaceInLog(const PipelinePlan& plan, PipelineOptions* options) const {
  if (plan.source.pipeline.empty()) {
    options->start_offset = lane_.journal().end().value;
    return Status::Ok();
  }
  const Pipeline* upstream = pipelines_.Find(plan.source.pipeline);
  if (upstream == nullptr) {
    return Status(ErrorCode::kUnknownPipeline, "'" + plan.source.pipeline + "', which '" + plan.name +
                                                   "' reads, does not run");
  }
  options->log = Position::ResultsOf(upstream->id());
  options->start_offset = upstream->channel(ChannelKind::kResults).next();
  return Status::Ok();
}

// Brings the position of a pipeline and the log it reads together, where they are apart.
Status Node::CheckPlace(Pipeline* pipeline) {
  const Offset from{pipeline->offset()};
  Offset begin;
  if (pipeline->upstream().empty()) {
    // A power cut can take journal entries that were processed before (journal sync: never). Their
    // numbers must not be given out again.
    if (lane_.journal().end() < from) RIVULET_RETURN_IF_ERROR(lane_.journal().AdvanceTo(from));
    begin = lane_.journal().begin();
    if (from < begin) {
      parts_.log('e', LogMessage("pipeline '" + pipeline->name() + "' had read up to entry " +
                                 std::to_string(from.value) + ", but the journal begins at " +
                                 std::to_string(begin.value) + "; it goes on there")
                          .Of(pipeline->name()));
    }
  } else {
    // One that was taken out for a while and is back goes on with what there still is.
    const Pipeline* upstream = pipelines_.Find(pipeline->upstream());
    RIVULET_ASSIGN_OR_RETURN(begin.value, upstream->channel(ChannelKind::kResults).Begin());
  }
  if (from < begin) pipeline->SkipTo(begin.value);
  return Status::Ok();
}

Status Node::ReadResults(Group* group, uint64_t* next) {
  const size_t entries = MostEntries(*group, MemoryBudget{spec_.state_memory}.TurnMessages(
      kTurnEntries, group->source->members().size(), parts_.store->Stats()));
  return results_.Read(*group->upstream, *group->source->members().front(), entries, kTurnBytes,
                       &messages_, next);
}

void Node::KeepForReaders() {
  if (assembled_) pipelines_.KeepForReaders();
}

uint64_t Node::LagOf(const Pipeline& pipeline) const {
  const Pipeline* upstream = pipelines_.Find(pipeline.upstream());
  const uint64_t end = upstream != nullptr
                           ? upstream->channel(ChannelKind::kResults).next()
                           : lane_.journal().Stats().end.value;
  return end - std::min(end, pipeline.offset());
}

}  // namespace rivulet
