#include "state/lmdb_pages.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

namespace rivulet {
namespace {

using Word = size_t;

constexpr uint16_t kBranch = 1, kLeaf = 2, kOverflow = 4, kMeta = 8;
constexpr uint16_t kKindMask = 0x6f;  // and duplicates (0x20, 0x40), which a store has none of
constexpr uint16_t kBigValue = 1;
constexpr uint32_t kMagic = 0xBEEFC0DE;
constexpr uint32_t kDataVersion = 1;
constexpr Word kNoPage = ~Word{0};
constexpr size_t kPageHeader = sizeof(Word) + 8;
constexpr size_t kNodeHeader = 8;
constexpr size_t kMetaPages = 2;
constexpr size_t kDeepest = 32;
constexpr uint64_t kPagesPerSign = 256;
// Read in one go beforehand, as single pages take an SD card ten times as long.
constexpr uint64_t kReadAhead = 256ull << 20;
constexpr size_t kBlock = 1 << 20;
// Pages at the end of the file that a commit had taken and did not need in the end were never written.
constexpr uint64_t kMostUnwritten = 1 << 20;

template <typename T>
T At(std::string_view bytes, size_t place) {
  T value;
  std::memcpy(&value, bytes.data() + place, sizeof(T));
  return value;
}

struct Database {
  uint32_t pad;
  uint16_t flags, depth;
  Word branch_pages, leaf_pages, overflow_pages, entries, root;
};
struct Meta {
  uint32_t magic, version;
  Word address, map_size;
  Database databases[2];
  Word last_page, transaction;
};

struct Node {
  std::string_view key;
  std::string_view value;  // leaf, unless it is in overflow pages
  Word page = 0;           // the child, or the first overflow page
  size_t big = 0;          // size of a value in overflow pages
  bool is_big = false;
};

class PageWalk {
 public:
  PageWalk(FileSystem* files, const std::string& path, const PageCheck& check)
      : files_(files), path_(path), check_(check) {}

  Status Run() {
    RIVULET_ASSIGN_OR_RETURN(file_, files_->OpenRead(path_));
    RIVULET_ASSIGN_OR_RETURN(size_, files_->FileSize(path_));
    RIVULET_RETURN_IF_ERROR(ChooseMeta());
    RIVULET_RETURN_IF_ERROR(ReadAhead());
    used_.assign(meta_.last_page + 1, false);
    used_[0] = used_[1] = true;
    RIVULET_RETURN_IF_ERROR(Tree(meta_.databases[0], true));
    return Tree(meta_.databases[1], false);
  }

 private:
  Status Damaged(Word page, const std::string& what) const {
    return Status(ErrorCode::kCorrupt,
                  "page " + std::to_string(page) + " of '" + path_ + "' is damaged: " + what);
  }

  Status CutShort(uint64_t needed) const {
    return Status(ErrorCode::kCorrupt, "'" + path_ + "' is cut short: it has " +
                                           std::to_string(size_) + " bytes, expected at least " +
                                           std::to_string(needed));
  }

  Status ReadMeta(uint64_t place, Word number, Meta* meta) {
    char bytes[kPageHeader + sizeof(Meta)];
    RIVULET_ASSIGN_OR_RETURN(const size_t got, file_->Read(place, sizeof(bytes), bytes));
    if (got < sizeof(bytes)) return CutShort(place + sizeof(bytes));
    std::memcpy(meta, bytes + kPageHeader, sizeof(Meta));
    const std::string_view page(bytes, sizeof(bytes));
    if (At<uint16_t>(page, sizeof(Word) + 2) != kMeta || meta->magic != kMagic) {
      return Damaged(number, "it is not a meta page of an LMDB database");
    }
    if (meta->version != kDataVersion) {
      return Status(ErrorCode::kFormatVersion, "'" + path_ + "' has LMDB's data version " +
                                                   std::to_string(meta->version) + ", expected 1");
    }
    return Status::Ok();
  }

  // The newer of two counts. Each commit is written over the older one.
  Status ChooseMeta() {
    Meta metas[kMetaPages];
    RIVULET_RETURN_IF_ERROR(ReadMeta(0, 0, &metas[0]));
    page_size_ = metas[0].databases[0].pad;
    if (page_size_ < 512 || page_size_ > 65536 || (page_size_ & (page_size_ - 1)) != 0) {
      return Damaged(0, "a page size of " + std::to_string(page_size_));
    }
    RIVULET_RETURN_IF_ERROR(ReadMeta(page_size_, 1, &metas[1]));
    const Word newest = metas[0].transaction < metas[1].transaction ? 1 : 0;
    meta_ = metas[newest];
    const Word fresh = meta_.transaction, old = metas[1 - newest].transaction;
    const bool follows = fresh == old + 1 && (fresh & 1) == newest;
    if (!follows && (fresh != 0 || old != 0)) {
      return Damaged(newest, "its commit is number " + std::to_string(fresh) + ", the other " +
                                 std::to_string(old));
    }
    if (meta_.databases[0].pad != page_size_) return Damaged(newest, "another page size");
    if (meta_.last_page < 1 || meta_.last_page > size_ / page_size_ + kMostUnwritten) {
      return Damaged(newest, "a last page of " + std::to_string(meta_.last_page));
    }
    return Status::Ok();
  }

