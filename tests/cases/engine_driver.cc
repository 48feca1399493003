#include "tests/cases/engine_driver.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "node/config/reader.h"
#include "tests/cases/memory_sink.h"

namespace rivulet {
namespace {

constexpr int64_t kAllTime = std::numeric_limits<int64_t>::max();

void Check(const Status& status) { REQUIRE_MESSAGE(status.ok(), status.ToString()); }

}  // namespace

MemoryLog::MemoryLog(const std::vector<StreamLine>& lines, size_t longest, Random* random)
    : longest_(longest), random_(random) {
  for (const StreamLine& line : lines) buffer_ += line.text;
  buffer_.append(kPayloadPadding, '\0');
  size_t begin = 0;
  for (const StreamLine& line : lines) {
    InputMessage message;
    message.payload = {std::string_view(buffer_).substr(begin, line.text.size()), line.arrival_us,
                       messages_.size()};
    message.source = line.source;
    if (line.punctuation) {
      message.kind = InputMessage::Kind::kWatermark;
      message.watermark_us = line.watermark_us;
    }
    if (line.tick) message.kind = InputMessage::Kind::kTick;
    message.resumes = line.resumes;
    if (line.table) {
      message.kind = InputMessage::Kind::kTable;
      message.table = *line.table;
      message.removes = line.removes;
    }
    messages_.push_back(message);
    begin += line.text.size();
  }
}

Status MemoryLog::Read(SourceGroup*, Offset from, size_t entries, size_t,
                       std::span<const InputMessage>* messages, uint64_t* next) {
  size_t count = std::min<size_t>(messages_.size() - from.value, entries);
  if (longest_ > 0) count = std::min<size_t>(count, 1 + random_->Below(longest_));
  *messages = std::span<const InputMessage>(messages_).subspan(from.value, count);
  *next = from.value + count;
  return Status::Ok();
}

EngineDriver::EngineDriver(std::vector<std::string> yamls, const std::vector<StreamLine>& lines,
                           const DriveOptions& options)
    : yamls_(std::move(yamls)),
      options_(options),
      random_(options.seed),
      log_(lines, options.longest_turn, &random_),
      outputs_(yamls_.size()) {}

std::vector<Outputs> EngineDriver::Run() {
  Start(options_.workers);
  while (!Done()) {
    const bool ended = Offset{first().offset()} == log_.end() && !first().closing();
    if (ended && options_.flush && first().watermark() != kAllTime) Check(first().Finish(runner_.get()));
    Turn();
    MaybeCommitOrCrash();
  }
  if (options_.durable) {
    Check(engine_->CommitNow(now_));
    Pump();
    Check(engine_->CommitNow(now_));  // cursors of sinks
  }
  Pump();
  REQUIRE(engine_->Drained());
  return std::move(outputs_);
}

void EngineDriver::Start(uint32_t workers) {
  engine_.reset();
  EngineOptions options;
  options.turns.workers = workers;
  options.turns.entries = options_.longest_turn > 0 ? 1 + random_.Below(options_.longest_turn) : 1 << 20;
  options.turns.bytes = random_.Below(2) == 0 ? 200 : size_t{1} << 30;
  // Mostly tiny steps: a close of any size then goes in several, with commits and crashes in between.
  if (options_.longest_turn > 0 && random_.Below(4) != 0) {
    options.turns.results_per_step = 1 + random_.Below(5);
    options.turns.outputs_per_step = random_.Below(2) == 0 ? 0 : 200;
  }
  options.state_memory = uint64_t{1} << 40;
  options.held_outputs = std::numeric_limits<uint64_t>::max();
  options.checkpoint_interval = Duration::Seconds(static_cast<int64_t>(random_.Below(20)));
  options.durable = options_.durable;
  EngineParts parts;
  parts.store = store_.get();
  parts.input = &log_;
  parts.runner = runner_.get();
  parts.committer = &committer_;
  parts.open_sinks = [this](Pipeline* pipeline) { return AddSinks(pipeline); };
  parts.clock = [this] { return now_; };
  parts.log = [](char, const LogMessage&) {};
  engine_ = std::make_unique<Engine>(std::move(options), std::move(parts));
  names_.clear();
  for (const std::string& yaml : yamls_) {
    std::string why;
    std::unique_ptr<PipelinePlan> plan = PlanText(yaml, options_.csv_header, &why, options_.file,
                                                  /*reads_lines=*/names_.empty());
    REQUIRE_MESSAGE(plan != nullptr, why);
    if (names_.empty()) plan->source.pipeline.clear();
    names_.push_back(plan->name);
    Check(engine_->Start(std::move(plan), ""));
    REQUIRE(engine_->pipelines().back().pipeline->tables().ready());
  }
  Check(engine_->Assemble());
  Pump();
}

Status EngineDriver::AddSinks(Pipeline* pipeline) {
  const auto which = std::find(names_.begin(), names_.end(), pipeline->name()) - names_.begin();
  Outputs& outputs = outputs_[static_cast<size_t>(which)];
  const std::pair<ChannelKind, std::vector<std::string>*> channels[] = {
      {ChannelKind::kResults, &outputs.results},
      {ChannelKind::kLate, &outputs.late},
      {ChannelKind::kDead, &outputs.dead}};
  for (const auto& [kind, lines] : channels) {
    RIVULET_RETURN_IF_ERROR(
        pipeline->channel(kind).AddSink("memory", std::make_unique<MemorySink>(lines)));
  }
  return Status::Ok();
}

// All have W at the end of the input, where that closes windows, and nothing to read.
bool EngineDriver::Done() const {
  const PipelineSet& pipelines = engine_->pipelines();
  return std::all_of(pipelines.begin(), pipelines.end(), [&](const RunningPipeline& r) {
    return !r.pipeline->closing() && engine_->LagOf(*r.pipeline) == 0 &&
           (!options_.flush || r.pipeline->watermark() == kAllTime);
  });
}

void EngineDriver::Turn() {
  now_.monotonic.us += 1'000'000;
  now_.wall.us += 1'000'000;
  engine_->ReadTurns();
  Check(engine_->status());
}

void EngineDriver::MaybeCommitOrCrash() {
  if (!options_.durable) {
    Pump();
  } else if (random_.Chance(options_.commit)) {
    Commit();
  }
  if (options_.durable && random_.Chance(options_.crash)) Crash();
}

void EngineDriver::Crash() {
  Start(options_.any_workers ? static_cast<uint32_t>(1 + random_.Below(4)) : options_.workers);
}

// Of several pipelines sometimes only what is due.
void EngineDriver::Commit() {
  const bool overlap = random_.Chance(options_.overlap);
  const auto turn_beside = [&] {
    if (overlap && random_.Chance(0.7)) Turn();
  };
  committer_.Hold();
  engine_->StartCommit(now_, yamls_.size() == 1 || random_.Chance(0.6));
  turn_beside();
  committer_.RunPosted();
  if (random_.Chance(options_.crash)) return Crash();  // before anybody heard of it
  turn_beside();
  REQUIRE(engine_->FinishCommit());
  if (random_.Chance(options_.evict)) {
    for (RunningPipeline& r : engine_->pipelines()) r.pipeline->BoundMemory(0);
  }
  Pump();
}

void EngineDriver::Pump() {
  while (engine_->PumpSinks()) {
  }
  Check(engine_->status());
}

}  // namespace rivulet
