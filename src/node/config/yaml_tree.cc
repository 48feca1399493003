#include "node/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <map>
#include <sstream>
#include <utility>

#include "node/config/source_text.h"

namespace rivulet {
namespace {

// Leaves the library's parser when a limit is reached; caught in ParseYaml, like its own errors.
[[noreturn]] void Refuse(const YAML::Mark& mark, const std::string& why) {
  throw YAML::ParserException(mark, why);
}

SourceMark ToMark(const YAML::Mark& mark) {
  // The library has errors without a place.
  if (mark.line < 0 || mark.column < 0) return {};
  return {mark.line + 1, mark.column + 1};
}

// Builds the tree from the library's events. Nodes under construction live on a stack whose height
// is the nesting depth.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const SourceText& source, Faults* faults) : source_(source), faults_(faults) {}

  YamlNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      Refuse(mark, "unexpected text behind the end of the document; expected one document a file");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Check(mark, anchor);
    YamlNode node;
    const bool name = !stack_.empty() && stack_.back().node.is_map() && !stack_.back().has_key;
    node.scalar = {source_.NullWordAt(ToMark(mark), name), ToMark(mark)};
    Finish(std::move(node));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "aliases (*name) are not taken here; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Check(mark, anchor);
    CheckTag(mark, tag);
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.quoted = tag == "!";
    node.scalar = {value, source_.TextBegin(ToMark(mark), node.quoted)};
    Finish(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlNode::Kind::kList);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlNode::Kind::kMap);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    YamlNode node;
    bool has_key = false;
    bool duplicate = false;
    MarkedText key;
    std::map<std::string, int, std::less<>> seen;  // keys so far and their lines
  };

  void Check(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) Refuse(mark, "anchors (&name) are not taken here; write the value out");
    if (++values_ > kMaxYamlValues) {
      Refuse(mark, "too many values; at most " + std::to_string(kMaxYamlValues) + " are taken");
    }
  }
  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if ((tag != "?" && tag != "!" && !tag.empty()) || source_.At(ToMark(mark)) == '!') {
      Refuse(mark, "tags (!name) are not taken here; quote text that begins with '!'");
    }
  }
  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind) {
    Check(mark, anchor);
    CheckTag(mark, tag);
    if (stack_.size() >= static_cast<size_t>(kMaxYamlDepth)) {
      Refuse(mark, "nested too deeply; at most " + std::to_string(kMaxYamlDepth) +
                       " levels are taken");
    }
    if (!stack_.empty() && stack_.back().node.is_map() && !stack_.back().has_key) {
      Refuse(mark, "a list or map cannot be the name of a setting; expected plain text");
    }
    stack_.emplace_back();
    stack_.back().node.kind = kind;
    stack_.back().node.scalar.mark = ToMark(mark);
  }
  void Close() {
    YamlNode node = std::move(stack_.back().node);
    stack_.pop_back();
    Finish(std::move(node));
  }
  void Finish(YamlNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.is_list()) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      TakeKey(&frame, std::move(node));
    } else {
      if (!frame.duplicate) frame.node.entries.push_back({std::move(frame.key), std::move(node)});
      frame.has_key = false;
    }
  }
  void TakeKey(Frame* frame, YamlNode node) {
    frame->has_key = true;
    frame->key = std::move(node.scalar);
    if (frame->key.text.empty()) {
      faults_->Add(frame->key.mark, ErrorCode::kYamlSyntax,
                   "a setting has no name; expected 'name: value'");
    }
    const auto [first, is_new] = frame->seen.emplace(frame->key.text, frame->key.mark.line);
    frame->duplicate = !is_new;
    if (!is_new) {
      faults_->Add(frame->key.mark, ErrorCode::kDuplicateSetting,
                   QuoteForMessage(frame->key.text) + " was already given in line " +
                       std::to_string(first->second) + "; remove one of the two");
    }
  }

  const SourceText& source_;
  Faults* faults_;
  int documents_ = 0;
  size_t values_ = 0;
  std::vector<Frame> stack_;
  YamlNode root_;
};

// YAML has no tabs before what a line says, and its parser complains of something else. Reports one in line
// `line` (from 0) or the one before it.
bool FoundTab(std::string_view text, int line, Faults* faults) {
  for (int number = 0; number <= line && !text.empty(); ++number) {
    const std::string_view all = text.substr(0, text.find('\n'));
    const size_t tab = all.substr(0, all.find_first_not_of(" \t")).find('\t');
    text.remove_prefix(std::min(all.size() + 1, text.size()));
    if (number + 1 < line || tab == std::string_view::npos) continue;
    faults->Add({number + 1, static_cast<int>(tab) + 1}, ErrorCode::kYamlSyntax,
                "the line is indented with a tab, which YAML does not take; expected blanks");
    return true;
  }
  return false;
}

}  // namespace

std::string Describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull: return "nothing";
    case YamlNode::Kind::kScalar: return QuoteForMessage(node.scalar.text);
    case YamlNode::Kind::kList: return "a list";
    case YamlNode::Kind::kMap: return "a map";
  }
  return "?";
}

bool ParseYaml(std::string_view text, YamlNode* root, Faults* faults) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  const SourceText source(text);
  if (!source.Check(faults)) return false;
  TreeBuilder builder(source, faults);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    // The second call only finds out whether something stands behind the document.
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& e) {
    if (FoundTab(text, e.mark.line, faults)) return false;
    // The usual cause, which the parser cannot name: [a/{x}/b] for ['a/{x}/b'].
    const bool in_flow = e.msg.find("flow") != std::string::npos;
    faults->Add(ToMark(e.mark), ErrorCode::kYamlSyntax,
                e.msg + (in_flow ? "; inside [ ] and { }, quote text that holds braces, brackets "
                                   "or commas, such as 'a/{x}'"
                                 : ""));
    return false;
  } catch (const std::exception& e) {
    faults->Add({}, ErrorCode::kYamlSyntax, e.what());
    return false;
  }
  *root = builder.TakeRoot();
  if (root->mark().line == 0) root->scalar.mark = {1, 1};
  return true;
}

}  // namespace rivulet
