#include "sim/reference.h"

#include <algorithm>
#include <limits>
#include <map>

#include "node/config/reader.h"
#include "node/engine/background.h"
#include "node/engine/engine.h"
#include "node/sinks/make_sink.h"

namespace rivulet::sim {
namespace {

// Acknowledges at once and remembers.
class RecordingLink final : public MqttLink {
 public:
  explicit RecordingLink(std::vector<PublishedResult>* published) : published_(published) {}
  void OnMessage(MessageHandler) override {}
  Status Start() override { return Status::Ok(); }
  void Subscribe(std::vector<MqttSubscription>) override {}
  void Pause(bool) override {}
  bool Publish(const Publication& p, DoneHandler done) override {
    published_->push_back({std::string(p.topic), std::string(p.payload), std::string(p.rivulet_id),
                           p.qos, p.retain});
    done(Delivery::kAcknowledged, "");
    return true;
  }
  MqttLinkStats Stats() const override { return {}; }
  void Stop(Duration) override {}

 private:
  std::vector<PublishedResult>* published_;
};

// Remembers what a file would hold.
class RecordingSink final : public Sink {
 public:
  RecordingSink(const std::string& path, std::vector<PublishedResult>* published)
      : topic_(std::string(kFileTopic) + path), published_(published) {}
  Status Open(SinkCursor* cursor) override {
    cursor_ = *cursor;
    return Status::Ok();
  }
  size_t Offer(std::span<const OutputEntry> entries) override {
    for (const OutputEntry& e : entries) published_->push_back({topic_, e.json, e.id});
    if (!entries.empty()) cursor_.next = entries.back().sequence + 1;
    return entries.size();
  }
  SinkCursor Cursor() const override { return cursor_; }
  SinkStats Stats() const override { return {}; }

 private:
  const std::string topic_;
  std::vector<PublishedResult>* published_;
  SinkCursor cursor_;
};

// What is read of a log: up to a place, and some messages at a time.
class CutLog : public InputLog {
 public:
  explicit CutLog(Random* random) : random_(random) {}

  LogId id() const override { return {}; }
  Result<Offset> begin() const override { return Offset{}; }
  Offset begin_of_new() const override { return {}; }
  Status AdvanceTo(Offset) override { return Status::Ok(); }
  Status Prepare(Offset) override { return Status::Ok(); }
  // From now on up to there; kEnd: all there is.
  void CutAt(uint64_t end) { end_ = end; }
  static constexpr uint64_t kEnd = std::numeric_limits<uint64_t>::max();

 protected:
  uint64_t end_ = kEnd;
  Random* const random_;
};

// Entries of a journal.
class EntryLog final : public CutLog {
 public:
  EntryLog(const std::vector<SeenEntry>& entries, Random* random) : CutLog(random) {
    for (const SeenEntry& e : entries) payloads_ += e.message.payload;
    payloads_.append(kPayloadPadding, '\0');
    size_t begin = 0;
    for (const SeenEntry& e : entries) {
      const size_t size = e.message.payload.size();
      const auto topic = topics_.emplace(e.message.topic, topics_.size()).first;
      InputMessage m;
      m.payload.payload = std::string_view(payloads_).substr(begin, size);
      m.payload.arrival_us = e.message.received_us;
      m.payload.offset = e.offset;
      m.topic = e.message.topic;
      m.topic_id = static_cast<uint32_t>(topic->second);
      m.assumed = e.message.assumed;
      m.resumes = e.message.resumes;
      if (e.message.tick()) m.kind = InputMessage::Kind::kTick;
      begin += size;
      entries_.push_back(m);
    }
  }

  Offset end() const override { return Offset{entries_.empty() ? 0 : entries_.back().payload.offset + 1}; }
  Status Read(SourceGroup* source, Offset from, size_t, size_t, std::span<const InputMessage>* messages,
              uint64_t* next) override {
    messages_.clear();
    const size_t most = 1 + random_->Below(60);
    const auto before = [](const InputMessage& m, Offset offset) { return m.payload.offset < offset.value; };
    auto entry = std::lower_bound(entries_.begin(), entries_.end(), from, before);
    for (size_t n = 0; n < most && entry != entries_.end() && entry->payload.offset < end_; ++n, ++entry) {
      Add(source, *entry);
      *next = entry->payload.offset + 1;
    }
    *messages = messages_;
    return Status::Ok();
  }

