#include "node/engine/delivery_notes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/coding.h"
#include "base/hash.h"

namespace rivulet {
namespace {

constexpr std::string_view kMagic = "RVLTNOTE";
constexpr size_t kHeaderBytes = 28;
constexpr size_t kChecksumBytes = 4;
// That of thousands of sinks is much smaller.
constexpr uint64_t kMostRead = 16 << 20;

}  // namespace

std::string DeliveryNotes::ReadFile() const {
  const Result<uint64_t> size = files_->FileSize(path_);
  if (!size.ok()) return "";
  Result<std::unique_ptr<rivulet::ReadFile>> file = files_->OpenRead(path_);
  if (!file.ok()) return "";
  std::string bytes(std::min(*size, kMostRead), '\0');
  const Result<size_t> got = (*file)->Read(0, bytes.size(), bytes.data());
  bytes.resize(got.ok() ? *got : 0);
  return bytes;
}

void DeliveryNotes::Open(uint64_t epoch) {
  const std::string bytes = ReadFile();
  std::string_view in = bytes;
  epoch_ = epoch;
  uint64_t noted_epoch = 0;
  const bool sound = ReadHeader(&in, &noted_epoch);
  // Greater than both, so that the store never comes to an epoch of notes that are not of its past.
  if (sound && noted_epoch != epoch) epoch_ = std::max(epoch_, noted_epoch);
  if (sound && noted_epoch == epoch) ReadFrames(in);
  if (epoch == 0 || (sound && noted_epoch != epoch) || (!sound && !bytes.empty())) Forget();
}

void DeliveryNotes::Forget() {
  sinks_.clear();
  numbered_ = 0;
  file_.reset();
  ++epoch_;
  epoch_is_new_ = true;
}

uint64_t DeliveryNotes::TakeNewEpoch() { return std::exchange(epoch_is_new_, false) ? epoch_ : 0; }

bool DeliveryNotes::ReadHeader(std::string_view* in, uint64_t* epoch) {
  if (in->size() < kHeaderBytes || !in->starts_with(kMagic)) return false;
  header_ = in->substr(0, kHeaderBytes);
  std::string_view fields = header_;
  uint32_t checksum = 0;
  fields.remove_prefix(kMagic.size());
  const bool whole = GetFixed(&fields, epoch) && GetFixed(&fields, &number_) && GetFixed(&fields, &checksum);
  in->remove_prefix(kHeaderBytes);
  return whole && checksum == static_cast<uint32_t>(
                                  Hash64(std::string_view(header_).substr(0, kHeaderBytes - kChecksumBytes)));
}

uint32_t DeliveryNotes::Checksum(uint64_t position, std::string_view rest) const {
  std::string bytes = header_;
  PutFixed(&bytes, position);
  bytes += rest;
  return static_cast<uint32_t>(Hash64(bytes));
}

void DeliveryNotes::ReadFrames(std::string_view in) {
  uint64_t position = kHeaderBytes;
  std::vector<Sink*> numbered;
  for (;;) {
    const size_t before = in.size();
    uint32_t checksum = 0;
    if (!GetFixed(&in, &checksum)) return;
    const std::string_view rest = in;
    std::string_view notes;
    if (!GetBytes(&in, &notes)) return;
    if (Checksum(position, rest.substr(0, rest.size() - in.size())) != checksum) return;
    if (!ReadNotes(notes, &numbered)) return;
    position += before - in.size();
  }
}

bool DeliveryNotes::ReadNotes(std::string_view in, std::vector<Sink*>* numbered) {
  while (!in.empty()) {
    uint64_t number = 0;
    if (!GetVarint(&in, &number) || number > numbered->size()) return false;
    if (number == numbered->size()) {
      std::string_view row;
      if (!GetBytes(&in, &row)) return false;
      numbered->push_back(&sinks_[std::string(row)]);
    }
    if (!GetVarint(&in, &(*numbered)[number]->next)) return false;
  }
  return true;
}

uint64_t DeliveryNotes::Next(std::string_view row, bool known, uint64_t stored, uint64_t end) {
  const auto noted = sinks_.find(row);
  if (noted == sinks_.end()) return stored;
  if (known && noted->second.next <= end) return std::max(stored, noted->second.next);
  Forget();
  return stored;
}

bool DeliveryNotes::Note(std::string_view row, uint64_t next) {
  auto noted = sinks_.find(row);
  if (noted == sinks_.end()) noted = sinks_.emplace(std::string(row), Sink()).first;
  noted->second.next = next;
  noted->second.collected = false;
  if (failed_) return false;
  if (file_ == nullptr) return StartFile();
  notes_.clear();
  AppendNote(noted->first, &noted->second, &notes_);
  return Write(notes_);
}

void DeliveryNotes::AppendNote(const std::string& row, Sink* sink, std::string* notes) {
  const bool first = sink->number == kNone;
  if (first) sink->number = numbered_++;
  PutVarint(notes, sink->number);
  if (first) PutBytes(notes, row);
  PutVarint(notes, sink->next);
}

bool DeliveryNotes::Write(std::string_view notes) {
  std::string rest;
  PutBytes(&rest, notes);
  frame_.clear();
  PutFixed(&frame_, Checksum(file_->size(), rest));
  frame_ += rest;
  if (!file_->Append(frame_).ok()) {
    // What it left is no sound frame: nothing behind it would be read.
    file_.reset();
    failed_ = true;
    return false;
  }
  bytes_written_ += frame_.size();
  return true;
}

bool DeliveryNotes::StartFile() {
  const std::string beside = path_ + ".new";
  file_.reset();
  failed_ = true;
  header_ = kMagic;
  PutFixed(&header_, epoch_);
  PutFixed(&header_, ++number_);
  PutFixed(&header_, static_cast<uint32_t>(Hash64(header_)));
  notes_.clear();
  numbered_ = 0;
  for (auto& [row, sink] : sinks_) {
    sink.number = kNone;
    AppendNote(row, &sink, &notes_);
  }
  Result<std::unique_ptr<OutputFile>> file = files_->OpenOutput(beside, OutputUse::kReplace);
  if (!file.ok() || !(*file)->Append(header_).ok()) return false;
  file_ = std::move(*file);
  bytes_written_ += header_.size();
  if (!Write(notes_)) return false;
  if (!files_->Rename(beside, path_).ok()) {
    file_.reset();
    return false;
  }
  failed_ = false;
  largest_ = std::max(kMostBytes, 4 * file_->size());
  return true;
}

void DeliveryNotes::OnCollected() {
  for (auto& [row, sink] : sinks_) sink.collected = true;
}

void DeliveryNotes::OnCommitted() {
  failed_ = false;
  if (file_ == nullptr || file_->size() < largest_) return;
  std::erase_if(sinks_, [](const auto& s) { return s.second.collected; });
  (void)StartFile();
}

}  // namespace rivulet
