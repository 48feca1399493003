// UnquotedWatch: says in the log that records have a field which an expression names without back quotes,
// once for each name of a pipeline.
#pragma once

#include <set>
#include <string>

#include "base/log_message.h"
#include "node/engine/pipeline.h"

namespace rivulet {

// One thread.
class UnquotedWatch {
 public:
  void Look(const Pipeline& pipeline, const LogFunction& log);

 private:
  std::set<std::string> said_;  // pipeline, source and name
};

}  // namespace rivulet
