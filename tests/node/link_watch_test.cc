#include "node/lane/link_watch.h"

#include <doctest/doctest.h>

#include <vector>

namespace rivulet {
namespace {

constexpr int64_t kSecond = 1'000'000;

class Watched {
 public:
  void Look(int64_t seconds) {
    watch_.Look({seconds * kSecond}, link, [this](char level, const LogMessage& m) {
      lines.push_back(std::string(1, level) + " " + m.text);
    });
  }
  void Trouble(LinkState state, const std::string& reason) {
    link.connected = false;
    link.state = link.trouble = state;
    link.reason = reason;
    ++link.troubles;
  }
  void Connect() {
    link.connected = true;
    link.state = LinkState::kConnected;
    ++link.connects;
  }
  MqttLinkStats link;
  std::vector<std::string> lines;

 private:
  LinkWatch watch_{"broker"};
};

}  // namespace

TEST_CASE("link watch: each change is a line with broker and reason") {
  Watched w;
  w.link.broker = "tcp://pi:1883";
  w.Look(1);
  CHECK(w.lines.empty());
  w.Trouble(LinkState::kUnreachable, "no connection");
  w.Look(2);
  w.Connect();
  w.Look(3);
  w.Look(4);
  w.Trouble(LinkState::kTakenOver, "another client");
  w.Look(5);
  CHECK(w.lines == std::vector<std::string>{
                       "w broker: unreachable, 'tcp://pi:1883': no connection",
                       "i broker: connected to 'tcp://pi:1883'",
                       "w broker: taken over by another client, 'tcp://pi:1883': another client"});
}

TEST_CASE("link watch: what goes on and on is one line a minute, with its number") {
  Watched w;
  w.link.broker = "b";
  for (int second = 1; second <= 130; ++second) {
    w.Trouble(LinkState::kLost, "lost");
    w.Look(second);
    w.Connect();
    w.Look(second);
  }
  size_t troubles = 0, connects = 0;
  for (const std::string& line : w.lines) ++(line[0] == 'w' ? troubles : connects);
  CHECK(troubles == 3);
  CHECK(connects == 3);
  CHECK(w.lines[2] == "w broker: connection lost, 'b': lost (60 times since the last line)");
}

TEST_CASE("link watch: a trouble between two looks is said though the link is back") {
  Watched w;
  w.link.broker = "b";
  w.Connect();
  w.Look(1);
  w.Trouble(LinkState::kLost, "gone for a moment");
  w.Connect();
  w.Look(2);
  REQUIRE(w.lines.size() == 3);
  CHECK(w.lines[1] == "w broker: connection lost, 'b': gone for a moment");
  CHECK(w.lines[2] == "i broker: connected to 'b'");
}

}  // namespace rivulet
