#include "sim/reference.h"

#include <algorithm>
#include <map>

#include "node/config/reader.h"
#include "node/engine/pipeline.h"
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
    done(true);
    return true;
  }
  MqttLinkStats Stats() const override { return {}; }
  void Stop(Duration) override {}

 private:
  std::vector<PublishedResult>* published_;
};

class Reference {
 public:
  explicit Reference(std::vector<PublishedResult>* published)
      : store_(NewMemoryStore()), runner_(NewSerialRunner()), link_(published) {}

  Status Run(const std::vector<PipelineVersion>& versions, const std::vector<SeenEntry>& entries,
             Random* random) {
    Fill(entries);
    size_t done = 0;
    for (size_t v = 0; v < versions.size(); ++v) {
      const uint64_t to = v + 1 < versions.size() ? versions[v + 1].from : UINT64_MAX;
      RIVULET_RETURN_IF_ERROR(Open(versions[v].yaml));
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
  Status Open(const std::string& yaml) {
    pipeline_.reset();
    PipelineSpec spec;
    ConfigErrors errors;
    std::unique_ptr<PipelinePlan> plan;
    if (ReadPipeline(yaml, "reference.yaml", &spec, &errors)) {
      plan = PlanPipeline(spec, {}, &errors);
    }
    if (plan == nullptr) return Status(errors.front().code, errors.front().ToString());
    RIVULET_ASSIGN_OR_RETURN(pipeline_, Pipeline::Open(std::move(plan), {}, store_.get(), true));
    RIVULET_RETURN_IF_ERROR(AddSinks(ChannelKind::kResults, spec.sinks));
    RIVULET_RETURN_IF_ERROR(AddSinks(ChannelKind::kLate, spec.late));
    RIVULET_RETURN_IF_ERROR(AddSinks(ChannelKind::kDead, spec.dead_letters));
    return Commit();
  }

  Status Turn(std::span<const InputMessage> turn) {
    matching_.clear();
    for (const InputMessage& m : turn) {
      tables_.clear();
      pipeline_->tables().Match(m.topic_id, m.topic, &tables_);
      for (const uint32_t table : tables_) {
        matching_.push_back(m);
        matching_.back().kind = InputMessage::Kind::kTable;
        matching_.back().table = table;
      }
      if (pipeline_->source().Matches(m.topic_id, m.topic)) matching_.push_back(m);
    }
    const uint64_t next = turn.back().payload.offset + 1;
    std::span<const InputMessage> rest = matching_;
    do {
      RIVULET_RETURN_IF_ERROR(pipeline_->Turn(rest, next, runner_.get()));
      while (pipeline_->closing()) RIVULET_RETURN_IF_ERROR(pipeline_->Continue(runner_.get()));
      // A turn cut short: the rest again.
      while (!rest.empty() && rest.front().payload.offset < pipeline_->offset()) rest = rest.subspan(1);
    } while (!rest.empty());
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
    for (const SinkSpec& sink : sinks) {
      RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<Sink> made,
                               MakeSink(sink, pipeline_->name(), &link_));
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
      begin += size;
      messages_.push_back(m);
    }
  }

  std::unique_ptr<Store> store_;
  std::unique_ptr<TaskRunner> runner_;
  RecordingLink link_;
  std::unique_ptr<Pipeline> pipeline_;
  std::string payloads_;
  std::map<std::string, size_t> topics_;
  std::vector<InputMessage> messages_;
  std::vector<InputMessage> matching_;
  std::vector<uint32_t> tables_;
};

}  // namespace

std::vector<PublishedResult> RunReference(const std::vector<PipelineVersion>& versions,
                                          const std::vector<SeenEntry>& entries, Random* random,
                                          std::string* error) {
  std::vector<PublishedResult> published;
  const Status status = Reference(&published).Run(versions, entries, random);
  if (!status.ok()) *error = status.ToString();
  return published;
}

std::string StreamOf(const std::string& topic) {
  if (!topic.starts_with("out/")) return topic;
  const size_t name_end = topic.find('/', 4);
  return topic.substr(0, topic.find('/', name_end + 1));
}

}  // namespace rivulet::sim
