#include "node/engine/unquoted_watch.h"

namespace rivulet {

void UnquotedWatch::Look(const Pipeline& pipeline, const LogFunction& log) {
  const UnquotedCounts& unquoted = pipeline.unquoted();
  for (size_t i = 0; i < unquoted.names().size(); ++i) {
    if (unquoted.counts()[i] == 0) continue;
    const UnquotedName& name = unquoted.names()[i];
    const std::string source = name.source ? std::to_string(*name.source) : "";
    if (!said_.insert(pipeline.name() + "\n" + source + "\n" + name.name).second) continue;
    log('w', name.Found(pipeline.name(), 1).ToLog().Of(pipeline.name()));
  }
}

}  // namespace rivulet
