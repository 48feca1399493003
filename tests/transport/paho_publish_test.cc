// The publishing side of the link, and its life as a whole, against a real mosquitto.
#include <doctest/doctest.h>

#include <atomic>

#include "tests/transport/link_recorder.h"

namespace rivulet {
namespace {

using testing::Connected;
using testing::Eventually;
using testing::LinkOptions;
using testing::LinkRecorder;
using testing::MosquittoFixture;
using testing::PublishSurely;
using testing::SinkOptions;

constexpr int kVersions[] = {4, 5};
const MqttLink::DoneHandler kNobody = [](MqttLink::Delivery, const std::string&) {};

// Counts the calls of each publish's done handler. Any thread.
class DoneCounter {
 public:
  MqttLink::DoneHandler Handler(size_t index) {
    return [this, index](MqttLink::Delivery delivery, const std::string&) {
      const std::lock_guard lock(mutex_);
      calls_.push_back({index, delivery == MqttLink::Delivery::kAcknowledged});
    };
  }
  std::vector<std::pair<size_t, bool>> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  size_t count() const { return calls().size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<size_t, bool>> calls_;
};

MqttLink::Publication Message(std::string_view topic, std::string_view payload, int qos) {
  MqttLink::Publication p;
  p.topic = topic;
  p.payload = payload;
  p.qos = qos;
  return p;
}

// Takes one connection on a port, lets any MQTT 5 client in, and returns what it sent until
// `needle` was among it ("" when it never was).
std::string ListenAsBroker(uint16_t port, const std::string& needle, std::atomic<bool>* listening) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = testing::Loopback(port);
  bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  listen(server, 1);
  *listening = true;
  const int client = accept(server, nullptr, nullptr);
  const timeval limit{10, 0};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  std::string seen;
  bool greeted = false;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(client, buffer, sizeof(buffer));
    if (n <= 0) break;
    seen.append(buffer, static_cast<size_t>(n));
    const char connack[] = {0x20, 3, 0, 0, 0};
    if (!greeted && write(client, connack, sizeof(connack)) < 0) break;
    greeted = true;
    if (seen.find(needle) != std::string::npos) break;
  }
  close(client);
  close(server);
  return seen.find(needle) != std::string::npos ? seen : std::string();
}

}  // namespace

TEST_CASE("publishes are acknowledged once each, in order, within the bound") {
  MosquittoFixture broker;
  for (const int version : kVersions) {
    for (const int qos : {0, 1, 2}) {
      CAPTURE(version);
      CAPTURE(qos);
      MqttOptions options = SinkOptions(broker.uri(), "sink", version);
      options.max_inflight = 10;
      auto link = Connected(options);
      DoneCounter done;
      size_t refused = 0;
      for (size_t i = 0; i < 500;) {
        const std::string payload = std::to_string(i);
        if (link->Publish(Message("out", payload, qos), done.Handler(i))) {
          ++i;
          // One more, as the place is free just before its handler is called.
          CHECK(i - done.count() <= 11);
        } else {
          ++refused;
          CHECK(Eventually([&] { return i - done.count() < 10; }));
        }
      }
      REQUIRE(Eventually([&] { return done.count() == 500; }));
      const auto calls = done.calls();
      for (size_t i = 0; i < calls.size(); ++i) {
        CHECK(calls[i].first == i);
        CHECK(calls[i].second);
      }
      CHECK(refused > 0);
      CHECK(link->Stats().published == 500);
      CHECK(link->Stats().last_error.empty());
    }
  }
}

TEST_CASE("a silent broker: the bound holds, and every publish is reported when it dies") {
  for (const int version : kVersions) {
    CAPTURE(version);
    MosquittoFixture broker;
    MqttOptions options = SinkOptions(broker.uri(), "sink", version);
    options.max_inflight = 7;
    auto link = Connected(options);
    broker.Freeze();
    DoneCounter done;
    for (size_t i = 0; i < 7; ++i) CHECK(link->Publish(Message("out", "x", 1), done.Handler(i)));
    CHECK_FALSE(link->Publish(Message("out", "x", 1), done.Handler(99)));
    CHECK(done.count() == 0);
    broker.Kill();
    REQUIRE(Eventually([&] { return done.count() == 7; }));
    CHECK_FALSE(link->Publish(Message("out", "x", 1), done.Handler(99)));
    const auto calls = done.calls();
    for (size_t i = 0; i < 7; ++i) {
      CHECK(calls[i].first == i);
      CHECK_FALSE(calls[i].second);
    }
    // Nothing of the old connection is sent by the new one.
    broker.Start();
    LinkRecorder recorder;
    auto observer = Connected(SinkOptions(broker.uri(), "observer", version), &recorder,
                              {{"out", 1}});
    REQUIRE(Eventually([&] { return link->Stats().connected; }));
    REQUIRE(testing::Subscribed(link.get(), recorder, "out"));
    for (const auto& entry : recorder.accepted()) CHECK(entry.payload.starts_with("probe"));
    CHECK(done.count() == 7);
  }
}

