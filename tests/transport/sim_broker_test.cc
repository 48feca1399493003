#include "tests/sim/sim_broker.cc"  // NOLINT: the layer's test program has no other source of it

#include <doctest/doctest.h>

#include <set>

namespace rivulet {
namespace {

using testing::SimBroker;
using Strings = std::vector<std::string>;

MqttOptions Options(const std::string& client_id, bool persistent = true) {
  MqttOptions options;
  options.client_id = client_id;
  options.persistent_session = persistent;
  return options;
}

// A client that takes what it is offered and, like a lane, knows repetitions.
struct Client {
  Client(SimBroker* broker, const MqttOptions& options, const std::string& filter)
      : link(broker->NewLink(options)) {
    link->OnMessage([this](const MqttMessage& m) {
      offered.push_back(std::string(m.payload));
      if (refuse > 0) {
        --refuse;
        return Status(ErrorCode::kDiskFull, "full");
      }
      const auto known = by_packet_id.find(m.packet_id);
      if (m.duplicate && known != by_packet_id.end() && known->second == m.payload) {
        ++repetitions;
        return Status::Ok();
      }
      if (m.packet_id != 0) by_packet_id[m.packet_id] = std::string(m.payload);
      accepted.push_back(std::string(m.payload));
      return Status::Ok();
    });
    if (!filter.empty()) link->Subscribe({{filter, 1}});
    CHECK(link->Start().ok());
  }
  Strings offered;
  Strings accepted;
  std::map<uint16_t, std::string> by_packet_id;
  int refuse = 0;
  int repetitions = 0;
  std::unique_ptr<MqttLink> link;
};

Strings Numbers(int n) {
  Strings result;
  for (int i = 0; i < n; ++i) result.push_back(std::to_string(i));
  return result;
}

}  // namespace

TEST_CASE("SimBroker delivers to matching subscriptions in order") {
  Random random(1);
  SimBroker broker(&random);
  Client a(&broker, Options("a"), "in/+");
  Client b(&broker, Options("b"), "other");
  CHECK_FALSE(a.link->Stats().connected);
  REQUIRE(broker.StepUntilIdle());
  CHECK(a.link->Stats().connected);
  for (const std::string& n : Numbers(100)) broker.Inject("in/1", n);
  CHECK_FALSE(broker.Idle());
  REQUIRE(broker.StepUntilIdle());
  CHECK(a.accepted == Numbers(100));
  CHECK(b.accepted.empty());
  CHECK(broker.redeliveries() == 0);
  CHECK(a.link->Stats().received == 100);
}

TEST_CASE("SimBroker sends unacknowledged messages again with DUP and the same id") {
  Random random(2);
  SimBroker broker(&random);
  Client lane(&broker, Options("lane"), "in");
  REQUIRE(broker.StepUntilIdle());
  for (const std::string& n : Numbers(30)) broker.Inject("in", n);
  while (lane.accepted.size() < 5) broker.Step();
  broker.Disconnect("lane");
  CHECK_FALSE(lane.link->Stats().connected);
  REQUIRE(broker.StepUntilIdle());
  CHECK(lane.accepted == Numbers(30));
  CHECK(lane.repetitions > 0);
  CHECK(broker.redeliveries() == static_cast<uint64_t>(lane.repetitions));
}

TEST_CASE("SimBroker: exactly once with dropping connections, for whoever knows repetitions") {
  uint64_t repetitions = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    SimBroker broker(&random);
    broker.SetFaults({0.1});
    Client lane(&broker, Options("lane"), "in");
    broker.StepUntilIdle(1000);
    REQUIRE(lane.link->Stats().connects > 0);
    for (const std::string& n : Numbers(300)) {
      broker.Inject("in", n);
      broker.Step();
    }
    lane.refuse = 2;
    REQUIRE(broker.StepUntilIdle());
    CHECK(lane.accepted == Numbers(300));
    CHECK(broker.Backlog("lane") == 0);
    repetitions += broker.redeliveries();
  }
  CHECK(repetitions > 100);
}

