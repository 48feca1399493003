// The JSON Schemas offer exactly the settings that the readers take.
#include <nlohmann/json.hpp>
#include <set>

#include "node/config/settings.h"
#include "tests/node/config_test_util.h"

namespace rivulet {
namespace {

using Names = std::set<std::string>;

Names Keys(const nlohmann::json& object) {
  Names keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

void CheckSchema(const char* file, std::span<const SettingGroup* const> groups) {
  CAPTURE(file);
  const nlohmann::json schema =
      nlohmann::json::parse(config_test::FileText(config_test::ConfigFolder() / file));
  Names ids;
  for (const SettingGroup* group : groups) {
    CAPTURE(group->id);
    CHECK(ids.insert(std::string(group->id)).second);
    const bool root = group->id == "root";
    REQUIRE((root || schema["definitions"].contains(std::string(group->id))));
    const nlohmann::json& map = root ? schema : schema["definitions"][std::string(group->id)];
    CHECK(Keys(map["properties"]) == Names(group->names.begin(), group->names.end()));
    CHECK(map["additionalProperties"] == false);
  }
  for (const auto& [name, definition] : schema["definitions"].items()) {
    CAPTURE(name);
    if (definition.contains("properties")) CHECK(ids.count(name) == 1);
  }
}

TEST_CASE("the pipeline schema has the reader's settings, no more and no less") {
  CheckSchema("pipeline.schema.json", settings::kPipelineGroups);
}

TEST_CASE("the node schema has the reader's settings, no more and no less") {
  CheckSchema("node.schema.json", settings::kNodeGroups);
}

}  // namespace
}  // namespace rivulet
