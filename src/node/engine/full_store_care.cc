#include "node/engine/full_store_care.h"

#include <algorithm>

namespace rivulet {
namespace {

// Messages that are tried together first; and for each, how large the steps of a close are.
constexpr size_t kFirstMessages = 64;
constexpr size_t kResultsPerMessage = 4;
constexpr size_t kOutputsPerMessage = 1 << 10;

}  // namespace

bool FullStoreCare::Begin(const PipelineSet& pipelines, const Commit& commit) {
  if (!on()) {
    log_('w', LogMessage(commit.result, "a commit is too large, smaller ones are made: "));
    for (const RunningPipeline& r : pipelines) messages_[r.pipeline->name()] = kFirstMessages;
    return true;
  }
  const auto messages = messages_.find(commit.pipeline);
  if (messages == messages_.end()) return false;
  if (messages->second == 1 && !(commit.alone && Refuse(commit))) return false;
  messages->second = std::max<size_t>(messages->second / 2, 1);
  return true;
}

// False when it is left out already.
bool FullStoreCare::Refuse(const Commit& commit) {
  const auto known = aside_.find(commit.pipeline);
  const bool tried = known != aside_.end() && known->second.offset == commit.message;
  if (tried && known->second.silent) return false;
  aside_[commit.pipeline] = {commit.message, tried};
  const Status reason(ErrorCode::kNeverFits,
                      "message " + std::to_string(commit.message) + " of '" + commit.pipeline + "' " +
                          (tried ? "is left out, as there is no room even for a dead letter"
                                 : "becomes a dead letter") +
                          "; raise 'state.map_size', or keep less state");
  log_('e', LogMessage(reason).Of(commit.pipeline));
  return true;
}

void FullStoreCare::Limit(Pipeline* pipeline) const {
  const size_t messages = messages_.at(pipeline->name());
  pipeline->LimitSteps(std::min(messages * kResultsPerMessage, results_per_step_),
                       std::min(messages * kOutputsPerMessage, outputs_per_step_));
}

size_t FullStoreCare::MostMessages(const std::string& pipeline, size_t most) const {
  const auto messages = messages_.find(pipeline);
  return messages == messages_.end() ? most : std::min(messages->second, most);
}

bool FullStoreCare::Relax(const PipelineSet& pipelines, const std::string& pipeline) {
  const auto messages = messages_.find(pipeline);
  if (messages == messages_.end()) return false;
  const auto aside = aside_.find(pipeline);
  Pipeline* const running = pipelines.Find(pipeline);
  if (aside != aside_.end() && aside->second.offset < running->committed_offset()) aside_.erase(aside);
  messages->second = std::min(messages->second * 2, most_messages_);
  Limit(running);
  return std::all_of(messages_.begin(), messages_.end(),
                     [this](const auto& m) { return m.second == most_messages_; });
}

void FullStoreCare::End(const PipelineSet& pipelines) {
  messages_.clear();
  aside_.clear();
  for (const RunningPipeline& r : pipelines) {
    r.pipeline->LimitSteps(results_per_step_, outputs_per_step_);
  }
}

std::span<const InputMessage> FullStoreCare::PutAside(const std::string& pipeline,
                                                      std::span<const InputMessage> messages) {
  const auto aside = aside_.find(pipeline);
  if (aside == aside_.end()) return messages;
  reasons_.clear();
  left_.assign(messages.begin(), messages.end());
  std::erase_if(left_, [&](const InputMessage& m) {
    return m.payload.offset == aside->second.offset && m.kind == InputMessage::Kind::kTable;
  });
  for (InputMessage& m : left_) {
    if (m.payload.offset != aside->second.offset || m.kind != InputMessage::Kind::kRecord) continue;
    m.kind = InputMessage::Kind::kTimeOnly;
    m.refused = ErrorCode::kNeverFits;
    if (aside->second.silent) continue;
    reasons_.emplace_back("there is no room for what it changes; raise 'state.map_size'");
    m.why = reasons_.back();
  }
  return left_;
}

bool FullStoreCare::HasAside(const std::string& pipeline, uint64_t from, uint64_t to) const {
  const auto aside = aside_.find(pipeline);
  return aside != aside_.end() && from <= aside->second.offset && aside->second.offset < to;
}

}  // namespace rivulet
