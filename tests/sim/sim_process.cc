#include "sim/sim_process.h"

#include "base/hash.h"
#include "node/config/reader.h"
#include "sim/reference.h"

namespace rivulet::sim {
namespace {

constexpr const char* kLaneClient = "lane";
constexpr const char* kSinkClient = "lane-out";
constexpr const char* kData = "/data";

MqttOptions LinkOptions(const char* client, bool persistent, uint32_t max_inflight) {
  MqttOptions options;
  options.client_id = client;
  options.persistent_session = persistent;
  options.max_inflight = max_inflight;
  return options;
}

}  // namespace

NodeSpec Simulation::MakeSpec() {
  NodeSpec spec;
  spec.name = "simulated";
  spec.data_directory = kData;
  spec.mqtt_qos = scenario_.qos;
  spec.mqtt.max_inflight = scenario_.max_inflight;
  spec.journal.sync = scenario_.sync;
  if (scenario_.bug == PlantedBug::kUnsyncedCommit && scenario_.sync == JournalSync::kInterval) {
    spec.journal.sync = JournalSync::kNever;
  }
  spec.journal.segment_bytes = scenario_.segment_bytes;
  spec.journal.retain_bytes = scenario_.retain_bytes;
  spec.journal.retain_age = scenario_.retain_age;
  spec.journal_interval = scenario_.journal_interval;
  spec.commit_interval = scenario_.commit_interval;
  spec.checkpoint_interval = scenario_.checkpoint_interval;
  spec.commit_sync = scenario_.commit_sync;
  spec.state_memory = scenario_.state_memory;
  spec.state_outputs = scenario_.state_outputs;
  if (scenario_.store_capacity > 0) spec.state_map_size = scenario_.store_capacity;
  spec.disk_reserve = scenario_.disk_reserve;
  spec.partitions = scenario_.partitions;
  spec.workers = static_cast<uint32_t>(1 + random_.Below(4));
  return spec;
}

std::vector<PipelineSource> Simulation::ReadSources() {
  std::vector<PipelineSource> sources;
  for (const auto& [name, text] : texts_) {
    PipelineSource source;
    ConfigErrors errors;
    if (!ReadPipeline(text, "simulated.yaml", &source.spec, &errors)) {
      Wrong(errors.front().ToString());
    }
    source.text = text;
    sources.push_back(std::move(source));
  }
  return sources;
}

std::unique_ptr<Simulation::Process> Simulation::NewProcess() {
  auto process = std::make_unique<Process>(&disk_, scenario_.bug, &random_);
  Result<std::unique_ptr<Store>> handle = store_.NewHandle();
  if (!handle.ok()) {
    Wrong(handle.status().ToString());
    return nullptr;
  }
  process->store = std::make_unique<ObservedStore>(std::move(*handle), &finished_,
                                                   &cursors_before_, scenario_.bug, &random_);
  process->lane_link = std::make_unique<ObservedLink>(
      lane_broker_.NewLink(LinkOptions(kLaneClient, true, scenario_.max_inflight)),
      [this](const MqttMessage& m, const MqttLink::MessageHandler& h) { return OnArrival(m, h); },
      nullptr);
  process->sink_link = std::make_unique<ObservedLink>(
      sink_broker_.NewLink(LinkOptions(kSinkClient, false, scenario_.max_inflight)), nullptr,
      [this](const MqttLink::Publication& p) { OnPublish(p); });
  if (scenario_.bug == PlantedBug::kTickWhileDown) process->lane_link->Feign();
  if (scenario_.bug == PlantedBug::kEarlyNote) process->sink_link->AcknowledgeEarly();
  NodeParts parts;
  parts.files = &process->files;
  parts.store = process->store.get();
  parts.lane_link = process->lane_link.get();
  parts.sink_link = process->sink_link.get();
  parts.runner = &process->runner;
  parts.committer = &process->committer;
  parts.syncer = &process->syncer;
  // The simulated broker's is 20; room for messages of QoS 0 in between.
  parts.redelivery_window = 40;
  parts.results_per_step = scenario_.results_per_step;
  parts.clock = [this] { return Clock(); };
  parts.clock_known = [this] { return scenario_.clock_known && wall_error_us_ == 0; };
  parts.wait = [this](Duration d) {
    monotonic_us_ += d.us;
    wall_us_ += d.us;
    sink_broker_.Step();
  };
  parts.log = [this](char level, const std::string& line) {
    Trace(std::string("  log ") + level + ": " + line);
  };
  process->node = std::make_unique<Node>(MakeSpec(), parts);
  return process;
}

Status Simulation::OpenNode() {
  ConfigErrors errors;
  process_->committer.RunAtOnce(true);
  process_->syncer.RunAtOnce(true);
  const Status status = process_->node->Open(ReadSources(), &errors);
  process_->committer.RunAtOnce(scenario_.posted_work >= 1);
  process_->syncer.RunAtOnce(scenario_.posted_work >= 1);
  for (const ConfigError& e : errors) Wrong(e.ToString());
  return status;
}

// Starts a process; it may fail to open, and is buried again then.
void Simulation::Boot() {
  ++outcome_.starts;
  Result<JournalContent> content = ScanJournal(&disk_, std::string(kData) + "/lane-0");
  Result<std::map<std::string, StoredCursor>> cursors = ReadCursors(store_);
  if (!content.ok() || !cursors.ok()) return Wrong("the simulation cannot read the disks");
  finished_.AddAll(store_);
  ledger_.Found(*content, *cursors);
  process_ = NewProcess();
  if (process_ == nullptr) return;
  connection_ = 0;
  listening_noted_ = false;
  repetitions_.Started();
  if (!calm_ && random_.Chance(scenario_.die_in_operation * 2)) {
    process_->files.DieInOperation(1 + random_.Below(12));
  }
  const Status status = OpenNode();
  if (!status.ok()) {
    Trace("start failed: " + status.ToString());
    if (calm_) Wrong("cannot start: " + status.ToString());
    return Bury(Death::kProcess);
  }
  const NodeStatus now = process_->node->Describe(Clock());
  Trace("started, journal " + std::to_string(now.journal.begin.value) + ".." +
        std::to_string(now.journal.end.value));
  NoteTexts(true);
}

// Which text each pipeline has now, and from where on.
void Simulation::NoteTexts(bool opened) {
  const NodeStatus now = process_->node->Describe(Clock());
  for (const PipelineStatus& p : now.pipelines) {
    const std::string& text = TextOf(p.name);
    const auto reader = readers_.find(p.name);
    if (reader != readers_.end()) {
      std::vector<PipelineVersion>& versions = reader->second.versions;
      while (!versions.empty() && versions.back().from > p.offset) versions.pop_back();
      if (versions.empty() || versions.back().yaml != text) {
        versions.push_back({p.offset, text, p.watermark_us});
      }
    } else if (opened) {
      ledger_.Opened(p.name, text, p.offset, now.journal.end.value);
    } else {
      ledger_.Changed(p.name, text, p.offset);
    }
  }
}

// The process ends without having a say in it.
void Simulation::Bury(Death death) {
  const uint64_t synced = process_->node->Describe(Clock()).journal.synced.value;
  Trace(death == Death::kPower ? "POWER CUT" : "process gone");
  lane_broker_.DropLink(kLaneClient);
  sink_broker_.DropLink(kSinkClient);
  held_.clear();
  held_handler_ = nullptr;
  process_->files.Die();
  if (death == Death::kPower) {
    ++outcome_.power_cuts;
    repetitions_.NotesMayBeLost();
    disk_.PowerCut(&random_);
    databases_.PowerCut(&random_);
    store_.PowerCut(&random_);
    cursors_before_.clear();
  } else {
    disk_.Crash();
    databases_.Crash();
    store_.Crash();
  }
  // What was posted finds its disks gone; only then can the node be taken down.
  process_->committer.RunAll();
  process_->syncer.RunAll();
  process_.reset();
  ledger_.Died(death, synced);
}

void Simulation::StopNode() {
  Trace("stop");
  process_->committer.RunAtOnce(true);
  process_->syncer.RunAtOnce(true);
  DeliverHeld();
  const auto patience = static_cast<int64_t>(random_.Below(2'000'000));
  const Status status = process_->node->Stop({monotonic_us_ + patience});
  if (!status.ok()) Trace("stopped with " + status.ToString());
  if (!status.ok() && calm_) Wrong("cannot stop: " + status.ToString());
  Bury(Death::kProcess);
}

// Some of the files are edited, back and forth, and the node is told.
void Simulation::ReloadNode() {
  for (const Scenario::PipelineText& p : scenario_.pipelines) {
    if (random_.Chance(0.5)) continue;
    for (auto& [name, text] : texts_) {
      if (text != p.yaml && text != p.changed) continue;
      text = text == p.yaml ? p.changed : p.yaml;
      break;
    }
  }
  Trace("reload");
  const bool at_once = scenario_.posted_work >= 1;
  ConfigErrors errors;
  process_->committer.RunAtOnce(true);
  const Status status = process_->node->Reload(ReadSources(), Clock(), &errors);
  process_->committer.RunAtOnce(at_once);
  if (!status.ok() || !errors.empty()) {
    Trace("reload failed: " + (status.ok() ? errors.front().ToString() : status.ToString()));
    return Bury(Death::kProcess);
  }
  NoteTexts(false);
}

Status Simulation::OnArrival(const MqttMessage& message, const MqttLink::MessageHandler& handler) {
  if (scenario_.bug == PlantedBug::kEarlyAcknowledge) {
    held_.push_back(
        {std::string(message.topic), std::string(message.payload), 0, message.packet_id});
    held_handler_ = handler;
    return Status::Ok();
  }
  if (scenario_.bug == PlantedBug::kEarlyMemory && message.retained) {
    if (!remembered_early_.insert(std::string(message.topic)).second) {
      const uint64_t end = process_->node->Describe(Clock()).journal.end.value;
      ledger_.Arrived(message, EventTime{wall_us_}, true, end, end);
      return Status::Ok();
    }
    disk_.FailOperation(1);  // its first append
  }
  MqttMessage m = message;
  if (scenario_.bug == PlantedBug::kUnknownDuplicate) m.duplicate = false;
  if (scenario_.bug == PlantedBug::kUnnoticedResume) m.connection = 1;
  uint64_t before = process_->node->Describe(Clock()).journal.end.value;
  const Status status = handler(m);
  const uint64_t after = process_->node->Describe(Clock()).journal.end.value;
  const JournalContent content = NoteTicks(before, after);
  bool resumes = false;
  for (; before < after && content.contains(before) && content.at(before).tick(); ++before) {
    resumes = content.at(before).resumes;
  }
  listening_noted_ = listening_noted_ || resumes;
  Trace("  arrived " + std::string(m.topic) + (m.duplicate ? " DUP" : "") + " id " +
        std::to_string(m.packet_id) + (status.ok() ? "" : " refused: " + status.ToString()) +
        (status.ok() && before == after ? " dropped" : "") + " as " + std::to_string(before));
  ReceiveTime received = EventTime{wall_us_};
  if (content.contains(before)) {
    received = {{content.at(before).received_us}, content.at(before).assumed};
  }
  if (!wall_jumped_ && received.at.us != wall_us_) Wrong("not received by the clock, which never jumped");
  if (status.ok() && after > before && message.connection != connection_) {
    if (!listening_noted_) Wrong("journaled behind a new connection without saying so");
    connection_ = message.connection;
    listening_noted_ = false;
  }
  ledger_.Arrived(message, received, status.ok(), before, after);
  return status;
}

void Simulation::DeliverHeld() {
  while (!held_.empty()) {
    MqttMessage m;
    m.topic = held_.front().topic;
    m.payload = held_.front().payload;
    m.packet_id = held_.front().packet_id;
    m.qos = m.packet_id > 0 ? 1 : 0;
    m.duplicate = true;
    const uint64_t before = process_->node->Describe(Clock()).journal.end.value;
    const bool ok = held_handler_(m).ok();
    const uint64_t after = process_->node->Describe(Clock()).journal.end.value;
    const JournalContent content = NoteTicks(before, after);
    uint64_t first = before;
    while (first < after && content.contains(first) && content.at(first).tick()) ++first;
    ledger_.Arrived(m, EventTime{wall_us_}, ok, first, after);
    held_.pop_front();
  }
}

void Simulation::OnPublish(const MqttLink::Publication& p) {
  fingerprint_ =
      Hash64(std::to_string(fingerprint_) + std::string(p.topic) + std::string(p.payload));
  Trace("  publish " + std::string(p.topic) + " " + std::string(p.payload));
  if (!finished_.Contains(p.payload)) {
    Wrong("published before its commit was finished: " + std::string(p.payload));
  }
  if (process_->files.dead()) return;  // what it does until it is buried nobody sees
  const std::string stream = StreamOf(std::string(p.topic));
  const size_t again = repetitions_.Published(
      stream, std::string(p.topic) + ' ' + std::string(p.payload) + ' ' + std::string(p.rivulet_id));
  if (again > scenario_.max_inflight && scenario_.reload == 0) {
    Wrong(stream + ": " + std::to_string(again) + " results came once more after the process was killed; " +
          "at most " + std::to_string(scenario_.max_inflight) + " were under way");
  }
}

}  // namespace rivulet::sim