  Status ReadAhead() {
    const uint64_t all = (uint64_t{meta_.last_page} + 1) * page_size_;
    std::vector<char> block(kBlock);
    for (uint64_t at = 0; at < std::min(all, kReadAhead); at += kBlock) {
      RIVULET_ASSIGN_OR_RETURN(const size_t got, file_->Read(at, kBlock, block.data()));
      if (check_.progress) check_.progress();
      if (got < kBlock) break;
    }
    return Status::Ok();
  }

  // --- one database ---

  Status Tree(const Database& expected, bool free_pages) {
    free_pages_ = free_pages;
    counted_ = {};
    last_key_.clear();
    any_key_ = false;
    const Word meta = meta_.transaction & 1;
    if (expected.root == kNoPage) {
      if (expected.entries == 0) return Status::Ok();
      return Damaged(meta, "rows without a page");
    }
    if (expected.depth == 0 || expected.depth > kDeepest) return Damaged(meta, "a wrong depth");
    RIVULET_RETURN_IF_ERROR(Page(expected.root, expected.depth, nullptr, nullptr));
    if (counted_.branch_pages != expected.branch_pages ||
        counted_.leaf_pages != expected.leaf_pages ||
        counted_.overflow_pages != expected.overflow_pages ||
        counted_.entries != expected.entries) {
      return Damaged(meta, "it counts " + std::to_string(expected.entries) + " rows, and there are " +
                               std::to_string(counted_.entries) + ", or other numbers of pages");
    }
    return Status::Ok();
  }

  Status Use(Word number, Word pages) {
    if (number < kMetaPages || number > meta_.last_page || pages > meta_.last_page - number + 1) {
      return Damaged(number, "there is no such page up to " + std::to_string(meta_.last_page));
    }
    for (Word page = number; page < number + pages; ++page) {
      if (used_[page]) return Damaged(page, "it is used twice");
      used_[page] = true;
    }
    return Status::Ok();
  }

  Status ReadPages(Word number, Word pages, std::string* bytes) {
    const size_t size = pages * page_size_;
    const uint64_t place = uint64_t{number} * page_size_;
    if (place + size > size_) return CutShort(place + size);
    bytes->resize(size);
    RIVULET_ASSIGN_OR_RETURN(const size_t got, file_->Read(place, size, bytes->data()));
    if (got < size) return CutShort(place + size);
    if (At<Word>(*bytes, 0) != number) return Damaged(number, "it is another page");
    if (++pages_ % kPagesPerSign == 0 && check_.progress) check_.progress();
    return Status::Ok();
  }

  // `low`, `high`: what all keys below must be at least, and less than; null: nothing.
  Status Page(Word number, size_t depth, const std::string_view* low,
              const std::string_view* high) {
    RIVULET_RETURN_IF_ERROR(Use(number, 1));
    if (levels_.size() < depth) levels_.resize(depth);
    if (levels_[depth - 1] == nullptr) levels_[depth - 1] = std::make_unique<std::string>();
    std::string* const bytes = levels_[depth - 1].get();
    RIVULET_RETURN_IF_ERROR(ReadPages(number, 1, bytes));
    const uint16_t kind = At<uint16_t>(*bytes, sizeof(Word) + 2) & kKindMask;
    if (kind != (depth == 1 ? kLeaf : kBranch)) return Damaged(number, "it is of another kind");
    const size_t lower = At<uint16_t>(*bytes, sizeof(Word) + 4);
    const size_t upper = At<uint16_t>(*bytes, sizeof(Word) + 6);
    if (lower <= kPageHeader || lower > upper || upper > page_size_ || lower % 2 != 0) {
      return Damaged(number, "its bounds are wrong");
    }
    return depth == 1 ? Leaf(number, *bytes, lower, upper, low, high)
                      : Branch(number, *bytes, lower, upper, depth, low, high);
  }

  // Reads the node of a page at `place`; adds the bytes it takes to `*total`.
  bool ReadNode(std::string_view page, size_t place, size_t upper, bool leaf, Node* node,
                size_t* total) const {
    if (place < upper || place % 2 != 0 || place + kNodeHeader > page.size()) return false;
    const size_t low = At<uint16_t>(page, place), high = At<uint16_t>(page, place + 2);
    const uint16_t flags = At<uint16_t>(page, place + 4);
    const size_t key = At<uint16_t>(page, place + 6);
    const size_t room = page.size() - place - kNodeHeader;
    if (key > room) return false;
    node->key = page.substr(place + kNodeHeader, key);
    size_t value = 0;
    if (leaf) {
      if ((flags & ~kBigValue) != 0) return false;
      node->is_big = (flags & kBigValue) != 0;
      node->big = low | high << 16;
      value = node->is_big ? sizeof(Word) : node->big;
      if (value > room - key) return false;
      node->value = page.substr(place + kNodeHeader + key, value);
      if (node->is_big) node->page = At<Word>(node->value, 0);
    } else {
      node->page = static_cast<Word>(low | high << 16);
      if constexpr (sizeof(Word) > 4) node->page |= static_cast<Word>(flags) << 32;
    }
    const size_t size = kNodeHeader + key + value;
    *total += size + size % 2;
    return true;
  }

