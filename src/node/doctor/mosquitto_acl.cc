#include "node/doctor/mosquitto_acl.h"

#include <algorithm>

#include "node/doctor/host_text.h"
#include "transport/topic_filter.h"

namespace rivulet {
namespace {

std::string Replaced(std::string text, std::string_view mark, const std::string& value) {
  for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size()) {
    text.replace(at, mark.size(), value);
  }
  return text;
}

// The first word, removed from the line.
std::string_view TakeWord(std::string_view* line) {
  const size_t end = std::min(line->find_first_of(" \t"), line->size());
  const std::string_view word = line->substr(0, end);
  *line = Trimmed(line->substr(end));
  return word;
}

}  // namespace

MosquittoAcl::MosquittoAcl(std::string_view text) {
  std::string user;
  for (std::string_view line : LinesOf(text)) {
    line = Trimmed(line);
    const std::string_view what = TakeWord(&line);
    if (what == "user") user = line;
    if (what != "topic" && what != "pattern") continue;
    Entry entry;
    entry.pattern = what == "pattern";
    entry.user = user;
    std::string_view rest = line;
    const std::string_view access = TakeWord(&rest);
    if (access == "read" || access == "write" || access == "readwrite" || access == "deny") {
      entry.read = access != "write";
      entry.write = access != "read";
      entry.deny = access == "deny";
      line = rest;
    }
    entry.topic = line;
    if (!entry.topic.empty()) entries_.push_back(std::move(entry));
  }
}

MosquittoAcl::Right MosquittoAcl::Reads(const std::string& user, const std::string& client_id,
                                        std::string_view filter) const {
  return Judge(user, client_id, filter, false);
}

MosquittoAcl::Right MosquittoAcl::Writes(const std::string& user, const std::string& client_id,
                                         std::string_view filter) const {
  return Judge(user, client_id, filter, true);
}

MosquittoAcl::Right MosquittoAcl::Judge(const std::string& user, const std::string& client_id,
                                        std::string_view filter, bool write) const {
  Right right = Right::kNone;
  bool limited = false;
  for (const Entry& entry : entries_) {
    if (!entry.pattern && entry.user != user) continue;
    std::string topic = entry.topic;
    if (entry.pattern) {
      // Without a name no pattern with %u applies.
      if (user.empty() && topic.find("%u") != std::string::npos) continue;
      topic = Replaced(Replaced(topic, "%c", client_id), "%u", user);
    }
    if (entry.deny) {
      if (FilterCovers(topic, filter)) return Right::kNone;
      limited = limited || FiltersOverlap(topic, filter);
    } else if (write ? entry.write : entry.read) {
      if (FilterCovers(topic, filter)) {
        right = Right::kWhole;
      } else if (right == Right::kNone && FiltersOverlap(topic, filter)) {
        right = Right::kPartly;
      }
    }
  }
  return limited && right == Right::kWhole ? Right::kPartly : right;
}

}  // namespace rivulet
