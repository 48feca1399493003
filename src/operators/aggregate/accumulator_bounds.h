// What accumulators are bounded by. Documented in docs/limits.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rivulet::bounds {

// kQuantiles: relative error of a quantile.
inline constexpr double kSmallestError = 0.001;
inline constexpr double kLargestError = 0.2;
inline constexpr double kDefaultError = 0.01;
// kQuantiles: numbers kept, so that quantiles are exact; with more they become a sketch.
inline constexpr size_t kFewNumbers = 256;
// Numbers further from the largest magnitude of their sign than this many octaves share a bucket.
inline constexpr int kSketchOctaves = 60;

// kNumbers: numbers kept; with more it becomes a sketch of this error.
inline constexpr size_t kMostNumbers = 65'536;
inline constexpr double kErrorBeyond = 0.001;

// kDistinct: values counted exactly; with more it becomes a HyperLogLog of 2^12 registers.
inline constexpr size_t kMostExactValues = 256;

// kFrequent: different values counted exactly; with more only this many are kept.
inline constexpr size_t kMostCounters = 512;
inline constexpr size_t kKeptCounters = 256;
inline constexpr int64_t kMostTopK = 100;

inline constexpr int64_t kMostBuckets = 256;  // kHistogram

// kList
inline constexpr int64_t kLongestList = 1000;
inline constexpr int64_t kDefaultList = 100;

inline constexpr size_t kLongestText = 1024;  // bytes kept of a text in kList and kFrequent

// kCurve: readings kept one by one, in whichever order they come; with more the older half of them is
// folded into stretches.
inline constexpr size_t kCurvePoints = 512;
inline constexpr size_t kCurveStretches = 8;

inline constexpr int64_t kLongestDuration = int64_t{10} * 366 * 24 * 3600 * 1000;  // kDecay, kCurve; ms

}  // namespace rivulet::bounds
