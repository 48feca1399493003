// Reference tables: rows of the state store that nobody wrote, opened as a table of messages, and messages
// for it; and files that are no table. Input: a byte that chooses the kind, then chunks.
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "node/config/reader.h"
#include "node/engine/message_table.h"
#include "node/plan/pipeline_plan.h"
#include "node/tables/table_file.h"
#include "tests/base/temporary_directory.h"
#include "tests/fuzz/fuzz_target.h"

namespace rivulet {
namespace {

using fuzz::Require;

class Rows final : public StateView, public StateChanges {
 public:
  Result<bool> Get(std::string_view key, std::string* value) const override {
    const auto found = rows_.find(std::string(key));
    if (found != rows_.end()) *value = found->second;
    return found != rows_.end();
  }
  Status Scan(std::string_view from, std::string_view to, const Visitor& visit) const override {
    for (auto it = rows_.lower_bound(std::string(from)); it != rows_.end() && it->first < to; ++it) {
      if (!visit(it->first, it->second)) break;
    }
    return Status::Ok();
  }
  void Put(std::string_view key, std::string_view value) override { rows_[std::string(key)] = value; }
  void Delete(std::string_view key) override { rows_.erase(std::string(key)); }
  void DeleteRange(std::string_view from, std::string_view to) override {
    rows_.erase(rows_.lower_bound(std::string(from)), rows_.lower_bound(std::string(to)));
  }
  const std::map<std::string, std::string>& all() const { return rows_; }

 private:
  std::map<std::string, std::string> rows_;
};

// A table `t` with the key `k`, a value `name` and versions.
std::unique_ptr<PipelinePlan> PlanOf(const std::string& table) {
  const std::string yaml = "pipeline: fuzz\nsource: { mqtt: in, time: { field: ts } }\ntables:\n  t: " +
                           table + "\nsteps:\n  - join: { table: t, take: name }\n  - key: k\n"
                           "  - select: name\nsinks: [{ stdout: true }]\n";
  PipelineSpec spec;
  ConfigErrors errors;
  const bool readable = ReadPipeline(yaml, "fuzz.yaml", &spec, &errors);
  auto plan = readable ? PlanPipeline(spec, {}, &errors) : nullptr;
  fuzz::RequireEqual(plan != nullptr ? "" : errors[0].ToString(), "", "the target's own pipeline is valid");
  return plan;
}

// What the store has of a table is what it gives when it is opened from there.
void CheckStored(const TablePlan& plan, const Rows& rows) {
  Rows copy = rows;
  MessageTable table(&plan, "t", &rows);
  Require(table.Open().ok(), "a table that was stored can be opened");
  Require(!table.fresh(), "a table that was stored is known");
  table.Forget(0);
  table.CollectChanges(&copy);
  Require(copy.all() == rows.all(), "a stored table reads back as it was");
}

void FuzzMessages(const TablePlan& plan, fuzz::Input* input) {
  Rows rows;
  for (uint8_t n = input->Byte() % 8; n > 0; --n) {
    const std::string key = "t" + std::string(input->Chunk());
    rows.Put(key, input->Chunk());
  }
  MessageTable table(&plan, "t", &rows);
  if (!table.Open().ok()) return;
  uint64_t offset = 1;
  std::vector<DecodeError> faults;
  while (!input->empty()) {
    const bool empty = input->Byte() % 4 == 0;
    std::string payload(empty ? "" : input->Chunk());
    const size_t length = payload.size();
    payload.resize(length + kPayloadPadding);
    InputMessage message;
    message.kind = InputMessage::Kind::kTable;
    message.topic = "vehicles/7/name";
    message.payload = {std::string_view(payload).substr(0, length), 0, offset++};
    Require(table.Matches(0, message.topic), "the topic is the table's");
    table.Apply(message, &faults);
    faults.clear();
  }
  table.Settle(offset);
  table.Forget(0);
  table.CollectChanges(&rows);
  CheckStored(plan, rows);
}

// The content of a file; it is a table, or there is a reason.
void FuzzFile(const std::string& kind, fuzz::Input* input) {
  static const testing::TemporaryDirectory directory;
  const std::string path = directory / kind;
  std::ofstream(path, std::ios::binary) << input->Rest();
  const std::string file = "{ " + kind + ": " + path;
  const std::string table = kind == "sqlite" ? ", table: t" : "";
  const auto plan = PlanOf(file + table + ", key: k, valid_from: since }");
  TableFault fault;
  const std::unique_ptr<LookupTable> rows = NewTableFile(&plan->tables[0])->Read(&fault);
  Require((rows == nullptr) != fault.status.ok(), "a table, or a reason why not");
}

}  // namespace
}  // namespace rivulet

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rivulet;
  fuzz::Input input(data, size);
  static const auto plain = PlanOf("{ mqtt: 'vehicles/{k}/name', key: k, fields: { name: string } }");
  static const auto versioned =
      PlanOf("{ mqtt: 'vehicles/+/name', key: k, valid_from: since, "
             "fields: { k: int, name: string, since: int } }");
  switch (input.Byte() % 4) {
    case 0: FuzzMessages(plain->tables[0], &input); break;
    case 1: FuzzMessages(versioned->tables[0], &input); break;
    case 2: FuzzFile("csv", &input); break;
    default: FuzzFile("sqlite", &input); break;
  }
  return 0;
}
