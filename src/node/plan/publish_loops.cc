#include "node/plan/publish_loops.h"

#include <algorithm>

#include "transport/topic_filter.h"

namespace rivulet {
namespace {

using Specs = std::span<const PipelineSpec* const>;

// The topics a template can make: a level with a field in it can be anything, but stays one level.
std::string FilterOf(const TopicTemplate& topic) {
  std::string text;
  for (const TopicTemplate::Part& part : topic.parts()) text += part.is_field ? "+" : part.text;
  std::string filter;
  for (size_t at = 0;;) {
    const size_t slash = text.find('/', at);
    const std::string level = text.substr(at, slash == std::string::npos ? slash : slash - at);
    filter += level.find('+') == std::string::npos ? level : "+";
    if (slash == std::string::npos) return filter;
    filter += '/';
    at = slash + 1;
  }
}

std::vector<std::string> SourceFilters(const PipelineSpec& spec) {
  std::vector<std::string> filters;
  const auto add = [&filters](const SourceSpec& source) {
    for (const MarkedText& topic : source.topics) {
      const Result<TopicPattern> pattern = TopicPattern::Parse(topic.text);
      if (pattern.ok()) filters.push_back(pattern->filter());
    }
  };
  add(spec.source);
  for (const SourceSpec& other : spec.others) add(other);
  return filters;
}

// One step of a circle: results of `from` are input of `to`. `sink`: over the broker.
struct Feed {
  size_t to;
  const SinkSpec* sink;
};

std::vector<std::vector<Feed>> FindSteps(Specs pipelines) {
  std::vector<std::vector<std::string>> sources;
  for (const PipelineSpec* p : pipelines) sources.push_back(SourceFilters(*p));
  std::vector<std::vector<Feed>> steps(pipelines.size());
  for (size_t from = 0; from < pipelines.size(); ++from) {
    for (size_t to = 0; to < pipelines.size(); ++to) {
      if (pipelines[to]->source.pipeline.text == pipelines[from]->name.text) {
        steps[from].push_back({to, nullptr});
      }
    }
    const PipelineSpec& p = *pipelines[from];
    for (const auto* sinks : {&p.sinks, &p.late, &p.dead_letters}) {
      for (const SinkSpec& sink : *sinks) {
        if (sink.kind != SinkSpec::Kind::kMqtt) continue;
        const Result<TopicTemplate> topic = TopicTemplate::Parse(sink.target.text);
        if (!topic.ok()) continue;
        const std::string filter = FilterOf(*topic);
        for (size_t to = 0; to < pipelines.size(); ++to) {
          if (std::any_of(sources[to].begin(), sources[to].end(),
                          [&filter](const std::string& s) { return FilterCovers(s, filter); })) {
            steps[from].push_back({to, &sink});
          }
        }
      }
    }
  }
  return steps;
}

// The shortest way from the end of `first` to `target`, the pipelines on it; empty: none. `first` itself
// leads to `target`: just that.
std::vector<size_t> WayBack(const std::vector<std::vector<Feed>>& steps, size_t first, size_t target) {
  std::map<size_t, size_t> from = {{first, first}};
  std::vector<size_t> queue = {first};
  for (size_t at = 0; at < queue.size() && !from.contains(target); ++at) {
    for (const Feed& step : steps[queue[at]]) {
      if (from.emplace(step.to, queue[at]).second) queue.push_back(step.to);
    }
  }
  if (!from.contains(target)) return {};
  std::vector<size_t> way = {target};
  while (way.back() != first) way.push_back(from.at(way.back()));
  std::reverse(way.begin(), way.end());
  return way;
}

}  // namespace

void CheckPublishLoops(Specs pipelines, std::set<size_t>* faulty, ConfigErrors* errors) {
  const std::vector<std::vector<Feed>> steps = FindSteps(pipelines);
  std::set<size_t> reported;
  for (size_t i = 0; i < pipelines.size(); ++i) {
    for (const Feed& step : steps[i]) {
      if (step.sink == nullptr || reported.contains(i)) continue;
      const std::vector<size_t> way = WayBack(steps, step.to, i);
      if (way.empty()) continue;
      std::string path = "'" + pipelines[i]->name.text + "' publishes '" + step.sink->target.text + "'";
      for (const size_t k : way) path += ", which '" + pipelines[k]->name.text + "' takes in";
      errors->push_back({pipelines[i]->file, step.sink->target.mark.line, step.sink->target.mark.column,
                         ErrorCode::kMqttCycle,
                         path + ": its results would feed it for ever; expected a topic that no source of "
                                "this circle matches"});
      reported.insert(way.begin(), way.end());
      reported.insert(i);
      break;
    }
  }
  faulty->insert(reported.begin(), reported.end());
}

std::map<std::string, std::vector<TopicPattern>, std::less<>> TopicsThatComeBack(Specs pipelines) {
  const std::vector<std::vector<Feed>> steps = FindSteps(pipelines);
  std::vector<std::vector<size_t>> feeders(pipelines.size());
  for (size_t from = 0; from < steps.size(); ++from) {
    for (const Feed& step : steps[from]) feeders[step.to].push_back(from);
  }
  std::map<std::string, std::vector<TopicPattern>, std::less<>> back;
  for (size_t target = 0; target < pipelines.size(); ++target) {
    std::vector<size_t> leading = {target};
    for (size_t at = 0; at < leading.size(); ++at) {
      for (const size_t feeder : feeders[leading[at]]) {
        if (std::find(leading.begin(), leading.end(), feeder) == leading.end()) leading.push_back(feeder);
      }
    }
    for (const size_t first : leading) {
      for (const std::string& filter : SourceFilters(*pipelines[first])) {
        Result<TopicPattern> pattern = TopicPattern::Parse(filter);
        if (pattern.ok()) back[pipelines[target]->name.text].push_back(std::move(*pattern));
      }
    }
  }
  return back;
}

}  // namespace rivulet
