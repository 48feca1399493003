#include "node/replay/replay.h"

#include <algorithm>
#include <limits>
#include <set>

#include "base/suggest.h"
#include "node/engine/background.h"
#include "node/engine/engine.h"
#include "node/plan/chains.h"
#include "node/replay/line_input.h"
#include "node/replay/line_log.h"
#include "node/sinks/sink.h"
#include "node/tables/check_tables.h"
#include "state/store.h"

namespace rivulet {
namespace {

// About what fits a Pi's second-level cache once decoded.
constexpr size_t kTurnBytes = 256 << 10;
constexpr size_t kTurnEntries = 1 << 16;

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

constexpr std::string_view kPipelineName = "{pipeline}";

// One run of a replay.
class Replayer {
 public:
  explicit Replayer(const ReplayOptions& options) : options_(options) {}

  Status Open(std::vector<PipelineSpec> specs, ConfigErrors* errors);
  Result<ReplaySummary> Run();

 private:
  bool durable() const { return !options_.state.empty(); }
  Pipeline& first() { return *engine_->pipelines().begin()->pipeline; }
  Status OpenStore();
  Result<std::unique_ptr<PipelinePlan>> PlanFirst(const PipelineSpec& spec, LineInput* input,
                                                  ConfigErrors* errors);
  void MakeEngine();
  Status OpenOutputs(Pipeline* pipeline);
  Status AddOutput(Pipeline* pipeline, ChannelKind kind, const std::string& path);
  Status OpenTables(LineInput* input, ConfigErrors* errors);
  Status TakeTableFiles(LineInput* input);
  Status LoadTable(uint32_t table, const std::string& path);
  Result<bool> Step();
  Status Drain();
  Status FinishAll();

  const ReplayOptions& options_;
  const std::unique_ptr<FileSystem> files_ = NewPosixFileSystem();
  std::unique_ptr<LineLog> log_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<TaskRunner> runner_;
  const std::unique_ptr<Background> committer_ = NewInlineBackground();
  std::set<std::string> lasts_;   // pipelines that no other reads
  std::unique_ptr<Engine> engine_;
};

// Puts each behind the one it reads. The input has one reader, and without {pipeline} the output one writer.
Status OrderChain(const ReplayOptions& options, std::vector<PipelineSpec>* specs) {
  std::vector<const PipelineSpec*> pointers;
  for (const PipelineSpec& spec : *specs) pointers.push_back(&spec);
  const auto among = [&](const std::string& name) {
    return std::any_of(specs->begin(), specs->end(),
                       [&name](const PipelineSpec& s) { return s.name.text == name; });
  };
  const auto is_read = [&](const std::string& name) {
    return std::any_of(specs->begin(), specs->end(),
                       [&name](const PipelineSpec& s) { return s.source.pipeline.text == name; });
  };
  for (size_t i = 0; i < specs->size(); ++i) {
    const auto same = [&](const PipelineSpec& s) { return s.name.text == (*specs)[i].name.text; };
    if (std::none_of(specs->begin(), specs->begin() + static_cast<ptrdiff_t>(i), same)) continue;
    return Status(ErrorCode::kDuplicatePipeline, "'" + (*specs)[i].name.text + "' is given twice");
  }
  std::string firsts, lasts;
  size_t first_count = 0, last_count = 0;
  for (const PipelineSpec& spec : *specs) {
    const std::string& name = spec.name.text;
    if (!among(spec.source.pipeline.text)) firsts += (first_count++ > 0 ? ", '" : "'") + name + "'";
    if (!is_read(name)) lasts += (last_count++ > 0 ? ", '" : "'") + name + "'";
  }
  if (first_count != 1) {
    return Status(ErrorCode::kUsage, "the input goes to one pipeline, and each of the others reads one of "
                                     "them; of these " +
                                         (first_count == 0 ? "all read each other"
                                                           : firsts + " read none of the others"));
  }
  for (const std::string* path : {&options.output, &options.late, &options.dead_letters}) {
    if (last_count == 1 || path->empty() || path->find(kPipelineName) != std::string::npos) continue;
    return Status(ErrorCode::kUsage, "'" + *path + "' cannot take what comes out of several pipelines (" +
                                         lasts + "); give a name with {pipeline} in it, such as "
                                         "--output 'results-{pipeline}.ndjson'");
  }
  std::vector<PipelineSpec> ordered;
  for (const size_t i : ChainOrder(pointers)) ordered.push_back((*specs)[i]);
  *specs = std::move(ordered);
  return Status::Ok();
}

Status Replayer::OpenStore() {
  if (!durable()) {
    store_ = NewMemoryStore();
    return Status::Ok();
  }
  LmdbOptions lmdb;
  lmdb.directory = options_.state;
  lmdb.map_size = options_.state_size;
  RIVULET_ASSIGN_OR_RETURN(store_, OpenLmdbStore(lmdb));
  return Status::Ok();
}

Result<std::unique_ptr<PipelinePlan>> Replayer::PlanFirst(const PipelineSpec& spec, LineInput* input,
                                                          ConfigErrors* errors) {
  const bool arrival = spec.source.time.arrival ||
                       std::any_of(spec.others.begin(), spec.others.end(),
                                   [](const SourceSpec& other) { return other.time.arrival; });
  if (arrival && spec.source.name.text.empty() && spec.source.format == SourceSpec::Format::kCsv) {
    return Status(ErrorCode::kUsage,
                  "pipeline '" + spec.name.text +
                      "' runs on arrival time, which lines of CSV do not have; replay lines of JSON that "
                      "begin with {\"@arrival\": <epoch ms>");
  }
  input->SetSources(SourceNames(spec));
  PlanOptions plan_options;
  plan_options.replay = true;
  if (spec.source.name.text.empty() && spec.source.format == SourceSpec::Format::kCsv &&
      spec.source.csv.columns.empty()) {
    RIVULET_ASSIGN_OR_RETURN(const std::string header, input->TakeLine());
    plan_options.csv_header = SplitHeader(header, spec.source.csv.delimiter);
  }
  return PlanPipeline(spec, plan_options, errors);
}

Status Replayer::Open(std::vector<PipelineSpec> specs, ConfigErrors* errors) {
  RIVULET_RETURN_IF_ERROR(OrderChain(options_, &specs));
  RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<LineInput> input, LineInput::Open(options_.input));
  LineInput* const lines = input.get();
  std::vector<std::unique_ptr<PipelinePlan>> plans;
  for (const PipelineSpec& spec : specs) {
    lasts_.insert(spec.name.text);
    lasts_.erase(spec.source.pipeline.text);
    if (plans.empty()) {
      RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<PipelinePlan> plan, PlanFirst(spec, lines, errors));
      plans.push_back(std::move(plan));
    } else {
      plans.push_back(PlanPipeline(spec, {}, errors));
    }
  }
  if (std::find(plans.begin(), plans.end(), nullptr) != plans.end()) {
    return Status(ErrorCode::kBadSettingValue, "the pipeline cannot run");
  }
  RIVULET_RETURN_IF_ERROR(OpenStore());
  log_ = std::make_unique<LineLog>(std::move(input), plans.front()->source.time.unit);
  MakeEngine();
  for (std::unique_ptr<PipelinePlan>& plan : plans) {
    const std::string name = plan->name;
    const bool reads_input = engine_->pipelines().empty();
    // The lines stand for the results of one that is not there.
    if (reads_input) plan->source.pipeline.clear();
    if (!reads_input && engine_->pipelines().Find(plan->source.pipeline) == nullptr) {
      return Status(ErrorCode::kUsage, "'" + name + "' and others read each other in a circle");
    }
    RIVULET_RETURN_IF_ERROR(engine_->Start(std::move(plan), ""));
  }
  RIVULET_RETURN_IF_ERROR(OpenTables(lines, errors));
  return engine_->Assemble();
}