TEST_CASE("order survives broker restarts when the caller repeats what failed") {
  MosquittoFixture broker({"autosave_interval 1", "autosave_on_changes true"});
  for (const int version : kVersions) {
    CAPTURE(version);
    LinkRecorder recorder;
    const std::string topic = "ordered" + std::to_string(version);
    auto observer = Connected(LinkOptions(broker.uri(), "observer" + topic, version), &recorder,
                              {{topic, 1}});
    auto link = Connected(SinkOptions(broker.uri(), "sink", version));
    REQUIRE(testing::Subscribed(link.get(), recorder, topic));
    const size_t total = 600;
    std::mutex mutex;
    size_t acknowledged = 0;  // everything below is
    size_t next = 0;
    size_t unanswered = 0;
    size_t restarts = 0;
    REQUIRE(Eventually([&] {
      {
        const std::lock_guard lock(mutex);
        if (unanswered == 0) next = acknowledged;  // go back to what failed first
      }
      while (next < total) {
        const size_t i = next;
        {
          const std::lock_guard lock(mutex);
          ++unanswered;
        }
        const bool taken = link->Publish(Message(topic, std::to_string(i), 1),
                                         [&, i](MqttLink::Delivery delivery,
                                                                              const std::string&) {
          const std::lock_guard lock(mutex);
          --unanswered;
          if (delivery == MqttLink::Delivery::kAcknowledged && i == acknowledged) ++acknowledged;
        });
        const std::lock_guard lock(mutex);
        if (!taken) {
          --unanswered;
          break;
        }
        ++next;
      }
      size_t now = 0;
      {
        const std::lock_guard lock(mutex);
        now = acknowledged;
      }
      if (now > 150 * (restarts + 1) && restarts < 3) {
        ++restarts;
        broker.Restart();
      }
      const std::lock_guard lock(mutex);
      return acknowledged == total;
    }, std::chrono::seconds(60)));
    REQUIRE(recorder.WaitFor(topic, std::to_string(total - 1)));
    // Repetitions aside, the numbers rise without a gap.
    size_t expected = 0;
    for (const auto& entry : recorder.accepted()) {
      if (entry.payload.starts_with("probe")) continue;
      const size_t number = std::stoul(entry.payload);
      CHECK(number <= expected);
      if (number == expected) ++expected;
    }
    CHECK(expected == total);
  }
}

TEST_CASE("MQTT 5 carries the result's id as a user property") {
  const uint16_t port = testing::FreePort();
  std::atomic<bool> listening{false};
  std::string seen;
  std::thread broker([&] {
    seen = ListenAsBroker(port, std::string("rivulet-id\0\x05id-42", 17), &listening);
  });
  REQUIRE(Eventually([&] { return listening.load(); }));
  auto link = Connected(SinkOptions("tcp://127.0.0.1:" + std::to_string(port), "sink", 5));
  MqttLink::Publication p = Message("out", "x", 1);
  p.rivulet_id = "id-42";
  CHECK(link->Publish(p, kNobody));
  broker.join();
  CHECK_FALSE(seen.empty());
}

