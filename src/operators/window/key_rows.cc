#include "operators/window/key_rows.h"

#include "base/coding.h"
#include "base/value_codec.h"

namespace rivulet {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kSpareBlocks = 4096;
constexpr uint8_t kFresh = 1, kClosed = 2, kHasLast = 4;
constexpr uint8_t kHasClock = 1, kHasTouched = 2, kHasMemory = 4;
constexpr int64_t kFarthest = int64_t{1} << 62;

const KeyWindows& Windows(const KeyState& state) { return static_cast<const KeyWindows&>(state); }

}  // namespace

// --- parts ---

std::unique_ptr<int64_t[]> KeyRows::TakeBlock() {
  if (spare_.empty()) return std::make_unique<int64_t[]>(plan_->block_bytes() / 8 + 1);
  std::unique_ptr<int64_t[]> block = std::move(spare_.back());
  spare_.pop_back();
  return block;
}

void KeyRows::FreePart(WindowPart* part) {
  plan_->Destroy(part->bytes());
  if (spare_.size() < kSpareBlocks) spare_.push_back(std::move(part->block));
  --parts_in_memory_;
}

WindowPart* KeyRows::Insert(KeyWindows* windows, size_t place, int64_t start, int64_t end) {
  WindowPart part;
  part.start = start;
  part.end = end;
  part.block = TakeBlock();
  plan_->Init(part.bytes());
  ++parts_in_memory_;
  const auto at = windows->parts.begin() + static_cast<std::ptrdiff_t>(place);
  return &*windows->parts.insert(at, std::move(part));
}

void KeyRows::Remove(KeyWindows* windows, size_t first, size_t count) {
  for (size_t i = first; i < first + count; ++i) FreePart(&windows->parts[i]);
  const auto from = windows->parts.begin() + static_cast<std::ptrdiff_t>(first);
  windows->parts.erase(from, from + static_cast<std::ptrdiff_t>(count));
}

void KeyRows::Reset(KeyWindows* windows) {
  Remove(windows, 0, windows->parts.size());
  windows->total = 0;
  windows->touched = kNoClock;
}

void KeyRows::ClearBlock(WindowPart* part) const {
  plan_->Destroy(part->bytes());
  plan_->Init(part->bytes());
}

bool KeyRows::Empty(const KeyState& state) const {
  const KeyWindows& windows = Windows(state);
  return windows.parts.empty() && windows.clock == kNoClock && windows.memory == nullptr;
}

void KeyRows::Release(KeyState* state) {
  auto& parts = static_cast<KeyWindows*>(state)->parts;
  for (WindowPart& p : parts) plan_->Destroy(p.bytes());
  parts_in_memory_ -= parts.size();
  parts.clear();
  static_cast<KeyWindows*>(state)->memory.reset();
}

// --- memory ---

size_t KeyRows::Measure(const KeyState& state) const {
  size_t bytes = 0;
  if (const KeyMemory* memory = Windows(state).memory.get()) {
    bytes += sizeof(KeyMemory) + 16 + memory->readings.capacity() * sizeof(KeptReading);
    for (const KeptOutput& v : memory->values) bytes += sizeof(KeptOutput) + v.bytes.capacity();
  }
  if (!plan_->has_heap()) return bytes;
  for (const WindowPart& p : Windows(state).parts) bytes += plan_->HeapBytes(p.bytes());
  return bytes;
}

size_t KeyRows::OtherBytes() const {
  const size_t per_part = sizeof(WindowPart) + plan_->block_bytes() + 24;
  const size_t keys = KeyStateTable::EntriesInMemory();
  return keys * (sizeof(KeyWindows) - sizeof(KeyState)) + parts_in_memory_ * per_part +
         spare_.size() * (plan_->block_bytes() + 24);
}

// --- rows ---

void KeyRows::EncodeMemory(const KeyMemory& memory, std::string* out) {
  PutFixed(out, memory.settled);
  PutFixed(out, memory.last_time);
  PutVarint(out, memory.readings.size());
  for (const KeptReading& r : memory.readings) PutFixed(out, r);
  PutVarint(out, memory.values.size());
  for (const KeptOutput& v : memory.values) {
    PutFixed(out, v.output);
    PutBytes(out, v.bytes);
  }
}

