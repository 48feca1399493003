// Reference tables: files that change, vanish and come back; stored rows of topics, translated and damaged.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "node/config/reader.h"
#include "node/engine/pipeline_tables.h"
#include "node/plan/pipeline_plan.h"
#include "node/sinks/sink.h"
#include "node/tables/check_tables.h"
#include "operators/key/key_codec.h"
#include "base/value_codec.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "rivulet-tables-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  // As an editor that writes in place does.
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
  }
  void Remove(const std::string& name) const { fs::remove(path / name); }

  fs::path path;
};

std::unique_ptr<PipelinePlan> Plan(const Folder& folder, const std::string& table,
                                   const std::string& take = "name") {
  const std::string yaml = "pipeline: test\nsource: { mqtt: in, time: { field: t } }\ntables:\n  t: " +
                           table +
                           "\nsteps:\n  - join: { table: t, take: " + take +
                           " }\n  - key: k\n  - select: " + take + "\nsinks: [{ stdout: true }]\n";
  PipelineSpec spec;
  ConfigErrors errors;
  const bool readable = ReadPipeline(yaml, (folder.path / "test.yaml").string(), &spec, &errors);
  auto plan = readable ? PlanPipeline(spec, {}, &errors) : nullptr;
  REQUIRE_MESSAGE(plan != nullptr, (errors.empty() ? "" : errors[0].ToString()));
  return plan;
}

// What the first table says of an int key.
std::string Find(const PipelineTables& tables, int64_t key) {
  const LookupTable* rows = tables.view()[0].rows;
  if (rows == nullptr) return "no table";
  std::string encoded;
  AppendKeyValue(&encoded, Value::Int(key));
  std::optional<std::string_view> row = rows->Find(encoded, Hash64(encoded), 0, 1'000'000);
  if (!row) return "none";
  Value value;
  REQUIRE(GetValue(&*row, &value));
  return value.type == Type::kString ? std::string(value.s) : std::string(TypeName(value.type));
}

// A pipeline's tables with the lines they log.
class Fixture {
 public:
  explicit Fixture(const PipelinePlan& plan) : tables(&plan.tables, "t", &state) {
    REQUIRE(tables.state().Open().ok());
  }
  void Refresh(bool at_once = false) {
    log.clear();
    tables.Refresh(at_once, 1, [this](char level, const std::string& line) {
      log.push_back(std::string(1, level) + " " + line);
    });
  }

  MapState state;
  PipelineTables tables;
  std::vector<std::string> log;
};

}  // namespace

TEST_CASE("a file is read again when it has changed and then stayed the same") {
  const Folder folder;
  folder.Write("t.csv", "k,name\n1,a\n");
  const auto plan = Plan(folder, "{ csv: t.csv, key: k }");
  Fixture f(*plan);
  CHECK_FALSE(f.tables.ready());
  f.Refresh(true);
  CHECK(f.tables.ready());
  CHECK(f.log.empty());
  CHECK(Find(f.tables, 1) == "a");
  folder.Write("t.csv", "k,name\n1,longer\n2,b\n");
  f.Refresh();
  CHECK(Find(f.tables, 1) == "a");
  f.Refresh();
  CHECK(Find(f.tables, 1) == "longer");
  CHECK(Find(f.tables, 2) == "b");
  CHECK(f.log.size() == 1);
  f.Refresh();
  CHECK(f.log.empty());
  CHECK(f.tables.Stats()[0].loads == 2);
  folder.Write("t.csv", "k,name\n1,at once\n");
  f.Refresh(true);
  CHECK(Find(f.tables, 1) == "at once");
}

TEST_CASE("a file that is damaged or gone leaves the rows read last, and says so once") {
  const Folder folder;
  folder.Write("t.csv", "k,name\n1,a\n");
  const auto plan = Plan(folder, "{ csv: t.csv, key: k }");
  Fixture f(*plan);
  f.Refresh(true);
  folder.Write("t.csv", "k,name\n1,a,too many\n");
  f.Refresh();
  f.Refresh();
  REQUIRE(f.log.size() == 1);
  CHECK(f.log[0].find("line 2: line has 3 cells") != std::string::npos);
  CHECK(Find(f.tables, 1) == "a");
  CHECK(f.tables.Stats()[0].errors == 1);
  folder.Remove("t.csv");
  f.Refresh();
  f.Refresh();
  f.Refresh();
  CHECK(Find(f.tables, 1) == "a");
  CHECK(f.tables.Stats()[0].last_error.find("E1001") == 0);
  folder.Write("t.csv", "k,name\n1,back\n");
  f.Refresh();
  f.Refresh();
  CHECK(Find(f.tables, 1) == "back");
  CHECK(f.tables.Stats()[0].last_error.empty());
}

