// Random expressions over random batches: one record at a time, a random selection and the whole
// batch must give the same bits and the same errors, whichever kernels run.
#include <doctest/doctest.h>

#include <cctype>
#include <limits>
#include <map>

#include "base/random.h"
#include "tests/operators/expr_testing.h"

namespace rivulet::expr {
namespace {

constexpr uint32_t kColumns = 7;
const char* const kNames[kColumns] = {"i", "j", "f", "g", "s", "b", "m"};
constexpr TypeMask kDeclared[kColumns] = {kAnyType, kAnyType, kAnyType, kAnyType,
                                          kAnyType, kAnyType, kAnyType};

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  Random& random() { return random_; }

  std::string Number(int depth) {
    if (depth <= 0 || random_.Chance(0.2)) {
      return Pick({"i", "j", "f", "g", "m", "1", "2.5", "-3", "0", "9223372036854775807", "null"});
    }
    switch (random_.Below(9)) {
      case 0:
      case 1:
      case 2:
        return "(" + Number(depth - 1) + Pick({" + ", " - ", " * ", " / ", " div ", " % ", " ^ "}) +
               Number(depth - 1) + ")";
      case 3: return "(-" + Number(depth - 1) + ")";
      case 4: return Pick({"abs(", "floor(", "sqrt(", "round(", "sign("}) + Number(depth - 1) + ")";
      case 5:
        return Pick({"least(", "greatest("}) + Number(depth - 1) + ", " + Number(depth - 1) + ")";
      case 6: return "length(" + Text(depth - 1) + ")";
      case 7: return "coalesce(" + Number(depth - 1) + ", " + Number(depth - 1) + ")";
      default:
        return "case when " + Bool(depth - 1) + " then " + Number(depth - 1) + " else " +
               Number(depth - 1) + " end";
    }
  }

  std::string Text(int depth) {
    if (depth <= 0 || random_.Chance(0.3)) return Pick({"s", "m", "'a'", "'beta'", "''", "null"});
    switch (random_.Below(5)) {
      case 0: return "(" + Text(depth - 1) + " || " + Any(depth - 1) + ")";
      case 1: return Pick({"upper(", "trim(", "reverse("}) + Text(depth - 1) + ")";
      case 2: return "substr(" + Text(depth - 1) + ", 2, 3)";
      case 3: return "to_string(" + Any(depth - 1) + ")";
      default:
        return "case " + Any(depth - 1) + " when " + Any(depth - 1) + " then " + Text(depth - 1) +
               " end";
    }
  }

  std::string Bool(int depth) {
    if (depth <= 0 || random_.Chance(0.1)) return Pick({"b", "b", "m", "true", "false", "null"});
    switch (random_.Below(10)) {
      case 0:
      case 1:
        return "(" + Number(depth - 1) + Compare() + Number(depth - 1) + ")";
      case 2: return "(" + Text(depth - 1) + Compare() + Text(depth - 1) + ")";
      case 3: return "(" + Any(depth - 1) + Compare() + Any(depth - 1) + ")";
      case 4:
      case 5:
        return "(" + Bool(depth - 1) + Pick({" and ", " or "}) + Bool(depth - 1) +
               Pick({" and ", " or "}) + Bool(depth - 1) + ")";
      case 6: return "(not " + Bool(depth - 1) + ")";
      case 7:
        return "(" + Number(depth - 1) + Pick({" in (", " not in ("}) + Number(depth - 1) + ", " +
               Number(depth - 1) + "))";
      case 8:
        return "(" + Number(depth - 1) + Pick({" between ", " not between "}) + Number(depth - 1) +
               " and " + Number(depth - 1) + ")";
      default: return "(" + Any(depth - 1) + Pick({" is null", " is not null"}) + ")";
    }
  }

  std::string Any(int depth) {
    switch (random_.Below(3)) {
      case 0: return Number(depth);
      case 1: return Text(depth);
      default: return Bool(depth);
    }
  }

  Value RandomValue(Type type) {
    static const int64_t kInts[] = {0,  1, -1, 2, 7, 100, int64_t{1} << 53, (int64_t{1} << 53) + 1,
                                    std::numeric_limits<int64_t>::max(),
                                    std::numeric_limits<int64_t>::min()};
    static const double kFloats[] = {0.0, -0.0, 1, 2.5, -3, 1e300, 0x1p53, 0x1p63,
                                     std::numeric_limits<double>::infinity(),
                                     std::numeric_limits<double>::quiet_NaN()};
    static const char* const kTexts[] = {"", "a", "beta", "gr\xc3\xbc\xc3\x9f", "A b"};
    switch (type) {
      case Type::kNull: return Value::Null();
      case Type::kBool: return Value::Bool(random_.Chance(0.5));
      case Type::kInt: return Value::Int(kInts[random_.Below(10)]);
      case Type::kFloat: return Value::Float(kFloats[random_.Below(10)]);
      case Type::kString: return Value::String(kTexts[random_.Below(5)]);
    }
    return Value::Null();
  }

  void Fill(RecordBatch* batch, uint32_t rows) {
    static const Type kTypes[] = {Type::kInt,   Type::kInt,    Type::kFloat,
                                  Type::kFloat, Type::kString, Type::kBool};
    batch->Reset(kColumns, rows + 3);
    batch->rows = rows;
    for (uint32_t c = 0; c < kColumns; ++c) {
      const double nulls = random_.Chance(0.3) ? 0 : 0.2;
      // `m` may hold anything, and now and then another column does not keep its type.
      const bool mixed = c + 1 == kColumns || random_.Chance(0.1);
      for (uint32_t r = 0; r < rows; ++r) {
        const Type type = mixed ? static_cast<Type>(1 + random_.Below(4)) : kTypes[c];
        // A null over an old value leaves the old bits in the cell.
        batch->columns[c].Set(r, RandomValue(type));
        if (random_.Chance(nulls)) batch->columns[c].SetNull(r);
      }
    }
  }

