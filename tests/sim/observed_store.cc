#include "sim/observed_store.h"

#include "base/coding.h"
#include "node/engine/catalogue.h"
#include "node/engine/store_keys.h"

namespace rivulet::sim {

Result<std::map<std::string, StoredCursor>> ReadCursors(const Store& store) {
  std::map<std::string, StoredCursor> cursors;
  bool good = true;
  RIVULET_RETURN_IF_ERROR(
      store.Scan("c", "d", [&](std::string_view key, std::string_view value) {
        uint64_t id = 0;
        good = good && GetVarint(&value, &id);
        cursors[std::string(key.substr(1))].id = static_cast<uint16_t>(id);
        return true;
      }));
  for (auto& [name, cursor] : cursors) {
    std::string value;
    RIVULET_ASSIGN_OR_RETURN(const bool found, store.Get(store_keys::Position(cursor.id), &value));
    if (!found) continue;
    RIVULET_ASSIGN_OR_RETURN(const Position position, Position::Decode(value));
    good = good && position.cursors.size() == 1;
    if (!good || position.cursors[0].log != LogId::OfLane({})) continue;
    cursor = {cursor.id, position.cursors[0].next.value, true};
  }
  if (!good) return Status(ErrorCode::kCorrupt, "the simulation cannot read a cursor");
  return cursors;
}

void FinishedOutputs::Add(std::string_view value) {
  uint64_t revision = 0;
  int64_t start = 0;
  std::string_view key;
  if (!GetVarint(&value, &revision) || !GetSignedVarint(&value, &start) || !GetBytes(&value, &key)) return;
  // Results have their place in time in front of the JSON: see state/output_log.cc.
  int64_t time = 0, watermark = 0;
  if (value.starts_with('\x01')) {
    value.remove_prefix(1);
    if (!GetSignedVarint(&value, &time) || !GetSignedVarint(&value, &watermark)) return;
  }
  lines_.emplace(value);
}

void FinishedOutputs::AddAll(const Store& store) {
  (void)store.Scan("o", "p", [this](std::string_view, std::string_view value) {
    Add(value);
    return true;
  });
}

bool ObservedStore::Loses(std::string_view key) {
  switch (bug_) {
    case PlantedBug::kDroppedPut: return key[0] == 's' && random_->Chance(0.1);
    case PlantedBug::kForgottenOutput: return key[0] == 'o' && random_->Chance(0.3);
    case PlantedBug::kStaleCursor: return key[0] == 'p' && random_->Chance(0.3);
    default: return false;
  }
}

void ObservedStore::ForgetOutput() {
  Delta loss;
  (void)base_->Scan("o", "p", [&](std::string_view key, std::string_view) {
    loss.Delete(key);
    return false;
  });
  (void)base_->Commit(loss);
}

Status ObservedStore::Commit(const Delta& delta) {
  Result<std::map<std::string, StoredCursor>> before = ReadCursors(*base_);
  if (before.ok()) *before_ = std::move(*before);
  Delta kept;
  DeltaReader reader(delta.bytes());
  DeltaReader::Operation op;
  while (reader.Next(&op)) {
    switch (op.kind) {
      case DeltaReader::Kind::kPut:
        if (!Loses(op.key)) kept.Put(op.key, op.value);
        break;
      case DeltaReader::Kind::kDelete: kept.Delete(op.key); break;
      case DeltaReader::Kind::kDeleteRange: kept.DeleteRange(op.key, op.value); break;
    }
  }
  if (bug_ == PlantedBug::kEarlyPublish) std::swap(kept, waiting_);
  Status status = base_->Commit(bug_ == PlantedBug::kNone ? delta : kept);
  if (bug_ == PlantedBug::kRoomByLoss && status.code() == ErrorCode::kStoreFull) {
    ForgetOutput();
    status = base_->Commit(kept);
  }
  if (!status.ok()) return status;
  DeltaReader again(bug_ == PlantedBug::kEarlyPublish ? kept.bytes() : delta.bytes());
  while (again.Next(&op)) {
    if (op.kind == DeltaReader::Kind::kPut && op.key[0] == 'o') outputs_->Add(op.value);
  }
  return status;
}

}  // namespace rivulet::sim
