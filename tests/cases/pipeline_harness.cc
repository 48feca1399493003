#include "tests/cases/pipeline_harness.h"

#include <doctest/doctest.h>

#include "node/config/reader.h"
#include "tests/cases/memory_sink.h"

namespace rivulet {
namespace {

// One run; see DriveOptions.
class Driver {
 public:
  Driver(const std::string& yaml, const std::vector<StreamLine>& lines,
         const DriveOptions& options)
      : yaml_(yaml),
        options_(options),
        random_(options.seed),
        store_(NewMemoryStore()),
        runner_(NewSerialRunner()) {
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

  Outputs Run() {
    Start(options_.workers);
    while (pipeline_->closing() || pipeline_->offset() < messages_.size()) {
      Step();
      MaybeCommitOrCrash();
    }
    // A crash behind Finish would have the input read again from the last commit: there is none yet.
    options_.crash = 0;
    if (options_.flush) Check(pipeline_->Finish(runner_.get()));
    while (pipeline_->closing()) {
      MaybeCommitOrCrash();
      Check(pipeline_->Continue(runner_.get()));
    }
    if (options_.durable) Commit();
    Pump();
    REQUIRE(pipeline_->Drained());
    return std::move(outputs_);
  }

 private:
  static void Check(const Status& status) { REQUIRE_MESSAGE(status.ok(), status.ToString()); }

  void Start(uint32_t workers) {
    pipeline_.reset();
    std::string why;
    std::unique_ptr<PipelinePlan> plan = PlanText(yaml_, options_.csv_header, &why, options_.file);
    REQUIRE_MESSAGE(plan != nullptr, why);
    PipelineOptions options;
    options.workers = workers;
    // Mostly tiny steps: a close of any size then goes in several, with commits and crashes in between.
    if (options_.longest_turn > 0 && random_.Below(4) != 0) {
      options.results_per_step = 1 + random_.Below(5);
      options.outputs_per_turn = random_.Below(2) == 0 ? 0 : 200;
    }
    Result<std::unique_ptr<Pipeline>> opened =
        Pipeline::Open(std::move(plan), options, store_.get(), options_.durable);
    Check(opened.status());
    pipeline_ = std::move(*opened);
    pipeline_->tables().Refresh(true, 0, [](char, const std::string&) {});
    REQUIRE(pipeline_->tables().ready());
    const std::pair<ChannelKind, std::vector<std::string>*> channels[] = {
        {ChannelKind::kResults, &outputs_.results},
        {ChannelKind::kLate, &outputs_.late},
        {ChannelKind::kDead, &outputs_.dead}};
    for (const auto& [kind, lines] : channels) {
      Check(pipeline_->channel(kind).AddSink("memory", std::make_unique<MemorySink>(lines)));
    }
    Pump();
  }

  void MaybeCommitOrCrash() {
    if (!options_.durable) {
      Pump();
    } else if (random_.Chance(options_.commit)) {
      Commit();
    }
    if (options_.durable && random_.Chance(options_.crash)) Crash();
  }

  // The next turn, or what is left to close of the last.
  void Step() {
    if (pipeline_->closing()) {
      Check(pipeline_->Continue(runner_.get()));
      return;
    }
    const size_t begin = pipeline_->offset();
    size_t count = messages_.size() - begin;
    if (options_.longest_turn > 0) {
      count = std::min<size_t>(count, 1 + random_.Below(options_.longest_turn));
    }
    Check(pipeline_->Turn(std::span(messages_).subspan(begin, count), begin + count,
                          runner_.get()));
    REQUIRE(pipeline_->offset() > begin);
  }

  void Crash() {
    Start(options_.any_workers ? static_cast<uint32_t>(1 + random_.Below(4)) : options_.workers);
  }

  void Commit() {
    Delta delta;
    pipeline_->CollectCommit(&delta);
    const bool overlap = random_.Chance(options_.overlap);
    const auto turn_beside = [&] {
      const bool more = pipeline_->closing() || pipeline_->offset() < messages_.size();
      if (overlap && more && random_.Chance(0.7)) Step();
    };
    turn_beside();
    Check(store_->Commit(delta));
    if (random_.Chance(options_.crash)) return Crash();  // before anybody heard of it
    turn_beside();
    pipeline_->OnCommitted();
    if (random_.Chance(options_.evict)) pipeline_->BoundMemory(0);
    Pump();
  }

  void Pump() {
    for (;;) {
      const Result<bool> moved = pipeline_->Pump();
      Check(moved.status());
      if (!*moved) return;
    }
  }

  std::string yaml_;
  DriveOptions options_;
  Random random_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<TaskRunner> runner_;
  std::string buffer_;
  std::vector<InputMessage> messages_;
  std::unique_ptr<Pipeline> pipeline_;
  Outputs outputs_;
};

}  // namespace

std::unique_ptr<PipelinePlan> PlanText(const std::string& yaml,
                                       const std::vector<std::string>& csv_header,
                                       std::string* why, const std::string& file) {
  PipelineSpec spec;
  ConfigErrors errors;
  std::unique_ptr<PipelinePlan> plan;
  PlanOptions options;
  options.replay = true;
  options.csv_header = csv_header;
  if (ReadPipeline(yaml, file, &spec, &errors)) plan = PlanPipeline(spec, options, &errors);
  for (const ConfigError& e : errors) *why += e.ToString() + "\n";
  return plan;
}

Outputs Drive(const std::string& yaml, const std::vector<StreamLine>& lines,
              const DriveOptions& options) {
  return Driver(yaml, lines, options).Run();
}

std::string Difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string left = i < a.size() ? a[i] : "(end)";
    const std::string right = i < b.size() ? b[i] : "(end)";
    if (left != right) return "line " + std::to_string(i + 1) + "\n  " + left + "\n  " + right;
  }
  return "";
}

std::string Difference(const Outputs& a, const Outputs& b) {
  const std::string results = Difference(a.results, b.results);
  if (!results.empty()) return "results, " + results;
  const std::string late = Difference(a.late, b.late);
  if (!late.empty()) return "late, " + late;
  const std::string dead = Difference(a.dead, b.dead);
  return dead.empty() ? "" : "dead letters, " + dead;
}

}  // namespace rivulet
