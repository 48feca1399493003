#include "operators/key/key_codec.h"

#include <bit>
#include <cmath>
#include <limits>

#include "base/coding.h"
#include "base/hash.h"
#include "base/json_writer.h"

namespace rivulet {
namespace {

enum Tag : unsigned char {
  kTagNull = 0x01,
  kTagFalse = 0x02,
  kTagTrue = 0x03,
  kTagInt = 0x10,
  kTagFloat = 0x11,
  kTagString = 0x20,
};

// Order-preserving bits of a double: negative values are inverted, positive get the sign bit.
uint64_t OrderedBits(double v) {
  const auto bits = std::bit_cast<uint64_t>(v);
  return (bits >> 63) ? ~bits : bits | (1ull << 63);
}
double FromOrderedBits(uint64_t u) {
  return std::bit_cast<double>((u >> 63) ? u & ~(1ull << 63) : ~u);
}

template <typename Out>
void AppendByte(Out* out, unsigned char b) {
  out->push_back(static_cast<char>(b));
}

template <typename Out>
void AppendBig(Out* out, uint64_t v) {
  v = __builtin_bswap64(v);
  char bytes[8];
  std::memcpy(bytes, &v, 8);
  out->insert(out->end(), bytes, bytes + 8);
}

template <typename Out>
void AppendInt(Out* out, int64_t v) {
  AppendByte(out, kTagInt);
  AppendBig(out, static_cast<uint64_t>(v) ^ (1ull << 63));
}

template <typename Out>
void AppendFloat(Out* out, double v) {
  if (v >= -0x1p53 && v <= 0x1p53 && v == std::trunc(v)) {
    AppendInt(out, static_cast<int64_t>(v));
    return;
  }
  if (std::isnan(v)) v = std::numeric_limits<double>::quiet_NaN();  // one NaN, one key
  AppendByte(out, kTagFloat);
  AppendBig(out, OrderedBits(v));
}

template <typename Out>
void AppendString(Out* out, std::string_view s) {
  AppendByte(out, kTagString);
  if (s.empty() || std::memchr(s.data(), 0, s.size()) == nullptr) {
    out->insert(out->end(), s.begin(), s.end());
  } else {
    for (const char c : s) {
      out->push_back(c);
      if (c == '\0') AppendByte(out, 0xff);
    }
  }
  out->push_back('\0');
}

template <typename Out>
void AppendAny(Out* out, const Value& v) {
  switch (v.type) {
    case Type::kNull: AppendByte(out, kTagNull); break;
    case Type::kBool: AppendByte(out, v.b ? kTagTrue : kTagFalse); break;
    case Type::kInt: AppendInt(out, v.i); break;
    case Type::kFloat: AppendFloat(out, v.f); break;
    case Type::kString: AppendString(out, v.s); break;
  }
}

// A string part ends at the first 00 that is not followed by FF.
bool NextString(std::string_view* key, Value* value, std::string* scratch) {
  const size_t first = key->find('\0');
  if (first == std::string_view::npos) return false;
  const bool escaped = first + 1 < key->size() && static_cast<unsigned char>((*key)[first + 1]) == 0xff;
  if (!escaped) {
    *value = Value::String(key->substr(0, first));
    key->remove_prefix(first + 1);
    return true;
  }
  scratch->clear();
  for (size_t i = 0; i < key->size(); ++i) {
    const char c = (*key)[i];
    if (c != '\0') {
      scratch->push_back(c);
      continue;
    }
    if (i + 1 < key->size() && static_cast<unsigned char>((*key)[i + 1]) == 0xff) {
      scratch->push_back('\0');
      ++i;
      continue;
    }
    key->remove_prefix(i + 1);
    *value = Value::String(*scratch);
    return true;
  }
  return false;
}

}  // namespace

RowError InexactIdentity(uint32_t row, const std::string& what, double v) {
  std::string detail = what + " is ";
  AppendJsonValue(&detail, Value::Float(v));
  return {row, ErrorCode::kInexactIdentity,
          detail + ", beyond 64 bits: other numbers are the same float; send it as text"};
}

void CheckIdentity(const Column& column, const std::string& what, std::vector<uint32_t>* rows,
                   std::vector<RowError>* errors) {
  if ((column.seen() & MaskOf(Type::kFloat)) == 0) return;
  std::erase_if(*rows, [&](uint32_t row) {
    if (!NamesNothing(column, row)) return false;
    errors->push_back(InexactIdentity(row, what, column.Float(row)));
    return true;
  });
}

void AppendKeyValue(std::string* out, const Value& value) { AppendAny(out, value); }

namespace {

// The common key - one string field without nulls or NUL bytes - in one pass. False: nothing was done.
bool EncodeStringKeys(const Column& column, Selection selection, KeyColumn* out,
                      std::vector<uint32_t>* kept) {
  if (!column.Only(Type::kString)) return false;
  size_t bytes = 0;
  for (uint32_t k = 0; k < selection.count; ++k) {
    const uint32_t row = selection[k];
    if (column.is_null(row)) return false;
    const size_t length = column.String(row).size() + 2;
    if (length > kMaxKeyBytes) return false;
    bytes += length;
  }
  const std::vector<char>& heap = column.heap();
  if (!heap.empty() && std::memchr(heap.data(), 0, heap.size()) != nullptr) return false;
  if (out->arena.size() < bytes) out->arena.resize(bytes);
  kept->resize(selection.count);
  size_t at = 0;
  for (uint32_t k = 0; k < selection.count; ++k) {
    const uint32_t row = selection[k];
    const std::string_view text = column.String(row);
    char* const key = out->arena.data() + at;
    key[0] = kTagString;
    if (!text.empty()) std::memcpy(key + 1, text.data(), text.size());
    key[text.size() + 1] = '\0';
    const size_t length = text.size() + 2;
    out->refs[row] = {static_cast<uint32_t>(at), static_cast<uint32_t>(length)};
    (*kept)[k] = row;
    at += length;
  }
  // In a pass of its own: a key read back in other pieces than it was just written in would wait until
  // the writing has reached the cache.
  const char* key = out->arena.data();
  for (const uint32_t row : *kept) {
    const size_t length = out->refs[row].length;
    out->hashes[row] = Hash64({key, length});
    key += length;
  }
  return true;
}

}  // namespace

void EncodeKeys(const RecordBatch& batch, Selection selection, const std::vector<uint32_t>& columns,
                const std::vector<std::string>& names, KeyColumn* out, std::vector<uint32_t>* kept,
                std::vector<RowError>* errors) {
  out->refs.resize(batch.rows);
  out->hashes.resize(batch.rows);
  if (columns.size() == 1 &&
      EncodeStringKeys(batch.columns[columns[0]], selection, out, kept)) {
    return;
  }
  out->arena.clear();
  kept->clear();
  for (uint32_t k = 0; k < selection.count; ++k) {
    const uint32_t row = selection[k];
    const size_t begin = out->arena.size();
    bool ok = true;
    for (size_t c = 0; c < columns.size(); ++c) {
      const Column& column = batch.columns[columns[c]];
      if (column.is_null(row)) {
        errors->push_back({row, ErrorCode::kMissingField, "key field '" + names[c] + "' is null"});
        ok = false;
        break;
      }
      if (NamesNothing(column, row)) {
        errors->push_back(InexactIdentity(row, "key field '" + names[c] + "'", column.Float(row)));
        ok = false;
        break;
      }
      AppendAny(&out->arena, column.Get(row));
    }
    const size_t length = out->arena.size() - begin;
    if (ok && length > kMaxKeyBytes) {
      errors->push_back({row, ErrorCode::kRecordTooLarge,
                         "key is " + std::to_string(length) + " bytes long, at most " +
                             std::to_string(kMaxKeyBytes) + " are possible"});
      ok = false;
    }
    if (!ok) {
      out->arena.resize(begin);
      continue;
    }
    out->refs[row] = {static_cast<uint32_t>(begin), static_cast<uint32_t>(length)};
    out->hashes[row] = Hash64({out->arena.data() + begin, length});
    kept->push_back(row);
  }
}

bool NextKeyValue(std::string_view* key, Value* value, std::string* scratch) {
  if (key->empty()) return false;
  const auto tag = static_cast<unsigned char>(key->front());
  key->remove_prefix(1);
  switch (tag) {
    case kTagNull: *value = Value::Null(); return true;
    case kTagFalse: *value = Value::Bool(false); return true;
    case kTagTrue: *value = Value::Bool(true); return true;
    case kTagInt: {
      int64_t i = 0;
      if (!GetOrderedI64(key, &i)) return false;
      *value = Value::Int(i);
      return true;
    }
    case kTagFloat: {
      uint64_t u = 0;
      if (!GetOrderedU64(key, &u)) return false;
      *value = Value::Float(FromOrderedBits(u));
      return true;
    }
    case kTagString: return NextString(key, value, scratch);
    default: return false;
  }
}

}  // namespace rivulet
