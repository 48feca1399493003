// SinkWatch: says in the log when a sink stops taking results and why, when it takes them again, and when
// some were found missing at its receiver.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/log_message.h"
#include "node/sinks/sink.h"

namespace rivulet {

// One thread.
class SinkWatch {
 public:
  // `sinks`: those of `pipeline`, as they are now. Links tell of themselves: MQTT is left out.
  void Look(const std::string& pipeline, const std::vector<SinkStats>& sinks, const LogFunction& log);

 private:
  // As last said.
  struct Said {
    std::string trouble;  // number of the error; empty: none
    uint64_t gaps = 0;
  };
  std::map<std::string, Said> said_;  // by pipeline and sink
};

}  // namespace rivulet
