#include "node/doctor/subject.h"

#include <algorithm>
#include <map>
#include <set>

#include "node/config/reader.h"
#include "node/config/sink_paths.h"
#include "node/plan/chains.h"
#include "node/tables/check_tables.h"

namespace rivulet {
namespace {

// Plans every file; what has faults is left out. The rules of how files fit together are those of the
// daemon's start.
void ReadPipelineFiles(Subject* subject) {
  ListPipelineFiles(*subject->node, &subject->pipeline_files, &subject->pipeline_faults);
  std::vector<PipelineSpec> specs;
  specs.reserve(subject->pipeline_files.size());
  std::map<std::string, std::string> seen;
  for (const std::string& file : subject->pipeline_files) {
    PipelineSpec spec;
    ConfigErrors* faults = &subject->pipeline_faults;
    if (!ReadPipelineFile(file, &spec, faults)) continue;
    std::unique_ptr<PipelinePlan> plan = PlanPipeline(spec, {}, faults);
    if (plan == nullptr) continue;
    const auto [it, fresh] = seen.emplace(plan->name, file);
    if (!fresh) {
      faults->push_back({file, spec.name.mark.line, spec.name.mark.column,
                         ErrorCode::kDuplicatePipeline,
                         "'" + plan->name + "' is also declared in " + it->second});
      continue;
    }
    CheckTableFiles(*plan, faults);
    specs.push_back(std::move(spec));
    subject->pipelines.push_back(std::move(plan));
  }
  if (!subject->pipeline_faults.empty()) return;
  std::vector<const PipelineSpec*> all;
  for (const PipelineSpec& spec : specs) all.push_back(&spec);
  CheckChains(all, true, &subject->pipeline_faults);
}

// Of a whole path, as owner, group and mode say; superusers may all.
bool ModeAllows(const Host& host, const Person& user, Access access, const std::string& path) {
  if (user.uid == 0) return true;
  const Result<FileInfo> info = host.Stat(path);
  if (!info.ok()) return false;
  const bool in_group = std::find(user.groups.begin(), user.groups.end(), info->gid) !=
                        user.groups.end();
  const int shift = info->uid == user.uid ? 6 : in_group ? 3 : 0;
  const uint32_t bit = access == Access::kRead ? 4 : access == Access::kWrite ? 2 : 1;
  return ((info->mode >> shift) & bit) != 0;
}

template <typename T>
std::vector<T> SortedOnce(std::vector<T> items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

template <typename Take>
void ForEachSink(const Subject& subject, Take take) {
  for (const auto& plan : subject.pipelines) {
    for (const auto* sinks : {&plan->spec.sinks, &plan->spec.late, &plan->spec.dead_letters}) {
      for (const SinkSpec& sink : *sinks) take(sink);
    }
  }
}

}  // namespace

Subject ReadSubject(const Host* host, const std::string& node_file,
                    const std::string& credentials) {
  Subject subject;
  subject.host = host;
  subject.node_file = node_file;
  NodeSpec spec;
  if (ReadNodeFile(node_file, &spec, &subject.node_faults, CredentialUse::kChecked)) {
    subject.node = std::move(spec);
    if (const Result<std::string> yaml = host->Read(node_file); yaml.ok()) {
      subject.secrets = FindSecretFiles(*host, *yaml, node_file, credentials);
    }
    ReadPipelineFiles(&subject);
  }
  LookAround(&subject);
  return subject;
}

void LookAround(Subject* subject) {
  const Host& host = *subject->host;
  if (const Result<std::string> text = host.Read("/proc/self/mounts"); text.ok()) {
    subject->mounts = ParseMounts(*text);
  }
  subject->user = host.Lookup(host.User());
  if (!subject->node) return;
  if (const Result<FileInfo> data = host.Stat(subject->node->data_directory); data.ok()) {
    subject->user = host.Lookup(data->uid);
  }
  subject->locks_shown = host.Read("/proc/locks").ok();
  subject->holder = FindLockHolder(host, subject->node->data_directory + "/state/LOCK");
}

bool NodeMay(const Subject& subject, Access access, const std::string& path) {
  const Host& host = *subject.host;
  if (subject.user.uid == host.User()) return host.May(access, path);
  for (std::string folder = FolderOf(path); folder != "/"; folder = FolderOf(folder)) {
    if (!ModeAllows(host, subject.user, Access::kEnter, folder)) return false;
  }
  return ModeAllows(host, subject.user, access, path);
}

std::string NearestExisting(const Host& host, const std::string& path) {
  std::string found = path;
  while (found != "/" && !host.Stat(found).ok()) found = FolderOf(found);
  return found;
}

std::vector<std::string> SinkFiles(const Subject& subject) {
  std::vector<std::string> files;
  ForEachSink(subject, [&](const SinkSpec& sink) {
    if (WritesFile(sink)) files.push_back(SinkPath(subject.node->data_directory, sink));
  });
  return SortedOnce(std::move(files));
}

std::vector<OutputTopic> OutputTopics(const Subject& subject) {
  std::vector<OutputTopic> topics;
  ForEachSink(subject, [&](const SinkSpec& sink) {
    if (sink.kind == SinkSpec::Kind::kMqtt) {
      topics.push_back({sink.target.text, sink.qos, sink.retain});
    }
  });
  return SortedOnce(std::move(topics));
}

std::vector<std::string> InputFilters(const Subject& subject) {
  std::vector<std::string> filters;
  const auto add = [&filters](const SourcePlan& source) {
    for (size_t i = 0; i < source.sources(); ++i) {
      for (const TopicPattern& topic : source.at(i).topics) filters.push_back(topic.filter());
    }
  };
  for (const auto& plan : subject.pipelines) {
    add(plan->source);
    for (const TablePlan& table : plan->tables) {
      if (table.of_topic()) add(*table.source);
    }
  }
  return SortedOnce(std::move(filters));
}

}  // namespace rivulet
