// The subscribing side of the link against a real mosquitto.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/transport/link_recorder.h"

namespace rivulet {
namespace {

using testing::ChildProcess;
using testing::Connected;
using testing::Eventually;
using testing::LinkOptions;
using testing::LinkRecorder;
using testing::MosquittoFixture;
using testing::PublishSurely;
using testing::SinkOptions;
using testing::TemporaryDirectory;

constexpr int kVersions[] = {4, 5};
using Strings = std::vector<std::string>;

// Creates the session with its subscription, and leaves.
void MakeSession(const MosquittoFixture& broker, const std::string& client_id, int version,
                 int qos, const std::string& filter = "in/#") {
  auto publisher = Connected(SinkOptions(broker.uri(), client_id + "-setup", version));
  LinkRecorder recorder;
  auto link = Connected(LinkOptions(broker.uri(), client_id, version), &recorder,
                        {{filter, qos}});
  // The probe's arrival proves the subscription.
  REQUIRE(testing::Subscribed(publisher.get(), recorder, "in/probe"));
  link->Stop(Duration::Seconds(5));
}

// Runs this program once more with only the test case of the lane below, as another process.
std::unique_ptr<ChildProcess> StartLaneProcess(const std::string& broker,
                                               const std::string& directory,
                                               const std::string& mode, int version) {
  setenv("RIVULET_TEST_BROKER", broker.c_str(), 1);
  setenv("RIVULET_TEST_DIRECTORY", directory.c_str(), 1);
  setenv("RIVULET_TEST_MODE", mode.c_str(), 1);
  setenv("RIVULET_TEST_VERSION", std::to_string(version).c_str(), 1);
  return std::make_unique<ChildProcess>(
      Strings{"/proc/self/exe", "--no-skip", "--test-case=lane process to be killed"},
      directory + "/lane.log");
}

Strings Lines(const std::string& file) {
  Strings lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

// Not a test: the process that tests start and kill. Writes one line a message, then (mode
// "block") holds the callback, so that the message is neither accepted nor refused.
TEST_CASE("lane process to be killed" * doctest::skip()) {
  const std::string directory = std::getenv("RIVULET_TEST_DIRECTORY");
  const bool block = std::string(std::getenv("RIVULET_TEST_MODE")) == "block";
  MqttOptions options = LinkOptions(std::getenv("RIVULET_TEST_BROKER"), "lane",
                                    std::atoi(std::getenv("RIVULET_TEST_VERSION")));
  options.will = MqttWill{"status/lane", "offline", 1, true};
  options.online_payload = "online";
  options.persistence_directory = directory;
  auto link = NewPahoMqttLink(options);
  REQUIRE(link.ok());
  (*link)->OnMessage([&](const MqttMessage& m) {
    std::ofstream(directory + "/seen", std::ios::app)
        << m.payload << " " << m.packet_id << " " << m.duplicate << std::endl;
    while (block) pause();
    return Status::Ok();
  });
  (*link)->Subscribe({{"in/#", 2}});
  REQUIRE((*link)->Start().ok());
  for (;;) pause();
}

TEST_CASE("link refuses options that cannot work") {
  const auto code = [](auto change) {
    MqttOptions options = LinkOptions("tcp://localhost", "id", 4);
    change(options);
    return NewPahoMqttLink(options).status().code();
  };
  CHECK(code([](MqttOptions&) {}) == ErrorCode::kOk);
  CHECK(code([](MqttOptions& o) { o.brokers.clear(); }) == ErrorCode::kBadSettingValue);
  CHECK(code([](MqttOptions& o) { o.brokers = {"localhost"}; }) == ErrorCode::kBadSettingValue);
  CHECK(code([](MqttOptions& o) { o.client_id.clear(); }) == ErrorCode::kBadSettingValue);
  CHECK(code([](MqttOptions& o) { o.version = 3; }) == ErrorCode::kBadSettingValue);
  CHECK(code([](MqttOptions& o) { o.max_inflight = 0; }) == ErrorCode::kBadSettingValue);
  CHECK(code([](MqttOptions& o) { o.reconnect_min = {0}; }) == ErrorCode::kBadSettingValue);
  CHECK(code([](MqttOptions& o) { o.will = MqttWill{}; }) == ErrorCode::kBadSettingValue);
  CHECK(code([](MqttOptions& o) { o.persistence_directory = "/nowhere"; }) ==
        ErrorCode::kBadSettingValue);
}

TEST_CASE("link delivers every QoS with both protocol versions") {
  MosquittoFixture broker;
  for (const int version : kVersions) {
    CAPTURE(version);
    const std::string id = "deliver" + std::to_string(version);
    LinkRecorder recorder;
    auto link = Connected(LinkOptions(broker.uri(), id, version), &recorder, {{"a/+", 2}});
    auto publisher = Connected(SinkOptions(broker.uri(), id + "-pub", version));
    REQUIRE(testing::Subscribed(publisher.get(), recorder, "a/x"));
    const size_t before = recorder.count();
    const std::string binary("\0\xff{}\n", 5);
    for (int qos = 0; qos <= 2; ++qos) {
      REQUIRE(PublishSurely(publisher.get(), "a/x", binary + std::to_string(qos), qos));
    }
    REQUIRE(PublishSurely(publisher.get(), "a/", "", 1));
    REQUIRE(PublishSurely(publisher.get(), "other", "not subscribed", 1));
    REQUIRE(recorder.WaitForCount(before + 4));
    const auto seen = recorder.accepted();
    REQUIRE(seen.size() == before + 4);
    for (int qos = 0; qos <= 2; ++qos) {
      const auto& entry = seen[before + static_cast<size_t>(qos)];
      CHECK(entry.topic == "a/x");
      CHECK(entry.payload == binary + std::to_string(qos));
      CHECK(entry.qos == qos);
      CHECK((entry.packet_id != 0) == (qos > 0));
      CHECK_FALSE(entry.duplicate);
      CHECK_FALSE(entry.retained);
    }
    CHECK(seen.back().topic == "a/");
    CHECK(seen.back().payload.empty());
    CHECK(link->Stats().received == before + 4);
    CHECK(link->Stats().broker == broker.uri());
    link->Stop(Duration::Seconds(5));
    CHECK_FALSE(link->Stats().connected);
  }
}

TEST_CASE("a message is acknowledged only after the handler: kill -9 inside it brings it again") {
  for (const int version : kVersions) {
    for (const int qos : {1, 2}) {
      CAPTURE(version);
      CAPTURE(qos);
      MosquittoFixture broker;
      TemporaryDirectory directory;
      MakeSession(broker, "lane", version, qos);
      auto publisher = Connected(SinkOptions(broker.uri(), "pub", version));
      REQUIRE(PublishSurely(publisher.get(), "in/1", "first", qos));
      REQUIRE(PublishSurely(publisher.get(), "in/1", "second", qos));
      auto lane = StartLaneProcess(broker.uri(), directory.path(), "block", version);
      REQUIRE(Eventually([&] { return Lines(directory / "seen").size() == 1; }));
      lane->Kill();
      const std::string line = Lines(directory / "seen")[0];
      CHECK(line.starts_with("first "));

      LinkRecorder recorder;
      MqttOptions options = LinkOptions(broker.uri(), "lane", version);
      options.persistence_directory = directory.path();
      auto link = Connected(options, &recorder, {{"in/#", 2}});
      REQUIRE(recorder.WaitForCount(2));
      const auto seen = recorder.accepted();
      CHECK(recorder.payloads() == Strings{"first", "second"});
      CHECK(seen[0].duplicate);
      CHECK(line.substr(0, line.size() - 2) == "first " + std::to_string(seen[0].packet_id));
    }
  }
}

TEST_CASE("an accepted message is not delivered again after kill -9") {
  for (const int version : kVersions) {
    CAPTURE(version);
    MosquittoFixture broker;
    TemporaryDirectory directory;
    MakeSession(broker, "lane", version, 1);
    auto publisher = Connected(SinkOptions(broker.uri(), "pub", version));
    REQUIRE(PublishSurely(publisher.get(), "in/1", "first"));
    auto lane = StartLaneProcess(broker.uri(), directory.path(), "accept", version);
    // The second message in the file proves that the first one's acknowledgement went before it.
    REQUIRE(Eventually([&] { return Lines(directory / "seen").size() == 1; }));
    REQUIRE(PublishSurely(publisher.get(), "in/1", "second"));
    REQUIRE(Eventually([&] { return Lines(directory / "seen").size() == 2; }));
    lane->Kill();
    REQUIRE(PublishSurely(publisher.get(), "in/1", "third"));
    LinkRecorder recorder;
    auto link = Connected(LinkOptions(broker.uri(), "lane", version), &recorder, {{"in/#", 1}});
    REQUIRE(recorder.WaitFor("in/1", "third"));
    for (const auto& entry : recorder.accepted()) {
      CHECK(entry.payload != "first");
      // The last one before the kill may be redelivered, but then it says so.
      if (entry.payload == "second") CHECK(entry.duplicate);
    }
  }
}

TEST_CASE("a refused message is not acknowledged: it comes again, marked, in order") {
  for (const int version : kVersions) {
    for (const int qos : {1, 2}) {
      CAPTURE(version);
      CAPTURE(qos);
      MosquittoFixture broker;
      MakeSession(broker, "lane", version, qos);
      auto publisher = Connected(SinkOptions(broker.uri(), "pub", version));
      Strings expected;
      for (int i = 0; i < 50; ++i) {
        expected.push_back(std::to_string(i));
        REQUIRE(PublishSurely(publisher.get(), "in/1", expected.back(), qos));
      }
      LinkRecorder recorder;
      recorder.RefuseNext(3);
      auto link = Connected(LinkOptions(broker.uri(), "lane", version), &recorder, {{"in/#", 2}});
      REQUIRE(recorder.WaitForCount(50));
      CHECK(recorder.payloads() == expected);
      const auto refused = recorder.refused();
      REQUIRE(refused.size() == 3);
      for (const auto& entry : refused) CHECK(entry.payload == "0");
      CHECK(recorder.accepted()[0].duplicate);
      CHECK(recorder.accepted()[0].packet_id == refused[0].packet_id);
      // Each refusal costs a connection; the last is counted when its messages may have come already.
      CHECK(Eventually([&] { return link->Stats().connects == 4; }));
      CHECK(link->Stats().received == 50);
      // The stream goes on, and nothing comes twice.
      REQUIRE(PublishSurely(publisher.get(), "in/1", "last", qos));
      REQUIRE(recorder.WaitFor("in/1", "last"));
      CHECK(recorder.count() == 51);
    }
  }
}

TEST_CASE("what was refused stays with the broker when the link stops") {
  MosquittoFixture broker;
  MakeSession(broker, "lane", 4, 1);
  auto publisher = Connected(SinkOptions(broker.uri(), "pub", 4));
  REQUIRE(PublishSurely(publisher.get(), "in/1", "kept"));
  {
    LinkRecorder full;
    full.RefuseNext(1000000);
    auto link = Connected(LinkOptions(broker.uri(), "lane", 4), &full, {{"in/#", 1}});
    REQUIRE(Eventually([&] { return full.refused().size() >= 2; }));
    CHECK(Eventually([&] {
      return link->Stats().last_error.find("E3002") != std::string::npos;
    }));
    link->Stop(Duration::Seconds(5));
  }
  LinkRecorder recorder;
  auto link = Connected(LinkOptions(broker.uri(), "lane", 4), &recorder, {{"in/#", 1}});
  REQUIRE(recorder.WaitForCount(1));
  CHECK(recorder.payloads() == Strings{"kept"});
}

TEST_CASE("link reconnects and subscribes again when the broker lost everything") {
  for (const int version : kVersions) {
    CAPTURE(version);
    MosquittoFixture broker;
    LinkRecorder recorder;
    auto link = Connected(LinkOptions(broker.uri(), "lane", version), &recorder, {{"in/#", 1}});
    broker.Kill();
    REQUIRE(Eventually([&] { return !link->Stats().connected; }));
    CHECK(Eventually([&] { return !link->Stats().last_error.empty(); }));
    broker.ForgetData();
    broker.Start();
    REQUIRE(Eventually([&] { return link->Stats().connected; }));
    CHECK(link->Stats().connects == 2);
    CHECK(link->Stats().last_error.empty());
    auto publisher = Connected(SinkOptions(broker.uri(), "pub", version));
    CHECK(testing::Subscribed(publisher.get(), recorder, "in/1"));
  }
}

TEST_CASE("the session collects while the link is paused or away") {
  for (const int version : kVersions) {
    CAPTURE(version);
    MosquittoFixture broker;
    MakeSession(broker, "lane", version, 1);
    auto publisher = Connected(SinkOptions(broker.uri(), "pub", version));
    REQUIRE(PublishSurely(publisher.get(), "in/1", "while away"));
    LinkRecorder recorder;
    auto link = Connected(LinkOptions(broker.uri(), "lane", version), &recorder, {{"in/#", 1}});
    REQUIRE(recorder.WaitForCount(1));
    link->Pause(true);
    REQUIRE(Eventually([&] { return !link->Stats().connected; }));
    REQUIRE(PublishSurely(publisher.get(), "in/1", "while paused"));
    broker.Restart();
    REQUIRE(PublishSurely(publisher.get(), "in/1", "after restart"));
    CHECK(recorder.count() == 1);
    link->Pause(false);
    REQUIRE(recorder.WaitForCount(3));
    CHECK(recorder.payloads() == Strings{"while away", "while paused", "after restart"});
  }
}

TEST_CASE("filters no longer wanted are unsubscribed") {
  for (const int version : kVersions) {
    CAPTURE(version);
    MosquittoFixture broker;
    MakeSession(broker, "lane", version, 1, "in/probe");
    LinkRecorder recorder;
    MqttOptions options = LinkOptions(broker.uri(), "lane", version);
    options.former_filters = {"in/probe"};
    auto link = Connected(options, &recorder, {{"a", 1}, {"b", 1}});
    auto publisher = Connected(SinkOptions(broker.uri(), "pub", version));
    REQUIRE(testing::Subscribed(publisher.get(), recorder, "b"));
    link->Subscribe({{"b", 1}, {"c", 1}});
    // Rounds, until one has only what is wanted: the marker on b comes last.
    int round = 0;
    REQUIRE(Eventually([&] {
      const std::string payload = std::to_string(++round);
      for (const char* topic : {"a", "in/probe", "c", "b"}) {
        REQUIRE(PublishSurely(publisher.get(), topic, payload));
      }
      REQUIRE(recorder.WaitFor("b", payload));
      Strings topics;
      for (const auto& entry : recorder.accepted()) {
        if (entry.payload == payload) topics.push_back(entry.topic);
      }
      return topics == Strings{"c", "b"};
    }));
    // And it stays so after a reconnect.
    broker.Restart();
    REQUIRE(Eventually([&] { return link->Stats().connects == 2 && link->Stats().connected; }));
    const size_t before = recorder.count();
    for (const char* topic : {"a", "in/probe", "b"}) {
      REQUIRE(PublishSurely(publisher.get(), topic, "after"));
    }
    REQUIRE(recorder.WaitFor("b", "after"));
    CHECK(recorder.count() == before + 1);
  }
}

TEST_CASE("the will speaks after kill -9, the link itself when it comes and goes") {
  MosquittoFixture broker;
  for (const int version : kVersions) {
    CAPTURE(version);
    TemporaryDirectory directory;
    LinkRecorder status;
    auto observer = Connected(SinkOptions(broker.uri(), "observer", version), &status,
                              {{"status/lane", 1}});
    auto lane = StartLaneProcess(broker.uri(), directory.path(), "accept", version);
    REQUIRE(status.WaitFor("status/lane", "online"));
    lane->Kill();
    REQUIRE(status.WaitFor("status/lane", "offline"));

    MqttOptions options = LinkOptions(broker.uri(), "polite", version);
    options.will = MqttWill{"status/polite", "gone", 1, true};
    options.online_payload = "here";
    LinkRecorder polite;
    auto second = Connected(SinkOptions(broker.uri(), "observer2", version), &polite,
                            {{"status/polite", 1}});
    auto link = Connected(options);
    REQUIRE(polite.WaitFor("status/polite", "here"));
    link->Stop(Duration::Seconds(5));
    REQUIRE(polite.WaitFor("status/polite", "gone"));
    // Retained: who comes later learns it too.
    LinkRecorder late;
    auto third = Connected(SinkOptions(broker.uri(), "observer3", version), &late,
                           {{"status/polite", 1}});
    REQUIRE(late.WaitFor("status/polite", "gone"));
    CHECK(late.accepted()[0].retained);
  }
}

}  // namespace rivulet
