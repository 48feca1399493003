#include "base/suggest.h"

#include <doctest/doctest.h>

#include <vector>

namespace rivulet {
namespace {

TEST_CASE("the nearest name is found by edits, swaps and case") {
  const std::vector<std::string> names = {"window", "where", "tumbling", "lateness", "by"};
  CHECK(NearestName("windwo", names) == "window");    // a swap
  CHECK(NearestName("tumblng", names) == "tumbling");  // a letter left out
  CHECK(NearestName("LATENESS", names) == "lateness");
  CHECK(NearestName("whree", names) == "where");
  CHECK(NearestName("bx", names) == "by");
  CHECK(NearestName("kangaroo", names).empty());
  CHECK(NearestName("xy", std::vector<std::string>{"ab"}).empty());
  CHECK(NearestName("", names).empty());
  CHECK(NearestName("x", {}).empty());
}

TEST_CASE("ties go to the first candidate") {
  CHECK(NearestName("cat", std::vector<std::string>{"bat", "rat"}) == "bat");
  CHECK(NearestName("cat", std::vector<std::string>{"rat", "bat"}) == "rat");
  CHECK(NearestName("cat", std::vector<std::string>{"rat", "cats", "cat"}) == "cat");
}

TEST_CASE("the hint is a clause or nothing") {
  const std::vector<std::string> names = {"speed"};
  CHECK(DidYouMean("sped", names) == " (did you mean 'speed'?)");
  CHECK(DidYouMean("altitude", names).empty());
}

TEST_CASE("an absurdly long name costs nothing") {
  CHECK(NearestName(std::string(1 << 20, 'x'), std::vector<std::string>{"speed"}).empty());
}

}  // namespace
}  // namespace rivulet
