#include "node/live/daemon.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "node/commands/cli.h"
#include "node/config/reader.h"
#include "node/config/text_file.h"
#include "node/live/http_front.h"
#include "node/live/log.h"
#include "node/live/node.h"
#include "node/live/service_manager.h"
#include "node/live/service_status.h"
#include "node/live/startup_code.h"
#include "node/live/supervisor.h"
#include "node/live/thread_state.h"

namespace rivulet {
namespace {

// While data flows the engine steps at this pace: batches, not a wake-up a message.
constexpr Duration kTick = Duration::Millis(5);
// With nothing to do it looks around this often.
constexpr Duration kIdleTick = Duration::Millis(200);
constexpr size_t kMaxPipelineBytes = 1 << 20;
// A stop takes less than a second; the rest of it is for the last commit and the links' goodbyes.
constexpr Duration kStopWithin = Duration::Millis(500);

std::atomic<int> g_stop{0};
std::atomic<int> g_reload{0};

void OnSignal(int signal) {
  (signal == SIGHUP ? g_reload : g_stop).store(1);
}

// Lets the engine sleep until something arrives. Waking costs nothing while it is awake.
class Bell {
 public:
  void Ring() {
    if (!sleeping_.load(std::memory_order_acquire)) return;
    const std::lock_guard lock(mutex_);
    rung_ = true;
    condition_.notify_one();
  }
  void Sleep(Duration longest) {
    std::unique_lock lock(mutex_);
    sleeping_.store(true, std::memory_order_release);
    condition_.wait_for(lock, std::chrono::microseconds(longest.us), [this] { return rung_; });
    sleeping_.store(false, std::memory_order_release);
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  std::atomic<bool> sleeping_{false};
  bool rung_ = false;
};

// The figures HTTP shows: made by the engine's thread when somebody has asked.
class StatusBoard {
 public:
  explicit StatusBoard(Bell* bell) : bell_(bell) {}
  // On an HTTP thread: waits a little for fresh figures; old ones are better than none.
  NodeStatus Get() {
    std::unique_lock lock(mutex_);
    const uint64_t before = version_;
    const auto now = std::chrono::steady_clock::now();
    if (!wanted_.exchange(true)) patience_ = now + std::chrono::milliseconds(500);
    bell_->Ring();
    // From the first who asked: behind an engine that is stuck nobody else waits.
    fresh_.wait_until(lock, patience_, [&] { return version_ != before; });
    return status_;
  }
  // On the engine's thread.
  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }
  void Put(NodeStatus status) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
    wanted_.store(false);
    ++version_;
    fresh_.notify_all();
  }

 private:
  Bell* bell_;
  std::mutex mutex_;
  std::condition_variable fresh_;
  std::atomic<bool> wanted_{false};
  uint64_t version_ = 0;
  std::chrono::steady_clock::time_point patience_;
  NodeStatus status_;
};

void ReportFaults(const ConfigErrors& errors) {
  for (const ConfigError& e : errors) LogFault(e);
}

// Reads the node's pipeline files. An unreadable one is kept as such, so that a reload can tell it from one
// that is gone.
std::vector<PipelineSource> ReadPipelines(const NodeSpec& spec, ConfigErrors* errors) {
  std::vector<std::string> files;
  ListPipelineFiles(spec, &files, errors);
  std::vector<PipelineSource> sources;
  for (const std::string& file : files) {
    PipelineSource source;
    // Read once: what is compared at the next reload must be what was parsed.
    const Status read = ReadTextFile(file, kMaxPipelineBytes, &source.text);
    if (read.ok()) {
      source.readable = ReadPipeline(source.text, file, &source.spec, errors);
    } else {
      errors->push_back({file, 0, 0, read.code(), read.message()});
      source.readable = false;
    }
    source.spec.file = file;
    sources.push_back(std::move(source));
  }
  return sources;
}

class Daemon {
 public:
  explicit Daemon(NodeSpec spec);
  int Run();

