#include "state/store.h"

#include <mutex>
#include <shared_mutex>
#include <string>

#include "state/ordered_bytes.h"

namespace rivulet {
namespace {

uint64_t PutBytesOf(const Delta& delta) {
  uint64_t bytes = 0;
  DeltaReader reader(delta.bytes());
  DeltaReader::Operation op;
  while (reader.Next(&op)) {
    if (op.kind == DeltaReader::Kind::kPut) bytes += op.key.size() + op.value.size();
  }
  return bytes;
}

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(uint64_t capacity) : capacity_(capacity) {}

  Result<bool> Get(std::string_view key, std::string* value) const override {
    std::shared_lock lock(mutex_);
    return map_.Get(key, value);
  }

  Status Scan(std::string_view from, std::string_view to, const Visitor& visit) const override {
    std::shared_lock lock(mutex_);
    map_.Scan(from, to, visit);
    return Status::Ok();
  }

  // What is put bounds the growth, so a full store is found before anything changes.
  Status Commit(const Delta& delta) override {
    RIVULET_RETURN_IF_ERROR(CheckDelta(delta));
    const uint64_t growth = PutBytesOf(delta);
    std::unique_lock lock(mutex_);
    if (growth > 0 && (growth > capacity_ || map_.bytes() > capacity_ - growth)) {
      return Status(ErrorCode::kStoreFull,
                    "a commit of " + std::to_string(growth) + " bytes does not fit: " +
                        std::to_string(map_.bytes()) + " of " + std::to_string(capacity_) +
                        " bytes are in use; give the store more room or keep less state");
    }
    map_.Apply(delta);
    return Status::Ok();
  }

  StoreStats Stats() const override {
    std::shared_lock lock(mutex_);
    return {map_.bytes(), capacity_, map_.entries()};
  }

 private:
  const uint64_t capacity_;
  mutable std::shared_mutex mutex_;
  OrderedBytes map_;
};

}  // namespace

std::unique_ptr<Store> NewMemoryStore(uint64_t capacity_bytes) {
  return std::make_unique<MemoryStore>(capacity_bytes);
}

}  // namespace rivulet