TEST_CASE("SimBroker keeps at most 20 unacknowledged, and the rest for later") {
  Random random(3);
  SimBroker broker(&random);
  Client lane(&broker, Options("lane"), "in");
  REQUIRE(broker.StepUntilIdle());
  lane.link->Pause(true);
  for (const std::string& n : Numbers(1000)) broker.Inject("in", n);
  broker.Inject("in", "lost: QoS 0 is not kept", 0);
  broker.StepUntilIdle();
  CHECK(lane.offered.empty());
  CHECK(broker.Backlog("lane") == 1000);
  lane.refuse = 3;
  lane.link->Pause(false);
  REQUIRE(broker.StepUntilIdle());
  CHECK(lane.accepted == Numbers(1000));
  CHECK(lane.link->Stats().connects == 5);
}

TEST_CASE("SimBroker: publishes arrive in order; a lost acknowledgement shows as a repetition") {
  uint64_t repeated = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    SimBroker broker(&random);
    broker.SetFaults({0.1});
    MqttOptions options = Options("sink", false);
    options.max_inflight = 10;
    Client sink(&broker, options, "");
    int acknowledged = 0;
    int next = 0;
    int open = 0;
    for (int step = 0; acknowledged < 200 && step < 100000; ++step) {
      if (open == 0) next = acknowledged;
      while (next < 200) {
        const std::string payload = std::to_string(next);
        const int number = next;
        MqttLink::Publication p{"out", payload, 1, false, "id"};
        if (!sink.link->Publish(p, [&, number](MqttLink::Delivery delivery, const std::string&) {
          const bool ok = delivery == MqttLink::Delivery::kAcknowledged;
              --open;
              if (ok && number == acknowledged) ++acknowledged;
            })) {
          break;
        }
        ++open;
        ++next;
        CHECK(open <= 10);
      }
      broker.Step();
    }
    REQUIRE(acknowledged == 200);
    int expected = 0;
    for (const auto& p : broker.PublishedOn("out")) {
      CHECK(p.rivulet_id == "id");
      CHECK(p.client_id == "sink");
      const int number = std::stoi(p.payload);
      REQUIRE(number <= expected);
      if (number == expected) {
        ++expected;
      } else {
        ++repeated;
      }
    }
    CHECK(expected == 200);
  }
  CHECK(repeated > 0);
}

TEST_CASE("SimBroker: a dead client is silent, its will speaks, its session waits") {
  Random random(4);
  SimBroker broker(&random);
  MqttOptions options = Options("lane");
  options.will = MqttWill{"status/lane", "offline", 1, true};
  options.online_payload = "online";
  Client first(&broker, options, "in");
  REQUIRE(broker.StepUntilIdle());
  CHECK(broker.Retained("status/lane") == "online");
  int done = 0;
  const auto count = [&](MqttLink::Delivery, const std::string&) { ++done; };
  CHECK(first.link->Publish({"out", "x", 1, false, ""}, count));
  broker.DropLink("lane");
  CHECK(broker.Retained("status/lane") == "offline");
  broker.Inject("in", "while dead");
  CHECK(broker.StepUntilIdle());
  CHECK(first.offered.empty());
  CHECK(done == 0);
  CHECK_FALSE(first.link->Publish({"out", "x", 1, false, ""}, nullptr));

  Client second(&broker, options, "in");
  REQUIRE(broker.StepUntilIdle());
  CHECK(second.accepted == Strings{"while dead"});
  CHECK(broker.Retained("status/lane") == "online");
  second.link->Stop(Duration::Seconds(1));
  CHECK(broker.Retained("status/lane") == "offline");
  CHECK(first.offered.empty());
}