 private:
  int Start();
  Status Build();
  void Loop();
  void Reload();

  int Refuse(const ConfigErrors& errors);
  int Refuse(const Status& status);

  static Now ReadClock() { return {MonotonicNow(), WallNow()}; }

  NodeSpec spec_;
  Bell bell_;
  StatusBoard board_;
  NodeStatus shown_;  // by the last status line
  Heartbeats heartbeats_;
  const std::unique_ptr<ServiceManager> manager_ = NewSystemdManager();
  const std::unique_ptr<ThreadStates> states_ = NewKernelThreadStates();
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<MqttLink> lane_link_, sink_link_;
  std::unique_ptr<TaskRunner> runner_;
  std::unique_ptr<Background> committer_, syncer_;
  std::unique_ptr<Node> node_;
  HttpFront http_;
};

Daemon::Daemon(NodeSpec spec)
    : spec_(std::move(spec)),
      board_(&bell_),
      http_(spec_.http, [this] { return board_.Get(); }, LogLine) {
  SupervisorParts parts;
  parts.manager = manager_.get();
  parts.heartbeats = &heartbeats_;
  parts.states = states_.get();
  parts.status = [this] {
    NodeStatus now = board_.Get();
    const std::string line = ServiceStatusLine(shown_, now);
    shown_ = std::move(now);
    return line;
  };
  parts.stop_wanted = [] { return g_stop.load() != 0; };
  parts.log = LogLine;
  supervisor_ = std::make_unique<Supervisor>(parts);
}

Status Daemon::Build() {
  files_ = NewPosixFileSystem();
  RIVULET_RETURN_IF_ERROR(files_->CreateDirectories(spec_.data_directory));
  LmdbOptions lmdb;
  lmdb.directory = spec_.data_directory + "/state";
  lmdb.map_size = spec_.state_map_size;
  lmdb.sync_each_commit = spec_.commit_sync;
  lmdb.progress = Beat;
  RIVULET_ASSIGN_OR_RETURN(store_, OpenLmdbStore(lmdb));
  if (spec_.workers == 0) {
    spec_.workers = std::max(1u, std::thread::hardware_concurrency()) - 1;
    spec_.workers = std::max(1u, spec_.workers);
  }

  MqttOptions lane = spec_.mqtt;
  lane.persistent_session = true;
  RIVULET_ASSIGN_OR_RETURN(lane.former_filters, LaneSession::FormerFilters(*store_));
  lane.persistence_directory = spec_.data_directory + "/mqtt";
  RIVULET_RETURN_IF_ERROR(files_->CreateDirectories(lane.persistence_directory));
  RIVULET_ASSIGN_OR_RETURN(lane_link_, NewPahoMqttLink(lane));
  // Results go over a session of their own: its unacknowledged publishes are the output log's business.
  MqttOptions sink = spec_.mqtt;
  sink.client_id += "-out";
  sink.persistent_session = false;
  sink.will.reset();
  sink.online_payload.clear();
  RIVULET_ASSIGN_OR_RETURN(sink_link_, NewPahoMqttLink(sink));

  runner_ = NewThreadedRunner(spec_.workers, &heartbeats_);
  committer_ = NewThreadedBackground(heartbeats_.Add("committer"));
  syncer_ = NewThreadedBackground(heartbeats_.Add("syncer"));
  NodeParts parts;
  parts.files = files_.get();
  parts.store = store_.get();
  parts.lane_link = lane_link_.get();
  parts.sink_link = sink_link_.get();
  parts.runner = runner_.get();
  parts.committer = committer_.get();
  parts.syncer = syncer_.get();
  parts.clock = ReadClock;
  parts.clock_known = ClockIsKnown;
  parts.wake = [this] { bell_.Ring(); };
  parts.wait = [this](Duration d) { bell_.Sleep(d); };
  parts.log = LogLine;
  node_ = std::make_unique<Node>(spec_, parts);
  return Status::Ok();
}

void Daemon::Reload() {
  supervisor_->Reloading(MonotonicNow());
  ConfigErrors errors;
  std::vector<PipelineSource> sources = ReadPipelines(spec_, &errors);
  const Status status = node_->Reload(std::move(sources), ReadClock(), &errors);
  ReportFaults(errors);
  if (!status.ok()) LogLine('e', LogMessage(status, "reload: "));
  LogLine(errors.empty() ? 'i' : 'w', errors.empty() ? "pipelines reloaded"
                                                     : "reloaded; files with faults were refused and "
                                                       "what ran before goes on");
  supervisor_->Reloaded(errors.size());
}

void Daemon::Loop() {
  Monotonic last_work = MonotonicNow();
  while (g_stop.load() == 0 && node_->status().ok()) {
    Beat();
    if (g_reload.exchange(0) != 0) Reload();
    const Now now = ReadClock();
    const bool more = node_->Step(now);
    http_.Step(now.monotonic);
    if (board_.wanted()) board_.Put(node_->Describe(ReadClock()));
    if (more) last_work = now.monotonic;
    // Once things have been quiet for a moment, the first arrival wakes the engine; until then it keeps
    // its pace.
    if (now.monotonic - last_work > Duration::Millis(50)) {
      bell_.Sleep(std::min(kIdleTick, spec_.commit_interval));
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(kTick.us));
    }
  }
}

