// Damage to a state store's file: what is read is what was written, or the store is refused with a
// number. Never another row, a row less, or a signal.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/coding.h"
#include "base/random.h"
#include "state/row_checksum.h"
#include "state/store.h"
#include "state/store_format.h"
#include "tests/base/temporary_directory.h"

namespace rivulet {
namespace {

using testing::TemporaryDirectory;
using Rows = std::map<std::string, std::string>;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

LmdbOptions Options(const std::string& directory) {
  LmdbOptions options;
  options.directory = directory;
  options.map_size = 64 << 20;
  return options;
}

Status ReadRows(const Store& store, Rows* rows) {
  rows->clear();
  return store.Scan("\x01", "\xff", [&](std::string_view key, std::string_view value) {
    rows->emplace(key, value);
    return true;
  });
}

// A store of some hundred pages, in three levels, with large values, holes and free pages.
Rows MakeStore(const std::string& directory) {
  auto store = std::move(OpenLmdbStore(Options(directory))).value();
  Rows rows;
  Random random(3);
  for (int commit = 0; commit < 12; ++commit) {
    Delta delta;
    for (int i = 0; i < 250; ++i) {
      std::string key = "row" + std::to_string(random.Below(4000)) + std::string(random.Below(90), 'k');
      const bool large = random.Chance(0.01);
      std::string value(large ? 3000 + random.Below(9000) : random.Below(60), 'v');
      PutFixed<uint32_t>(&value, static_cast<uint32_t>(commit * 1000 + i));
      delta.Put(key, value);
      rows[key] = value;
    }
    for (int i = 0; i < 60; ++i) {
      const auto gone = std::next(rows.begin(), static_cast<int64_t>(random.Below(rows.size())));
      delta.Delete(gone->first);
      rows.erase(gone);
    }
    REQUIRE(store->Commit(delta).ok());
  }
  return rows;
}

// What a process of its own makes of the store: 'x' exact, 'r' refused as damaged, 'e' another error, 'w'
// wrong, 's' ended by a signal.
char Outcome(const std::string& directory, const Rows& expected) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);  // LMDB's own last words
    auto store = OpenLmdbStore(Options(directory));
    if (!store.ok()) ::_exit(store.status().code() == ErrorCode::kCorrupt ? 'r' : 'e');
    Rows rows;
    const Status read = ReadRows(**store, &rows);
    if (!read.ok()) ::_exit(read.code() == ErrorCode::kCorrupt ? 'r' : 'e');
    if (rows != expected) ::_exit('w');
    // And it goes on: what free pages there are can be used.
    Delta delta;
    for (int i = 0; i < 300; ++i) delta.Put("new" + std::to_string(i), std::string(50, 'n'));
    if (!(*store)->Commit(delta).ok()) ::_exit('e');
    delta.Clear();
    delta.DeleteRange("new", "nex");
    if (!(*store)->Commit(delta).ok() || !ReadRows(**store, &rows).ok()) ::_exit('e');
    ::_exit(rows == expected ? 'x' : 'w');
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? static_cast<char>(WEXITSTATUS(status)) : 's';
}

TEST_CASE("a bit flipped anywhere in a store's file is refused, or changes nothing") {
  const TemporaryDirectory directory;
  const std::string store = directory.path() + "/store";
  const Rows rows = MakeStore(store);
  const std::string whole = ReadFile(store + "/data.mdb");
  REQUIRE(whole.size() > 100 * 4096);
  REQUIRE(Outcome(store, rows) == 'x');
  Random random(8);
  std::map<char, int> outcomes;
  for (int i = 0; i < 300; ++i) {
    // Some are aimed at what little there is: meta pages, and the heads of pages.
    const size_t page = i % 8 == 0 ? random.Below(2) : random.Below(whole.size() / 4096);
    const size_t place = page * 4096 + random.Below(i % 4 == 0 ? 160 : 4096);
    const int bit = static_cast<int>(random.Below(8));
    CAPTURE(place);
    CAPTURE(bit);
    std::string bytes = whole;
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << bit));
    WriteFile(store + "/data.mdb", bytes);
    const char outcome = Outcome(store, rows);
    ++outcomes[outcome];
    CHECK((outcome == 'x' || outcome == 'r' || outcome == 'e'));
  }
  MESSAGE("exact ", outcomes['x'], ", refused as damaged ", outcomes['r'], ", with other numbers ",
          outcomes['e']);
  CHECK(outcomes['r'] > 60);
  CHECK(outcomes['e'] < 20);
}