TEST_CASE("a table that was never read is waited for") {
  const Folder folder;
  const auto plan = Plan(folder, "{ csv: t.csv, key: k }");
  ConfigErrors errors;
  CHECK_FALSE(CheckTableFiles(*plan, &errors));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].line == 4);
  Fixture f(*plan);
  f.Refresh(true);
  CHECK_FALSE(f.tables.ready());
  REQUIRE(f.log.size() == 1);
  CHECK(f.log[0].find("the pipeline waits for it") != std::string::npos);
  f.Refresh();
  CHECK(f.log.empty());
  folder.Write("t.csv", "k,name\n1,a\n");
  f.Refresh();
  CHECK(f.tables.ready());
  CHECK(CheckTableFiles(*plan, &errors));
}

// The sink writes a database; the table reads it while the sink has it open.
TEST_CASE("tables of SQLite databases") {
  const Folder folder;
  SinkSpec spec;
  spec.kind = SinkSpec::Kind::kSqlite;
  spec.target.text = (folder.path / "t.db").string();
  spec.table = "rows";
  Result<std::unique_ptr<Sink>> made = NewSqliteSink(spec, "p");
  REQUIRE(made.ok());
  Sink* sink = made->get();
  SinkCursor cursor;
  REQUIRE(sink->Open(&cursor).ok());
  uint64_t sequence = 0;
  const auto write = [&](const std::string& json) {
    OutputEntry entry;
    entry.sequence = sequence++;
    entry.id = entry.window_id = "id" + std::to_string(sequence);
    entry.json = json;
    REQUIRE(sink->Offer({&entry, 1}) == 1);
  };
  write(R"({"k":1,"name":"a","since":5})");
  write(R"({"k":2.5,"name":null,"since":5})");
  const auto plan = Plan(folder, "{ sqlite: t.db, table: rows, key: k }");
  Fixture f(*plan);
  f.Refresh(true);
  CHECK(Find(f.tables, 1) == "a");
  CHECK(f.tables.Stats()[0].rows == 2);
  write(R"({"k":3,"name":"c","since":7})");
  f.Refresh();
  f.Refresh();
  CHECK(Find(f.tables, 3) == "c");
  CHECK(f.tables.Stats()[0].loads == 2);
  f.Refresh();
  f.Refresh();
  CHECK(f.tables.Stats()[0].loads == 2);
  write(R"({"k":3,"name":"again","since":8})");
  f.Refresh();
  f.Refresh();
  CHECK(Find(f.tables, 3) == "c");
  CHECK(f.tables.Stats()[0].last_error.find("a second row with the key 3") != std::string::npos);
  const auto versions = Plan(folder, "{ sqlite: t.db, table: rows, key: k, valid_from: since }");
  Fixture v(*versions);
  v.Refresh(true);
  CHECK(v.tables.Stats()[0].rows == 4);
  const auto wrong = Plan(folder, "{ sqlite: t.db, table: rows, key: k, fields: { name: int } }");
  ConfigErrors errors;
  CHECK_FALSE(CheckTableFiles(*wrong, &errors));
  const auto missing = Plan(folder, "{ sqlite: t.db, table: rows, key: k }", "nam");
  CHECK_FALSE(CheckTableFiles(*missing, &errors));
  const auto no_table = Plan(folder, "{ sqlite: t.db, table: row, key: k }");
  CHECK_FALSE(CheckTableFiles(*no_table, &errors));
  REQUIRE(errors.size() == 3);
  CHECK(errors[0].message.find("'name' is string") != std::string::npos);
  CHECK(errors[1].message.find("(did you mean 'name'?)") != std::string::npos);
  CHECK(errors[2].message.find("no such table: row") != std::string::npos);
}

