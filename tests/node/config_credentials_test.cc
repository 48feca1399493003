// Secrets that the service manager hands over.
#include <stdlib.h>

#include "tests/node/config_test_util.h"

namespace rivulet {
namespace {

using config_test::AllErrors;
using config_test::Has;
using config_test::Node;
using config_test::NodeRead;
using config_test::TemporaryFolder;

// $CREDENTIALS_DIRECTORY while it lives.
class HandedOver {
 public:
  explicit HandedOver(const std::string& folder) { ::setenv("CREDENTIALS_DIRECTORY", folder.c_str(), 1); }
  ~HandedOver() { ::unsetenv("CREDENTIALS_DIRECTORY"); }
};

constexpr const char* kAll =
    "mqtt:\n  brokers: ssl://b\n  user: me\n  password_file: credential:mqtt-password\n"
    "  tls: { ca: credential:ca.pem, cert: credential:c.pem, key: credential:k.pem }\n"
    "http: { listen: '0.0.0.0:80', token_file: 'credential:http-token' }\n";

NodeRead Check(const std::string& yaml) {
  NodeRead read;
  read.ok = ReadNode(yaml, "/etc/rivulet/node.yaml", &read.spec, &read.errors, CredentialUse::kChecked);
  return read;
}

TEST_CASE("every secret may be a credential") {
  const TemporaryFolder folder;
  folder.Write("mqtt-password", "hunter2\n");
  folder.Write("http-token", "let me in");
  for (const char* name : {"ca.pem", "c.pem", "k.pem"}) folder.Write(name, "-");
  const HandedOver handed_over(folder.path().string());
  const NodeRead read = Node(kAll);
  REQUIRE_MESSAGE(read.ok, AllErrors(read.errors));
  CHECK(read.spec.mqtt.password == "hunter2");
  CHECK(read.spec.http.token == "let me in");
  REQUIRE(read.spec.mqtt.tls);
  CHECK(read.spec.mqtt.tls->key_file == folder.path().string() + "/k.pem");
  CHECK(Check(kAll).ok);
}

TEST_CASE("a credential that was not handed over") {
  const TemporaryFolder folder;
  const HandedOver handed_over(folder.path().string());
  const std::string yaml = "mqtt: { user: u, password_file: credential:mqtt-password }\n";
  const NodeRead read = Node(yaml);
  CHECK(Has(read.errors, ErrorCode::kSecretNotReadable, 1, 33, "LoadCredential=mqtt-password:FILE"));
  CHECK(read.errors.size() == 1);
  CHECK(Check(yaml).ok);  // as in a reload
  folder.Write("mqtt-password", "\n");
  CHECK(Has(Node(yaml).errors, ErrorCode::kSecretNotReadable, 1, 33, "is empty"));
}

TEST_CASE("outside of the service there are no credentials") {
  const NodeRead read = Node(kAll);
  CHECK(read.errors.size() == 5);
  for (const ConfigError& error : read.errors) {
    CHECK(error.code == ErrorCode::kSecretNotReadable);
    CHECK(error.message.find("$CREDENTIALS_DIRECTORY is not set") != std::string::npos);
  }
  // Who only looks at the file need not have them ...
  const NodeRead checked = Check(kAll);
  CHECK_MESSAGE(checked.ok, AllErrors(checked.errors));
  CHECK(checked.spec.mqtt.password.empty());
  // ... but other files must be there.
  CHECK_FALSE(Check("mqtt: { user: u, password_file: /none }").ok);
}

TEST_CASE("a credential's name is one, and no way to other files") {
  for (const char* name : {"", ".", "..", "../password", "/etc/shadow", "a/b"}) {
    const std::string yaml = "http: { token_file: 'credential:" + std::string(name) + "' }";
    CHECK(Has(Node(yaml).errors, ErrorCode::kBadSettingValue, 1, 22, "and has no '/'"));
    CHECK(Has(Check(yaml).errors, ErrorCode::kBadSettingValue, 1, 22, "and has no '/'"));
  }
  CHECK_FALSE(Node("http: { token_file: 'credential:" + std::string(256, 'a') + "' }").ok);
}

}  // namespace
}  // namespace rivulet
