// What a pipeline's text had closed when it was edited.
//
// A reload lets the old text put out all that its windows closed with before the new one takes over. A node
// that went down in the middle of a large close, and whose file was edited before it came back, does the
// same, for which the store keeps the text a pipeline runs with: the rest of a close must not go by other
// rules than its beginning, nor be lost to a text that has other windows.
#include "node/config/reader.h"
#include "node/engine/store_keys.h"
#include "node/live/node.h"

namespace rivulet {

Status Node::RememberText(const std::string& name, const std::string& text) {
  std::string stored;
  RIVULET_ASSIGN_OR_RETURN(const bool found, parts_.store->Get(store_keys::Text(name), &stored));
  if (!found || stored != text) remembered_.Put(store_keys::Text(name), text);
  return Status::Ok();
}

Result<bool> Node::WouldClose(const PipelinePlan& plan) const {
  Delta changes;
  RIVULET_ASSIGN_OR_RETURN(const CatalogueEntry entry,
                           OpenCatalogueEntry(*parts_.store, plan, &changes));
  // State of another form: the text is not the one that wrote it.
  if (!changes.empty()) return false;
  std::string stored;
  RIVULET_ASSIGN_OR_RETURN(const bool found,
                           parts_.store->Get(store_keys::Position(entry.id), &stored));
  if (!found) return false;
  RIVULET_ASSIGN_OR_RETURN(const Position position, Position::Decode(stored));
  const FirePoint target{plan.window.per_key.Held(position.watermark), true, ""};
  if (!(position.fired < target) || position.lanes.empty()) return false;
  if (plan.source.pipeline.empty()) return position.lanes[0].lane == Position::kJournal;
  const Pipeline* upstream = pipelines_.Find(plan.source.pipeline);
  return upstream != nullptr &&
         position.lanes[0].lane == Position::ResultsOf(upstream->id());
}

Status Node::FinishFormer(const std::string& name, const std::string& text) {
  std::string former;
  RIVULET_ASSIGN_OR_RETURN(const bool found, parts_.store->Get(store_keys::Text(name), &former));
  if (!found || former == text) return Status::Ok();
  PipelineSpec spec;
  ConfigErrors errors;
  std::unique_ptr<PipelinePlan> plan;
  if (ReadPipeline(former, "the former text of '" + name + "'", &spec, &errors)) {
    plan = PlanPipeline(spec, {}, &errors);
  }
  if (plan == nullptr || plan->name != name) {
    parts_.log('w', "pipeline '" + name + "': its former text cannot be run any more; if it was in the "
                    "middle of a close, the rest goes by the new one" +
                    (errors.empty() ? "" : ": " + errors.front().ToString()));
    return Status::Ok();
  }
  RIVULET_ASSIGN_OR_RETURN(const bool closing, WouldClose(*plan));
  if (!closing) return Status::Ok();
  parts_.log('i', "pipeline '" + name + "' was edited in the middle of a close: its former text puts out "
                  "the rest");
  RIVULET_RETURN_IF_ERROR(OpenPipeline(std::move(plan), former));
  RIVULET_RETURN_IF_ERROR(CommitOpened());
  while (pipelines_.back().pipeline->closing()) {
    RIVULET_RETURN_IF_ERROR(pipelines_.back().pipeline->Continue(parts_.runner));
    RIVULET_RETURN_IF_ERROR(CommitNow(parts_.clock()));
    Beat();
  }
  // It lets go of its files and cursors before the new one opens them.
  pipelines_.RemoveLast();
  return Status::Ok();
}

}  // namespace rivulet
