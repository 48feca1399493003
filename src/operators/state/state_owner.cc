#include "operators/state/state_owner.h"

namespace rivulet {

Status StateOwners::Open() {
  for (StateOwner* owner : owners_) RIVULET_RETURN_IF_ERROR(owner->Open());
  return Status::Ok();
}

void StateOwners::CollectChanges(StateChanges* changes) {
  for (StateOwner* owner : owners_) {
    owner->CollectChanges(changes);
    Pause();
  }
}

void StateOwners::OnCommitted() {
  for (StateOwner* owner : owners_) owner->OnCommitted();
}

size_t StateOwners::MemoryBytes() const {
  size_t bytes = 0;
  for (const StateOwner* owner : owners_) bytes += owner->MemoryBytes();
  return bytes;
}

void StateOwners::Evict(size_t target) {
  const bool by_use = division_ == Division::kByUse && owners_.size() > 1;
  const size_t held = by_use ? MemoryBytes() : 0;
  if (by_use && held <= target) return;
  for (StateOwner* owner : owners_) {
    size_t part = target / owners_.size();
    if (by_use) {
      const double share = static_cast<double>(owner->MemoryBytes()) / static_cast<double>(held);
      part = static_cast<size_t>(share * static_cast<double>(target));
    }
    owner->Evict(part);
    Pause();
  }
}

size_t StateOwners::EntriesInMemory() const {
  size_t entries = 0;
  for (const StateOwner* owner : owners_) entries += owner->EntriesInMemory();
  return entries;
}

size_t StateOwners::DirtyRows() const {
  size_t rows = 0;
  for (const StateOwner* owner : owners_) rows += owner->DirtyRows();
  return rows;
}

const Status& StateOwners::status() const {
  for (const StateOwner* owner : owners_) {
    if (!owner->status().ok()) return owner->status();
  }
  return ok_;
}

}  // namespace rivulet
