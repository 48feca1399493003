// Reading of polygons.
#include <algorithm>
#include <charconv>

#include "operators/expr/geo.h"

namespace rivulet::expr {

// Reads from the front of a text; every step false with *error filled when it does not fit.
class PolygonReader {
 public:
  PolygonReader(std::string_view text, std::string* error) : rest_(text), error_(error) {}

  bool Read(GeoPolygon* polygon) {
    polygon_ = polygon;
    if (Word("MULTIPOLYGON")) return List([this] { return Rings(); }) && End();
    if (Word("POLYGON")) return Rings() && End();
    return Points(false) && End();
  }

 private:
  bool Rings() {
    return List([this] { return Expect('(') && Points(true) && Expect(')'); });
  }
  template <typename F>
  bool List(F item) {
    if (!Expect('(')) return false;
    do {
      if (!item()) return false;
    } while (Accept(','));
    return Expect(')');
  }
  // Points behind each other, with commas between.
  bool Points(bool lon_first) {
    GeoPolygon::Ring ring;
    do {
      double a = 0, b = 0;
      if (!Number(&a) || !Number(&b)) return false;
      const GeoPoint point = lon_first ? GeoPoint{b, a} : GeoPoint{a, b};
      if (!IsOnEarth(point)) return Fail("a point is not on Earth; in WKT the longitude is first");
      if (++points_ > GeoPolygon::kMaxPoints) {
        return Fail("it has more than " + std::to_string(GeoPolygon::kMaxPoints) + " points");
      }
      ring.push_back(point);
      polygon_->south_ = std::min(polygon_->south_, point.lat);
      polygon_->north_ = std::max(polygon_->north_, point.lat);
      polygon_->west_ = std::min(polygon_->west_, point.lon);
      polygon_->east_ = std::max(polygon_->east_, point.lon);
    } while (Accept(','));
    if (ring.size() < 3) return Fail("a ring has fewer than three points");
    polygon_->rings_.push_back(std::move(ring));
    return true;
  }
  bool Number(double* value) {
    Space();
    const char* const end = rest_.data() + rest_.size();
    const auto read = std::from_chars(rest_.data(), end, *value);
    if (read.ec != std::errc()) return Fail("expected a number");
    rest_.remove_prefix(static_cast<size_t>(read.ptr - rest_.data()));
    return true;
  }
  bool Word(std::string_view word) {
    Space();
    const bool same = rest_.size() >= word.size() &&
                      std::equal(word.begin(), word.end(), rest_.begin(),
                                 [](char w, char c) { return w == c || w == (c & ~0x20); });
    if (same) rest_.remove_prefix(word.size());
    return same;
  }
  bool Accept(char c) {
    Space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool Expect(char c) { return Accept(c) || Fail(std::string("expected '") + c + "'"); }
  bool End() {
    Space();
    return rest_.empty() || Fail("expected the end");
  }
  void Space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) rest_.remove_prefix(1);
  }
  bool Fail(std::string why) {
    if (!error_->empty()) return false;
    *error_ = std::move(why);
    if (!rest_.empty()) *error_ += ", found '" + std::string(rest_.substr(0, 20)) + "'";
    return false;
  }

  std::string_view rest_;
  std::string* error_;
  GeoPolygon* polygon_ = nullptr;
  size_t points_ = 0;
};

std::optional<GeoPolygon> GeoPolygon::Parse(std::string_view text, std::string* error) {
  GeoPolygon polygon;
  error->clear();
  if (!PolygonReader(text, error).Read(&polygon)) return std::nullopt;
  return polygon;
}

}  // namespace rivulet::expr