int Daemon::Refuse(const ConfigErrors& errors) {
  ReportFaults(errors);
  supervisor_->Failed(errors.front().ToString());
  return kExitConfig;
}

int Daemon::Refuse(const Status& status) {
  LogLine('e', LogMessage(status));
  supervisor_->Failed(status.ToString());
  return ExitCodeOf(status);
}

// Everything up to the first step; kExitOk when it can be made.
int Daemon::Start() {
  ConfigErrors errors;
  std::vector<PipelineSource> sources = ReadPipelines(spec_, &errors);
  if (!errors.empty()) return Refuse(errors);
  Status status = Build();
  if (status.ok()) status = node_->Open(std::move(sources), &errors);
  if (!errors.empty()) return Refuse(errors);
  if (!status.ok()) return Refuse(status);
  http_.Step(MonotonicNow());
  LogLine('i', "rivulet " RIVULET_VERSION " ready: node " + spec_.name + ", " +
                   std::to_string(spec_.workers) + " worker(s)" +
                   (http_.where().empty() ? "" : ", http on " + http_.where()));
  board_.Put(node_->Describe(ReadClock()));
  return kExitOk;
}

int Daemon::Run() {
  heartbeats_.Add("engine")->Attach(Activity::kWorking);
  const SupervisorThread telling(supervisor_.get(), manager_->listens(), MonotonicNow);
  if (const int refused = Start(); refused != kExitOk) return refused;
  supervisor_->Ready();
  ReleaseStartupCode();
  Loop();
  supervisor_->Stopping();
  LogLine('i', "stopping");
  Status status = node_->status();
  const Status stopped = node_->Stop(MonotonicNow() + kStopWithin);
  http_.Stop();
  if (status.ok()) status = stopped;
  if (!status.ok()) {
    LogLine('e', LogMessage(status));
    supervisor_->Failed(status.ToString());
  }
  LogLine('i', status.ok() ? "stopped; everything is committed" : "stopped after an error");
  return status.ok() ? kExitOk : kExitFailure;
}

}  // namespace

void CatchSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGHUP, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

int RunDaemon(const DaemonOptions& options) {
  NodeSpec spec;
  ConfigErrors errors;
  const bool readable = ReadNodeFile(options.config, &spec, &errors);
  StartLog(spec.log_level, spec.name);
  if (!readable) {
    if (LogIsJournal()) ReportFaults(errors);
    for (const ConfigError& e : errors) {
      if (!LogIsJournal()) std::fprintf(stderr, "%s\n", e.ToString().c_str());
    }
    return kExitConfig;
  }
  return Daemon(std::move(spec)).Run();
}

}  // namespace rivulet
