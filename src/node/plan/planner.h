// Planner: the walk over a pipeline's steps that compiles it. Private to the plan folder.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/config/faults.h"
#include "node/plan/pipeline_plan.h"
#include "operators/expr/element_calls.h"
#include "operators/expr/event_time_call.h"
#include "operators/expr/history_calls.h"

namespace rivulet {

// Whether any name can be a payload field: not where the fields are known in full.
bool IsOpenSource(const SourceSpec& source, const PlanOptions& options);

class Planner : private expr::HistoryCalls, private expr::ElementCalls, private expr::EventTimeCalls {
 public:
  Planner(const PipelineSpec& spec, const PlanOptions& options, ConfigErrors* errors);
  std::unique_ptr<PipelinePlan> Run();

 private:
  void PlanTopics();
  void PlanFields();
  void PlanTime();
  // plan_time.cc
  void PlanTimeValue(const TimeSpec& time);
  bool PlanTimeField(const MarkedText& name, expr::StaticType* type);
  bool PlanComputedTime(const MarkedText& text, expr::StaticType* type);
  void PlanTimeText(const TimeSpec& time, expr::StaticType type);
  static void PlanValueRules(const SourceSpec& spec, SourcePlan* source);
  // plan_event_time.cc
  bool TakeEventTime(const expr::EventTimeCall& call, expr::Field* field,
                     expr::Diagnostic* diagnostic) override;
  uint32_t EventTimeColumnOf(int64_t unit_us);
  bool IsEventTimeColumn(uint32_t column) const;
  bool FindSideTime(const expr::EventTimeCall& call, expr::Field* field,
                    expr::Diagnostic* diagnostic) const;
  // Such a call in place of a field's name; then there is a fault.
  bool RefuseEventTime(const MarkedText& name);
  // plan_sources.cc
  bool several() const { return !spec_.source.name.text.empty(); }
  void PlanSources();
  void PlanSourceSteps(size_t index);
  void CheckOwnFields(const SourcePlan& source, const MarkedText& text, const expr::Program& program);
  bool OwnsColumn(const SourcePlan& source, uint32_t column) const;
  void MeetSources();
  // plan_join.cc
  void PlanStreamJoin(const StreamJoinStep& step);
  std::optional<uint8_t> FindSide(const MarkedText& name);
  bool PlanSides(const StreamJoinStep& step);
  void PlanJoinKey(const StreamJoinStep& step);
  bool SourceHas(uint8_t source, const std::string& name);
  bool TakeSideField(const MarkedText& where, const std::string& name, int64_t unit_us = 0);
  void FindSideFields(const StreamJoinStep& join);
  void PlanJoinSelect(const SelectStep& step);
  void MeetField(const std::string& name);
  expr::StaticType CommonType(const std::string& name);
  void FinishSources();
  // A field of the source being planned; another may have it already.
  uint32_t DefineField(const std::string& name, expr::StaticType type);
  static std::vector<std::string> OwnNames(const SourcePlan& source);
  static const DecodedField* FindPayload(const SourcePlan& source, const std::string& name);
  static bool HasField(const SourcePlan& source, const std::string& name);
  const SourceSpec& spec_of(size_t i) const { return i == 0 ? spec_.source : spec_.others[i - 1]; }
  // plan_upstream.cc
  // Lines of a replay that say where or when they come from are objects, whatever the payloads are.
  void ReadObjects();
  void PlanUpstream();
  void PlanResultTime();
  // planner_tables.cc
  void PlanTables();
  void PlanMessageTable(const TableSpec& spec, TablePlan* table);
  void PlanTableJoin(const TableJoinStep& step);
  std::vector<LookupJoin::Key> PlanJoinKey(const TableJoinStep& step, const TablePlan& table);
  std::optional<uint32_t> JoinedColumn(const MarkedText& column, const MarkedText& expression);
  bool TakeColumn(const MarkedText& name, const MarkedText& column, TablePlan* table, LookupJoin* join);
  void PlanStep(const Step& step);
  void PlanExplode(const ExplodeStep& step, SourceMark mark);
  void PlanSet(const SetStep& step);
  void PlanWhere(const WhereStep& step);
  void PlanKey(const KeyStep& step, SourceMark mark);
  void PlanPerKeyTime(const WindowStep& step);
  void PlanSelect(const SelectStep& step);
  void PlanDetect(const DetectStep& step);
  std::optional<DetectInput> PlanDetectInput(const MarkedText& text, TypeMask accepts);
  void PlanDedup(const DedupStep& step);
  void PlanWindow(const WindowStep& step);
  bool CheckWindow(const WindowStep& step);
  // plan_window.cc
  bool PlanUntimed(const WindowStep& step);
  void PlanWindowExtras(const WindowStep& step);
  void PlanGap(const WindowStep& step);
  void PlanZone(const WindowStep& step);
  void PlanEmit(const WindowStep& step);
  void PlanFill(const WindowStep& step);
  // plan_aggregates.cc
  void PlanAggregates(const WindowStep& step);
  // One output of `aggregate`: an output of the window, or, with *program filled, an expression over some.
  bool CompileOutput(const std::string& name, const std::string& text, expr::Scope* results,
                     std::optional<expr::Program>* program, expr::Diagnostic* diagnostic);
  bool AddAggregate(const std::string& name, const expr::AggregateCall& call, expr::Scope* results,
                    expr::Diagnostic* diagnostic);
  bool TakeAggregate(expr::AggregateCall call, expr::Scope* results, std::string* field,
                     expr::Diagnostic* diagnostic);
  void PlanOutput(const std::string& name, std::optional<expr::Program> program, expr::Scope* results);
  void PlanArgument(const expr::Program& program);
  // plan_pattern.cc
  void PlanPattern(const PatternStep& step);
  bool CheckPatternPlace(const PatternStep& step);
  void CheckSequence(const PatternStep& step);
  void PlanElement(const PatternElementSetting& setting, size_t index);
  void PlanElementCondition(const PatternElementSetting& setting, size_t index);
  void PlanPatternValues();
  void PlanPatternFields(const PatternStep& step);
  uint32_t PatternValue(const expr::Program& program, TypeMask accepts);
  // `outputs`: what results have besides key and window.
  struct ResultOutput {
    std::string name;
    expr::StaticType type;
    bool json = false;  // a list: an array in the result
  };
  void BuildResultScope(const std::vector<ResultOutput>& outputs);
  void EnterResults(expr::Scope results);
  // With what every result has.
  expr::Scope ResultScope();
  void FinishRecords();
  void FinishDetects(const std::vector<uint32_t>& arguments);
  void Finish();
  void PlanSinks(const std::vector<SinkSpec>& sinks, bool results);

