#include "node/replay/replay.h"

#include <algorithm>
#include <span>

#include "base/suggest.h"
#include "node/engine/memory_budget.h"
#include "node/engine/pipeline.h"
#include "node/engine/result_reader.h"
#include "node/plan/chains.h"
#include "node/replay/line_input.h"
#include "node/sinks/sink.h"
#include "node/tables/check_tables.h"
#include "state/store.h"

namespace rivulet {
namespace {

// About what fits a Pi's second-level cache once decoded.
constexpr size_t kTurnBytes = 256 << 10;
constexpr size_t kTurnEntries = 4096;

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
  // One pipeline: the first reads the input, each other the results of one before it.
  struct Link {
    std::unique_ptr<Pipeline> pipeline;
    const Pipeline* upstream = nullptr;
    ResultReader reader;
  };
  bool durable() const { return !options_.state.empty(); }
  MemoryBudget Budget() const;
  Status OpenTables(ConfigErrors* errors);
  Status TakeTableFiles();
  Status LoadTable(uint32_t table, const std::string& path);
  Pipeline& first() { return *links_.front().pipeline; }
  Status OpenStore();
  Result<std::unique_ptr<PipelinePlan>> PlanFirst(const PipelineSpec& spec, ConfigErrors* errors);
  Status OpenLink(std::unique_ptr<PipelinePlan> plan, bool last);
  Status AddOutput(Pipeline* pipeline, bool last, ChannelKind kind, const std::string& path);
  size_t TurnMessages(size_t most) const;
  Status TurnFirst(std::span<const InputMessage> messages);
  Status Follow();
  Status FinishAll();
  Status AfterTurn(bool force_commit);
  Status Commit();
  void KeepForReaders();
  Status FinishClosing(Pipeline* pipeline);
  Status Drain();