  bool Less(std::string_view a, std::string_view b) const {
    if (!free_pages_) return a < b;
    return At<Word>(a, 0) < At<Word>(b, 0);
  }
  bool IsKey(std::string_view key) const {
    return free_pages_ ? key.size() == sizeof(Word) : !key.empty();
  }

  Status Leaf(Word number, std::string_view page, size_t lower, size_t upper,
              const std::string_view* low, const std::string_view* high) {
    ++counted_.leaf_pages;
    size_t total = 0;
    for (size_t at = kPageHeader; at < lower; at += 2) {
      Node node;
      if (!ReadNode(page, At<uint16_t>(page, at), upper, true, &node, &total) || !IsKey(node.key)) {
        return Damaged(number, "a row lies outside of it");
      }
      const bool ordered = (!any_key_ || Less(last_key_, node.key)) &&
                           (low == nullptr || !Less(node.key, *low)) &&
                           (high == nullptr || Less(node.key, *high));
      if (!ordered) return Damaged(number, "its keys are out of order");
      last_key_.assign(node.key);
      any_key_ = true;
      ++counted_.entries;
      if (node.is_big) RIVULET_RETURN_IF_ERROR(BigValue(&node));
      RIVULET_RETURN_IF_ERROR(Row(number, node));
    }
    return total == page_size_ - upper ? Status::Ok()
                                       : Damaged(number, "its rows do not fill it");
  }

  Status BigValue(Node* node) {
    const Word pages = (kPageHeader - 1 + node->big) / page_size_ + 1;
    RIVULET_RETURN_IF_ERROR(Use(node->page, pages));
    RIVULET_RETURN_IF_ERROR(ReadPages(node->page, pages, &big_));
    const bool right = (At<uint16_t>(big_, sizeof(Word) + 2) & kKindMask) == kOverflow &&
                       At<uint32_t>(big_, sizeof(Word) + 4) == pages;
    if (!right) return Damaged(node->page, "it is not the beginning of a large value");
    counted_.overflow_pages += pages;
    node->value = std::string_view(big_).substr(kPageHeader, node->big);
    return Status::Ok();
  }

  Status Row(Word number, const Node& node) {
    if (free_pages_) return FreePages(number, node.value);
    if (!check_.row || check_.row(node.key, node.value)) return Status::Ok();
    return Damaged(number, "the checksum of a row is wrong");
  }

  Status FreePages(Word number, std::string_view list) {
    const size_t room = list.size() / sizeof(Word);
    const size_t count = room == 0 ? 0 : At<Word>(list, 0);
    if (room == 0 || count > room - 1) return Damaged(number, "a list of free pages is too long");
    for (size_t i = 1; i <= count; ++i) {
      RIVULET_RETURN_IF_ERROR(Use(At<Word>(list, i * sizeof(Word)), 1));
    }
    return Status::Ok();
  }

  Status Branch(Word number, std::string_view page, size_t lower, size_t upper, size_t depth,
                const std::string_view* low, const std::string_view* high) {
    ++counted_.branch_pages;
    size_t total = 0;
    std::vector<Node> nodes((lower - kPageHeader) / 2);
    for (size_t i = 0; i < nodes.size(); ++i) {
      const size_t place = At<uint16_t>(page, kPageHeader + 2 * i);
      if (!ReadNode(page, place, upper, false, &nodes[i], &total) ||
          (i > 0 && !IsKey(nodes[i].key))) {
        return Damaged(number, "an entry lies outside of it");
      }
    }
    if (total != page_size_ - upper) return Damaged(number, "its entries do not fill it");
    for (size_t i = 0; i < nodes.size(); ++i) {
      // The first key stands for whatever is less than the second.
      const std::string_view* const from = i == 0 ? low : &nodes[i].key;
      const std::string_view* const to = i + 1 < nodes.size() ? &nodes[i + 1].key : high;
      if (from != nullptr && to != nullptr && !Less(*from, *to)) {
        return Damaged(number, "its keys are out of order");
      }
      RIVULET_RETURN_IF_ERROR(Page(nodes[i].page, depth - 1, from, to));
    }
    return Status::Ok();
  }

  FileSystem* const files_;
  const std::string path_;
  const PageCheck& check_;
  std::unique_ptr<ReadFile> file_;
  uint64_t size_ = 0;
  size_t page_size_ = 0;
  Meta meta_{};
  std::vector<bool> used_;
  std::vector<std::unique_ptr<std::string>> levels_;  // the pages on the way down; a leaf is the first
  std::string big_;
  Database counted_{};
  bool free_pages_ = false;  // of which database the rows are
  std::string last_key_;
  bool any_key_ = false;
  uint64_t pages_ = 0;
};

}  // namespace

Status CheckLmdbPages(FileSystem* files, const std::string& path, const PageCheck& check) {
  return PageWalk(files, path, check).Run();
}

}  // namespace rivulet