namespace {

// Gives the table of a topic rows, as a turn would that begins at `offset`.
void Apply(PipelineTables* tables, uint64_t offset,
           const std::vector<std::pair<std::string, std::string>>& messages) {
  for (const auto& [topic, payload] : messages) {
    const std::string padded = payload + std::string(kPayloadPadding, '\0');
    InputMessage message;
    message.kind = InputMessage::Kind::kTable;
    message.topic = topic;
    message.topic_id = static_cast<uint32_t>(offset);
    message.payload = {std::string_view(padded).substr(0, payload.size()), 0, offset++};
    std::vector<uint32_t> of;
    tables->Match(message.topic_id, topic, &of);
    REQUIRE(of == std::vector<uint32_t>{0});
    tables->Apply({&message, 1});
    REQUIRE_MESSAGE(tables->faults().empty(), tables->faults()[0].error.detail);
  }
  tables->Settle(offset);
}

constexpr const char* kTopic = "{ mqtt: 'c/{k}', key: k, fields: { name: string, size: int } }";

}  // namespace

TEST_CASE("rows of a topic are stored, removed, and translated when fields change") {
  const Folder folder;
  const auto plan = Plan(folder, kTopic);
  Fixture f(*plan);
  CHECK(f.tables.fresh(0));
  Apply(&f.tables, 0,
        {{"c/a", R"({"name":"x","size":1})"}, {"c/b", R"({"name":"y","size":2})"}, {"c/c", "{}"}});
  f.tables.state().CollectChanges(&f.state);
  CHECK(f.state.rows.size() == 4);
  Apply(&f.tables, 3, {{"c/b", " "}, {"c/c", R"({"size":3})"}});
  f.tables.state().CollectChanges(&f.state);
  CHECK(f.state.rows.size() == 3);

  const auto same = Plan(folder, kTopic);
  PipelineTables again(&same->tables, "t", &f.state);
  REQUIRE(again.state().Open().ok());
  CHECK_FALSE(again.fresh(0));
  CHECK(again.view()[0].rows->keys() == 2);
  CHECK(again.state().DirtyRows() == 0);

  const auto other = Plan(folder, "{ mqtt: 'c/{k}', key: k, fields: { more: int, size: int } }", "size");
  PipelineTables translated(&other->tables, "t", &f.state);
  REQUIRE(translated.state().Open().ok());
  CHECK(translated.state().DirtyRows() == 2);
  std::string key;
  AppendKeyValue(&key, Value::String("c"));
  std::string_view row = *translated.view()[0].rows->Find(key, Hash64(key), 0, 1);
  Value value;
  REQUIRE(GetValue(&row, &value));
  CHECK(value.s == "c");
  REQUIRE(GetValue(&row, &value));
  CHECK(value.is_null());
  REQUIRE(GetValue(&row, &value));
  CHECK(value.i == 3);

  const auto keyed = Plan(folder, "{ mqtt: 'c/{k}', key: [k, size], fields: { size: int } }", "size");
  PipelineTables foreign(&keyed->tables, "t", &f.state);
  REQUIRE(foreign.DropForeign(&f.state).ok());
  CHECK(f.state.rows.empty());
}

TEST_CASE("damaged rows of a topic's table are reported, never a crash") {
  const Folder folder;
  const auto plan =
      Plan(folder, "{ mqtt: 'c/{k}', key: k, fields: { name: string, at: int }, valid_from: at }");
  Fixture f(*plan);
  Apply(&f.tables, 0,
        {{"c/a", R"({"name":"x","at":1})"}, {"c/a", R"({"name":"xx","at":2})"}, {"c/b", R"({"name":"y"})"}});
  f.tables.state().CollectChanges(&f.state);
  Random random(3);
  size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    MapState damaged = f.state;
    auto row = damaged.rows.begin();
    std::advance(row, static_cast<ptrdiff_t>(random.Below(damaged.rows.size())));
    std::string& value = row->second;
    const size_t at = random.Below(value.size());
    if (random.Chance(0.3)) {
      value.resize(at);
    } else {
      value[at] = static_cast<char>(random.Below(256));
    }
    PipelineTables tables(&plan->tables, "t", &damaged);
    const Status status = tables.state().Open();
    refused += status.ok() ? 0 : 1;
    if (!status.ok()) CHECK(status.code() == ErrorCode::kCorrupt);
  }
  CHECK(refused > 500);
}

}  // namespace rivulet
