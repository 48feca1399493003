// What the tests of aggregates and windows share: plans from text, blocks that clean up after
// themselves, and a
// state store that is a map.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "operators/aggregate/aggregate_plan.h"
#include "operators/expr/scope.h"
#include "operators/state/state_view.h"

namespace rivulet {

// A plan with outputs named o0, o1, ... over the fields of an open scope.
class TestPlan {
 public:
  explicit TestPlan(const std::vector<std::string>& calls) : scope_(true) {
    for (const std::string& call : calls) {
      const Status status = Add(call);
      REQUIRE_MESSAGE(status.ok(), status.ToString());
    }
  }
  Status Add(const std::string& text) {
    expr::Diagnostic diagnostic;
    Result<expr::AggregateCall> call = expr::CompileAggregate(text, &scope_, &diagnostic);
    if (!call.ok()) return call.status();
    return plan_.Add("o" + std::to_string(plan_.outputs()), *call);
  }
  const AggregatePlan& operator*() const { return plan_; }
  const AggregatePlan* operator->() const { return &plan_; }
  const AggregatePlan* get() const { return &plan_; }

 private:
  expr::Scope scope_;
  AggregatePlan plan_;
};

struct Sample {
  int64_t time;
  Value value;
  Value second = Value::Null();
};

// One block of a plan whose first argument takes the samples' values, the second one their second values; no
// filter.
class Block {
 public:
  explicit Block(const AggregatePlan* plan) : plan_(plan), words_(plan->block_bytes() / 8 + 1) {
    plan_->Init(bytes());
  }
  ~Block() { plan_->Destroy(bytes()); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  char* bytes() { return reinterpret_cast<char*>(words_.data()); }

  void Add(const std::vector<Sample>& samples) {
    Column column, second;
    column.Reset(static_cast<uint32_t>(samples.size()));
    second.Reset(static_cast<uint32_t>(samples.size()));
    std::vector<int64_t> times;
    std::vector<uint32_t> rows;
    for (uint32_t i = 0; i < samples.size(); ++i) {
      column.Set(i, samples[i].value);
      second.Set(i, samples[i].second);
      times.push_back(samples[i].time);
      rows.push_back(i);
    }
    const std::vector<char*> blocks(samples.size(), bytes());
    for (const AccumulatorSlot& slot : plan_->slots()) {
      slot.accumulator->Update({slot.argument < 0 ? nullptr : &column, times.data(), rows.data(),
                                blocks.data(), static_cast<uint32_t>(rows.size()),
                                slot.second < 0 ? nullptr : &second},
                               slot.offset);
    }
  }
  void Add(const std::vector<Value>& values) {
    std::vector<Sample> samples;
    for (const Value& v : values) samples.push_back({0, v});
    Add(samples);
  }

  // Output `i` as "int 3", "float 0.5", "string x", "null".
  std::string Show(size_t i = 0) {
    Column column;
    column.Reset(1);
    plan_->Finish(bytes(), i, &column, 0);
    const Value v = column.Get(0);
    std::string text(TypeName(v.type));
    if (v.type == Type::kInt) text += " " + std::to_string(v.i);
    if (v.type == Type::kString) text += " " + std::string(v.s);
    if (v.type == Type::kBool) text += v.b ? " true" : " false";
    if (v.type == Type::kFloat) {
      char number[40];
      std::snprintf(number, sizeof(number), " %.17g", v.f);
      text += number;
    }
    return text;
  }
  double Float(size_t i = 0) {
    Column column;
    column.Reset(1);
    plan_->Finish(bytes(), i, &column, 0);
    REQUIRE(column.type(0) == Type::kFloat);
    return column.Float(0);
  }

 private:
  const AggregatePlan* plan_;
  std::vector<int64_t> words_;
};

// Rows that are committed at once.
class MapState final : public StateView, public StateChanges {
 public:
  Result<bool> Get(std::string_view key, std::string* value) const override {
    if (!error.ok()) return error;
    ++gets;
    const auto it = rows.find(std::string(key));
    if (it == rows.end()) return false;
    *value = it->second;
    return true;
  }
  Status Scan(std::string_view from, std::string_view to, const Visitor& visit) const override {
    if (!error.ok()) return error;
    ++scans;
    for (auto it = rows.lower_bound(std::string(from)); it != rows.end() && it->first < to; ++it) {
      if (!visit(it->first, it->second)) break;
    }
    return Status::Ok();
  }
  void Put(std::string_view key, std::string_view value) override {
    rows[std::string(key)] = value;
    ++puts;
  }
  void Delete(std::string_view key) override { rows.erase(std::string(key)); }
  void DeleteRange(std::string_view from, std::string_view to) override {
    rows.erase(rows.lower_bound(std::string(from)), rows.lower_bound(std::string(to)));
  }

  std::map<std::string, std::string> rows;
  Status error;
  mutable int gets = 0, scans = 0;
  int puts = 0;
};

}  // namespace rivulet
