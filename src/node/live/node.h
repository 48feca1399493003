// Node: the daemon without its threads. Owns the lane and the running pipelines; Step(now)
// advances everything that is due. `rivulet run` puts threads and signals around it, the simulation a
// clock of its own.
//
//   link thread   ──Ingest──►  journal          (before the message is acknowledged)
//   Step          journal ──► turns ──► commit ──► outputs ──► sinks
//
// One commit is under way at a time; turns go on meanwhile, and what they produce waits for the next one.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/log_message.h"
#include "base/status.h"
#include "base/types.h"
#include "node/config/spec.h"
#include "node/engine/background.h"
#include "node/engine/delivery_notes.h"
#include "node/engine/memory_budget.h"
#include "node/engine/pipeline_set.h"
#include "node/engine/result_reader.h"
#include "node/engine/source_group.h"
#include "node/engine/task_runner.h"
#include "node/lane/lane.h"
#include "node/lane/link_watch.h"
#include "node/live/node_status.h"
#include "node/live/sink_watch.h"
#include "node/live/unquoted_watch.h"
#include "node/sinks/refused_file.h"
#include "state/file.h"
#include "state/journal.h"
#include "state/store.h"
#include "transport/mqtt_link.h"

namespace rivulet {

// What a node stands on. All must outlive it.
struct NodeParts {
  FileSystem* files = nullptr;
  Store* store = nullptr;
  MqttLink* lane_link = nullptr;    // subscribes; persistent session
  MqttLink* sink_link = nullptr;    // publishes results; clean session
  TaskRunner* runner = nullptr;
  Background* committer = nullptr;  // commits, and the journal syncs they need
  Background* syncer = nullptr;     // journal syncs in between
  std::function<Now()> clock;       // called on any thread
  std::function<bool()> clock_known;  // the machine knows the date; called now and then; null: it does
  std::function<void()> wake;       // something arrived: Step soon; called on any thread; may be null
  std::function<void(Duration)> wait;  // until woken, at most this long; may be null
  // The most messages a broker sends without an acknowledgement. So many entries of the journal are kept
  // whatever retention says: what comes again after a restart must be known.
  uint64_t redelivery_window = 1024;
  // A large close: about so many results at once; see PipelineOptions.
  size_t results_per_step = PipelineOptions().results_per_step;
  LogFunction log;
};

// A pipeline file as read: the text decides whether a reload changes anything.
struct PipelineSource {
  PipelineSpec spec;
  std::string text;
  bool readable = true;  // false: only spec.file is set, the file's faults were reported
};

class Node {
 public:
  Node(const NodeSpec& spec, const NodeParts& parts);
  ~Node();


  // Opens the journal and starts the pipelines, then the links. Errors: those of store and journal; a
  // pipeline that cannot be planned is refused with its faults in `errors` and nothing is started.
  Status Open(std::vector<PipelineSource> pipelines, ConfigErrors* errors);

  // Does what is due. True when there is more to do at once.
  bool Step(Now now);

  // Takes over a new set of pipeline files: unchanged ones are not touched; changed ones are replaced and
  // keep the windows they still have; those no longer there stop. When any cannot be planned, or opened,
  // it is reported in `errors`, and the old one of that name goes on.
  Status Reload(std::vector<PipelineSource> pipelines, Now now, ConfigErrors* errors);

  // The end: stops ingest, processes what is journaled, commits, gives sinks the time until `deadline`, and
  // commits how far they got.
  Status Stop(Monotonic deadline);

  // Not ok: something that cannot be gone on from (the store is damaged or full).
  const Status& status() const { return status_; }
  bool ready() const { return ready_; }
  NodeStatus Describe(Now now) const;

 private:
  static constexpr size_t kTurnEntries = 4096;
  static constexpr size_t kTurnBytes = 512 << 10;

  struct Commit;
  // Pipelines that share a read and a decode of the journal, or of another pipeline's results.
  struct Group {
    std::unique_ptr<SourceGroup> source;
    const Pipeline* upstream = nullptr;  // whose results they read; null: the journal
    Monotonic checkpoint;  // when a commit last took its state along
  };

  Status StartPipeline(std::unique_ptr<PipelinePlan> plan, const std::string& text);
  Status OpenPipeline(std::unique_ptr<PipelinePlan> plan, const std::string& text);
  // Of the pipeline opened last, what must be known before anything else happens. Waits for the commit.
  Status CommitOpened();
  // --- pipelines whose text was edited while the node was down (node_former.cc) ---
  // Puts out what the windows of the text before had closed with.
  Status FinishFormer(const std::string& name, const std::string& text);
  Status RememberText(const std::string& name, const std::string& text);
  // Whether a pipeline would go on in the middle of a close, were it opened with this plan.
  Result<bool> WouldClose(const PipelinePlan& plan) const;
  Status OpenNotes();
  Status OpenSinks(Pipeline* pipeline);
  Status AddSinks(Pipeline* pipeline, ChannelKind kind, const std::vector<SinkSpec>& sinks);
  std::vector<WantedFilter> Wanted() const;
  void Subscribe();
  // --- pipelines that read others' results (node_chains.cc) ---
  // Takes back the plans of pipelines that cannot be chained as they want to, and reports why. When a running
  // one that is to stop is still read by one that goes on, it is added to `sources`. Returns the order in
  // which sources are to be started.
  std::vector<size_t> SettleChains(std::vector<PipelineSource>* sources, ConfigErrors* errors,
                                   std::vector<std::unique_ptr<PipelinePlan>>* plans) const;
  Status PlaceInLog(const PipelinePlan& plan, PipelineOptions* options) const;
  Status CheckPlace(Pipeline* pipeline);
  Status ReadResults(Group* group, uint64_t* next);
  // Tells every pipeline from where on its results are still to be read.
  void KeepForReaders();
  uint64_t LagOf(const Pipeline& pipeline) const;

