#include "tests/cases/chain_driver.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "node/config/reader.h"
#include "node/engine/result_reader.h"
#include "tests/cases/memory_sink.h"

namespace rivulet {
namespace {

void Check(const Status& status) { REQUIRE_MESSAGE(status.ok(), status.ToString()); }

std::unique_ptr<PipelinePlan> PlanOne(const std::string& yaml, bool reads_lines) {
  PipelineSpec spec;
  ConfigErrors errors;
  std::unique_ptr<PipelinePlan> plan;
  PlanOptions options;
  options.replay = reads_lines;
  if (ReadPipeline(yaml, "chain.yaml", &spec, &errors)) plan = PlanPipeline(spec, options, &errors);
  std::string why;
  for (const ConfigError& e : errors) why += e.ToString() + "\n";
  REQUIRE_MESSAGE(plan != nullptr, why);
  return plan;
}

class ChainDriver {
 public:
  ChainDriver(const std::vector<std::string>& yamls, const std::vector<StreamLine>& lines,
              const ChainOptions& options)
      : yamls_(yamls),
        options_(options),
        random_(options.seed),
        store_(NewMemoryStore()),
        runner_(NewSerialRunner()),
        outputs_(yamls.size()) {
    for (const StreamLine& line : lines) buffer_ += line.text;
    buffer_.append(kPayloadPadding, '\0');
    size_t begin = 0;
    for (const StreamLine& line : lines) {
      InputMessage message;
      message.payload = {std::string_view(buffer_).substr(begin, line.text.size()), 0, messages_.size()};
      if (line.punctuation) {
        message.kind = InputMessage::Kind::kWatermark;
        message.watermark_us = line.watermark_us;
      }
      messages_.push_back(message);
      begin += line.text.size();
    }
  }

  std::vector<Outputs> Run() {
    Start(options_.workers);
    while (!Done()) {
      const size_t which = random_.Below(links_.size());
      Step(&links_[which]);
      if (random_.Chance(options_.commit)) Commit();
      if (random_.Chance(options_.crash)) Start(static_cast<uint32_t>(1 + random_.Below(3)));
    }
    CommitAll();
    for (const Link& link : links_) REQUIRE(link.pipeline->Drained());
    return std::move(outputs_);
  }

 private:
  struct Link {
    std::unique_ptr<Pipeline> pipeline;
    Pipeline* upstream = nullptr;  // null: reads the lines
    ResultReader reader;
  };

  void Start(uint32_t workers) {
    links_.clear();
    for (const std::string& yaml : yamls_) {
      links_.emplace_back();
      Open(yaml, workers, &links_.back());
    }
    Keep();
    Pump();
  }

  void Open(const std::string& yaml, uint32_t workers, Link* link) {
    const size_t index = links_.size() - 1;
    std::unique_ptr<PipelinePlan> plan = PlanOne(yaml, index == 0);
    PipelineOptions options;
    options.workers = workers;
    if (options_.longest_turn > 0 && random_.Below(4) != 0) {
      options.results_per_step = 1 + random_.Below(5);
      options.outputs_per_turn = random_.Below(2) == 0 ? 0 : 200;
    }
    for (const Link& other : links_) {
      if (other.pipeline == nullptr || other.pipeline->name() != plan->source.pipeline) continue;
      link->upstream = other.pipeline.get();
      options.log = Position::ResultsOf(link->upstream->id());
      options.start_offset = link->upstream->channel(ChannelKind::kResults).next();
    }
    Result<std::unique_ptr<Pipeline>> opened =
        Pipeline::Open(std::move(plan), options, store_.get(), true);
    Check(opened.status());
    link->pipeline = std::move(*opened);
    link->pipeline->channel(ChannelKind::kResults).KeepFrom(0);
    const std::pair<ChannelKind, std::vector<std::string>*> channels[] = {
        {ChannelKind::kResults, &outputs_[index].results},
        {ChannelKind::kLate, &outputs_[index].late},
        {ChannelKind::kDead, &outputs_[index].dead}};
    for (const auto& [kind, lines] : channels) {
      Check(link->pipeline->channel(kind).AddSink("memory", std::make_unique<MemorySink>(lines)));
    }
    // Its number must be taken before the next one asks, as the node does.
    CommitSome({link->pipeline.get()});
  }