bool KeyRows::DecodeMemory(std::string_view* row, KeyMemory* memory) {
  uint64_t count = 0;
  if (!GetFixed(row, &memory->settled) || !GetFixed(row, &memory->last_time) ||
      memory->settled > kFarthest || memory->last_time > kFarthest || !GetVarint(row, &count) ||
      count > row->size() / sizeof(KeptReading)) {
    return false;
  }
  memory->readings.resize(count);
  for (KeptReading& r : memory->readings) {
    if (!GetFixed(row, &r) || r.time < -kFarthest || r.time > kFarthest) return false;
  }
  if (!GetVarint(row, &count) || count > row->size()) return false;
  memory->values.resize(count);
  for (KeptOutput& v : memory->values) {
    std::string_view bytes, rest;
    Value value;
    if (!GetFixed(row, &v.output) || !GetBytes(row, &bytes)) return false;
    rest = bytes;
    if (!GetValue(&rest, &value, IntForm::kVarint) || !rest.empty()) return false;
    v.bytes = bytes;
  }
  return true;
}

void KeyRows::Encode(const KeyState& state, std::string* out) {
  const KeyWindows& windows = Windows(state);
  out->push_back(static_cast<char>(kVersion));
  const bool has_clock = windows.clock != kNoClock;
  const bool has_touched = windows.touched != kNoClock;
  const bool has_memory = windows.memory != nullptr;
  out->push_back(static_cast<char>((has_clock ? kHasClock : 0) | (has_touched ? kHasTouched : 0) |
                                   (has_memory ? kHasMemory : 0)));
  if (has_clock) PutFixed(out, windows.clock);
  if (has_touched) PutFixed(out, windows.touched);
  if (has_memory) EncodeMemory(*windows.memory, out);
  PutVarint(out, windows.total);
  PutVarint(out, windows.parts.size());
  for (const WindowPart& p : windows.parts) {
    PutFixed(out, p.start);
    PutVarint(out, static_cast<uint64_t>(p.end - p.start));
    PutVarint(out, p.records);
    const bool due = p.due != kNoTimer;
    const bool has_last = p.last != kNoClock;
    out->push_back(static_cast<char>((p.fresh ? kFresh : 0) | (p.closed ? kClosed : 0) |
                                     (has_last ? kHasLast : 0)));
    out->push_back(due ? 1 : 0);
    if (due) PutFixed(out, p.due);
    if (has_last) PutFixed(out, p.last);
    pane_.clear();
    layouts_->Encode(p.revision, p.bytes(), &pane_);
    PutBytes(out, pane_);
  }
}

bool KeyRows::DecodePart(std::string_view* row, WindowPart* part, Status* status) {
  uint64_t length = 0;
  uint8_t flags = 0, due = 0;
  std::string_view pane;
  if (!GetFixed(row, &part->start) || !GetVarint(row, &length) || !GetVarint(row, &part->records) ||
      !GetFixed(row, &flags) || !GetFixed(row, &due) || flags > (kFresh | kClosed | kHasLast) ||
      due > 1 || (due == 1 && !GetFixed(row, &part->due)) ||
      ((flags & kHasLast) != 0 && !GetFixed(row, &part->last)) || !GetBytes(row, &pane)) {
    return false;
  }
  // No event time comes near the ends of int64 (the source refuses it), so no window does.
  if (part->start < -kFarthest || part->start > kFarthest || length > uint64_t{kFarthest} * 2) {
    return false;
  }
  part->end = part->start + static_cast<int64_t>(length);
  if (part->end > kFarthest) return false;
  part->fresh = (flags & kFresh) != 0;
  part->closed = (flags & kClosed) != 0;
  part->block = std::make_unique<int64_t[]>(plan_->block_bytes() / 8 + 1);
  *status = layouts_->Decode(pane, &part->revision, part->bytes());
  return status->ok();
}

Status KeyRows::Decode(std::string_view row, KeyState* state) {
  auto* windows = static_cast<KeyWindows*>(state);
  const Status corrupt(ErrorCode::kCorrupt, "the stored windows of a key cannot be read");
  uint8_t version = 0, times = 0;
  uint64_t count = 0;
  if (!GetFixed(&row, &version) || version != kVersion || !GetFixed(&row, &times) ||
      times > (kHasClock | kHasTouched | kHasMemory) ||
      ((times & kHasClock) != 0 && !GetFixed(&row, &windows->clock)) ||
      ((times & kHasTouched) != 0 && !GetFixed(&row, &windows->touched))) {
    return corrupt;
  }
  if ((times & kHasMemory) != 0) {
    windows->memory = std::make_unique<KeyMemory>();
    if (!DecodeMemory(&row, windows->memory.get())) return corrupt;
  }
  if (!GetVarint(&row, &windows->total) || !GetVarint(&row, &count)) {
    return corrupt;
  }
  for (uint64_t i = 0; i < count; ++i) {
    WindowPart part;
    Status status;
    if (!DecodePart(&row, &part, &status)) return status.ok() ? corrupt : status;
    windows->parts.push_back(std::move(part));
    ++parts_in_memory_;
  }
  return row.empty() ? Status::Ok() : corrupt;
}

}  // namespace rivulet
