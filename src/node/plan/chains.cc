#include "node/plan/chains.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/suggest.h"
#include "node/plan/publish_loops.h"

namespace rivulet {
namespace {

using Specs = std::span<const PipelineSpec* const>;

// By index: that of the pipeline it reads, if it is there.
std::vector<std::optional<size_t>> FindUpstreams(Specs pipelines) {
  std::map<std::string, size_t> by_name;
  for (size_t i = 0; i < pipelines.size(); ++i) by_name.emplace(pipelines[i]->name.text, i);
  std::vector<std::optional<size_t>> upstreams(pipelines.size());
  for (size_t i = 0; i < pipelines.size(); ++i) {
    const auto it = by_name.find(pipelines[i]->source.pipeline.text);
    if (it != by_name.end()) upstreams[i] = it->second;
  }
  return upstreams;
}

void Report(const PipelineSpec& spec, const MarkedText& where, ErrorCode code, std::string message,
            ConfigErrors* errors) {
  errors->push_back({spec.file, where.mark.line, where.mark.column, code, std::move(message)});
}

std::string UnknownMessage(Specs pipelines, const PipelineSpec& reader) {
  std::vector<std::string> names;
  for (const PipelineSpec* p : pipelines) names.push_back(p->name.text);
  const std::string& wanted = reader.source.pipeline.text;
  return "'" + reader.name.text + "' reads the results of '" + wanted + "', which is not there" +
         DidYouMean(wanted, names) + "; expected the name of another pipeline of this node";
}

// Each has one upstream at most, so whoever is in a circle comes back to itself.
std::vector<size_t> CircleOf(size_t start, const std::vector<std::optional<size_t>>& upstreams) {
  std::vector<size_t> circle = {start};
  for (std::optional<size_t> at = upstreams[start]; at && *at != start; at = upstreams[*at]) {
    if (circle.size() > upstreams.size()) return {};  // it leads into one, and is not in it
    circle.push_back(*at);
  }
  return upstreams[circle.back()] ? circle : std::vector<size_t>();
}

}  // namespace

std::vector<size_t> ChainOrder(Specs pipelines) {
  const auto upstreams = FindUpstreams(pipelines);
  std::vector<size_t> order;
  std::vector<bool> placed(pipelines.size(), false);
  for (bool more = true; more;) {
    more = false;
    for (size_t i = 0; i < pipelines.size(); ++i) {
      if (placed[i] || (upstreams[i] && !placed[*upstreams[i]])) continue;
      placed[i] = more = true;
      order.push_back(i);
    }
  }
  for (size_t i = 0; i < pipelines.size(); ++i) {
    if (!placed[i]) order.push_back(i);
  }
  return order;
}

std::vector<size_t> CheckChains(Specs pipelines, bool all, ConfigErrors* errors) {
  const auto upstreams = FindUpstreams(pipelines);
  std::set<size_t> faulty;
  std::set<std::string> read;
  for (const PipelineSpec* p : pipelines) read.insert(p->source.pipeline.text);
  for (size_t i = 0; i < pipelines.size(); ++i) {
    const PipelineSpec& spec = *pipelines[i];
    const MarkedText& upstream = spec.source.pipeline;
    if (all && !upstream.text.empty() && !upstreams[i]) {
      Report(spec, upstream, ErrorCode::kUnknownPipeline, UnknownMessage(pipelines, spec), errors);
      faulty.insert(i);
    }
    if (spec.sinks.empty() && !read.contains(spec.name.text)) {
      Report(spec, spec.name, ErrorCode::kMissingSetting,
             "'sinks' of pipeline '" + spec.name.text + "'; expected where results go, such as "
             "- mqtt: results, or another pipeline beside it that reads them",
             errors);
      faulty.insert(i);
    }
    const std::vector<size_t> circle = CircleOf(i, upstreams);
    if (circle.empty() || faulty.contains(i)) continue;
    std::string path;
    for (const size_t k : circle) path += "'" + pipelines[k]->name.text + "' reads ";
    Report(spec, upstream, ErrorCode::kPipelineCycle,
           path + "'" + spec.name.text + "'; expected that one of them reads messages: source: { mqtt: .. }",
           errors);
    faulty.insert(circle.begin(), circle.end());
  }
  CheckPublishLoops(pipelines, &faulty, errors);
  return {faulty.begin(), faulty.end()};
}

}  // namespace rivulet
