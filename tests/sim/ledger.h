// Ledger: what must have become of every message: the journal as it should be, what each pipeline
// has taken in for good, and who may miss what after a power cut.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/journal_scan.h"
#include "sim/observed_store.h"
#include "sim/publisher.h"
#include "sim/reference.h"
#include "transport/mqtt_link.h"
#include "transport/topic.h"

namespace rivulet::sim {

enum class Death : uint8_t { kProcess, kPower };

class Ledger {
 public:
  // `synced`: the journal promises to keep what it reported as synced.
  explicit Ledger(bool synced) : synced_(synced) {}

  void AddPipeline(const std::string& name, std::vector<TopicPattern> topics);

  // --- events, in their order ---

  // The broker has taken a message for the lane's session.
  void Injected(const TestMessage& message);
  // The broker has offered a message to the node, and the journal's end went from `before` to
  // `after`.
  void Arrived(const MqttMessage& message, const ReceiveTime& received, bool accepted, uint64_t before,
               uint64_t after);
  // A tick was journaled.
  void Ticked(uint64_t offset, const ScannedMessage& tick) { Add(offset, tick); }
  // The process is gone. `synced`: up to where its journal said it was on the medium.
  void Died(Death death, uint64_t synced);
  // What the next process finds, before it opens anything.
  void Found(const JournalContent& content, const std::map<std::string, StoredCursor>& cursors);
  // It has opened, and a pipeline goes on at `offset`.
  void Opened(const std::string& pipeline, const std::string& yaml, uint64_t offset,
              uint64_t journal_end);
  // The process goes on at `offset` with another text of the pipeline.
  void Changed(const std::string& pipeline, const std::string& yaml, uint64_t offset);

  // At the end, when nothing is under way any more: every message once. Must follow Died and Found.
  void CheckCounts();

  // The entries whose effects a pipeline's committed state holds; as of the last Found.
  const std::vector<SeenEntry>& seen(const std::string& pipeline) const {
    return pipelines_.at(pipeline).seen;
  }
  const std::vector<PipelineVersion>& versions(const std::string& pipeline) const {
    return pipelines_.at(pipeline).versions;
  }
  // The first thing that was wrong; empty: nothing.
  const std::string& error() const { return error_; }
  uint64_t lost() const { return lost_; }

 private:
  using Message = std::pair<std::string, std::string>;  // topic, payload
  struct PipelineLedger {
    std::vector<TopicPattern> topics;
    uint64_t from = 0;              // where the present process began to read
    std::vector<SeenEntry> seen;
    std::vector<PipelineVersion> versions;
    std::map<Message, uint64_t> may_miss;   // taken back by power cuts
    std::map<Message, uint64_t> may_repeat; // counted, but the journal forgot having had them
  };

  void Wrong(const std::string& what) {
    if (error_.empty()) error_ = what;
  }
  void Add(uint64_t offset, const ScannedMessage& message);
  bool IsWanted(const std::string& topic) const;
  void Settle(PipelineLedger* pipeline, uint64_t cursor);
  void CheckKept(const JournalContent& content);
  void CheckNothingNew(const JournalContent& content);
  uint64_t LeastFrom() const;
  void CheckCountsOf(const std::string& name, const PipelineLedger& pipeline);

  bool synced_;
  std::map<std::string, PipelineLedger> pipelines_;
  JournalContent journal_;                     // as the present process should have it
  std::optional<ScannedMessage> in_doubt_;     // the last append failed: it may be there or not
  Death death_ = Death::kProcess;
  bool torn_ = false;  // a power cut may have taken whole segments
  uint64_t synced_end_ = 0;
  std::map<Message, std::pair<uint64_t, uint64_t>> injected_;  // must come, may come (QoS 0)
  std::set<Message> taken_;                                    // retained ones that were journaled
  uint64_t lost_ = 0;
  std::string error_;
};

}  // namespace rivulet::sim
