// The one HTTP request the command line makes.
#pragma once

#include <string>

#include "base/status.h"
#include "base/types.h"

namespace rivulet {

struct HttpReply {
  int status = 0;
  std::string body;
};

// GET `base_url` + `path`, with a bearer token unless it is empty. `base_url` is
// "http://host[:port]". Any HTTP status counts as an answer. Errors: kUsage (not such a URL),
// kNotConnected (nothing answers within `timeout`, or not HTTP, or the answer is above 8 MB).
Result<HttpReply> HttpGet(const std::string& base_url, const std::string& path,
                          const std::string& token, Duration timeout);

// "0.11.4".
std::string HttpLibraryVersion();

}  // namespace rivulet
