#include "node/replay/replay.h"

#include <algorithm>
#include <span>

#include "node/engine/memory_budget.h"
#include "node/engine/pipeline.h"
#include "node/replay/line_input.h"
#include "node/sinks/sink.h"
#include "state/store.h"

namespace rivulet {
namespace {

// About what fits a Pi's second-level cache once decoded.
constexpr size_t kTurnBytes = 256 << 10;

std::vector<std::string> SplitHeader(const std::string& line, char delimiter) {
  std::vector<std::string> names;
  std::string name;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == delimiter && !quoted) {
      names.push_back(std::move(name));
      name.clear();
    } else {
      name.push_back(c);
    }
  }
  names.push_back(std::move(name));
  return names;
}

}  // namespace

std::vector<std::string> SourceNames(const PipelineSpec& spec) {
  std::vector<std::string> names;
  if (spec.source.name.text.empty()) return names;
  names.push_back(spec.source.name.text);
  for (const SourceSpec& other : spec.others) names.push_back(other.name.text);
  return names;
}

namespace {

// One run of a replay.
class Replayer {
 public:
  explicit Replayer(const ReplayOptions& options) : options_(options) {}

  Status Open(const PipelineSpec& spec, ConfigErrors* errors);
  Result<ReplaySummary> Run();

 private:
  bool durable() const { return !options_.state.empty(); }
  Status AddOutput(ChannelKind kind, const std::string& path);
  Status AfterTurn(bool force_commit);
  Status FinishClosing();
  Status Drain();

  const ReplayOptions& options_;
  std::unique_ptr<LineInput> input_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<TaskRunner> runner_;
  Monotonic last_commit_;
};

Status Replayer::Open(const PipelineSpec& spec, ConfigErrors* errors) {
  const bool arrival = spec.source.time.arrival ||
                       std::any_of(spec.others.begin(), spec.others.end(),
                                   [](const SourceSpec& other) { return other.time.arrival; });
  if (arrival) {
    return Status(ErrorCode::kUsage,
                  "pipeline '" + spec.name.text +
                      "' runs on arrival time, which a file does not have; give it time: { field: ... }");
  }
  RIVULET_ASSIGN_OR_RETURN(input_, LineInput::Open(options_.input));
  input_->SetSources(SourceNames(spec));
  PlanOptions plan_options;
  plan_options.replay = true;
  if (spec.source.name.text.empty() && spec.source.format == SourceSpec::Format::kCsv &&
      spec.source.csv.columns.empty()) {
    RIVULET_ASSIGN_OR_RETURN(const std::string header, input_->TakeLine());
    plan_options.csv_header = SplitHeader(header, spec.source.csv.delimiter);
  }
  std::unique_ptr<PipelinePlan> plan = PlanPipeline(spec, plan_options, errors);
  if (plan == nullptr) return Status(ErrorCode::kBadSettingValue, "the pipeline cannot run");

  if (durable()) {
    LmdbOptions lmdb;
    lmdb.directory = options_.state;
    lmdb.map_size = sizeof(void*) == 4 ? 1ull << 30 : 16ull << 30;
    RIVULET_ASSIGN_OR_RETURN(store_, OpenLmdbStore(lmdb));
  } else {
    store_ = NewMemoryStore();
  }
  PipelineOptions pipeline_options;
  pipeline_options.workers = options_.workers;
  pipeline_options.start_offset = input_->offset();
  RIVULET_ASSIGN_OR_RETURN(
      pipeline_, Pipeline::Open(std::move(plan), pipeline_options, store_.get(), durable()));
  RIVULET_RETURN_IF_ERROR(AddOutput(ChannelKind::kResults, options_.output));
  RIVULET_RETURN_IF_ERROR(AddOutput(ChannelKind::kLate, options_.late));
  RIVULET_RETURN_IF_ERROR(AddOutput(ChannelKind::kDead, options_.dead_letters));
  runner_ = NewThreadedRunner(options_.workers);
  return input_->SkipTo(pipeline_->offset());
}

Status Replayer::AddOutput(ChannelKind kind, const std::string& path) {
  if (path.empty()) return Status::Ok();
  OutputChannel& channel = pipeline_->channel(kind);
  if (path == "-") return channel.AddSink("stdout", NewStdoutSink());
  RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<Sink> sink, NewFileSink(path));
  return channel.AddSink("file " + path, std::move(sink));
}

