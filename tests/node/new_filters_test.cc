#include "node/lane/new_filters.h"

#include <doctest/doctest.h>

#include "node/engine/store_keys.h"

namespace rivulet {
namespace {

// A session, the store beneath it, and a clock.
class Bench {
 public:
  explicit Bench(int commits_for_sure = 1) : sure_(commits_for_sure) { Restart(); }

  // What was not committed is gone.
  void Restart() {
    changes_.Clear();
    filters_ = std::make_unique<NewFilters>(sure_);
    REQUIRE(filters_->Open(*store_, {}, &contents).ok());
    lane.connection = 0;
  }
  void Want(std::vector<std::string> wanted) { filters_->Want(std::move(wanted), &changes_); }
  void Commit() {
    filters_->OnCollected();
    REQUIRE(store_->Commit(changes_).ok());
    changes_.Clear();
    filters_->OnCommitted();
  }
  // The link stays as it is for so long; whether something was settled.
  bool Hold(Duration time) {
    bool settled = false;
    for (int64_t left = time.us; left >= 0; left -= 1'000'000) {
      settled = filters_->Look(now_, lane, &changes_) || settled;
      now_.us += 1'000'000;
    }
    return settled;
  }
  void Connect() {
    ++lane.connection;
    lane.connected = lane.denied.empty();
    lane.state = lane.connected ? LinkState::kConnected : LinkState::kSubscriptionRefused;
  }
  void Lose() {
    lane.connected = false;
    lane.state = LinkState::kLost;
  }
  Offset Keep(std::vector<uint64_t> of_new, uint64_t shown) {
    return filters_->Keep(of_new, Offset{shown}, &changes_);
  }
  NewFilters* operator->() { return filters_.get(); }
  bool changes() const { return !changes_.empty(); }

  MqttLinkStats lane;
  std::vector<uint64_t> contents;

 private:
  const int sure_;
  std::unique_ptr<Store> store_ = NewMemoryStore();
  Delta changes_;
  std::unique_ptr<NewFilters> filters_;
  Monotonic now_{1'000'000};
};

using Filters = std::vector<std::string>;

}  // namespace

TEST_CASE("new filters: settled when they have held for ten seconds in one connection, and after a restart") {
  Bench bench;
  bench.Want({"b", "a"});
  CHECK(bench->wanted() == Filters{"a", "b"});
  CHECK_FALSE(bench.Hold(Duration::Seconds(60)));
  bench.Connect();
  CHECK_FALSE(bench.Hold(Duration::Seconds(8)));
  bench.Connect();
  CHECK_FALSE(bench.Hold(Duration::Seconds(8)));
  bench.Lose();
  CHECK_FALSE(bench.Hold(Duration::Seconds(60)));
  bench.Connect();
  CHECK(bench.Hold(Duration::Seconds(11)));
  CHECK(bench->settled() == Filters{"a", "b"});
  CHECK_FALSE(bench->NothingToKeep());
  bench.Commit();
  CHECK(bench->NothingToKeep());
  bench.Restart();
  bench.Want({"a", "b", "c"});
  CHECK(bench->settled() == Filters{"a", "b"});
  CHECK_FALSE(bench->NothingToKeep());
  bench.Restart();
  bench.Want({"a", "b"});
  CHECK(bench->NothingToKeep());
  CHECK_FALSE(bench.changes());
}

TEST_CASE("new filters: one that is dropped and wanted again is new") {
  Bench bench;
  bench.Want({"a", "b"});
  bench.Connect();
  CHECK(bench.Hold(Duration::Seconds(11)));
  bench.Want({"a"});
  CHECK(bench->settled() == Filters{"a"});
  bench.Commit();
  CHECK(bench->NothingToKeep());
  bench.Want({"a", "b"});
  CHECK(bench->settled() == Filters{"a"});
  CHECK_FALSE(bench->NothingToKeep());
}

TEST_CASE("new filters: those that the broker denies hold up nothing, and are new when they are granted") {
  Bench bench;
  bench.Want({"a", "plant/+/t", "plant/1/#"});
  bench.lane.denied = {"plant/+/#"};  // covers both
  bench.Connect();
  CHECK(bench.Hold(Duration::Seconds(11)));
  CHECK(bench->settled() == Filters{"a"});
  bench.Commit();
  CHECK(bench->NothingToKeep());
  bench.Lose();
  bench.Hold(Duration::Seconds(1));
  CHECK_FALSE(bench->NothingToKeep());
  bench.lane.denied = {};
  bench.Connect();
  CHECK_FALSE(bench.Hold(Duration::Seconds(8)));
  CHECK_FALSE(bench->NothingToKeep());
  CHECK(bench.Hold(Duration::Seconds(2)));
  bench.Commit();
  CHECK(bench->settled() == bench->wanted());
  CHECK(bench->NothingToKeep());
}

TEST_CASE("new filters: the journal is trimmed behind what the store knows for sure") {
  for (const int sure : {1, 2}) {
    CAPTURE(sure);
    Bench bench(sure);
    bench.Want({"a"});
    CHECK(bench.Keep({3, 7}, 20) == Offset{0});
    bench.Commit();
    if (sure == 2) {
      CHECK(bench.Keep({3, 7}, 30) == Offset{0});
      bench.Commit();
    }
    // The same contents need no other commit.
    CHECK(bench.Keep({3, 7}, 40) == Offset{40});
    CHECK_FALSE(bench.changes());
    // Others do, and a commit that began before says nothing of them.
    bench->OnCollected();
    CHECK(bench.Keep({3, 7, 9}, 50) == Offset{40});
    bench->OnCommitted();
    bench->OnCommitted();
    CHECK(bench.Keep({3, 7, 9}, 60) == Offset{40});
    CHECK(bench->kept() == Offset{40});
    bench.Restart();
    CHECK(bench.contents == std::vector<uint64_t>{3, 7});
  }
}

TEST_CASE("new filters: what has come of them is forgotten when they are settled") {
  Bench bench;
  bench.Want({"a"});
  bench.Keep({3, 7}, 20);
  bench.Commit();
  bench.Restart();
  CHECK(bench.contents == std::vector<uint64_t>{3, 7});
  bench.Want({"a"});
  bench.Connect();
  CHECK(bench.Hold(Duration::Seconds(11)));
  bench.Commit();
  bench.Restart();
  CHECK(bench.contents.empty());
}

}  // namespace rivulet
