// How a lane keeps time: receive times, and the ticks that say that nothing came.
//
// A tick is journaled while the session is up and something is due by it, or waits and has not been told the
// time for a while (so that a node that is restarted has lost little of a silence). Nothing waits, nothing is
// written. What a broken link holds up is not late: where listening begins anew, at a start, after each
// connect and where the clock was set, a tick says so before the first message.
#include <algorithm>

#include "node/live/large_message.h"
#include "node/live/node.h"

namespace rivulet {
namespace {

// At most a tick in this time.
constexpr Duration kTickEvery = Duration::Seconds(1);
// While something waits: at least one.
constexpr Duration kTellTimeEvery = Duration::Seconds(60);

}  // namespace

// On the link's thread. Only journals: what is acknowledged is on disk, nothing else has happened yet.
Status Node::Ingest(const MqttMessage& message) {
  if (!IsNews(message)) return Status::Ok();
  Status status;
  std::string_view payload = message.payload;
  std::string cut;
  if (payload.size() > std::max<uint64_t>(spec_.max_payload, kLargeMessageHead)) {
    payload = cut = CutLargeMessage(payload);
  }
  {
    const std::lock_guard lock(ingest_mutex_);
    bool dropped = false;
    ReceiveTime received;
    status = Receive(message.connection, &received);
    if (status.ok()) {
      status = journal_->Append(message.topic, payload, received,
                                message.qos > 0 ? message.packet_id : uint16_t{0}, message.duplicate,
                                &dropped);
    }
  }
  if (status.ok()) {
    retained_.Journaled(message);
  } else {
    retained_.Refused(message);
    refused_.fetch_add(1, std::memory_order_relaxed);
  }
  if (parts_.wake) parts_.wake();
  return status;
}

// With ingest_mutex_ held: the receive time of what comes by `connection` now.
Status Node::Receive(uint64_t connection, ReceiveTime* received) {
  const LaneClock::Reading reading = clock_->Read(parts_.clock());
  *received = reading.time;
  if (!reading.resumes && connection == listening_) return Status::Ok();
  RIVULET_RETURN_IF_ERROR(journal_->AppendTick(reading.time, true));
  listening_ = connection;
  clock_->Resumed();
  return Status::Ok();
}

void Node::KeepTime(Now now) {
  if (stopping_ || now.monotonic - last_time_check_ < kTickEvery) return;
  last_time_check_ = now.monotonic;
  const bool known = !parts_.clock_known || parts_.clock_known();
  const MqttLinkStats link = parts_.lane_link->Stats();
  const std::lock_guard lock(ingest_mutex_);
  clock_->SetKnown(known);
  if (!link.connected) return;
  ReceiveTime received;
  Status status = Receive(link.connection, &received);
  if (status.ok() && TickIsDue(received.at, now)) {
    status = journal_->AppendTick(received, false);
    last_tick_ = now.monotonic;
  }
  if (!status.ok()) refused_.fetch_add(1, std::memory_order_relaxed);
}

bool Node::TickIsDue(EventTime received, Now now) const {
  const bool tell = now.monotonic - last_tick_ >= kTellTimeEvery;
  return std::any_of(pipelines_.begin(), pipelines_.end(), [&](const Running& r) {
    const Pipeline& p = *r.pipeline;
    if (!p.plan().source.FollowsTime()) return false;
    return DueBy(p, p.source().WatermarkAt(received.us)) || (tell && AnyWaits(p));
  });
}

// Whether it, or what reads its results, has something to do once W is `watermark`.
bool Node::DueBy(const Pipeline& pipeline, int64_t watermark) const {
  return pipeline.DueBy(watermark) || ReadersDue(pipeline, pipeline.Held(watermark));
}

bool Node::ReadersDue(const Pipeline& pipeline, int64_t released) const {
  return std::any_of(pipelines_.begin(), pipelines_.end(), [&](const Running& r) {
    return r.pipeline->upstream() == pipeline.name() &&
           DueBy(*r.pipeline, r.pipeline->plan().source.Brought(released));
  });
}

bool Node::FollowsTime(const Pipeline& pipeline) const {
  const Running* upstream = FindRunning(pipeline.upstream());
  return upstream != nullptr ? FollowsTime(*upstream->pipeline) : pipeline.plan().source.FollowsTime();
}

bool Node::AnyWaits(const Pipeline& pipeline) const {
  return pipeline.Waits() ||
         std::any_of(pipelines_.begin(), pipelines_.end(), [&](const Running& r) {
           return r.pipeline->upstream() == pipeline.name() && AnyWaits(*r.pipeline);
         });
}

}  // namespace rivulet