 private:
  void Add(SourceGroup* source, const InputMessage& m) {
    if (m.kind == InputMessage::Kind::kTick) return messages_.push_back(m);
    tables_.clear();
    source->MatchTables(m.topic_id, m.topic, &tables_);
    for (const uint32_t table : tables_) {
      messages_.push_back(m);
      messages_.back().kind = InputMessage::Kind::kTable;
      messages_.back().table = table;
    }
    if (source->Matches(m.topic_id, m.topic)) messages_.push_back(m);
  }

  std::string payloads_;
  std::map<std::string, size_t> topics_;
  std::vector<InputMessage> entries_, messages_;
  std::vector<uint32_t> tables_;
};

// Results of a run. Without an end, W of all of them belongs to it too; with one, W is told.
class UpstreamLog final : public CutLog {
 public:
  UpstreamLog(const Pipeline* upstream, Random* random) : CutLog(random), log_(upstream, &buffer_) {}

  // Behind what is read up to the cut, W is this; none: it is not told.
  void Punctuate(int64_t watermark) { watermark_ = watermark; }

  Offset end() const override { return log_.end(); }
  Status Read(SourceGroup* source, Offset from, size_t, size_t, std::span<const InputMessage>* messages,
              uint64_t* next) override {
    if (from.value < end_) {
      const uint64_t most = std::min<uint64_t>(end_ - from.value, 1 + random_->Below(60));
      RIVULET_RETURN_IF_ERROR(log_.Read(source, from, most, SIZE_MAX, messages, next));
      const bool punctuated =
          !messages->empty() && messages->back().kind == InputMessage::Kind::kWatermark;
      if (punctuated && end_ != kEnd) *messages = messages->first(messages->size() - 1);
      return Status::Ok();
    }
    *messages = {};
    *next = from.value;
    if (!source->BringsOn(watermark_)) return Status::Ok();
    punctuation_.kind = InputMessage::Kind::kWatermark;
    punctuation_.watermark_us = watermark_;
    punctuation_.payload.offset = from.value;
    *messages = {&punctuation_, 1};
    return Status::Ok();
  }

 private:
  ResultsLog::Buffer buffer_;
  ResultsLog log_;
  int64_t watermark_ = std::numeric_limits<int64_t>::min();
  InputMessage punctuation_;
};

}  // namespace

class ReferenceRun {
 public:
  const std::vector<PublishedResult>& published() const { return published_; }

  Status RunReader(const ReferenceRun& upstream, const std::vector<PipelineVersion>& versions,
                   Random* random) {
    auto log = std::make_unique<UpstreamLog>(&upstream.pipeline(), random);
    UpstreamLog* const results = log.get();
    log_ = std::move(log);
    return RunVersions(versions, [results](const PipelineVersion& next, const SourcePlan& plan) {
      // W as it was when the text changed.
      results->Punctuate(SaturatingAdd(next.watermark, plan.delay.us));
    });
  }

  Status Run(const std::vector<PipelineVersion>& versions, const std::vector<SeenEntry>& entries,
             Random* random) {
    log_ = std::make_unique<EntryLog>(entries, random);
    return RunVersions(versions, [](const PipelineVersion&, const SourcePlan&) {});
  }

 private:
  const Pipeline& pipeline() const { return *engine_->pipelines().begin()->pipeline; }

  template <typename At>
  Status RunVersions(const std::vector<PipelineVersion>& versions, At at_next) {
    for (size_t v = 0; v < versions.size(); ++v) {
      RIVULET_RETURN_IF_ERROR(Open(versions[v].yaml));
      const bool last = v + 1 == versions.size();
      log_->CutAt(last ? CutLog::kEnd : versions[v + 1].from);
      if (!last) at_next(versions[v + 1], pipeline().plan().source);
      while (engine_->Step(now_)) now_.monotonic.us += 1'000'000;
      RIVULET_RETURN_IF_ERROR(engine_->status());
      RIVULET_RETURN_IF_ERROR(engine_->CommitNow(now_));
      while (engine_->PumpSinks()) {
      }
      RIVULET_RETURN_IF_ERROR(engine_->CommitNow(now_));
      if (!engine_->Drained()) return {ErrorCode::kSinkUnavailable, "something is not drained"};
    }
    return Status::Ok();
  }

