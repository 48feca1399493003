#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "tests/node/sink_test_support.h"

using namespace rivulet;

namespace {

std::unique_ptr<Sink> Open(FakeLink* link, uint64_t next = 0) {
  SinkSpec spec;
  spec.target.text = "agg/{k}";
  auto sink = NewMqttSink(spec, link);
  REQUIRE(sink.ok());
  SinkCursor cursor{next, 0};
  REQUIRE((*sink)->Open(&cursor).ok());
  CHECK(cursor.next == next);
  return std::move(*sink);
}

std::vector<OutputEntry> Entries(uint64_t from, uint64_t to) {
  std::vector<OutputEntry> entries;
  for (uint64_t k = from; k < to; ++k) {
    entries.push_back(Entry(k, "{\"k\":" + std::to_string(k) + "}"));
  }
  return entries;
}

}  // namespace

TEST_CASE("mqtt sink: publishes in order up to the link's limit, cursor follows PUBACK") {
  FakeLink link;
  const auto sink = Open(&link, 10);
  CHECK(sink->Offer(Entries(10, 16)) == 4);
  CHECK(link.sent[0].topic == "agg/10");
  CHECK(link.sent[0].payload == "{\"k\":10}");
  CHECK(link.sent[0].id == "w10r0");
  CHECK(link.sent[0].qos == 1);
  CHECK(sink->Cursor().next == 10);
  link.Acknowledge();
  CHECK(sink->Cursor().next == 11);
  CHECK(sink->Offer(Entries(14, 16)) == 1);
  link.Acknowledge(1);  // 12, before 11
  CHECK(sink->Cursor().next == 11);
  link.Acknowledge(0);
  CHECK(sink->Cursor().next == 13);
  CHECK(sink->Stats().delivered == 3);
  CHECK_FALSE(sink->Rewound());
}

TEST_CASE("mqtt sink: a lost connection rewinds to the first unacknowledged result") {
  FakeLink link;
  const auto sink = Open(&link);
  CHECK(sink->Offer(Entries(0, 4)) == 4);
  link.Acknowledge();
  link.LoseConnection();
  CHECK(sink->Stats().available == false);
  CHECK(sink->Stats().last_error == "refused");
  link.connected = true;
  CHECK(sink->Offer(Entries(4, 6)) == 0);  // would overtake 1 to 3
  CHECK(sink->Rewound());
  CHECK_FALSE(sink->Rewound());
  CHECK(sink->Cursor().next == 1);
  CHECK(sink->Offer(Entries(1, 5)) == 4);
  while (!link.waiting.empty()) link.Acknowledge();
  CHECK(sink->Cursor().next == 5);
  CHECK(sink->Stats().delivered == 5);
  CHECK(sink->Stats().errors == 1);
  CHECK(link.sent[1].payload == link.sent[4].payload);  // the same bytes again
  CHECK(link.sent[1].id == link.sent[4].id);
}

TEST_CASE("mqtt sink: acknowledgements from before a rewind do not count") {
  FakeLink link;
  const auto sink = Open(&link);
  CHECK(sink->Offer(Entries(0, 3)) == 3);
  const auto late = link.waiting[2];
  link.waiting[0](MqttLink::Delivery::kLost, "");
  late(MqttLink::Delivery::kAcknowledged, "");
  CHECK(sink->Rewound());
  CHECK(sink->Cursor().next == 0);
  link.waiting.clear();
  CHECK(sink->Offer(Entries(0, 3)) == 3);
  late(MqttLink::Delivery::kLost, "");
  CHECK_FALSE(sink->Rewound());
  CHECK(sink->Cursor().next == 0);
}

TEST_CASE("mqtt sink: done handlers may run at once, or after the sink is gone") {
  FakeLink link;
  link.acknowledge_at_once = true;
  auto sink = Open(&link);
  CHECK(sink->Offer(Entries(0, 100)) == 100);
  CHECK(sink->Cursor().next == 100);
  link.acknowledge_at_once = false;
  CHECK(sink->Offer(Entries(100, 102)) == 2);
  sink.reset();
  link.Acknowledge();
  link.LoseConnection();
}

// Keeps what is set aside, unless it is told not to.
class TestRefused final : public RefusedResults {
 public:
  Status Keep(const RefusedResult& r) override {
    if (full) return Status(ErrorCode::kDiskFull, "full");
    kept.push_back(std::string(r.topic) + " " + std::string(r.json) + " " + std::string(r.reason));
    return Status::Ok();
  }
  Status Sync() override { return Status::Ok(); }
  bool ComesBack(std::string_view, std::string_view topic) const override { return topic == back; }
  bool full = false;
  std::string back;
  std::vector<std::string> kept;
};

TEST_CASE("mqtt sink: what the broker refuses is set aside, and everything else goes once and in order") {
  FakeLink link;
  TestRefused refused;
  SinkSpec spec;
  spec.target.text = "agg";
  auto sink = NewMqttSink(spec, &link, "p", &refused);
  SinkCursor cursor;
  REQUIRE((*sink)->Open(&cursor).ok());
  const std::vector<OutputEntry> all = Entries(0, 4);
  REQUIRE((*sink)->Offer(all) == 4);
  link.Refuse(1, "packet too large");
  refused.full = true;
  CHECK_FALSE((*sink)->Rewound());
  for (int i = 0; i < 3; ++i) link.Acknowledge();
  // Not yet kept: the cursor must not pass it.
  CHECK((*sink)->Cursor().next == 1);
  refused.full = false;
  CHECK_FALSE((*sink)->Rewound());
  CHECK((*sink)->Cursor().next == 4);
  CHECK(refused.kept == std::vector<std::string>{"agg " + all[1].json + " packet too large"});
  CHECK((*sink)->Stats().refused == 1);
  CHECK((*sink)->Stats().delivered == 3);
  CHECK(link.sent.size() == 4);
}

