#include "node/doctor/secrets.h"

#include <filesystem>

#include "node/config/file_paths.h"
#include "node/config/yaml_tree.h"

namespace rivulet {
namespace {

// The value at the end of a way through maps; null when there is none.
const YamlNode* At(const YamlNode& root, std::initializer_list<std::string_view> way) {
  const YamlNode* node = &root;
  for (const std::string_view name : way) {
    const YamlNode* next = nullptr;
    for (const YamlEntry& entry : node->entries) {
      if (entry.key.text == name) next = &entry.value;
    }
    if (next == nullptr) return nullptr;
    node = next;
  }
  return node;
}

}  // namespace

SecretFiles FindSecretFiles(const Host& host, std::string_view yaml, const std::string& node_file,
                            const std::string& credentials) {
  SecretFiles secrets;
  ConfigErrors ignored;
  Faults faults(node_file, &ignored);
  YamlNode root;
  if (!ParseYaml(yaml, &root, &faults)) return secrets;
  for (const YamlNode* node : {At(root, {"mqtt", "password_file"}), At(root, {"http", "token_file"}),
                               At(root, {"mqtt", "tls", "key"})}) {
    if (node == nullptr || !node->is_scalar()) continue;
    const std::string& text = node->scalar.text;
    if (!text.starts_with(kCredentialPrefix)) {
      const std::filesystem::path folder = std::filesystem::path(node_file).parent_path();
      secrets.paths.push_back((folder / text).lexically_normal().string());
    } else if (credentials.empty() ||
               !host.Stat(credentials + "/" + text.substr(kCredentialPrefix.size())).ok()) {
      secrets.withheld = true;
    }
  }
  return secrets;
}

}  // namespace rivulet
