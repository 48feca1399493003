#include "node/sinks/refused_file.h"

#include <algorithm>

#include "base/json_writer.h"

namespace rivulet {

Status RefusedFile::Keep(const RefusedResult& r) {
  if (file_ != nullptr && file_->size() >= kMostBytes) {
    file_.reset();
    RIVULET_RETURN_IF_ERROR(files_->Rename(path_, path_ + ".1"));
  }
  if (file_ == nullptr) {
    RIVULET_ASSIGN_OR_RETURN(file_, files_->OpenAppend(path_, 0));
  }
  line_ = "{\"time_ms\":" + std::to_string(clock_().us / 1000);
  const std::pair<const char*, std::string_view> texts[] = {{"pipeline", r.pipeline},
                                                            {"sink", r.sink},
                                                            {"topic", r.topic},
                                                            {"id", r.id},
                                                            {"reason", r.reason}};
  for (const auto& [name, text] : texts) {
    line_ += std::string(",\"") + name + "\":";
    AppendJsonString(&line_, text);
  }
  line_ += ",\"result\":";
  line_ += r.json;
  line_ += "}\n";
  if (const Status status = file_->Append(line_); !status.ok()) {
    file_.reset();  // its end may be torn: opened anew, behind it
    return status;
  }
  unsynced_ = true;
  const std::string pipeline(r.pipeline);
  if (said_.insert(pipeline + "/" + std::string(r.sink)).second) {
    LogMessage message(Status(ErrorCode::kResultRefused,
                              "pipeline '" + pipeline + "', " + std::string(r.sink) + ": a result for '" +
                                  std::string(r.topic) + "' is set aside: " + std::string(r.reason) +
                                  ". It is in '" + path_ + "', as all that follow will be; what the "
                                  "broker takes goes on"));
    log_('e', std::move(message).Of(pipeline));
  }
  return Status::Ok();
}

Status RefusedFile::Sync() {
  if (!unsynced_ || file_ == nullptr) return Status::Ok();
  RIVULET_RETURN_IF_ERROR(file_->Sync());
  unsynced_ = false;
  return Status::Ok();
}

bool RefusedFile::ComesBack(std::string_view pipeline, std::string_view topic) const {
  const auto found = loops_.find(pipeline);
  if (found == loops_.end()) return false;
  std::vector<std::string_view> captures;
  return std::any_of(found->second.begin(), found->second.end(),
                     [&](const TopicPattern& p) { return p.Match(topic, &captures); });
}

}  // namespace rivulet
