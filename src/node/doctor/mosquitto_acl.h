// mosquitto's acl_file: who may read and write which topics. mosquitto grants every subscription, and
// then delivers nothing of what the list does not allow: only the list tells.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rivulet {

class MosquittoAcl {
 public:
  // Lines that are not understood are left out.
  explicit MosquittoAcl(std::string_view text);

  enum class Right { kNone, kPartly, kWhole };
  // What of the topics that match `filter` a client may read, or write. `user` empty: without a name.
  Right Reads(const std::string& user, const std::string& client_id, std::string_view filter) const;
  Right Writes(const std::string& user, const std::string& client_id, std::string_view filter) const;

 private:
  struct Entry {
    bool pattern = false;  // for all users, with %u and %c
    std::string user;
    bool read = true, write = true, deny = false;
    std::string topic;
  };
  Right Judge(const std::string& user, const std::string& client_id, std::string_view filter,
              bool write) const;

  std::vector<Entry> entries_;
};

}  // namespace rivulet
