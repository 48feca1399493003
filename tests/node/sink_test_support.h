// What the sink tests share: made-up results, a folder that goes away, a broker connection that
// does as it is told.
#pragma once

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "node/sinks/sink.h"
#include "transport/mqtt_link.h"

namespace rivulet {

inline OutputEntry Entry(uint64_t sequence, std::string json, uint32_t revision = 0) {
  OutputEntry entry;
  entry.sequence = sequence;
  entry.window_id = "w" + std::to_string(sequence);
  entry.id = entry.window_id + "r" + std::to_string(revision);
  entry.revision = revision;
  entry.json = std::move(json);
  return entry;
}

class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rivulet-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Keeps publishes until the test acknowledges or fails them.
class FakeLink final : public MqttLink {
 public:
  struct Sent {
    std::string topic, payload, id;
    int qos;
    bool retain;
  };

  void OnMessage(MessageHandler) override {}
  Status Start() override { return Status::Ok(); }
  void Subscribe(std::vector<MqttSubscription>) override {}
  void Pause(bool) override {}
  bool Publish(const Publication& p, DoneHandler done) override {
    if (!connected || waiting.size() >= max_inflight) return false;
    sent.push_back({std::string(p.topic), std::string(p.payload), std::string(p.rivulet_id), p.qos,
                    p.retain});
    if (acknowledge_at_once) {
      done(Delivery::kAcknowledged, "");
    } else {
      waiting.push_back(std::move(done));
    }
    return true;
  }
  MqttLinkStats Stats() const override {
    MqttLinkStats stats;
    stats.connected = connected;
    stats.last_error = connected ? "" : "refused";
    return stats;
  }
  void Stop(Duration) override {}

  void Acknowledge(size_t index = 0) { Finish(index, Delivery::kAcknowledged); }
  void Refuse(size_t index, const std::string& why) { Finish(index, Delivery::kRefused, why); }
  void LoseAlone() { Finish(0, Delivery::kLostAlone, "alone"); }
  void LoseConnection() {
    connected = false;
    while (!waiting.empty()) Finish(0, Delivery::kLost);
  }

  bool connected = true;
  bool acknowledge_at_once = false;
  size_t max_inflight = 4;
  std::vector<Sent> sent;
  std::deque<DoneHandler> waiting;

 private:
  void Finish(size_t index, Delivery delivery, const std::string& why = "") {
    const DoneHandler done = std::move(waiting[index]);
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(index));
    done(delivery, why);
  }
};

}  // namespace rivulet
