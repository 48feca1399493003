// TablePlan: a reference table as its pipeline uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "node/config/spec.h"
#include "operators/lookup/lookup_join.h"
#include "operators/lookup/table_row.h"

namespace rivulet {

struct SourcePlan;

struct TablePlan {
  TableSpec::Kind kind = TableSpec::Kind::kCsv;
  std::string name;
  // Columns that are read: of files, those that are used; of topics, all. They are numbered alike in
  // `layout`, `fields` and, of topics, in `source`.
  TableLayout layout;
  std::vector<DecodedField> fields;    // with declared types
  std::vector<SourceMark> marks;       // where each was first asked for
  uint64_t rows = 0;                   // at most

  // Files.
  std::string file;                    // the pipeline's, for messages
  SourceMark mark;                     // of the path, in it
  std::string path;
  char delimiter = ',';
  std::string sqlite_table;

  // Topics.
  std::shared_ptr<SourcePlan> source;  // how messages become rows
  int64_t keep_us = LookupJoin::kKeepAll;

  bool of_topic() const { return kind == TableSpec::Kind::kMqtt; }
  bool versioned() const { return layout.valid_from.has_value(); }
  // Where `name` is among the columns; columns() when it is not.
  uint32_t Find(const std::string& name) const;
  // "csv /etc/vehicles.csv": where its rows come from, for people.
  std::string Origin() const;
  uint32_t columns() const { return static_cast<uint32_t>(layout.columns.size()); }
};

}  // namespace rivulet
