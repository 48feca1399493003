// The configuration of a mosquitto on this machine, as far as it can be read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/doctor/subject.h"

namespace rivulet {

struct MosquittoConfig {
  struct Line {
    size_t listener = 0;  // 0: before the first; then 1, 2, ...
    std::string name, value;
  };
  std::string file;                 // empty: it runs with its defaults
  std::vector<Line> lines;
  std::vector<uint16_t> ports;      // of listeners 0, 1, ...; 0: none
  std::string unreadable;           // a file that could not be read; empty: all could

  // The last value given; settings that are the broker's as a whole.
  const std::string* Find(std::string_view name) const;
  // Likewise of the listener with this port, where listeners have settings of their own.
  const std::string* FindOf(uint16_t port, std::string_view name) const;
  bool ListensOn(uint16_t port) const;
};

// Reads `file` and what it includes (mosquitto.conf(5)). Unknown lines are kept, as they may belong to
// plug-ins.
MosquittoConfig ReadMosquittoConfig(const Host& host, const std::string& file);

// That of the mosquitto on this machine which listens where `visit` went; nothing when the broker is on
// another machine, is another one, or its file cannot be read.
std::optional<MosquittoConfig> FindMosquitto(const Host& host, const BrokerVisit& visit);

}  // namespace rivulet
