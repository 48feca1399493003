// The address on which the node answers.
#include "node/doctor/checks.h"

namespace rivulet {

void CheckHttp(Subject* subject, Findings* findings) {
  const HttpSpec& http = subject->node->http;
  if (http.port == 0) {
    findings->Ok("'http.listen' is turned off");
    return;
  }
  const std::string where = http.address + ":" + std::to_string(http.port);
  const Status status = subject->host->TryListen(http.address, http.port);
  if (http.port < 1024 && subject->user.uid != 0 && subject->host->User() == 0) {
    findings->Warn("port " + std::to_string(http.port) + " is for root, and the node runs as " +
                       subject->user.name,
                   "a port from 1024 on",
                   "change 'http.listen', or give the unit 'AmbientCapabilities=CAP_NET_BIND_SERVICE'");
  } else if (status.ok()) {
    findings->Ok(where + " is free");
  } else if (subject->holder) {
    findings->Ok(where + " is taken, as the node runs");
  } else if (!subject->locks_shown) {
    findings->Skip(where + " cannot be listened on (" + status.message() +
                   "); whether a node runs cannot be seen here");
  } else {
    findings->Fail(where + " cannot be listened on: " + status.message(),
                   "an address of this machine and a free port (E5005)",
                   "'ss -ltnp' shows who has it; change 'http.listen'");
  }
}

}  // namespace rivulet
