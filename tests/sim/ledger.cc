#include "sim/ledger.h"

#include <algorithm>

namespace rivulet::sim {
namespace {

std::string Show(const std::string& topic, const std::string& payload) {
  return topic + " '" + payload + "'";
}
std::string Show(const ScannedMessage& m) { return Show(m.topic, m.payload); }

std::string Number(uint64_t n) { return std::to_string(n); }

bool Same(const ScannedMessage& a, const ScannedMessage& b) {
  return a.topic == b.topic && a.payload == b.payload && a.packet_id == b.packet_id;
}

uint64_t CountOf(const std::map<std::pair<std::string, std::string>, uint64_t>& counts,
                 const std::pair<std::string, std::string>& message) {
  const auto it = counts.find(message);
  return it == counts.end() ? 0 : it->second;
}

}  // namespace

void Ledger::AddPipeline(const std::string& name, std::vector<TopicPattern> topics) {
  pipelines_[name].topics = std::move(topics);
}

void Ledger::Injected(const TestMessage& m) {
  auto& [must, may] = injected_[{m.topic, m.payload}];
  ++(m.qos > 0 ? must : may);
}

void Ledger::Arrived(const MqttMessage& m, const ReceiveTime& received, bool accepted, uint64_t before,
                     uint64_t after) {
  const ScannedMessage message{std::string(m.topic), std::string(m.payload), received.at.us,
                               m.qos > 0 ? m.packet_id : uint16_t{0}, received.assumed};
  if (!accepted) {
    if (after != before) Wrong("the journal took a message and refused it");
    in_doubt_ = message;
    return;
  }
  in_doubt_.reset();
  if (after == before) {
    if (m.retained && taken_.contains({message.topic, message.payload})) return;
    if (!IsWanted(message.topic)) return;
    const bool known = std::any_of(journal_.begin(), journal_.end(),
                                   [&](const auto& e) { return Same(e.second, message); });
    if (!m.duplicate || !known) Wrong("acknowledged but not journaled: " + Show(message));
    return;
  }
  if (after != before + 1) {
    Wrong("one message moved the journal's end from " + Number(before) + " to " + Number(after));
  }
  if (m.retained) taken_.insert({message.topic, message.payload});
  Add(before, message);
}

void Ledger::Add(uint64_t offset, const ScannedMessage& message) {
  for (const auto& [name, p] : pipelines_) {
    if (offset >= p.from) continue;
    Wrong("entry number " + Number(offset) + " was given out although '" + name + "' has passed " +
          Number(p.from));
  }
  if (!journal_.empty() && journal_.rbegin()->second.received_us > message.received_us) {
    Wrong("entry " + Number(offset) + " was received before the one in front of it");
  }
  if (!journal_.emplace(offset, message).second) {
    Wrong("entry number " + Number(offset) + " was given out twice");
  }
}

bool Ledger::IsWanted(const std::string& topic) const {
  std::vector<std::string_view> captures;
  return std::any_of(pipelines_.begin(), pipelines_.end(), [&](const auto& p) {
    return std::any_of(p.second.topics.begin(), p.second.topics.end(),
                       [&](const TopicPattern& t) { return t.Match(topic, &captures); });
  });
}

void Ledger::Died(Death death, uint64_t synced) {
  death_ = death;
  torn_ = torn_ || (death == Death::kPower && !synced_);
  synced_end_ = synced_ ? synced : 0;
}

// Moves a pipeline's account to where its stored cursor says it is.
void Ledger::Settle(PipelineLedger* p, uint64_t cursor) {
  while (!p->seen.empty() && p->seen.back().offset >= cursor) p->seen.pop_back();
  uint64_t next = p->seen.empty() ? p->from : std::max(p->from, p->seen.back().offset + 1);
  // A cursor that was taken back: what lies before it is accounted for.
  next = std::min(next, cursor);
  if (cursor >= p->from) {
    for (auto it = journal_.lower_bound(next); it != journal_.end() && it->first < cursor; ++it) {
      p->seen.push_back({it->first, it->second});
    }
  }
  p->from = cursor;
}

uint64_t Ledger::LeastFrom() const {
  uint64_t least = UINT64_MAX;
  for (const auto& [name, p] : pipelines_) least = std::min(least, p.from);
  return least;
}

void Ledger::CheckKept(const JournalContent& content) {
  for (const auto& [offset, message] : journal_) {
    const auto it = content.find(offset);
    if (it != content.end()) {
      if (it->second == message) continue;
      Wrong("entry " + Number(offset) + " changed: " + Show(it->second) + " was " + Show(message));
      continue;
    }
    for (auto& [name, p] : pipelines_) {
      const Message key{message.topic, message.payload};
      if (offset < p.from) {
        if (death_ == Death::kPower && !synced_) ++p.may_repeat[key];
        continue;
      }
      ++p.may_miss[key];
      ++lost_;
      if (death_ == Death::kPower && offset >= synced_end_) continue;
      Wrong("entry " + Number(offset) + " is gone, '" + name + "' stands at " + Number(p.from) +
            ", synced up to " + Number(synced_end_) + ": " + Show(message));
    }
  }
}

void Ledger::CheckNothingNew(const JournalContent& content) {
  const uint64_t least = LeastFrom();
  for (const auto& [offset, message] : content) {
    // A removed segment may come back with a power cut; nobody will read it.
    if (offset < least || journal_.contains(offset)) continue;
    // One that was being written when the process died.
    if (message.tick() && (journal_.empty() || offset > journal_.rbegin()->first)) continue;
    if (in_doubt_ && Same(*in_doubt_, message)) {
      in_doubt_.reset();
      continue;
    }
    Wrong("entry " + Number(offset) + " appeared from nowhere: " + Show(message));
  }
}

void Ledger::Found(const JournalContent& content,
                   const std::map<std::string, StoredCursor>& cursors) {
  for (auto& [name, p] : pipelines_) {
    const auto it = cursors.find(name);
    Settle(&p, it != cursors.end() && it->second.known ? it->second.offset : p.from);
    if (!p.seen.empty() && p.seen.back().offset >= p.from) Wrong("the ledger is out of order");
  }
  CheckKept(content);
  CheckNothingNew(content);
  // Empty segments say nothing of the end.
  const uint64_t end = content.empty() ? UINT64_MAX : content.rbegin()->first + 1;
  for (const auto& [name, p] : pipelines_) {
    const bool behind = p.from > end && !journal_.empty() && p.from > journal_.begin()->first;
    if (!behind || !synced_ || synced_end_ < p.from) continue;
    Wrong("'" + name + "' stands at " + Number(p.from) + ", the journal ends at " + Number(end));
  }
  journal_ = content;
  in_doubt_.reset();
}

void Ledger::Changed(const std::string& name, const std::string& yaml, uint64_t offset) {
  std::vector<PipelineVersion>& versions = pipelines_.at(name).versions;
  // Equal offsets stay: an edit there and back drops the windows if it changed their form.
  while (!versions.empty() && versions.back().from > offset) versions.pop_back();
  if (versions.empty() || versions.back().yaml != yaml) versions.push_back({offset, yaml});
}

void Ledger::Opened(const std::string& name, const std::string& yaml, uint64_t offset,
                    uint64_t journal_end) {
  PipelineLedger& p = pipelines_.at(name);
  // Without syncs a power cut can take whole segments, with what was not processed yet.
  // When it dies before a commit has noted that, the next one finds the same.
  const bool gone = journal_.empty() || journal_.begin()->first >= offset;
  const bool skips = offset > p.from && torn_ && gone;
  if (skips) p.from = offset;
  if (offset != p.from) {
    Wrong("'" + name + "' goes on at " + Number(offset) + ", its cursor is " + Number(p.from));
  }
  if (journal_end < offset) Wrong("'" + name + "' opened behind the journal's end");
  Changed(name, yaml, offset);
}

void Ledger::CheckCounts() {
  for (const auto& [name, p] : pipelines_) CheckCountsOf(name, p);
}

void Ledger::CheckCountsOf(const std::string& name, const PipelineLedger& p) {
  std::map<Message, uint64_t> counted;
  for (const SeenEntry& e : p.seen) ++counted[{e.message.topic, e.message.payload}];
  for (const auto& [message, wanted] : injected_) {
    std::vector<std::string_view> captures;
    if (std::none_of(p.topics.begin(), p.topics.end(), [&](const TopicPattern& t) {
          return t.Match(message.first, &captures);
        })) {
      continue;
    }
    const uint64_t count = CountOf(counted, message);
    const uint64_t least = wanted.first - std::min(wanted.first, CountOf(p.may_miss, message));
    const uint64_t most = wanted.first + wanted.second + CountOf(p.may_repeat, message);
    if (count >= least && count <= most) continue;
    Wrong("'" + name + "' counted a message " + Number(count) + " times, expected " +
          Number(least) + " to " + Number(most) + ": " + Show(message.first, message.second));
  }
  for (const auto& [message, count] : counted) {
    if (message.first.empty()) continue;  // ticks
    if (!injected_.contains(message)) Wrong("nobody sent " + Show(message.first, message.second));
  }
}

}  // namespace rivulet::sim