TEST_CASE("a store's file cut short anywhere is refused, or lacks nothing that was in use") {
  const TemporaryDirectory directory;
  const std::string store = directory.path() + "/store";
  const Rows rows = MakeStore(store);
  const std::string whole = ReadFile(store + "/data.mdb");
  Random random(9);
  for (int i = 0; i < 60; ++i) {
    const size_t size = i == 0 ? 0 : random.Below(whole.size());
    CAPTURE(size);
    WriteFile(store + "/data.mdb", whole.substr(0, size));
    const char outcome = Outcome(store, rows);
    CHECK((outcome == 'r' || (outcome == 'x' && size > whole.size() * 3 / 4)));
  }
}

TEST_CASE("blocks of zeros, of garbage and of other pages are refused, or change nothing") {
  const TemporaryDirectory directory;
  const std::string store = directory.path() + "/store";
  const Rows rows = MakeStore(store);
  const std::string whole = ReadFile(store + "/data.mdb");
  Random random(10);
  for (int i = 0; i < 60; ++i) {
    CAPTURE(i);
    std::string bytes = whole;
    const size_t size = i % 2 == 0 ? 512 : 4096;
    const size_t place = size * random.Below(whole.size() / size);
    for (size_t k = 0; k < size; ++k) {
      bytes[place + k] = i % 3 == 0 ? '\0' : static_cast<char>(random.Below(256));
    }
    if (i % 3 == 2) bytes.replace(place, size, whole, size * random.Below(whole.size() / size), size);
    WriteFile(store + "/data.mdb", bytes);
    const char outcome = Outcome(store, rows);
    CHECK((outcome == 'x' || outcome == 'r'));
  }
}

TEST_CASE("damage that comes while the store is open is told by the row that is read") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/store";
  auto store = std::move(OpenLmdbStore(Options(path))).value();
  Delta delta;
  delta.Put("key", "a value to be found");
  delta.Put("other", "value");
  REQUIRE(store->Commit(delta).ok());
  // In place: the file is mapped.
  std::string bytes = ReadFile(path + "/data.mdb");
  std::fstream file(path + "/data.mdb", std::ios::in | std::ios::out | std::ios::binary);
  for (size_t at = bytes.find("to be found"); at != std::string::npos;
       at = bytes.find("to be found", at + 1)) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put('T');
  }
  file.close();
  std::string value;
  const Status read = store->Get("key", &value).status();
  CHECK(read.code() == ErrorCode::kCorrupt);
  CHECK(read.message().find("docs/operations.md") != std::string::npos);
  Rows rows;
  CHECK(ReadRows(*store, &rows).code() == ErrorCode::kCorrupt);
  CHECK(store->Get("other", &value).value());
  CHECK(value == "value");
}

// --- stores of version 0.1, laid out by hand as LMDB does: two meta pages and one leaf ---

constexpr size_t kPage = 4096;

void Put(std::string* page, size_t place, const std::string& bytes) {
  page->replace(place, bytes.size(), bytes);
}
template <typename T>
std::string Fixed(T v) {
  std::string text;
  PutFixed<T>(&text, v);
  return text;
}

std::string Database(uint32_t pad, uint16_t flags, uint16_t depth, size_t leaves, size_t entries,
                     size_t root) {
  return Fixed(pad) + Fixed(flags) + Fixed(depth) + Fixed(size_t{0}) + Fixed(leaves) +
         Fixed(size_t{0}) + Fixed(entries) + Fixed(root);
}

