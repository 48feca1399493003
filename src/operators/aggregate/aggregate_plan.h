// AggregatePlan: the aggregates of one window step, compiled. Aggregates share accumulators where
// they can (avg(x), sum(x) and count(x) are one, as are all percentiles of x), so a block holds each
// running state once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/record_batch.h"
#include "base/status.h"
#include "operators/aggregate/accumulator.h"
#include "operators/expr/program.h"

namespace rivulet {

struct AggregateDefinition;

// One accumulator of the block.
struct AccumulatorSlot {
  AccumulatorKind kind{};
  std::shared_ptr<const Accumulator> accumulator;
  int32_t argument = -1;  // index into AggregatePlan::arguments(); -1: none
  int32_t second = -1;    // likewise: of aggregates over two values
  int32_t filter = -1;    // likewise: rows where it is true
  size_t offset = 0;      // of its state within the block
  // "sum(celsius)", "list[100](state)": kind and parameters, values, filter. Equal signatures hold equal
  // things, also across versions.
  std::string signature;
};

class AggregatePlan {
 public:
  // Adds `name: call` as the next output. Errors: kUnknownAggregate (with the nearest name),
  // kWrongArgumentCount, kWrongArgumentType, kBadArgument; `*offset`, if given, is where in the call's
  // text.
  Status Add(const std::string& name, const expr::AggregateCall& call, size_t* offset = nullptr);

  const std::vector<expr::Program>& arguments() const { return arguments_; }
  // Types argument `i` may have at run time; a record with any other becomes a dead letter.
  TypeMask argument_accepts(size_t i) const { return accepts_[i]; }
  // Its values are told apart, not computed with: see NamesNothing.
  bool argument_identifies(size_t i) const { return identifies_[i]; }
  const std::vector<AccumulatorSlot>& slots() const { return slots_; }
  size_t block_bytes() const { return block_bytes_; }
  bool has_heap() const { return has_heap_; }

  size_t outputs() const { return outputs_.size(); }
  const std::string& output_name(size_t i) const { return outputs_[i].name; }
  expr::StaticType output_type(size_t i) const;
  // The output is a list: text that is a JSON array.
  bool output_is_json(size_t i) const;

  // --- over blocks of block_bytes() bytes, 8-byte aligned ---
  void Init(char* block) const;
  void Destroy(char* block) const;
  void Merge(char* into, const char* from) const;
  void Encode(const char* block, std::string* out) const;
  bool Decode(std::string_view* in, char* block) const;
  // Memory outside the block.
  size_t HeapBytes(const char* block) const;
  // Writes the value of output `i` into `out` at `row`.
  void Finish(const char* block, size_t i, Column* out, uint32_t row) const;

  // Names of all aggregates, sorted.
  static std::vector<std::string> Names();

 private:
  struct Output {
    std::string name;
    const AggregateDefinition* definition;
    uint32_t slot;
    int32_t other;  // slot of the second accumulator; -1: none
    std::array<double, 2> parameters;  // of the finisher
  };
  int32_t AddArgument(const expr::Program& program, TypeMask accepts);
  uint32_t AddSlot(const AccumulatorSpec& spec, const AccumulatorSlot& values);

  std::vector<expr::Program> arguments_;
  std::vector<TypeMask> accepts_;
  std::vector<bool> identifies_;
  std::vector<AccumulatorSlot> slots_;
  std::vector<Output> outputs_;
  size_t block_bytes_ = 0;
  bool has_heap_ = false;
};

}  // namespace rivulet