  std::string Take(expr::HistoryCall call) override;
  bool IsElement(std::string_view name) const override;
  bool IsAggregate(std::string_view name) const override;
  bool OverRecords() const override { return over_records_; }
  expr::Scope* Records() override { return &scope_; }
  bool TakeElement(const std::string& element, expr::AggregateCall call, size_t offset,
                   expr::Scope* scope, std::string* field, expr::Diagnostic* diagnostic) override;
  // Whether the argument can be computed where the open history step stands.
  bool KnownAtHistory(const expr::Program& argument) const;
  // What comes to a later step are other records: histories there are others.
  void EndHistory() { history_ = kNoStep; }

  // Where set and where go now.
  StepChain& Chain();
  // plan_hyphens.cc
  // A name such as temp-C without its back quotes; where in its text.
  struct Hyphenated {
    size_t offset;
    std::string name;
    std::vector<std::string> parts;    // names, and behind the first numbers too
    std::vector<std::string> unknown;  // those that are no field yet
    bool likely = true;                // false: as temp-1 it may well be arithmetic
  };
  // For use before the text is compiled, as that makes fields of its names. `also`: has further fields.
  std::vector<Hyphenated> FindHyphenated(const std::string& text, const expr::Scope* also = nullptr) const;
  // For use behind it.
  void NoteHyphenated(const MarkedText& text, const std::vector<Hyphenated>& names);
  void HintAtBackQuotes(const std::vector<Hyphenated>& names, expr::Diagnostic* diagnostic) const;
  // Whether the name is a field for another reason than back quotes that were forgotten, perhaps or likely.
  bool IsField(const std::string& name, bool likely) const;
  // The field of the records that `name` is, where it may be one of a pattern's elements: `brake.speed`.
  std::string OfRecords(const std::string& name) const;
  void LookOutFor(const MarkedText& text, const Hyphenated& name);
  // Lets the sources look out for them; those that no record can have are dropped.
  void FinishUnquoted();
  bool FinishUnquoted(UnquotedName* name);

  // False, and a fault, where a step that remembers something of each key cannot stand.
  bool CheckKeyedPlace(SourceMark mark, const std::string& name);
  // What is remembered under this name belongs to the pipeline's keys.
  std::string KeyedSignature(const std::string& name) const;

  std::optional<expr::Program> Compile(const MarkedText& text);
  // For 'where'.
  std::optional<expr::Program> CompileCondition(const MarkedText& text);
  // Notes the payload fields that compiling has found in an open scope.
  void TakeNewFields();
  void Fault(const MarkedText& where, ErrorCode code, std::string message);
  bool CheckNewName(const MarkedText& name);
  bool IsList(const expr::Program& program) const;

  const PipelineSpec& spec_;
  const PlanOptions& options_;
  ConfigErrors* errors_;
  Faults faults_;
  std::unique_ptr<PipelinePlan> plan_;
  expr::Scope scope_;         // of the records, then of the results
  size_t known_fields_ = 0;   // fields of scope_ already accounted for
  // Columns that may be fields only because back quotes were forgotten, and whether that is likely.
  std::map<uint32_t, bool> doubtful_;
  // Of several sources: the one being planned, and what is common to them.
  const SourceSpec* source_spec_;
  SourcePlan* source_;
  std::optional<uint8_t> own_source_;  // while what only its records go through is planned
  struct CommonField {
    std::string name;
    uint32_t column;
    expr::StaticType type;
  };
  std::vector<CommonField> read_fields_;    // everything that is read, of any source
  // Of a join: what of either side its results are made of.
  struct SideField {
    std::string name;
    uint32_t column;
    expr::StaticType type;
  };
  std::vector<SideField> left_fields_, right_fields_;
  bool awaits_select_ = false;              // a join has no 'select' yet
  std::vector<std::vector<CommonField>> set_fields_;  // by source: what it sets
  bool after_window_ = false;
  bool keyed_ = false;
  int64_t keep_us_ = 0;
  static constexpr size_t kNoStep = static_cast<size_t>(-1);
  // While a pattern is planned.
  struct ElementField {
    uint32_t column;            // in the scope of the expression it is in
    PatternCapture capture;
  };
  size_t element_ = 0;          // whose condition is compiled; their number: none's
  std::vector<ElementField> element_fields_;
  // While `aggregate` is planned: the outputs of the window, as columns of the results; whether calls in an
  // expression are aggregates over the window's records, and the condition behind it.
  std::vector<ResultEncoder::Field> aggregate_columns_;
  bool over_records_ = false;
  std::vector<expr::Program> aggregate_filter_;  // one, or none
  size_t history_ = kNoStep;  // of keyed.steps: the history step that can take further calls
};

}  // namespace rivulet
