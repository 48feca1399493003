#include "sim/sim_store.h"

#include <limits>
#include <utility>

namespace rivulet::sim {

struct SimStore::Medium {
  mutable std::mutex mutex;
  bool sync_each_commit = true;
  uint64_t life = 0;
  bool dead = false;
  bool locked = false;
  // What the process sees; and what certainly survives a power cut, with the one commit after it
  // that may or may not.
  OrderedBytes visible;
  OrderedBytes durable;
  Delta at_risk;
  uint64_t commits = 0;
  bool fail_next = false;
  ErrorCode fail_code = ErrorCode::kIo;
  Random* dying = nullptr;
  uint64_t capacity = std::numeric_limits<uint64_t>::max();

  // The second copy of the visible bytes is small: limited stores are.
  bool HasRoom(const Delta& delta) const {
    if (capacity == std::numeric_limits<uint64_t>::max()) return true;
    OrderedBytes after = visible;
    after.Apply(delta);
    return after.bytes() <= visible.bytes() ||
           HasRoomFor(after.bytes(), delta.uses_reserve(), capacity);
  }

  Status CheckAlive() const {
    return dead ? Status(ErrorCode::kIo, "the simulated process is dead") : Status::Ok();
  }

  Status Commit(const Delta& delta) {
    RIVULET_RETURN_IF_ERROR(CheckAlive());
    RIVULET_RETURN_IF_ERROR(CheckDelta(delta));
    if (!HasRoom(delta)) return Status(ErrorCode::kStoreFull, "the simulated store is full");
    if (std::exchange(fail_next, false)) return Status(fail_code, "simulated commit failure");
    Random* const random = std::exchange(dying, nullptr);
    if (random != nullptr) {
      dead = true;
      if (random->Chance(0.5)) return CheckAlive();
    }
    visible.Apply(delta);
    durable.Apply(at_risk);
    at_risk.Clear();
    if (sync_each_commit) {
      durable.Apply(delta);
    } else {
      at_risk = delta;
    }
    ++commits;
    return CheckAlive();
  }

  void NextLife() {
    ++life;
    dead = false;
    locked = false;
    fail_next = false;
    dying = nullptr;
  }
};

// One process's view. Becomes useless when its life is over.
class SimStore::Handle final : public Store {
 public:
  explicit Handle(std::shared_ptr<Medium> medium) : medium_(std::move(medium)) {
    life_ = medium_->life;
  }
  ~Handle() override {
    std::lock_guard lock(medium_->mutex);
    if (life_ == medium_->life) medium_->locked = false;
  }

  Result<bool> Get(std::string_view key, std::string* value) const override {
    std::lock_guard lock(medium_->mutex);
    RIVULET_RETURN_IF_ERROR(CheckLife());
    return medium_->visible.Get(key, value);
  }
  Status Scan(std::string_view from, std::string_view to, const Visitor& visit) const override {
    std::lock_guard lock(medium_->mutex);
    RIVULET_RETURN_IF_ERROR(CheckLife());
    medium_->visible.Scan(from, to, visit);
    return Status::Ok();
  }
  Status Commit(const Delta& delta) override {
    std::lock_guard lock(medium_->mutex);
    RIVULET_RETURN_IF_ERROR(CheckLife());
    return medium_->Commit(delta);
  }
  StoreStats Stats() const override {
    std::lock_guard lock(medium_->mutex);
    return {medium_->visible.bytes(), medium_->capacity, medium_->visible.entries()};
  }

 private:
  Status CheckLife() const {
    if (life_ != medium_->life) return Status(ErrorCode::kIo, "the simulated process is gone");
    return medium_->CheckAlive();
  }

  const std::shared_ptr<Medium> medium_;
  uint64_t life_;
};

SimStore::SimStore(bool sync_each_commit) : medium_(std::make_shared<Medium>()) {
  medium_->sync_each_commit = sync_each_commit;
}

SimStore::~SimStore() = default;

Result<std::unique_ptr<Store>> SimStore::NewHandle() {
  std::lock_guard lock(medium_->mutex);
  if (medium_->locked) return Status(ErrorCode::kLocked, "the simulated store is already open");
  medium_->locked = true;
  return std::unique_ptr<Store>(std::make_unique<Handle>(medium_));
}

void SimStore::SetCapacity(uint64_t bytes) {
  std::lock_guard lock(medium_->mutex);
  medium_->capacity = bytes;
}

void SimStore::Crash() {
  std::lock_guard lock(medium_->mutex);
  medium_->NextLife();
}

void SimStore::PowerCut(Random* random) {
  std::lock_guard lock(medium_->mutex);
  if (random->Chance(0.5)) medium_->durable.Apply(medium_->at_risk);
  medium_->at_risk.Clear();
  medium_->visible = medium_->durable;
  medium_->NextLife();
}

void SimStore::FailNextCommit(ErrorCode code) {
  std::lock_guard lock(medium_->mutex);
  medium_->fail_next = true;
  medium_->fail_code = code;
}

void SimStore::DieInNextCommit(Random* random) {
  std::lock_guard lock(medium_->mutex);
  medium_->dying = random;
}

uint64_t SimStore::commits() const {
  std::lock_guard lock(medium_->mutex);
  return medium_->commits;
}

Result<bool> SimStore::Get(std::string_view key, std::string* value) const {
  std::lock_guard lock(medium_->mutex);
  RIVULET_RETURN_IF_ERROR(medium_->CheckAlive());
  return medium_->visible.Get(key, value);
}

Status SimStore::Scan(std::string_view from, std::string_view to, const Visitor& visit) const {
  std::lock_guard lock(medium_->mutex);
  RIVULET_RETURN_IF_ERROR(medium_->CheckAlive());
  medium_->visible.Scan(from, to, visit);
  return Status::Ok();
}

Status SimStore::Commit(const Delta& delta) {
  std::lock_guard lock(medium_->mutex);
  return medium_->Commit(delta);
}

StoreStats SimStore::Stats() const {
  std::lock_guard lock(medium_->mutex);
  return {medium_->visible.bytes(), std::numeric_limits<uint64_t>::max(),
          medium_->visible.entries()};
}

}  // namespace rivulet::sim
