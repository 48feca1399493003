#include "sim/reference.h"

#include <algorithm>
#include <map>

#include "node/config/reader.h"
#include "node/engine/pipeline.h"
#include "node/engine/result_reader.h"
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

}  // namespace

class ReferenceRun {
 public:
  ReferenceRun() : store_(NewMemoryStore()), runner_(NewSerialRunner()), link_(&published_) {}

  const std::vector<PublishedResult>& published() const { return published_; }

  Status RunReader(const ReferenceRun& upstream, const std::vector<PipelineVersion>& versions,
                   Random* random) {
    log_ = Position::ResultsOf(upstream.pipeline_->id());
    for (size_t v = 0; v < versions.size(); ++v) {
      const bool last = v + 1 == versions.size();
      RIVULET_RETURN_IF_ERROR(Open(versions[v].yaml));
      RIVULET_RETURN_IF_ERROR(ReadUpTo(upstream, last ? UINT64_MAX : versions[v + 1].from, random));
      if (!last) RIVULET_RETURN_IF_ERROR(Punctuate(versions[v + 1]));
      if (!pipeline_->Drained()) return {ErrorCode::kSinkUnavailable, "something is not drained"};
    }
    return Status::Ok();
  }

  Status Run(const std::vector<PipelineVersion>& versions, const std::vector<SeenEntry>& entries,
             Random* random) {
    Fill(entries);
    size_t done = 0;
    for (size_t v = 0; v < versions.size(); ++v) {
      const uint64_t to = v + 1 < versions.size() ? versions[v + 1].from : UINT64_MAX;
      RIVULET_RETURN_IF_ERROR(Open(versions[v].yaml));
      RIVULET_RETURN_IF_ERROR(CloseWhatIsDue());
      while (done < messages_.size() && messages_[done].payload.offset < to) {
        const size_t most = std::min<size_t>(messages_.size() - done, 1 + random->Below(60));
        size_t n = 1;
        while (n < most && messages_[done + n].payload.offset < to) ++n;
        RIVULET_RETURN_IF_ERROR(Turn(std::span(messages_).subspan(done, n)));
        done += n;
      }
      if (!pipeline_->Drained()) return {ErrorCode::kSinkUnavailable, "something is not drained"};
    }
    return Status::Ok();
  }

 private:
  // Without an end, W of all results belongs to it too.
  Status ReadUpTo(const ReferenceRun& upstream, uint64_t end, Random* random) {
    ResultReader reader;
    while (pipeline_->offset() < end) {
      const uint64_t most = std::min<uint64_t>(end - pipeline_->offset(), 1 + random->Below(60));
      uint64_t next = 0;
      RIVULET_RETURN_IF_ERROR(
          reader.Read(*upstream.pipeline_, *pipeline_, most, SIZE_MAX, &messages_, &next));
      const bool punctuated =
          !messages_.empty() && messages_.back().kind == InputMessage::Kind::kWatermark;
      if (punctuated && end != UINT64_MAX) messages_.pop_back();
      if (messages_.empty()) return Status::Ok();
      RIVULET_RETURN_IF_ERROR(TurnAndCommit(messages_, next));
    }
    return Status::Ok();
  }

  // Up to W as it was when the text changed.
  Status Punctuate(const PipelineVersion& version) {
    if (version.watermark <= pipeline_->watermark()) return Status::Ok();
    InputMessage m;
    m.kind = InputMessage::Kind::kWatermark;
    m.watermark_us = SaturatingAdd(version.watermark, pipeline_->plan().source.delay.us);
    m.payload.offset = pipeline_->offset();
    return TurnAndCommit({&m, 1}, pipeline_->offset());
  }

  Status Open(const std::string& yaml) {
    pipeline_.reset();
    PipelineSpec spec;
    ConfigErrors errors;
    std::unique_ptr<PipelinePlan> plan;
    if (ReadPipeline(yaml, "reference.yaml", &spec, &errors)) {
      plan = PlanPipeline(spec, {}, &errors);
    }
    if (plan == nullptr) return Status(errors.front().code, errors.front().ToString());
    PipelineOptions options;
    options.log = log_;
    RIVULET_ASSIGN_OR_RETURN(pipeline_, Pipeline::Open(std::move(plan), options, store_.get(), true));
    // Whoever reads it reads all.
    pipeline_->channel(ChannelKind::kResults).KeepFrom(0);
    RIVULET_RETURN_IF_ERROR(AddSinks(ChannelKind::kResults, spec.sinks));
    RIVULET_RETURN_IF_ERROR(AddSinks(ChannelKind::kLate, spec.late));
    RIVULET_RETURN_IF_ERROR(AddSinks(ChannelKind::kDead, spec.dead_letters));
    return Commit();
  }