// Hands results on: at once without a state directory, after a commit with one.
Status Replayer::AfterTurn(bool force_commit) {
  if (!durable()) return Drain();
  const Monotonic now = options_.clock();
  const MemoryBudget budget{options_.state_memory};
  const bool due = force_commit || now - last_commit_ >= options_.commit_interval ||
                   budget.CommitDue(pipeline_->StateBytes(), pipeline_->DirtyRows(), store_->Stats()) ||
                   pipeline_->OutputBytes() > 16u << 20;
  if (!due) return Status::Ok();
  last_commit_ = now;
  Delta delta;
  pipeline_->CollectCommit(&delta);
  RIVULET_RETURN_IF_ERROR(store_->Commit(delta));
  pipeline_->OnCommitted();
  pipeline_->BoundMemory(budget.panes());
  return Drain();
}

// A turn that ended in the middle of a large close goes on in steps, results leaving in between.
Status Replayer::FinishClosing() {
  while (pipeline_->closing()) {
    RIVULET_RETURN_IF_ERROR(AfterTurn(true));
    RIVULET_RETURN_IF_ERROR(pipeline_->Continue(runner_.get()));
  }
  return Status::Ok();
}

Status Replayer::Drain() {
  for (;;) {
    RIVULET_ASSIGN_OR_RETURN(const bool moved, pipeline_->Pump());
    if (pipeline_->Drained()) return Status::Ok();
    if (moved) continue;
    for (const SinkStats& s : pipeline_->Sinks()) {
      if (!s.available) return Status(ErrorCode::kSinkUnavailable, s.name + ": " + s.last_error);
    }
    return Status(ErrorCode::kSinkUnavailable, "an output takes no more results");
  }
}

Result<ReplaySummary> Replayer::Run() {
  ReplaySummary summary;
  last_commit_ = options_.clock();
  std::vector<InputMessage> messages;
  const TimeUnit unit = pipeline_->plan().source.time_unit;
  const MemoryBudget budget{options_.state_memory};
  // What a killed run left in the output log goes out first.
  RIVULET_RETURN_IF_ERROR(Drain());
  RIVULET_RETURN_IF_ERROR(FinishClosing());
  for (;;) {
    if (!options_.progress(input_->offset(), input_->size(), pipeline_->counters())) {
      summary.interrupted = true;
      break;
    }
    RIVULET_RETURN_IF_ERROR(input_->Read(kTurnBytes * options_.workers, unit, &messages));
    if (messages.empty()) break;
    std::span<const InputMessage> rest = messages;
    while (!rest.empty()) {
      const auto turn = rest.first(
          budget.TurnMessages(rest.size(), 1, durable() ? store_->Stats() : StoreStats{}));
      const bool all = turn.size() == rest.size();
      const uint64_t end = all ? input_->offset() : rest[turn.size()].payload.offset;
      RIVULET_RETURN_IF_ERROR(pipeline_->Turn(turn, end, runner_.get()));
      RIVULET_RETURN_IF_ERROR(FinishClosing());
      RIVULET_RETURN_IF_ERROR(AfterTurn(false));
      const uint64_t next = pipeline_->offset();
      rest = {std::find_if(rest.begin(), rest.end(),
                           [next](const InputMessage& m) { return m.payload.offset >= next; }),
              rest.end()};
    }
  }
  if (options_.flush && !summary.interrupted) {
    RIVULET_RETURN_IF_ERROR(pipeline_->Finish(runner_.get()));
    RIVULET_RETURN_IF_ERROR(FinishClosing());
  }
  RIVULET_RETURN_IF_ERROR(AfterTurn(true));
  // The sinks' cursors have moved since: a second commit keeps them.
  if (durable()) RIVULET_RETURN_IF_ERROR(AfterTurn(true));
  summary.counters = pipeline_->counters();
  return summary;
}

}  // namespace

Result<ReplaySummary> Replay(PipelineSpec spec, const ReplayOptions& options,
                             ConfigErrors* errors) {
  Replayer replayer(options);
  RIVULET_RETURN_IF_ERROR(replayer.Open(spec, errors));
  return replayer.Run();
}

}  // namespace rivulet