std::string MetaPage(size_t number, size_t entries) {
  std::string page(kPage, '\0');
  Put(&page, 0, Fixed(number) + Fixed(uint16_t{0}) + Fixed(uint16_t{8}));
  const size_t transaction = number;  // 0: the empty store; 1: the rows
  const bool rows = transaction > 0;
  Put(&page, sizeof(size_t) + 8,
      Fixed(0xBEEFC0DEu) + Fixed(1u) + Fixed(size_t{0}) + Fixed(size_t{1 << 20}) +
          Database(kPage, 8, 0, 0, 0, ~size_t{0}) +
          Database(0, 0, rows ? 1 : 0, rows ? 1 : 0, rows ? entries : 0, rows ? 2 : ~size_t{0}) +
          Fixed(size_t{rows ? 2u : 1u}) + Fixed(transaction));
  return page;
}

std::string LeafPage(const Rows& rows) {
  std::string page(kPage, '\0');
  size_t upper = kPage, lower = sizeof(size_t) + 8;
  for (const auto& [key, value] : rows) {
    const size_t size = 8 + key.size() + value.size();
    upper -= size + size % 2;
    Put(&page, upper,
        Fixed(static_cast<uint32_t>(value.size())) + Fixed(uint16_t{0}) +
            Fixed(static_cast<uint16_t>(key.size())) + key + value);
    Put(&page, lower, Fixed(static_cast<uint16_t>(upper)));
    lower += 2;
  }
  Put(&page, 0, Fixed(size_t{2}) + Fixed(uint16_t{0}) + Fixed(uint16_t{2}) +
                    Fixed(static_cast<uint16_t>(lower)) + Fixed(static_cast<uint16_t>(upper)));
  return page;
}

void MakeByHand(const TemporaryDirectory& directory, const Rows& rows) {
  REQUIRE(NewPosixFileSystem()->CreateDirectories(directory.path() + "/store").ok());
  WriteFile(directory.path() + "/store/data.mdb",
            MetaPage(0, 0) + MetaPage(1, rows.size()) + LeafPage(rows));
}

std::string WithChecksum(const std::string& key, const std::string& value) {
  std::string row(value.size() + kRowChecksumSize, '\0');
  WriteRow(key, value, row.data());
  return row;
}

TEST_CASE("a store of version 0.1 gets its checksums, also when that was broken off") {
  const TemporaryDirectory directory;
  const std::string reserved(kReservedStoreKey);
  Rows rows;
  for (int i = 10; i < 40; ++i) rows["key" + std::to_string(i)] = std::string(static_cast<size_t>(i), 'v');
  Rows stored = rows;
  SUBCASE("version 0.1") { stored[reserved] = "\x0drivulet-store" + Fixed(1u); }
  SUBCASE("broken off") {
    stored[reserved] = WithChecksum(reserved, EncodeStoreFormat({kStoreFormat, "key25"}));
    for (auto& [key, value] : stored) {
      if (key != reserved && key < "key25") value = WithChecksum(key, value);
    }
  }
  MakeByHand(directory, stored);
  for (int life = 0; life < 2; ++life) {
    auto store = OpenLmdbStore(Options(directory.path() + "/store"));
    REQUIRE_MESSAGE(store.ok(), store.status().ToString());
    Rows read;
    REQUIRE(ReadRows(**store, &read).ok());
    CHECK(read == rows);
  }
  const std::string bytes = ReadFile(directory.path() + "/store/data.mdb");
  CHECK(bytes.find(WithChecksum("key39", rows["key39"])) != std::string::npos);
}

TEST_CASE("a database that is not a store, and a store of a later version, are told apart") {
  const TemporaryDirectory directory;
  Rows stored{{"a", "1"}, {"b", "2"}};
  SUBCASE("of something else") {}
  SUBCASE("later") { stored[std::string(kReservedStoreKey)] = "\x0drivulet-store" + Fixed(3u); }
  MakeByHand(directory, stored);
  CHECK(OpenLmdbStore(Options(directory.path() + "/store")).status().code() ==
        ErrorCode::kFormatVersion);
}

}  // namespace
}  // namespace rivulet
