// RecordBatch: up to a few thousand records as columns. The unit every layer works on.
//
// A column is an array of 8-byte cells and an array of 1-byte type tags, plus one heap for string
// bytes. Payloads carry no schema, so a field may be an int in one record and a float in the next;
// `seen` tells in one look whether the column is uniform, and then kernels run without looking at
// tags. All arrays are plain bytes, so a batch can be framed for the wire as it is.
//
// Batches are reused turn after turn: after warm-up, filling one allocates nothing.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_arena.h"
#include "base/status.h"
#include "base/types.h"
#include "base/value.h"

namespace rivulet {

// Where a string lies in its column's heap.
struct StringRef {
  uint32_t offset;
  uint32_t length;
};

union Cell {
  int64_t i;
  double f;
  StringRef s;
  uint64_t bits;
};
static_assert(sizeof(Cell) == 8);

// One field over all rows of a batch. Not thread-safe.
class Column {
 public:
  // Makes `rows` rows, all null, and forgets the heap. Keeps memory for reuse, but not what a single large
  // text took.
  void Reset(uint32_t rows) {
    cells_.resize(rows);
    tags_.assign(rows, Type::kNull);
    if (heap_.capacity() > kKeptHeap && heap_.size() < heap_.capacity() / 4) {
      std::vector<char>().swap(heap_);
    }
    heap_.clear();
    seen_ = 0;
  }
  // Grows to `rows` rows, new ones null; keeps contents.
  void Grow(uint32_t rows) {
    cells_.resize(rows);
    tags_.resize(rows, Type::kNull);
  }

  uint32_t rows() const { return static_cast<uint32_t>(tags_.size()); }
  // Types of the non-null values written since Reset (a superset after overwrites).
  TypeMask seen() const { return seen_; }
  // True when every non-null value has type `t`.
  bool Only(Type t) const { return (seen_ & ~MaskOf(Type::kNull)) == MaskOf(t); }

  void SetNull(uint32_t row) { tags_[row] = Type::kNull; }
  void SetBool(uint32_t row, bool v) { cells_[row].i = v ? 1 : 0; Tag(row, Type::kBool); }
  void SetInt(uint32_t row, int64_t v) { cells_[row].i = v; Tag(row, Type::kInt); }
  void SetFloat(uint32_t row, double v) { cells_[row].f = v; Tag(row, Type::kFloat); }
  // Copies the bytes into the heap. A heap of over 4 GiB is a caller's bug: batches are bounded.
  void SetString(uint32_t row, std::string_view v) {
    const auto offset = static_cast<uint32_t>(heap_.size());
    heap_.insert(heap_.end(), v.begin(), v.end());
    cells_[row].s = {offset, static_cast<uint32_t>(v.size())};
    Tag(row, Type::kString);
  }
  // Makes `row` the same string as `other_row` of this column without copying its bytes.
  void ShareString(uint32_t row, uint32_t other_row) {
    cells_[row] = cells_[other_row];
    Tag(row, Type::kString);
  }
  void Set(uint32_t row, const Value& v) {
    switch (v.type) {
      case Type::kNull: SetNull(row); break;
      case Type::kBool: SetBool(row, v.b); break;
      case Type::kInt: SetInt(row, v.i); break;
      case Type::kFloat: SetFloat(row, v.f); break;
      case Type::kString: SetString(row, v.s); break;
    }
  }

  Type type(uint32_t row) const { return tags_[row]; }
  bool is_null(uint32_t row) const { return tags_[row] == Type::kNull; }
  int64_t Int(uint32_t row) const { return cells_[row].i; }
  double Float(uint32_t row) const { return cells_[row].f; }
  bool Bool(uint32_t row) const { return cells_[row].i != 0; }
  // Valid until the column is next changed.
  std::string_view String(uint32_t row) const {
    const StringRef r = cells_[row].s;
    return {heap_.data() + r.offset, r.length};
  }
  Value Get(uint32_t row) const {
    switch (tags_[row]) {
      case Type::kNull: return Value::Null();
      case Type::kBool: return Value::Bool(Bool(row));
      case Type::kInt: return Value::Int(Int(row));
      case Type::kFloat: return Value::Float(Float(row));
      case Type::kString: return Value::String(String(row));
    }
    return Value::Null();
  }

  // Raw access for kernels. A kernel that writes tags itself must call MarkSeen.
  Cell* cells() { return cells_.data(); }
  const Cell* cells() const { return cells_.data(); }
  Type* tags() { return tags_.data(); }
  const Type* tags() const { return tags_.data(); }
  std::vector<char>& heap() { return heap_; }
  const std::vector<char>& heap() const { return heap_; }
  void MarkSeen(TypeMask m) { seen_ |= m; }

 private:
  void Tag(uint32_t row, Type t) {
    tags_[row] = t;
    seen_ |= MaskOf(t);
  }

  static constexpr size_t kKeptHeap = size_t{1} << 20;

  std::vector<Cell> cells_;
  std::vector<Type> tags_;
  std::vector<char> heap_;
  TypeMask seen_ = 0;
};

// The rows an operation applies to, in ascending order. `rows == nullptr` means 0..count-1.
struct Selection {
  const uint32_t* rows = nullptr;
  uint32_t count = 0;
  static Selection All(uint32_t n) { return {nullptr, n}; }
  uint32_t operator[](uint32_t k) const { return rows ? rows[k] : k; }
};

// Which element of an array a record was made of.
struct ElementPlace {
  uint32_t number = 0;  // from 1 on; 0: it was not made of an element
  uint64_t whole = 0;   // hash of the record that held the array: equal elements of equal records are equal
};

// See the head of the file. Not thread-safe; one owner at a time.
struct RecordBatch {
  uint32_t rows = 0;
  std::vector<Column> columns;      // shape: [plan's columns][rows]
  std::vector<int64_t> event_time;  // us since 1970, per row; filled by the time step
  std::vector<int64_t> arrival;     // us since 1970, per row: receive time of the message
  std::vector<uint64_t> offset;     // lane offset of the message each row came from
  // The record's bytes as received (for late output and dead letters); they point into the input
  // buffer or into `kept`, and are valid for as long as these are.
  std::vector<std::string_view> raw;
  std::vector<ElementPlace> elements;  // by row; empty when no record was made of an element
  ByteArena kept;                      // bytes of records that do not stand in the input as they are

  // Empties the batch and gives it `column_count` columns with room for `capacity` rows each.
  void Reset(uint32_t column_count, uint32_t capacity) {
    rows = 0;
    columns.resize(column_count);
    for (Column& c : columns) c.Reset(capacity);
    event_time.resize(capacity);
    arrival.resize(capacity);
    offset.resize(capacity);
    raw.resize(capacity);
    elements.clear();
    kept.Clear();
  }
  // See `elements`; 0 when the row was not made of an element.
  uint32_t element(uint32_t row) const { return row < elements.size() ? elements[row].number : 0; }
  uint32_t capacity() const { return static_cast<uint32_t>(offset.size()); }
  // Makes room for at least one more row.
  void EnsureRoom() {
    if (rows < capacity()) return;
    const uint32_t n = capacity() < 64 ? 128 : capacity() * 2;
    for (Column& c : columns) c.Grow(n);
    event_time.resize(n);
    arrival.resize(n);
    offset.resize(n);
    raw.resize(n);
  }
};

// Why one row of a batch cannot go on; it becomes a dead letter.
struct RowError {
  uint32_t row = 0;
  ErrorCode code;
  std::string detail;  // e.g. "field 'ts' is null"
};

}  // namespace rivulet
