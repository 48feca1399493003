#include "node/engine/catalogue.h"

#include "base/coding.h"
#include "node/engine/store_keys.h"
#include "operators/state/state_view.h"
#include "operators/window/pane_layout.h"

namespace rivulet {
namespace {

std::string Encode(const CatalogueEntry& entry) {
  std::string bytes;
  PutVarint(&bytes, entry.id);
  bytes.push_back(static_cast<char>(entry.generation));
  PutBytes(&bytes, entry.signature);
  PutVarint(&bytes, entry.layouts.size());
  for (const std::string& layout : entry.layouts) PutBytes(&bytes, layout);
  return bytes;
}

bool Decode(std::string_view bytes, CatalogueEntry* entry) {
  uint64_t id = 0, layouts = 0;
  std::string_view text;
  if (!GetVarint(&bytes, &id) || id > UINT16_MAX || !GetFixed(&bytes, &entry->generation) ||
      !GetBytes(&bytes, &text) || !GetVarint(&bytes, &layouts)) {
    return false;
  }
  entry->id = static_cast<uint16_t>(id);
  entry->signature = text;
  for (uint64_t i = 0; i < layouts; ++i) {
    if (!GetBytes(&bytes, &text)) return false;
    entry->layouts.emplace_back(text);
  }
  return true;
}

Result<uint16_t> TakeId(const Store& store, Delta* changes) {
  std::string value;
  RIVULET_ASSIGN_OR_RETURN(const bool found, store.Get(store_keys::NextId(), &value));
  uint64_t next = 0;
  std::string_view in = value;
  if (found && !GetVarint(&in, &next)) {
    return Status(ErrorCode::kCorrupt, "the store's counter of pipelines cannot be read");
  }
  if (next > UINT16_MAX) return Status(ErrorCode::kStoreFull, "65,536 pipelines have been known here");
  std::string after;
  PutVarint(&after, next + 1);
  changes->Put(store_keys::NextId(), after);
  return static_cast<uint16_t>(next);
}

}  // namespace

Result<CatalogueEntry> OpenCatalogueEntry(const Store& store, const PipelinePlan& plan,
                                          Delta* changes) {
  CatalogueEntry entry;
  std::string value;
  const std::string key = store_keys::Catalogue(plan.name);
  RIVULET_ASSIGN_OR_RETURN(const bool found, store.Get(key, &value));
  const std::string before = value;
  if (found) {
    if (!Decode(value, &entry)) {
      return Status(ErrorCode::kCorrupt, "the catalogue entry of '" + plan.name + "' cannot be read");
    }
  } else {
    RIVULET_ASSIGN_OR_RETURN(entry.id, TakeId(store, changes));
    entry.signature = plan.StateSignature();
  }
  if (entry.signature != plan.StateSignature()) {
    const std::string rows = store_keys::Operator(entry.id, entry.generation);
    changes->DeleteRange(rows, AfterPrefix(rows));
    ++entry.generation;
    entry.signature = plan.StateSignature();
    entry.layouts.clear();
  }
  entry.layouts = PaneLayouts(&plan.aggregates, entry.layouts).descriptions();
  const std::string after = Encode(entry);
  if (after != before) changes->Put(key, after);
  return entry;
}

std::string Position::Encode() const {
  std::string bytes;
  PutFixed(&bytes, watermark);
  PutVarint(&bytes, cursors.size());
  for (const Cursor& cursor : cursors) {
    PutVarint(&bytes, cursor.log.code());
    PutVarint(&bytes, cursor.next.value);
  }
  PutVarint(&bytes, sequences.size());
  for (const uint64_t s : sequences) PutVarint(&bytes, s);
  PutFixed(&bytes, fired.time);
  bytes.push_back(fired.whole ? 1 : 0);
  PutBytes(&bytes, fired.key);
  if (inputs.empty()) return bytes;
  PutVarint(&bytes, inputs.size());
  for (const ChannelState& input : inputs) {
    PutBytes(&bytes, input.name);
    PutFixed(&bytes, input.watermark);
    PutFixed(&bytes, input.heard);
    bytes.push_back(input.counts ? 1 : 0);
  }
  PutFixed(&bytes, listening.now);
  PutFixed(&bytes, listening.resumed);
  return bytes;
}

Result<Position> Position::Decode(std::string_view bytes) {
  const Status corrupt(ErrorCode::kCorrupt, "a pipeline's stored position cannot be read");
  Position position;
  uint64_t cursors = 0, channels = 0;
  if (!GetFixed(&bytes, &position.watermark) || !GetVarint(&bytes, &cursors)) return corrupt;
  for (uint64_t i = 0; i < cursors; ++i) {
    uint64_t code = 0, next = 0;
    if (!GetVarint(&bytes, &code) || !GetVarint(&bytes, &next)) return corrupt;
    const std::optional<LogId> log = LogId::FromCode(code);
    if (!log) return corrupt;
    position.cursors.push_back({*log, Offset{next}});
  }
  if (!GetVarint(&bytes, &channels)) return corrupt;
  for (uint64_t i = 0; i < channels; ++i) {
    uint64_t sequence = 0;
    if (!GetVarint(&bytes, &sequence)) return corrupt;
    position.sequences.push_back(sequence);
  }
  uint8_t whole = 0;
  std::string_view key;
  if (!GetFixed(&bytes, &position.fired.time) || !GetFixed(&bytes, &whole) ||
      !GetBytes(&bytes, &key)) {
    return corrupt;
  }
  position.fired.whole = whole != 0;
  position.fired.key = key;
  uint64_t inputs = 0;
  if (!bytes.empty() && !GetVarint(&bytes, &inputs)) return corrupt;
  for (uint64_t i = 0; i < inputs; ++i) {
    ChannelState input;
    std::string_view name;
    uint8_t counts = 0;
    if (!GetBytes(&bytes, &name) || !GetFixed(&bytes, &input.watermark) ||
        !GetFixed(&bytes, &input.heard) || !GetFixed(&bytes, &counts) || counts > 1) {
      return corrupt;
    }
    input.name = name;
    input.counts = counts == 1;
    position.inputs.push_back(std::move(input));
  }
  // Version 0.1 ends here: what was heard last was the latest.
  if (!bytes.empty() && (!GetFixed(&bytes, &position.listening.now) ||
                         !GetFixed(&bytes, &position.listening.resumed))) {
    return corrupt;
  }
  return position;
}

}  // namespace rivulet
