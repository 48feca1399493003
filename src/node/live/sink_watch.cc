#include "node/live/sink_watch.h"

namespace rivulet {

void SinkWatch::Look(const std::string& pipeline, const std::vector<SinkStats>& sinks,
                     const LogFunction& log) {
  for (const SinkStats& sink : sinks) {
    if (sink.name.starts_with("mqtt ")) continue;
    const std::string about = "pipeline '" + pipeline + "': " + sink.name;
    Said& said = said_[about];
    // The rest of an error may say something else each time.
    const std::string trouble = sink.available ? "" : sink.last_error.substr(0, sink.last_error.find(' '));
    if (sink.gaps > said.gaps) log('w', LogMessage(about + ": " + sink.last_gap).Of(pipeline));
    if (trouble.empty() && !said.trouble.empty()) {
      log('i', LogMessage(about + " takes results again").Of(pipeline));
    } else if (trouble != said.trouble) {
      log('w', LogMessage(about + " takes no results, they wait: " + sink.last_error).Of(pipeline));
    }
    said = {trouble, sink.gaps};
  }
}

}  // namespace rivulet
