// Takes settings out of one map of a YAML tree, reporting every fault with its place: a name that
// does not exist, a value of the wrong type or out of range.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/types.h"
#include "node/config/faults.h"
#include "node/config/settings.h"
#include "node/config/yaml_tree.h"

namespace rivulet {

// One value with the words that messages use for it: "'delay' in 'time'".
struct Setting {
  const YamlNode* node = nullptr;
  std::string label;
  SourceMark name_mark;  // of its name, for what concerns the setting as a whole

  // Of its value; of its name when nothing was written behind it.
  SourceMark mark() const {
    return node->is_null() && node->scalar.text.empty() ? name_mark : node->mark();
  }
};

// Each Take function leaves `*out` alone and returns false when the value cannot be taken; the
// fault has then been reported. `expected` is what the message says should have been there.
bool TakeText(const Setting& setting, std::string_view expected, MarkedText* out, Faults* faults);
bool TakeBool(const Setting& setting, bool* out, Faults* faults);
bool TakeInt(const Setting& setting, int64_t min, int64_t max, int64_t* out, Faults* faults);
bool TakeDuration(const Setting& setting, Duration min, Duration max, Duration* out,
                  Faults* faults);
bool TakeSize(const Setting& setting, uint64_t min, uint64_t max, uint64_t* out, Faults* faults);
// The index of the word in `words`.
bool TakeWord(const Setting& setting, std::initializer_list<std::string_view> words, size_t* out,
              Faults* faults);
// Calls `take` for each item of a list, or once for anything that is not a list. An empty list and
// an empty value are faults.
void TakeOneOrMore(const Setting& setting, std::string_view expected,
                   const std::function<void(const Setting&)>& take, Faults* faults);

// The settings of one map.
class SettingReader {
 public:
  // Reports names that `group` does not have. A null node (`mqtt:` with nothing behind it) is an
  // empty map; anything else that is no map is reported and then treated as empty.
  SettingReader(const YamlNode& node, const SettingGroup& group, Faults* faults);

  // False when the node was something else than a map.
  bool usable() const { return usable_; }
  bool empty() const { return node_.entries.empty(); }
  SourceMark mark() const { return node_.mark(); }
  const SettingGroup& group() const { return group_; }

  std::optional<Setting> Find(std::string_view name) const;
  // Reports kMissingSetting when absent.
  std::optional<Setting> Require(std::string_view name, std::string_view expected) const;
  void Missing(std::string_view name, std::string_view expected) const;

  // The Take functions by name; false also when the setting is absent.
  bool Text(std::string_view name, std::string_view expected, MarkedText* out) const;
  bool Bool(std::string_view name, bool* out) const;
  template <typename T>
  bool Int(std::string_view name, int64_t min, int64_t max, T* out) const {
    const std::optional<Setting> setting = Find(name);
    int64_t value = 0;
    if (!setting || !TakeInt(*setting, min, max, &value, faults_)) return false;
    *out = static_cast<T>(value);
    return true;
  }
  bool DurationOf(std::string_view name, Duration min, Duration max, Duration* out) const;
  bool Size(std::string_view name, uint64_t min, uint64_t max, uint64_t* out) const;
  // Chooses from `choices` by word.
  template <typename T>
  bool Choice(std::string_view name, std::initializer_list<std::string_view> words,
              std::initializer_list<T> values, T* out) const {
    const std::optional<Setting> setting = Find(name);
    size_t index = 0;
    if (!setting || !TakeWord(*setting, words, &index, faults_)) return false;
    *out = values.begin()[index];
    return true;
  }

  Faults* faults() const { return faults_; }

 private:
  const YamlNode& node_;
  const SettingGroup& group_;
  Faults* faults_;
  bool usable_ = true;
};

// Of `kinds`, each with a setting by its `name`, the one that is given. Null, and reported, when none or more
// than one is; `several` and `expected` say what was expected then.
template <typename Kinds>
auto FindOnlyKind(const SettingReader& reader, const Kinds& kinds, std::string_view several,
                  std::string_view expected) -> decltype(std::begin(kinds)) {
  decltype(std::begin(kinds)) found = nullptr;
  for (const auto& kind : kinds) {
    const std::optional<Setting> setting = reader.Find(kind.name);
    if (!setting) continue;
    if (found != nullptr) {
      reader.faults()->Add(setting->name_mark, ErrorCode::kBadSettingValue, std::string(several));
      return nullptr;
    }
    found = &kind;
  }
  if (found == nullptr) reader.Missing(std::begin(kinds)->name, expected);
  return found;
}

// The longest duration taken anywhere: 100 years, so that sums cannot overflow.
inline constexpr Duration kMaxDuration = Duration::Seconds(100ll * 366 * 86'400);
inline constexpr Duration kOneMicro{1};

}  // namespace rivulet