void Replayer::MakeEngine() {
  runner_ = NewThreadedRunner(options_.workers);
  EngineOptions engine;
  engine.turns.workers = options_.workers;
  engine.turns.bytes = kTurnBytes * options_.workers;
  engine.turns.entries = kTurnEntries;
  engine.state_memory = options_.state_memory;
  engine.held_outputs = std::numeric_limits<uint64_t>::max();
  engine.commit_interval = engine.checkpoint_interval = options_.commit_interval;
  engine.durable = durable();
  engine.goes_on_when_full = false;
  EngineParts parts;
  parts.store = store_.get();
  parts.input = log_.get();
  parts.runner = runner_.get();
  parts.committer = committer_.get();
  parts.open_sinks = [this](Pipeline* pipeline) { return OpenOutputs(pipeline); };
  parts.clock = [this] { return Now{options_.clock(), {}}; };
  parts.log = [](char, const LogMessage&) {};
  engine_ = std::make_unique<Engine>(std::move(engine), std::move(parts));
}

Status Replayer::OpenOutputs(Pipeline* pipeline) {
  RIVULET_RETURN_IF_ERROR(AddOutput(pipeline, ChannelKind::kResults, options_.output));
  RIVULET_RETURN_IF_ERROR(AddOutput(pipeline, ChannelKind::kLate, options_.late));
  return AddOutput(pipeline, ChannelKind::kDead, options_.dead_letters);
}

// Tables of files, of all pipelines.
Status Replayer::OpenTables(LineInput* input, ConfigErrors* errors) {
  for (const RunningPipeline& r : engine_->pipelines()) {
    if (r.pipeline->tables().ready()) continue;
    CheckTableFiles(r.pipeline->plan(), errors);
    return Status(ErrorCode::kBadTable, "a table of the pipeline cannot be read");
  }
  return TakeTableFiles(input);
}

