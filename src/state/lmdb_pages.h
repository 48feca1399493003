// Checks the pages of an LMDB file before LMDB is let near them: LMDB trusts every page, so that a flipped
// bit in one ends in a row that is not found, or in a read outside the file (SIGSEGV, SIGBUS), and a file
// that was cut short in SIGBUS.
//
// Reads the file whole, from the newest meta page on, as LMDB 0.9 lays it out (data version 1, the page
// and word size of this machine):
//
//   page   := number        word      its own; pages 0 and 1 are meta pages
//             pad           2 bytes
//             flags         2 bytes   branch 1, leaf 2, overflow 4, meta 8
//             lower, upper  2 bytes each: the places (2 bytes each, in key order) end at lower, the
//                           nodes begin at upper and fill the page from there without a gap; of the
//                           first overflow page: 4 bytes, how many pages there are in a row
//   node   := low, high     2 bytes each; leaf: size of the value; branch: the child's number
//             flags         2 bytes; leaf: 1, the value lies in overflow pages; branch: high part of
//                           the child's number
//             key size      2 bytes
//             key, value    a value in overflow pages is their first page's number
//             [0]           to an even size
//   meta   := page header, magic 4 bytes, version 4 bytes, address word, map size word, two databases
//             (free pages, rows), last page word, transaction word
//   database := pad 4 bytes (of the first: the page size), flags 2 bytes, depth 2 bytes, then a word
//             each: branch pages, leaf pages, overflow pages, entries, root
//
// The rows of the free pages' database are lists: how many, then page numbers, a word each.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "state/file.h"

namespace rivulet {

struct PageCheck {
  // Whether a row may stand as it does; called in the order of keys. May be null.
  std::function<bool(std::string_view key, std::string_view stored)> row;
  std::function<void()> progress;  // called now and then; may be null
};

// ok when every page that the newest commit holds is there and sound: its place, form, order and counts,
// and none used twice. Errors: kCorrupt, with the place; kFormatVersion; kIo.
Status CheckLmdbPages(FileSystem* files, const std::string& path, const PageCheck& check);

}  // namespace rivulet
