// EngineDriver: an engine over messages in memory, with turns, commits, evictions and crashes where a test
// wants them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "node/engine/engine.h"
#include "tests/cases/pipeline_harness.h"

namespace rivulet {

// Messages in memory as an input log. Whoever reads gets as many at once as the test wants.
class MemoryLog final : public InputLog {
 public:
  // `longest`: a read gives 1 to so many messages; 0: all there are.
  MemoryLog(const std::vector<StreamLine>& lines, size_t longest, Random* random);

  LogId id() const override { return {}; }
  Result<Offset> begin() const override { return Offset{}; }
  Offset end() const override { return Offset{messages_.size()}; }
  Offset begin_of_new() const override { return {}; }
  Status AdvanceTo(Offset) override { return Status(ErrorCode::kIo, "nothing is missing in memory"); }
  Status Prepare(Offset) override { return Status::Ok(); }
  Status Read(SourceGroup* source, Offset from, size_t entries, size_t bytes,
              std::span<const InputMessage>* messages, uint64_t* next) override;

 private:
  std::string buffer_;
  std::vector<InputMessage> messages_;
  const size_t longest_;
  Random* const random_;
};

// Runs what is posted when it is told to.
class ManualBackground final : public Background {
 public:
  void Post(std::function<void()> work) override {
    work_ = std::move(work);
    if (!holds_) RunPosted();
  }
  // From now on what is posted waits.
  void Hold() { holds_ = true; }
  void RunPosted() {
    holds_ = false;
    if (work_) std::exchange(work_, nullptr)();
  }

 private:
  bool holds_ = false;
  std::function<void()> work_;
};

// One life of engines, each on what the one before had committed. Every Status, and that entries which come
// again have the bytes they had before, is checked.
class EngineDriver {
 public:
  // The first of `yamls` reads the lines, each other the results of one before it.
  EngineDriver(std::vector<std::string> yamls, const std::vector<StreamLine>& lines,
               const DriveOptions& options);
  // To the end of the input, which closes all windows unless options say otherwise. What each puts out.
  std::vector<Outputs> Run();

 private:
  void Start(uint32_t workers);
  Status AddSinks(Pipeline* pipeline);
  Pipeline& first() { return *engine_->pipelines().begin()->pipeline; }
  bool Done() const;
  void Turn();
  void MaybeCommitOrCrash();
  void Commit();
  void Crash();
  void Pump();

  std::vector<std::string> yamls_;
  DriveOptions options_;
  Random random_;
  MemoryLog log_;
  std::unique_ptr<Store> store_ = NewMemoryStore();
  std::unique_ptr<TaskRunner> runner_ = NewSerialRunner();
  ManualBackground committer_;
  Now now_{{1'000'000}, {1'700'000'000'000'000}};
  std::vector<std::string> names_;     // of the pipelines, as in `yamls_`
  std::vector<Outputs> outputs_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace rivulet