TEST_CASE("a wrong password is reported in words, and the link keeps trying") {
  testing::TemporaryDirectory directory;
  const std::string passwords = directory / "passwords";
  if (access("/usr/bin/mosquitto_passwd", X_OK) != 0) {
    FAIL("mosquitto_passwd is not installed; apt-get install mosquitto");
  }
  testing::ChildProcess tool({"/usr/bin/mosquitto_passwd", "-c", "-b", passwords, "pi", "secret"},
                             directory / "log");
  REQUIRE(Eventually([&] { return !tool.Running(); }));
  MosquittoFixture broker({"allow_anonymous false", "password_file " + passwords});
  for (const int version : kVersions) {
    CAPTURE(version);
    MqttOptions options = SinkOptions(broker.uri(), "user", version);
    options.user = "pi";
    options.password = "wrong";
    auto made = NewPahoMqttLink(options);
    REQUIRE(made.ok());
    REQUIRE((*made)->Start().ok());
    REQUIRE(Eventually([&] {
      const std::string error = (*made)->Stats().last_error;
      return error.find("E5002") != std::string::npos &&
             (error.find("not authorised") != std::string::npos ||
              error.find("bad user name or password") != std::string::npos);
    }));
    CHECK((*made)->Stats().connects == 0);
    options.password = "secret";
    options.client_id = "user2";
    CHECK(Connected(options)->Stats().connects == 1);
  }
}

TEST_CASE("Start returns without a broker and connects when there is one") {
  MosquittoFixture broker;
  broker.Stop();
  auto made = NewPahoMqttLink(LinkOptions(broker.uri(), "early", 4));
  REQUIRE(made.ok());
  REQUIRE((*made)->Start().ok());
  REQUIRE(Eventually([&] {
    return (*made)->Stats().last_error.find("E5001") != std::string::npos;
  }));
  CHECK_FALSE((*made)->Publish(Message("out", "x", 1), kNobody));
  broker.Start();
  CHECK(Eventually([&] { return (*made)->Stats().connected; }));
}

TEST_CASE("brokers are tried in order") {
  MosquittoFixture first;
  MosquittoFixture second;
  first.Stop();
  MqttOptions options = LinkOptions(first.uri(), "several", 5);
  options.brokers = {first.uri(), "tcp://127.0.0.1:1", second.uri()};
  auto link = Connected(options);
  CHECK(link->Stats().broker == second.uri());
  first.Start();
  second.Stop();
  REQUIRE(Eventually([&] { return link->Stats().broker == first.uri(); }));
}

TEST_CASE("Stop reports everything and is silent afterwards") {
  MosquittoFixture broker;
  auto link = Connected(SinkOptions(broker.uri(), "sink", 4));
  DoneCounter done;
  size_t taken = 0;
  for (size_t i = 0; i < 100; ++i) taken += link->Publish(Message("out", "x", 1), done.Handler(i));
  CHECK(taken == 100);
  link->Stop(Duration::Seconds(10));
  CHECK(done.count() == 100);
  for (const auto& [index, ok] : done.calls()) CHECK(ok);

  auto frozen = Connected(SinkOptions(broker.uri(), "sink2", 4));
  broker.Freeze();
  DoneCounter unanswered;
  for (size_t i = 0; i < 10; ++i) {
    CHECK(frozen->Publish(Message("out", "x", 1), unanswered.Handler(i)));
  }
  frozen->Stop(Duration::Millis(50));
  CHECK(unanswered.count() == 10);
  for (const auto& [index, ok] : unanswered.calls()) CHECK_FALSE(ok);
  CHECK_FALSE(frozen->Publish(Message("out", "x", 1), unanswered.Handler(99)));
  CHECK(unanswered.count() == 10);
}

TEST_CASE("a link may be destroyed at any moment") {
  MosquittoFixture broker;
  LinkRecorder recorder;
  auto publisher = Connected(SinkOptions(broker.uri(), "pub", 4));
  std::atomic<bool> end{false};
  std::thread traffic([&] {
    while (!end) {
      if (!publisher->Publish(Message("in/1", "x", 1), kNobody)) std::this_thread::yield();
    }
  });
  for (int i = 0; i < 60; ++i) {
    auto link = NewPahoMqttLink(LinkOptions(broker.uri(), "short", 4 + i % 2));
    REQUIRE(link.ok());
    (*link)->OnMessage(recorder.Handler());
    (*link)->Subscribe({{"in/#", 1}});
    REQUIRE((*link)->Start().ok());
    const size_t before = recorder.count();
    if (i % 3 == 1) Eventually([&] { return (*link)->Stats().connected; });
    if (i % 3 == 2) Eventually([&] { return recorder.count() > before; });
    if (i % 5 == 0) (*link)->Pause(true);
    link->reset();
    const size_t after = recorder.count();
    CHECK(recorder.count() == after);
  }
  end = true;
  traffic.join();
}

}  // namespace rivulet