  Status Open(const std::string& yaml) {
    engine_.reset();
    ConfigErrors errors;
    spec_ = {};
    std::unique_ptr<PipelinePlan> plan;
    if (ReadPipeline(yaml, "reference.yaml", &spec_, &errors)) {
      plan = PlanPipeline(spec_, {}, &errors);
    }
    if (plan == nullptr) return Status(errors.front().code, errors.front().ToString());
    const std::string name = plan->name;
    plan->source.pipeline.clear();  // they come by log_
    EngineOptions options;
    options.state_memory = uint64_t{1} << 40;
    options.held_outputs = std::numeric_limits<uint64_t>::max();
    EngineParts parts;
    parts.store = store_.get();
    parts.input = log_.get();
    parts.runner = runner_.get();
    parts.committer = committer_.get();
    parts.open_sinks = [this](Pipeline* pipeline) { return OpenSinks(pipeline); };
    parts.clock = [this] { return now_; };
    parts.log = [](char, const LogMessage&) {};
    engine_ = std::make_unique<Engine>(std::move(options), std::move(parts));
    RIVULET_RETURN_IF_ERROR(engine_->Start(std::move(plan), ""));
    engine_->pipelines().ReadOutside(name, 0);  // whoever reads it reads all
    return engine_->Assemble();
  }

  Status OpenSinks(Pipeline* pipeline) {
    RIVULET_RETURN_IF_ERROR(AddSinks(pipeline, ChannelKind::kResults, spec_.sinks));
    RIVULET_RETURN_IF_ERROR(AddSinks(pipeline, ChannelKind::kLate, spec_.late));
    return AddSinks(pipeline, ChannelKind::kDead, spec_.dead_letters);
  }

  Status AddSinks(Pipeline* pipeline, ChannelKind kind, const std::vector<SinkSpec>& sinks) {
    for (SinkSpec sink : sinks) {
      if (sink.kind == SinkSpec::Kind::kSqlite) sink.target.text += kReferenceSuffix;
      std::unique_ptr<Sink> made;
      if (sink.kind == SinkSpec::Kind::kFile) {
        made = std::make_unique<RecordingSink>(sink.target.text, &published_);
      } else {
        RIVULET_ASSIGN_OR_RETURN(made, MakeSink(sink, pipeline->name(), &link_, nullptr));
      }
      RIVULET_RETURN_IF_ERROR(pipeline->channel(kind).AddSink(sink.target.text, std::move(made)));
    }
    return Status::Ok();
  }

  std::vector<PublishedResult> published_;
  const std::unique_ptr<Store> store_ = NewMemoryStore();
  const std::unique_ptr<TaskRunner> runner_ = NewSerialRunner();
  const std::unique_ptr<Background> committer_ = NewInlineBackground();
  RecordingLink link_{&published_};
  std::unique_ptr<CutLog> log_;
  Now now_{{1'000'000}, {1'000'000}};
  PipelineSpec spec_;
  std::unique_ptr<Engine> engine_;
};

References::References(Random* random) : random_(random) {}
References::~References() = default;

Status References::Run(const std::string& name, const std::vector<PipelineVersion>& versions,
                       const std::vector<SeenEntry>& entries) {
  std::unique_ptr<ReferenceRun>& run = runs_[name];
  run = std::make_unique<ReferenceRun>();
  return run->Run(versions, entries, random_);
}

Status References::RunReader(const std::string& name, const std::string& upstream,
                             const std::vector<PipelineVersion>& versions) {
  const ReferenceRun& read = *runs_.at(upstream);
  std::unique_ptr<ReferenceRun>& run = runs_[name];
  run = std::make_unique<ReferenceRun>();
  return run->RunReader(read, versions, random_);
}

const std::vector<PublishedResult>& References::published(const std::string& name) const {
  return runs_.at(name)->published();
}

std::string StreamOf(const std::string& topic) {
  if (!topic.starts_with("out/")) return topic;
  const size_t name_end = topic.find('/', 4);
  return topic.substr(0, topic.find('/', name_end + 1));
}

}  // namespace rivulet::sim