// Tables of topics: those of the pipeline that reads the input.
Status Replayer::TakeTableFiles(LineInput* input) {
  std::vector<std::string> names;
  for (const TablePlan& table : first().plan().tables) {
    names.push_back(table.of_topic() ? table.name : "");
  }
  // A run that goes on has taken the rows in before.
  const bool begins = Offset{first().offset()} == log_->begin_of_new();
  for (const auto& [name, path] : options_.tables) {
    const auto known = std::find(names.begin(), names.end(), name);
    if (known == names.end() || name.empty()) {
      return Status(ErrorCode::kUsage,
                    "--table names '" + name + "', which is no table of the pipeline with mqtt" +
                        DidYouMean(name, names));
    }
    const auto table = static_cast<uint32_t>(known - names.begin());
    if (begins) RIVULET_RETURN_IF_ERROR(LoadTable(table, path));
  }
  input->SetTables(std::move(names));
  return Status::Ok();
}

// Rows that are there before the first record.
Status Replayer::LoadTable(uint32_t table, const std::string& path) {
  RIVULET_ASSIGN_OR_RETURN(const std::unique_ptr<LineInput> lines, LineInput::Open(path));
  lines->SetOnlyTable(table);
  std::vector<InputMessage> messages;
  for (;;) {
    RIVULET_RETURN_IF_ERROR(lines->Read(kTurnBytes, TimeUnit::kMillis, &messages));
    if (messages.empty()) return Status::Ok();
    for (InputMessage& message : messages) message.payload.offset = first().offset();
    RIVULET_RETURN_IF_ERROR(first().LoadTable(messages));
  }
}

Status Replayer::AddOutput(Pipeline* pipeline, ChannelKind kind, const std::string& path) {
  const bool last = lasts_.contains(pipeline->name());
  std::string own = path;
  const size_t name = own.find(kPipelineName);
  if (name != std::string::npos) own.replace(name, kPipelineName.size(), pipeline->name());
  if (own.empty() || (name == std::string::npos && !last)) return Status::Ok();
  OutputChannel& channel = pipeline->channel(kind);
  if (own == "-") return channel.AddSink("stdout", NewStdoutSink());
  RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<Sink> sink, NewFileSink(own, files_.get(), OutputUse::kReplace));
  return channel.AddSink("file " + own, std::move(sink));
}

// Everything that sinks can have now.
Status Replayer::Drain() {
  while (!engine_->Drained()) {
    const bool moved = engine_->PumpSinks();
    RIVULET_RETURN_IF_ERROR(engine_->status());
    if (moved) continue;
    for (const RunningPipeline& r : engine_->pipelines()) {
      for (const SinkStats& s : r.pipeline->Sinks()) {
        if (!s.available) return Status(ErrorCode::kSinkUnavailable, s.name + ": " + s.last_error);
      }
    }
    return Status(ErrorCode::kSinkUnavailable, "an output takes no more results");
  }
  return Status::Ok();
}

Result<bool> Replayer::Step() {
  const bool more = engine_->Step(Now{options_.clock(), {}});
  RIVULET_RETURN_IF_ERROR(engine_->status());
  RIVULET_RETURN_IF_ERROR(Drain());
  return more;
}

// Everything out. What one puts out with a commit, others read behind it; and sinks' cursors have moved when
// nothing is left.
Status Replayer::FinishAll() {
  for (bool more = true; more;) {
    while (more) {
      RIVULET_ASSIGN_OR_RETURN(more, Step());
    }
    RIVULET_RETURN_IF_ERROR(engine_->CommitNow(Now{options_.clock(), {}}));
    RIVULET_ASSIGN_OR_RETURN(more, Step());
  }
  return engine_->CommitNow(Now{options_.clock(), {}});
}

Result<ReplaySummary> Replayer::Run() {
  ReplaySummary summary;
  // What a killed run left in the output log goes out first.
  RIVULET_RETURN_IF_ERROR(Drain());
  for (bool more = true; more && !summary.interrupted;) {
    const LineInput& input = log_->input();
    summary.interrupted = !options_.progress(input.offset(), input.size(), first().counters());
    if (summary.interrupted) break;
    RIVULET_ASSIGN_OR_RETURN(more, Step());
  }
  if (!summary.interrupted) {
    RIVULET_RETURN_IF_ERROR(FinishAll());
    if (options_.flush) RIVULET_RETURN_IF_ERROR(first().Finish(runner_.get()));
  } else {
    log_->End();
  }
  RIVULET_RETURN_IF_ERROR(FinishAll());
  summary.counters = first().counters();
  for (const RunningPipeline& r : engine_->pipelines()) {
    const Pipeline& p = *r.pipeline;
    summary.pipelines.push_back({p.name(), p.counters(), p.dead_reasons(), p.unquoted().Found(p.name())});
  }
  return summary;
}

}  // namespace

Result<ReplaySummary> Replay(std::vector<PipelineSpec> specs, const ReplayOptions& options,
                             ConfigErrors* errors) {
  Replayer replayer(options);
  RIVULET_RETURN_IF_ERROR(replayer.Open(std::move(specs), errors));
  return replayer.Run();
}

Result<ReplaySummary> Replay(PipelineSpec spec, const ReplayOptions& options,
                             ConfigErrors* errors) {
  return Replay(std::vector<PipelineSpec>{std::move(spec)}, options, errors);
}

}  // namespace rivulet