TEST_CASE("SimBroker: a second client with the same id takes the session over") {
  Random random(5);
  SimBroker broker(&random);
  Client first(&broker, Options("lane"), "in");
  REQUIRE(broker.StepUntilIdle());
  Client second(&broker, Options("lane"), "in");
  while (!second.link->Stats().connected) broker.Step();
  CHECK_FALSE(first.link->Stats().connected);
  CHECK(first.link->Stats().last_error.find("taken over") != std::string::npos);
}

TEST_CASE("SimBroker restarts with and without its sessions") {
  Random random(6);
  SimBroker broker(&random);
  Client lane(&broker, Options("lane"), "in");
  Client sink(&broker, Options("sink", false), "in");
  REQUIRE(broker.StepUntilIdle());
  broker.SetUp(false);
  CHECK_FALSE(lane.link->Stats().connected);
  broker.Step();
  CHECK_FALSE(lane.link->Stats().connected);
  broker.SetUp(true);
  broker.Inject("in", "kept for the lane");
  REQUIRE(broker.StepUntilIdle());
  CHECK(lane.accepted == Strings{"kept for the lane"});
  CHECK(sink.accepted.empty());
  broker.Restart(false);
  broker.Inject("in", "nobody is subscribed");
  REQUIRE(broker.StepUntilIdle());
  broker.Inject("in", "subscribed again");
  REQUIRE(broker.StepUntilIdle());
  CHECK(lane.accepted == Strings{"kept for the lane", "subscribed again"});
  CHECK(sink.accepted == Strings{"subscribed again"});
}

TEST_CASE("SimBroker: subscriptions change, former ones of the session end") {
  Random random(7);
  SimBroker broker(&random);
  { Client before(&broker, Options("lane"), "old"); REQUIRE(broker.StepUntilIdle()); }
  broker.Inject("kept", "retained", 1, true);
  MqttOptions options = Options("lane");
  options.former_filters = {"old"};
  Client lane(&broker, options, "kept");
  REQUIRE(broker.StepUntilIdle());
  broker.Inject("old", "x");
  REQUIRE(broker.StepUntilIdle());
  CHECK(lane.accepted == Strings{"retained"});
  lane.link->Subscribe({{"new/#", 1}});
  REQUIRE(broker.StepUntilIdle());
  broker.Inject("kept", "y");
  broker.Inject("new/1", "z");
  REQUIRE(broker.StepUntilIdle());
  CHECK(lane.accepted == Strings{"retained", "z"});
}

TEST_CASE("SimBroker: the same seed gives the same run") {
  const auto run = [](uint64_t seed) {
    Random random(seed);
    SimBroker broker(&random);
    broker.SetFaults({0.2});
    Client a(&broker, Options("a"), "in");
    Client b(&broker, Options("b"), "in");
    for (const std::string& n : Numbers(50)) {
      broker.Inject("in", n);
      a.link->Publish({"in", "a" + n, 1, false, ""}, nullptr);
      broker.Step();
    }
    broker.StepUntilIdle();
    Strings transcript = a.offered;
    transcript.insert(transcript.end(), b.offered.begin(), b.offered.end());
    return transcript;
  };
  std::set<Strings> different;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    CHECK(run(seed) == run(seed));
    different.insert(run(seed));
  }
  CHECK(different.size() == 5);
}

TEST_CASE("SimBroker: links and broker may go in any order") {
  Random random(8);
  auto broker = std::make_unique<SimBroker>(&random);
  Client lane(broker.get(), Options("lane"), "in");
  REQUIRE(broker->StepUntilIdle());
  int failed = 0;
  CHECK(lane.link->Publish({"out", "x", 1, false, ""}, [&](MqttLink::Delivery delivery, const std::string&) {
    failed += delivery == MqttLink::Delivery::kLost;
  }));
  broker.reset();
  CHECK_FALSE(lane.link->Stats().connected);
  lane.link->Stop(Duration::Seconds(1));
  CHECK(failed == 1);
}

}  // namespace rivulet
