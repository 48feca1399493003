// What `rivulet doctor` examines: a node file with its pipelines, on a machine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/config/config_error.h"
#include "node/config/spec.h"
#include "node/doctor/host.h"
#include "node/doctor/host_text.h"
#include "node/doctor/lock_holder.h"
#include "node/doctor/secrets.h"
#include "node/plan/pipeline_plan.h"

namespace rivulet {

// What one broker of the node file answered.
struct BrokerVisit {
  std::string uri;
  BrokerAddress address;
  BrokerReach reach;
  MqttProbeReport session;   // as the node connects
  // Of the first broker that let the node in: once more with MQTT 5, in which a broker says more.
  std::optional<MqttProbeReport> version5;
};

struct Subject {
  const Host* host = nullptr;
  std::string node_file;                // absolute
  std::optional<NodeSpec> node;         // nothing: the node file has faults
  ConfigErrors node_faults;
  SecretFiles secrets;
  std::vector<std::string> pipeline_files;
  std::vector<std::unique_ptr<PipelinePlan>> pipelines;  // those without faults
  ConfigErrors pipeline_faults;
  bool try_publish = false;             // send messages to find out whether one may
  // These come from the host.
  std::vector<Mount> mounts;
  Person user;                          // whom the node runs as: the owner of the data directory
  std::optional<LockHolder> holder;     // the process that has the data directory
  bool locks_shown = true;              // false: in a sandbox that hides whether there is one
  std::optional<std::vector<BrokerVisit>> visits;  // made by the first check that needs them
};

// Reads the node file and the pipelines it names. `credentials`: see FindSecretFiles. `host` must
// outlive the subject.
Subject ReadSubject(const Host* host, const std::string& node_file,
                    const std::string& credentials);
// Asks the host for what belongs to `node`, which has been set.
void LookAround(Subject* subject);

// Whether the user that the node runs as may; this process asks the kernel about itself, and goes by
// owner, group and mode of the path's parts for others.
bool NodeMay(const Subject& subject, Access access, const std::string& path);

// `path`, or the nearest folder above it that exists.
std::string NearestExisting(const Host& host, const std::string& path);

// The targets of all file and SQLite sinks, as absolute paths, and the topics of MQTT ones; each once,
// sorted.
std::vector<std::string> SinkFiles(const Subject& subject);
struct OutputTopic {
  std::string topic;  // with {field} parts
  int qos = 1;
  bool retain = false;
  auto operator<=>(const OutputTopic&) const = default;
};
std::vector<OutputTopic> OutputTopics(const Subject& subject);
// The filters that the pipelines and their tables subscribe to; each once, sorted.
std::vector<std::string> InputFilters(const Subject& subject);

// The brokers' answers, asked for at the first call.
const std::vector<BrokerVisit>& Visits(Subject* subject);
// The first broker that let the node in; null when none did.
const BrokerVisit* Welcoming(Subject* subject);

}  // namespace rivulet