  // A text with a shorter hold finds windows that are due, before any message; it closes them also when there
  // is none before the text after it.
  Status CloseWhatIsDue() {
    if (!pipeline_->closing()) return Status::Ok();
    while (pipeline_->closing()) RIVULET_RETURN_IF_ERROR(pipeline_->Continue(runner_.get()));
    return CommitAndPump();
  }

  Status Turn(std::span<const InputMessage> turn) {
    matching_.clear();
    for (const InputMessage& m : turn) {
      if (m.kind == InputMessage::Kind::kTick) {
        matching_.push_back(m);
        continue;
      }
      tables_.clear();
      pipeline_->tables().Match(m.topic_id, m.topic, &tables_);
      for (const uint32_t table : tables_) {
        matching_.push_back(m);
        matching_.back().kind = InputMessage::Kind::kTable;
        matching_.back().table = table;
      }
      if (pipeline_->source().Matches(m.topic_id, m.topic)) matching_.push_back(m);
    }
    return TurnAndCommit(matching_, turn.back().payload.offset + 1);
  }

  Status TurnAndCommit(std::span<const InputMessage> rest, uint64_t next) {
    do {
      RIVULET_RETURN_IF_ERROR(pipeline_->Turn(rest, next, runner_.get()));
      while (pipeline_->closing()) RIVULET_RETURN_IF_ERROR(pipeline_->Continue(runner_.get()));
      // A turn cut short: the rest again.
      while (!rest.empty() && rest.front().payload.offset < pipeline_->offset()) rest = rest.subspan(1);
    } while (pipeline_->offset() < next);
    return CommitAndPump();
  }

  Status CommitAndPump() {
    RIVULET_RETURN_IF_ERROR(Commit());
    RIVULET_RETURN_IF_ERROR(pipeline_->Pump().status());
    return Commit();
  }

  Status Commit() {
    Delta delta;
    pipeline_->CollectCommit(&delta);
    RIVULET_RETURN_IF_ERROR(store_->Commit(delta));
    pipeline_->OnCommitted();
    return Status::Ok();
  }

  Status AddSinks(ChannelKind kind, const std::vector<SinkSpec>& sinks) {
    for (SinkSpec sink : sinks) {
      if (sink.kind == SinkSpec::Kind::kSqlite) sink.target.text += kReferenceSuffix;
      std::unique_ptr<Sink> made;
      if (sink.kind == SinkSpec::Kind::kFile) {
        made = std::make_unique<RecordingSink>(sink.target.text, &published_);
      } else {
        RIVULET_ASSIGN_OR_RETURN(made, MakeSink(sink, pipeline_->name(), &link_, nullptr));
      }
      RIVULET_RETURN_IF_ERROR(
          pipeline_->channel(kind).AddSink(sink.target.text, std::move(made)));
    }
    return Status::Ok();
  }

  void Fill(const std::vector<SeenEntry>& entries) {
    for (const SeenEntry& e : entries) payloads_ += e.message.payload;
    payloads_.append(kPayloadPadding, '\0');
    size_t begin = 0;
    for (const SeenEntry& e : entries) {
      const size_t size = e.message.payload.size();
      const auto topic = topics_.emplace(e.message.topic, topics_.size()).first;
      const auto id = static_cast<uint32_t>(topic->second);
      InputMessage m;
      m.payload.payload = std::string_view(payloads_).substr(begin, size);
      m.payload.arrival_us = e.message.received_us;
      m.payload.offset = e.offset;
      m.topic = e.message.topic;
      m.topic_id = id;
      m.assumed = e.message.assumed;
      m.resumes = e.message.resumes;
      if (e.message.tick()) m.kind = InputMessage::Kind::kTick;
      begin += size;
      messages_.push_back(m);
    }
  }

  std::vector<PublishedResult> published_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<TaskRunner> runner_;
  RecordingLink link_;
  uint32_t log_ = Position::kJournal;
  std::unique_ptr<Pipeline> pipeline_;
  std::string payloads_;
  std::map<std::string, size_t> topics_;
  std::vector<InputMessage> messages_;
  std::vector<InputMessage> matching_;
  std::vector<uint32_t> tables_;
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
