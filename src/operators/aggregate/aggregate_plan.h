// AggregatePlan: the aggregates of one window step, compiled. Aggregates share accumulators where
// they can (avg(x), sum(x) and count(x) are one), so a block holds each running state once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/record_batch.h"
#include "base/status.h"
#include "operators/aggregate/accumulator.h"
#include "operators/expr/program.h"

namespace rivulet {

// One accumulator of the block.
struct AccumulatorSlot {
  AccumulatorKind kind;
  int32_t argument = -1;  // index into AggregatePlan::arguments(); -1: none
  int32_t filter = -1;    // likewise: rows where it is true
  size_t offset = 0;      // of its state within the block
  std::string signature;  // "sum(celsius)": equal signatures hold equal things, also across versions
};

class AggregatePlan {
 public:
  // Adds `name: call` as the next output. Errors: kUnknownAggregate (with the nearest name),
  // kWrongArgumentCount, kWrongArgumentType.
  Status Add(const std::string& name, const expr::AggregateCall& call);

  const std::vector<expr::Program>& arguments() const { return arguments_; }
  // Types argument `i` may have at run time; a record with any other becomes a dead letter.
  TypeMask argument_accepts(size_t i) const { return accepts_[i]; }
  const std::vector<AccumulatorSlot>& slots() const { return slots_; }
  size_t block_bytes() const { return block_bytes_; }
  bool has_heap() const { return has_heap_; }

  size_t outputs() const { return outputs_.size(); }
  const std::string& output_name(size_t i) const { return outputs_[i].name; }
  expr::StaticType output_type(size_t i) const;

  // --- over blocks of block_bytes() bytes, 8-byte aligned ---
  void Init(char* block) const;
  void Destroy(char* block) const;
  void Merge(char* into, const char* from) const;
  void Encode(const char* block, std::string* out) const;
  bool Decode(std::string_view* in, char* block) const;
  size_t HeapBytes(const char* block) const;
  // Writes the value of output `i` into `out` at `row`.
  void Finish(const char* block, size_t i, Column* out, uint32_t row) const;

  // Names of all aggregates, sorted.
  static std::vector<std::string> Names();

 private:
  enum class Finisher : uint8_t;
  struct Output {
    std::string name;
    Finisher finisher;
    uint32_t slot;
  };
  struct Definition;
  static const Definition* Find(std::string_view name);
  static const std::vector<Definition>& Definitions();
  int32_t AddArgument(const expr::Program& program, TypeMask accepts);

  std::vector<expr::Program> arguments_;
  std::vector<TypeMask> accepts_;
  std::vector<AccumulatorSlot> slots_;
  std::vector<Output> outputs_;
  size_t block_bytes_ = 0;
  bool has_heap_ = false;
};

}  // namespace rivulet