 private:
  std::string Compare() { return Pick({" = ", " != ", " < ", " <= ", " > ", " >= "}); }
  std::string Pick(std::initializer_list<const char*> choices) {
    return choices.begin()[random_.Below(choices.size())];
  }

  Random random_;
};

using Outcome = std::pair<std::string, std::string>;  // value as bits, error

std::string Bits(const Column& column, uint32_t row) {
  std::string text = Show(column.Get(row));
  if (column.type(row) == Type::kFloat && column.Float(row) == 0) {
    text += std::to_string(column.cells()[row].bits);  // -0 is not 0
  }
  return text;
}

// Outcomes of the selected rows, keyed by row.
std::map<uint32_t, Outcome> Run(const Program& program, const RecordBatch& batch,
                                Selection selection, EvalContext* context) {
  Column out;
  std::vector<RowError> errors;
  program.Evaluate(batch, selection, context, &out, &errors);
  std::map<uint32_t, Outcome> outcomes;
  for (uint32_t k = 0; k < selection.count; ++k) {
    const uint32_t row = selection[k];
    outcomes[row].first = Bits(out, row);
    CHECK((out.is_null(row) || (out.seen() & MaskOf(out.type(row))) != 0));
  }
  for (size_t e = 0; e < errors.size(); ++e) {
    if (e > 0) CHECK(errors[e - 1].row < errors[e].row);
    REQUIRE(outcomes.count(errors[e].row) == 1);
    CHECK(out.is_null(errors[e].row));
    outcomes[errors[e].row].second = errors[e].detail;
  }
  for (const auto& [row, outcome] : outcomes) {
    if (outcome.second.empty()) CHECK((program.type() & MaskOf(out.type(row))) != 0);
  }
  return outcomes;
}

void CopyRow(const RecordBatch& from, uint32_t row, RecordBatch* to, bool widen) {
  to->Reset(kColumns, 1);
  to->rows = 1;
  for (uint32_t c = 0; c < kColumns; ++c) {
    to->columns[c].Set(0, from.columns[c].Get(row));
    // With a wider `seen` the kernels for mixed columns run.
    if (widen) to->columns[c].MarkSeen(kAnyType);
  }
}

void CheckProgram(const std::string& text, const Program& program, Generator* generator,
                  EvalContext* context) {
  INFO(text);
  RecordBatch batch, single;
  const auto rows = static_cast<uint32_t>(1 + generator->random().Below(24));
  generator->Fill(&batch, rows);
  const auto whole = Run(program, batch, Selection::All(rows), context);
  std::vector<uint32_t> some;
  for (uint32_t r = 0; r < rows; ++r) {
    if (generator->random().Chance(0.5)) some.push_back(r);
  }
  const auto selected =
      Run(program, batch, Selection{some.data(), static_cast<uint32_t>(some.size())}, context);
  for (const auto& [row, outcome] : selected) {
    CHECK(outcome.first == whole.at(row).first);
    CHECK(outcome.second == whole.at(row).second);
  }
  for (uint32_t r = 0; r < rows; ++r) {
    CopyRow(batch, r, &single, generator->random().Chance(0.5));
    const Outcome alone = Run(program, single, Selection::All(1), context).at(0);
    CHECK(alone.first == whole.at(r).first);
    CHECK(alone.second == whole.at(r).second);
  }
}

}  // namespace

TEST_CASE("expr: a record's result depends on no other record") {
  Generator generator(20240501);
  EvalContext context;
  int compiled = 0, refused = 0;
  for (int n = 0; n < 3000; ++n) {
    const std::string text = generator.Any(static_cast<int>(1 + generator.random().Below(4)));
    Scope scope;
    for (uint32_t c = 0; c < kColumns; ++c) scope.Define(kNames[c], kDeclared[c]);
    Diagnostic diagnostic;
    const Result<Program> program = Program::Compile(text, &scope, &diagnostic);
    if (!program.ok()) {
      INFO(text);
      CHECK(diagnostic.code == ErrorCode::kWrongArgumentType);  // all else would be our mistake
      ++refused;
      continue;
    }
    ++compiled;
    CheckProgram(text, *program, &generator, &context);
    // The canonical text is the same program.
    const Result<Program> again = Program::Compile(program->canonical(), &scope, &diagnostic);
    REQUIRE(again.ok());
    CHECK(again->canonical() == program->canonical());
  }
  CHECK(compiled > 1500);
  CHECK(refused > 0);
}

TEST_CASE("expr: folding changes no result") {
  Generator generator(77);
  EvalContext context;
  for (int n = 0; n < 2000; ++n) {
    // The same expression with its constants in the text, and in fields.
    const int64_t i = generator.RandomValue(Type::kInt).i;
    const std::string text = generator.Number(3);
    auto replace = [&](const std::string& with) {
      std::string result;
      for (size_t at = 0; at < text.size(); ++at) {
        const bool field = text[at] == 'i' && (at == 0 || !std::isalpha(text[at - 1])) &&
                           (at + 1 == text.size() || !std::isalpha(text[at + 1]));
        result += field ? with : std::string(1, text[at]);
      }
      return result;
    };
    const std::string folded = Eval(replace("(" + std::to_string(i) + ")"));
    if (folded.starts_with("E2005")) continue;
    INFO(text);
    CHECK(Eval(text, {{"i", Value::Int(i)}}) == folded);
  }
}

}  // namespace rivulet::expr