  const ReplayOptions& options_;
  const std::unique_ptr<FileSystem> files_ = NewPosixFileSystem();
  std::unique_ptr<LineInput> input_;
  std::unique_ptr<Store> store_;
  std::vector<Link> links_;
  std::unique_ptr<TaskRunner> runner_;
  std::vector<InputMessage> messages_;
  Monotonic last_commit_;
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

Result<std::unique_ptr<PipelinePlan>> Replayer::PlanFirst(const PipelineSpec& spec,
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
  input_->SetSources(SourceNames(spec));
  PlanOptions plan_options;
  plan_options.replay = true;
  if (spec.source.name.text.empty() && spec.source.format == SourceSpec::Format::kCsv &&
      spec.source.csv.columns.empty()) {
    RIVULET_ASSIGN_OR_RETURN(const std::string header, input_->TakeLine());
    plan_options.csv_header = SplitHeader(header, spec.source.csv.delimiter);
  }
  return PlanPipeline(spec, plan_options, errors);
}

Status Replayer::Open(std::vector<PipelineSpec> specs, ConfigErrors* errors) {
  RIVULET_RETURN_IF_ERROR(OrderChain(options_, &specs));
  RIVULET_ASSIGN_OR_RETURN(input_, LineInput::Open(options_.input));
  std::vector<std::unique_ptr<PipelinePlan>> plans;
  for (const PipelineSpec& spec : specs) {
    if (plans.empty()) {
      RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<PipelinePlan> plan, PlanFirst(spec, errors));
      plans.push_back(std::move(plan));
    } else {
      plans.push_back(PlanPipeline(spec, {}, errors));
    }
  }
  if (std::find(plans.begin(), plans.end(), nullptr) != plans.end()) {
    return Status(ErrorCode::kBadSettingValue, "the pipeline cannot run");
  }
  RIVULET_RETURN_IF_ERROR(OpenStore());
  for (std::unique_ptr<PipelinePlan>& plan : plans) {
    const std::string& name = plan->name;
    const bool last = std::none_of(specs.begin(), specs.end(), [&name](const PipelineSpec& s) {
      return s.source.pipeline.text == name;
    });
    RIVULET_RETURN_IF_ERROR(OpenLink(std::move(plan), last));
  }
  KeepForReaders();
  runner_ = NewThreadedRunner(options_.workers);
  RIVULET_RETURN_IF_ERROR(OpenTables(errors));
  return input_->SkipTo(first().offset());
}

Status Replayer::OpenLink(std::unique_ptr<PipelinePlan> plan, bool last) {
  Link link;
  PipelineOptions pipeline_options;
  pipeline_options.workers = options_.workers;
  pipeline_options.start_offset = input_->offset();
  for (const Link& other : links_) {
    if (other.pipeline->name() != plan->source.pipeline) continue;
    link.upstream = other.pipeline.get();
    pipeline_options.log = Position::ResultsOf(link.upstream->id());
    pipeline_options.start_offset = 0;
  }
  if (link.upstream == nullptr && !links_.empty()) {
    return Status(ErrorCode::kUsage, "'" + plan->name + "' and others read each other in a circle");
  }
  RIVULET_ASSIGN_OR_RETURN(
      link.pipeline, Pipeline::Open(std::move(plan), pipeline_options, store_.get(), durable()));
  Pipeline* const pipeline = link.pipeline.get();
  pipeline->channel(ChannelKind::kResults).KeepFrom(0);
  links_.push_back(std::move(link));
  RIVULET_RETURN_IF_ERROR(AddOutput(pipeline, last, ChannelKind::kResults, options_.output));
  RIVULET_RETURN_IF_ERROR(AddOutput(pipeline, last, ChannelKind::kLate, options_.late));
  RIVULET_RETURN_IF_ERROR(AddOutput(pipeline, last, ChannelKind::kDead, options_.dead_letters));
  // Its number must be taken before the next one asks for one.
  return durable() ? Commit() : Status::Ok();
}

// Tables of files, of all pipelines.
Status Replayer::OpenTables(ConfigErrors* errors) {
  for (const Link& link : links_) {
    PipelineTables& tables = link.pipeline->tables();
    tables.Refresh(true, 0, [](char, const std::string&) {});
    if (tables.ready()) continue;
    CheckTableFiles(link.pipeline->plan(), errors);
    return Status(ErrorCode::kBadTable, "a table of the pipeline cannot be read");
  }
  return TakeTableFiles();
}

// Tables of topics: those of the pipeline that reads the input.
Status Replayer::TakeTableFiles() {
  std::vector<std::string> names;
  for (const TablePlan& table : first().plan().tables) {
    names.push_back(table.of_topic() ? table.name : "");
  }
  // A run that goes on has taken the rows in before.
  const bool begins = first().offset() == input_->offset();
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
  input_->SetTables(std::move(names));
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

Status Replayer::AddOutput(Pipeline* pipeline, bool last, ChannelKind kind, const std::string& path) {
  std::string own = path;
  const size_t name = own.find(kPipelineName);
  if (name != std::string::npos) own.replace(name, kPipelineName.size(), pipeline->name());
  if (own.empty() || (name == std::string::npos && !last)) return Status::Ok();
  OutputChannel& channel = pipeline->channel(kind);
  if (own == "-") return channel.AddSink("stdout", NewStdoutSink());
  RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<Sink> sink, NewFileSink(own, files_.get(), OutputUse::kReplace));
  return channel.AddSink("file " + own, std::move(sink));
}

// What tables do not take.
MemoryBudget Replayer::Budget() const {
  size_t tables = 0;
  for (const Link& link : links_) tables += link.pipeline->TableBytes();
  return MemoryBudget{options_.state_memory}.Without(tables);
}

// Without a commit results can be read at once.
void Replayer::KeepForReaders() {
  for (Link& link : links_) {
    uint64_t least = OutputChannel::kNobody;
    for (const Link& reader : links_) {
      if (reader.upstream != link.pipeline.get()) continue;
      least = std::min(least, durable() ? reader.pipeline->committed_offset() : reader.pipeline->offset());
    }
    link.pipeline->channel(ChannelKind::kResults).KeepFrom(least);
  }
}

Status Replayer::Commit() {
  last_commit_ = options_.clock();
  Delta delta;
  for (const Link& link : links_) link.pipeline->CollectCommit(&delta);
  RIVULET_RETURN_IF_ERROR(store_->Commit(delta));
  for (const Link& link : links_) link.pipeline->OnCommitted();
  return Status::Ok();
}

// Hands results on: at once without a state directory, after a commit with one.
Status Replayer::AfterTurn(bool force_commit) {
  KeepForReaders();
  if (!durable()) return Drain();
  const MemoryBudget budget = Budget();
  MemoryUse use;
  for (const Link& link : links_) link.pipeline->Measure(&use);
  const bool due = force_commit || options_.clock() - last_commit_ >= options_.commit_interval ||
                   budget.CommitDue(use, store_->Stats());
  if (!due) return Status::Ok();
  RIVULET_RETURN_IF_ERROR(Commit());
  KeepForReaders();
  for (const Link& link : links_) link.pipeline->BoundMemory(budget.panes() / links_.size());
  return Drain();
}

// A turn that ended in the middle of a large close goes on in steps, results leaving in between.
Status Replayer::FinishClosing(Pipeline* pipeline) {
  while (pipeline->closing()) {
    RIVULET_RETURN_IF_ERROR(AfterTurn(true));
    RIVULET_RETURN_IF_ERROR(pipeline->Continue(runner_.get()));
  }
  return Status::Ok();
}

Status Replayer::Drain() {
  for (;;) {
    bool moved = false, drained = true;
    for (const Link& link : links_) {
      RIVULET_ASSIGN_OR_RETURN(const bool one, link.pipeline->Pump());
      moved = moved || one;
      drained = drained && link.pipeline->Drained();
    }
    if (drained) return Status::Ok();
    if (moved) continue;
    for (const Link& link : links_) {
      for (const SinkStats& s : link.pipeline->Sinks()) {
        if (!s.available) return Status(ErrorCode::kSinkUnavailable, s.name + ": " + s.last_error);
      }
    }
    return Status(ErrorCode::kSinkUnavailable, "an output takes no more results");
  }
}

// No more than a commit can hold.
size_t Replayer::TurnMessages(size_t most) const {
  return Budget().TurnMessages(most, links_.size(), durable() ? store_->Stats() : StoreStats{});
}

Status Replayer::TurnFirst(std::span<const InputMessage> rest) {
  while (!rest.empty()) {
    const auto turn = rest.first(TurnMessages(rest.size()));
    const bool all = turn.size() == rest.size();
    const uint64_t end = all ? input_->offset() : rest[turn.size()].payload.offset;
    RIVULET_RETURN_IF_ERROR(first().Turn(turn, end, runner_.get()));
    RIVULET_RETURN_IF_ERROR(FinishClosing(&first()));
    RIVULET_RETURN_IF_ERROR(AfterTurn(false));
    const uint64_t next = first().offset();
    rest = {std::find_if(rest.begin(), rest.end(),
                         [next](const InputMessage& m) { return m.payload.offset >= next; }),
            rest.end()};
  }
  return Status::Ok();
}

// The pipelines that read others take what there is for them.
Status Replayer::Follow() {
  for (Link& link : links_) {
    Pipeline* const pipeline = link.pipeline.get();
    RIVULET_RETURN_IF_ERROR(FinishClosing(pipeline));
    while (link.upstream != nullptr) {
      uint64_t next = 0;
      RIVULET_RETURN_IF_ERROR(link.reader.Read(*link.upstream, *pipeline, TurnMessages(kTurnEntries),
                                               kTurnBytes * options_.workers, &messages_, &next));
      if (messages_.empty()) break;
      RIVULET_RETURN_IF_ERROR(pipeline->Turn(messages_, next, runner_.get()));
      RIVULET_RETURN_IF_ERROR(FinishClosing(pipeline));
      RIVULET_RETURN_IF_ERROR(AfterTurn(false));
    }
  }
  return Status::Ok();
}

// Everything out. What one puts out with a commit, others read behind it.
Status Replayer::FinishAll() {
  for (size_t i = 0; i < links_.size(); ++i) {
    RIVULET_RETURN_IF_ERROR(AfterTurn(true));
    RIVULET_RETURN_IF_ERROR(Follow());
  }
  RIVULET_RETURN_IF_ERROR(AfterTurn(true));
  // The sinks' cursors have moved since: a second commit keeps them.
  return durable() ? AfterTurn(true) : Status::Ok();
}

Result<ReplaySummary> Replayer::Run() {
  ReplaySummary summary;
  last_commit_ = options_.clock();
  const TimeUnit unit = first().plan().source.time.unit;
  // What a killed run left in the output log goes out first.
  RIVULET_RETURN_IF_ERROR(Drain());
  RIVULET_RETURN_IF_ERROR(Follow());
  std::vector<InputMessage> messages;
  for (;;) {
    if (!options_.progress(input_->offset(), input_->size(), first().counters())) {
      summary.interrupted = true;
      break;
    }
    RIVULET_RETURN_IF_ERROR(input_->Read(kTurnBytes * options_.workers, unit, &messages));
    if (messages.empty()) break;
    RIVULET_RETURN_IF_ERROR(TurnFirst(messages));
    RIVULET_RETURN_IF_ERROR(Follow());
  }
  if (options_.flush && !summary.interrupted) {
    RIVULET_RETURN_IF_ERROR(first().Finish(runner_.get()));
    RIVULET_RETURN_IF_ERROR(FinishClosing(&first()));
  }
  RIVULET_RETURN_IF_ERROR(FinishAll());
  summary.counters = first().counters();
  for (const Link& link : links_) {
    const Pipeline& p = *link.pipeline;
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