  bool PlanAll(std::vector<PipelineSource>* sources, ConfigErrors* errors,
               std::vector<std::unique_ptr<PipelinePlan>>* plans);

  // --- when the state store, or what outputs may take of it, is full (node_full.cc) ---
  // Whether so much waits for a pipeline's sinks that it takes in nothing more.
  bool OutputsFull(const Pipeline& pipeline) const;
  void WatchOutputs();
  // Whether sinks have something to take, or have taken what is still stored.
  bool RoomWillCome() const;
  bool SinksMoved() const;
  // Puts how far sinks have got, and the deletion of what they have, in front of the commit that had no room.
  void MakeRoom();
  // The commit that had no room will never have it: smaller ones are made, up to a message that is put aside.
  // False when there is none to blame.
  bool PutAside();
  // Takes all pipelines back to the last commit.
  Status StartAfresh();
  bool RefuseMessage(const Commit& commit);
  void RefuseAside(const Group& group);
  bool ReadCarefully();
  void EndCare();
  void TakeCare(Pipeline* pipeline) const;
  // A commit of this pipeline was made: the next may be larger.
  void TakeLessCare(const std::string& pipeline);
  size_t MostEntries(const Group& group, size_t most) const;
  static bool WantsRoom(const Status& status) {
    return status.code() == ErrorCode::kDiskFull || status.code() == ErrorCode::kStoreFull;
  }

  bool ReadTurns();
  bool ReadGroups();
  void ShareSteps(const Group& group) const;
  Status BuildGroups();
  // After a turn that some pipelines cut short, and when those have caught up.
  Status RegroupPipelines(bool quiet);
  Status TurnOf(Group* group, bool* more);
  Status ReadJournal(Group* group, uint64_t* next);
  void Refuse(ErrorCode code, std::string why, InputMessage* message);
  bool IsDue(const Group& group, Now now) const;
  MemoryUse Measure() const;
  bool AnyChanges() const;
  bool MemoryWantsCommit() const;
  MemoryBudget Budget() const;
  void CommitIfDue(Now now);
  // `makes_room`: nothing new goes into the state with it.
  void StartCommit(Now now, bool all, bool makes_room = false);
  void PostCommit();
  void RetryCommit();
  bool FinishCommit();
  Status CommitNow(Now now);
  bool PumpSinks();
  void WatchDisk(Now now);
  void WatchTables(Now now);
  void WatchSinks(Now now);
  void WatchSinkLink(Now now);
  void Fail(const Status& status);
  Offset LeastCommitted() const;
  Offset ConsumedForSure() const;

  NodeSpec spec_;
  NodeParts parts_;
  Monotonic started_;
  Lane lane_;
  PipelineSet pipelines_;
  std::vector<Group> groups_;
  size_t next_group_ = 0;               // whose turn it is first
  bool assembled_ = false;              // all pipelines are there, and so all readers of each are known
  bool cut_ = false;                    // a pipeline has messages to read again
  bool apart_ = false;                  // and so reads apart from others with the same source
  SinkWatch sink_watch_;
  UnquotedWatch unquoted_watch_;
  RefusedFile refused_results_;
  DeliveryNotes notes_;
  LinkWatch sink_link_watch_{"broker, output"};
  Delta remembered_;                    // subscribed filters and texts, for the next commit
  std::vector<InputMessage> messages_;  // scratch
  std::deque<std::string> refusals_;    // scratch: why messages are refused
  ResultReader results_;                // scratch
  std::vector<uint32_t> of_tables_;     // scratch
  Status status_;
  bool ready_ = false;
  bool stopping_ = false;

  // The commit under way. `done` is set by the committer's thread last.
  struct Commit {
    Delta delta;
    Delta delivery;        // of `delta`, how far sinks have got
    Delta first;           // to be applied before it, as there was no room
    Delta remembered;      // of `delta`, what no pipeline gives again
    std::string pipeline;  // when only one has done something: which ...
    bool alone = false;    // ... and whether that was to take in one message, and the message
    uint64_t message = 0;
    Status result;
    Monotonic started;
    Duration took;
    bool complained = false;
    uint64_t filters = 0;  // see NewFilters::OnCollected
    std::atomic<bool> done{false};
  };
  std::unique_ptr<Commit> commit_;
  Monotonic last_commit_, last_disk_check_, last_table_check_,
      last_sink_check_, last_link_check_;
  // What every pipeline had consumed with the last commit, and with the one before. When commits are not
  // synced, a power cut may take back the last one, and what it read is read again.
  Offset consumed_, consumed_before_;
  bool paused_ = false;
  uint64_t held_outputs_ = 0;           // of all pipelines, bytes
  bool outputs_full_ = false;           // as logged
  // Empty: as ever. Otherwise pipelines take turns one at a time, each of so many messages and with a commit.
  std::map<std::string, size_t> careful_;
  size_t careful_next_ = 0;             // group
  // Messages that do not fit into the store, by pipeline, and whether even a dead letter does not.
  struct Aside {
    uint64_t offset;
    bool silent;
  };
  std::map<std::string, Aside> aside_;
  NodeCounters counters_;
};

}  // namespace rivulet