  size_t Most() {
    return options_.longest_turn == 0 ? size_t{1} << 20 : 1 + random_.Below(options_.longest_turn);
  }

  void Step(Link* link) {
    Pipeline* p = link->pipeline.get();
    if (p->closing()) return Check(p->Continue(runner_.get()));
    if (link->upstream != nullptr) {
      std::vector<InputMessage> messages;
      uint64_t next = 0;
      const size_t bytes = random_.Below(2) == 0 ? 200 : size_t{1} << 30;
      Check(link->reader.Read(*link->upstream, *p, Most(), bytes, &messages, &next));
      if (!messages.empty()) Check(p->Turn(messages, next, runner_.get()));
      return;
    }
    const size_t begin = p->offset();
    if (begin == messages_.size()) return Check(p->Finish(runner_.get()));
    const size_t count = std::min(messages_.size() - begin, Most());
    Check(p->Turn(std::span(messages_).subspan(begin, count), begin + count, runner_.get()));
  }

  // At the end all have W at the end of the input, and nothing to read.
  bool Done() const {
    return std::all_of(links_.begin(), links_.end(), [](const Link& link) {
      return link.pipeline->watermark() == std::numeric_limits<int64_t>::max() &&
             !link.pipeline->closing() &&
             (link.upstream == nullptr ||
              link.pipeline->offset() == link.upstream->channel(ChannelKind::kResults).next());
    });
  }

  void Commit() {
    std::vector<Pipeline*> some;
    for (const Link& link : links_) {
      if (random_.Chance(0.6)) some.push_back(link.pipeline.get());
    }
    CommitSome(some);
  }

  void CommitAll() {
    for (int i = 0; i < 2; ++i) {  // the second time for the cursors of sinks
      std::vector<Pipeline*> all;
      for (const Link& link : links_) all.push_back(link.pipeline.get());
      CommitSome(all);
    }
  }

  void CommitSome(const std::vector<Pipeline*>& some) {
    Delta delta;
    for (Pipeline* p : some) p->CollectCommit(&delta);
    Check(store_->Commit(delta));
    for (Pipeline* p : some) p->OnCommitted();
    if (some.size() == 1 && links_.size() < yamls_.size()) return;  // they are being opened
    Keep();
    if (random_.Chance(options_.evict)) {
      for (Pipeline* p : some) p->BoundMemory(0);
    }
    Pump();
  }

  void Keep() {
    for (Link& link : links_) {
      uint64_t least = OutputChannel::kNobody;
      for (const Link& reader : links_) {
        if (reader.upstream == link.pipeline.get()) {
          least = std::min(least, reader.pipeline->committed_offset());
        }
      }
      if (links_.size() == yamls_.size()) {
        link.pipeline->channel(ChannelKind::kResults).KeepFrom(least);
      }
    }
  }

  void Pump() {
    for (Link& link : links_) {
      for (bool more = true; more;) {
        const Result<bool> moved = link.pipeline->Pump();
        Check(moved.status());
        more = *moved;
      }
    }
  }

  std::vector<std::string> yamls_;
  ChainOptions options_;
  Random random_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<TaskRunner> runner_;
  std::string buffer_;
  std::vector<InputMessage> messages_;
  std::vector<Link> links_;
  std::vector<Outputs> outputs_;
};

}  // namespace

std::vector<Outputs> DriveChain(const std::vector<std::string>& yamls,
                                const std::vector<StreamLine>& lines, const ChainOptions& options) {
  return ChainDriver(yamls, lines, options).Run();
}

}  // namespace rivulet