TEST_CASE("mqtt sink: a result that would come back as input is set aside, not published") {
  FakeLink link;
  TestRefused refused;
  refused.back = "agg";
  SinkSpec spec;
  spec.target.text = "agg";
  auto sink = NewMqttSink(spec, &link, "p", &refused);
  SinkCursor cursor;
  REQUIRE((*sink)->Open(&cursor).ok());
  const std::vector<OutputEntry> all = Entries(0, 2);
  CHECK((*sink)->Offer(all) == 2);
  CHECK_FALSE((*sink)->Rewound());
  CHECK(link.sent.empty());
  CHECK(refused.kept.size() == 2);
  CHECK(refused.kept[0].find("E5007") != std::string::npos);
  CHECK((*sink)->Cursor().next == 2);
}

TEST_CASE("mqtt sink: what connections end for is set aside when it has been tried alone") {
  FakeLink link;
  TestRefused refused;
  SinkSpec spec;
  spec.target.text = "agg";
  auto sink = NewMqttSink(spec, &link, "p", &refused);
  SinkCursor cursor;
  REQUIRE((*sink)->Open(&cursor).ok());
  link.max_inflight = 1;
  const std::vector<OutputEntry> all = Entries(0, 2);
  for (int i = 0; i < kAloneTries; ++i) {
    CAPTURE(i);
    CHECK(refused.kept.empty());
    CHECK((*sink)->Offer(all) == 1);
    link.LoseAlone();
    CHECK((*sink)->Rewound() == (i + 1 < kAloneTries));
  }
  CHECK(refused.kept.size() == 1);
  CHECK((*sink)->Cursor().next == 1);
  CHECK((*sink)->Offer(std::span(all).subspan(1)) == 1);
  link.Acknowledge();
  CHECK((*sink)->Cursor().next == 2);
}

TEST_CASE("mqtt sink: nothing is lost when another thread acknowledges and fails") {
  // A link whose answers come from a thread: every 7th fails.
  class ThreadedLink final : public MqttLink {
   public:
    ThreadedLink() : thread_([this] { Answer(); }) {}
    ~ThreadedLink() override {
      stop_ = true;
      thread_.join();
    }
    void OnMessage(MessageHandler) override {}
    Status Start() override { return Status::Ok(); }
    void Subscribe(std::vector<MqttSubscription>) override {}
    void Pause(bool) override {}
    bool Publish(const Publication& p, DoneHandler done) override {
      const std::lock_guard lock(mutex_);
      if (queue_.size() >= 50) return false;
      queue_.push_back({std::string(p.payload), std::move(done)});
      return true;
    }
    MqttLinkStats Stats() const override { return {}; }
    void Stop(Duration) override {}
    std::vector<std::string> arrived;

   private:
    void Answer() {
      for (int n = 0; !stop_;) {
        std::deque<std::pair<std::string, DoneHandler>> taken;
        {
          const std::lock_guard lock(mutex_);
          taken.swap(queue_);
        }
        if (taken.empty()) std::this_thread::yield();
        bool lost = false;  // a connection that is lost takes all that follows with it
        for (auto& [payload, done] : taken) {
          lost = lost || ++n % 70 == 0;
          if (!lost) arrived.push_back(payload);
          done(lost ? Delivery::kLost : Delivery::kAcknowledged, "");
        }
      }
    }
    std::mutex mutex_;
    std::deque<std::pair<std::string, DoneHandler>> queue_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
  };
  constexpr uint64_t kTotal = 5000;
  const std::vector<OutputEntry> all = Entries(0, kTotal);
  std::vector<std::string> arrived;
  {
    ThreadedLink link;
    SinkSpec spec;
    spec.target.text = "agg";
    auto sink = NewMqttSink(spec, &link);
    SinkCursor cursor;
    REQUIRE((*sink)->Open(&cursor).ok());
    size_t at = 0;
    while ((*sink)->Cursor().next < kTotal) {
      if ((*sink)->Rewound()) at = (*sink)->Cursor().next;
      at += (*sink)->Offer(std::span(all).subspan(at));
    }
    CHECK((*sink)->Stats().errors > 0);
    link.Stop({});
    arrived = link.arrived;
  }
  size_t expected = 0;  // in order, apart from repeats
  for (const std::string& payload : arrived) {
    if (expected < all.size() && payload == all[expected].json) ++expected;
  }
  CHECK(expected == kTotal);
}

TEST_CASE("mqtt sink: bad declarations") {
  FakeLink link;
  SinkSpec spec;
  spec.target.text = "a/#";
  CHECK(NewMqttSink(spec, &link).status().code() == ErrorCode::kBadTopicPattern);
  spec.target.text = "a";
  CHECK(NewMqttSink(spec, nullptr).status().code() == ErrorCode::kSinkUnavailable);
  spec.qos = 3;
  CHECK(NewMqttSink(spec, &link).status().code() == ErrorCode::kBadSettingValue);
}
