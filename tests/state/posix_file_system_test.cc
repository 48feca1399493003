#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "state/file.h"
#include "tests/base/temporary_directory.h"

namespace rivulet {
namespace {

using testing::TemporaryDirectory;

std::string ReadAll(FileSystem* files, const std::string& path) {
  auto file = files->OpenRead(path);
  REQUIRE(file.ok());
  std::string bytes(1000, '\0');
  auto n = (*file)->Read(0, bytes.size(), bytes.data());
  REQUIRE(n.ok());
  bytes.resize(*n);
  return bytes;
}

TEST_CASE("appending, reading, cutting, renaming, removing") {
  const TemporaryDirectory directory;
  const auto files = NewPosixFileSystem();
  const std::string path = directory.path() + "/log";
  {
    auto file = std::move(files->OpenAppend(path, 1 << 20)).value();
    CHECK(file->size() == 0);
    CHECK(file->Append("hello ").ok());
    CHECK(file->Append("").ok());
    CHECK(file->Append("world").ok());
    CHECK(file->size() == 11);
    CHECK(file->Sync().ok());
  }
  // Reserved space does not show in the size.
  CHECK(files->FileSize(path).value() == 11);
  CHECK(ReadAll(files.get(), path) == "hello world");
  CHECK(files->Truncate(path, 5).ok());
  auto file = std::move(files->OpenAppend(path, 0)).value();
  CHECK(file->size() == 5);
  CHECK(file->Append("!").ok());
  CHECK(ReadAll(files.get(), path) == "hello!");

  auto reader = std::move(files->OpenRead(path)).value();
  char bytes[4];
  CHECK(reader->Read(4, 4, bytes).value() == 2);
  CHECK(std::string(bytes, 2) == "o!");
  CHECK(reader->Read(100, 4, bytes).value() == 0);

  CHECK(files->Rename(path, directory.path() + "/a").ok());
  CHECK(files->CreateDirectories(directory.path() + "/sub").ok());
  CHECK(files->List(directory.path()).value() == std::vector<std::string>{"a"});
  CHECK(files->SyncDirectory(directory.path()).ok());
  CHECK(files->Remove(directory.path() + "/a").ok());
  // An open file outlives its name.
  CHECK(reader->Read(0, 4, bytes).value() == 4);
}

TEST_CASE("what is not there is kNotFound, what cannot be is kIo") {
  const TemporaryDirectory directory;
  const auto files = NewPosixFileSystem();
  const std::string missing = directory.path() + "/missing";
  CHECK(files->OpenRead(missing).status().code() == ErrorCode::kNotFound);
  CHECK(files->FileSize(missing).status().code() == ErrorCode::kNotFound);
  CHECK(files->Truncate(missing, 0).code() == ErrorCode::kNotFound);
  CHECK(files->Remove(missing).code() == ErrorCode::kNotFound);
  CHECK(files->Rename(missing, missing + "2").code() == ErrorCode::kNotFound);
  CHECK(files->List(missing).status().code() == ErrorCode::kNotFound);
  CHECK(files->OpenAppend(missing + "/file", 0).status().code() == ErrorCode::kNotFound);
  CHECK(std::move(files->OpenAppend(missing, 0)).value()->Append("x").ok());
  CHECK(files->CreateDirectories(missing + "/below").code() == ErrorCode::kIo);
}

TEST_CASE("directories are created with their parents, and again without complaint") {
  const TemporaryDirectory directory;
  const auto files = NewPosixFileSystem();
  for (const char* path : {"/a/b/c", "/a/b/c", "/a//d/", "/a"}) {
    CHECK(files->CreateDirectories(directory.path() + path).ok());
  }
  CHECK(files->SyncDirectory(directory.path() + "/a/d").ok());
  CHECK(files->FreeBytes(directory.path()).value() > 0);
}

TEST_CASE("a full device is kDiskFull") {
  const auto files = NewPosixFileSystem();
  struct stat info;
  if (::stat("/dev/full", &info) != 0 || !S_ISCHR(info.st_mode)) return;
  auto file = files->OpenAppend("/dev/full", 0);
  if (!file.ok()) return;  // not writable here
  CHECK((*file)->Append("x").code() == ErrorCode::kDiskFull);
  CHECK((*file)->size() == 0);
}

}  // namespace
}  // namespace rivulet
