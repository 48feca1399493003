#include "node/live/plan_together.h"

#include <algorithm>
#include <map>

#include "node/config/sink_paths.h"
#include "node/plan/chains.h"

namespace rivulet {
namespace {

bool Known(const ConfigErrors& errors, const ConfigError& e) {
  return std::any_of(errors.begin(), errors.end(), [&e](const ConfigError& known) {
    return known.file == e.file && known.line == e.line && known.code == e.code;
  });
}

}  // namespace

bool PlanAll(const NodeSpec& node, const std::vector<PipelineSource>& sources, const LogFunction& log,
             ConfigErrors* errors, PipelinePlans* plans) {
  bool good = true;
  std::map<std::string, std::string> names;
  std::vector<std::string> files;
  for (const PipelineSource& source : sources) files.push_back(source.spec.file);
  SinkPaths paths(node, files);
  for (const PipelineSource& source : sources) {
    plans->push_back(nullptr);
    if (!source.readable) {
      good = false;
      continue;
    }
    plans->back() = PlanPipeline(source.spec, {}, errors);
    if (!paths.Check(source.spec, errors)) plans->back().reset();
    if (plans->back() != nullptr) {
      for (const ConfigError& w : plans->back()->warnings) {
        log('w', w.ToLog().Of(source.spec.name.text));
      }
    }
    const MarkedText& name = source.spec.name;
    const auto [it, fresh] = names.emplace(name.text, source.spec.file);
    if (!fresh) {
      errors->push_back({source.spec.file, name.mark.line, name.mark.column,
                         ErrorCode::kDuplicatePipeline,
                         "'" + name.text + "' is also declared in " + it->second});
      plans->back().reset();
    }
    good = good && plans->back() != nullptr;
  }
  return good;
}

std::vector<size_t> SettleChains(const PipelineSet& running, const LogFunction& log,
                                 std::vector<PipelineSource>* sources, ConfigErrors* errors,
                                 PipelinePlans* plans) {
  // What will run: the new text, or what runs now where that cannot be.
  std::vector<const PipelineSpec*> specs;
  std::vector<size_t> of_source;
  const auto collect = [&] {
    specs.clear();
    of_source.clear();
    for (size_t i = 0; i < sources->size(); ++i) {
      const PipelineSource& source = (*sources)[i];
      const auto old = std::find_if(running.begin(), running.end(), [&source](const auto& r) {
        const PipelineSpec& spec = r.pipeline->plan().spec;
        return source.readable ? spec.name.text == source.spec.name.text : spec.file == source.spec.file;
      });
      if ((*plans)[i] == nullptr && old == running.end()) continue;
      specs.push_back((*plans)[i] != nullptr ? &(*plans)[i]->spec : &old->pipeline->plan().spec);
      of_source.push_back(i);
    }
  };
  for (bool changed = true; changed;) {
    changed = false;
    collect();
    ConfigErrors found;
    for (const size_t faulty : CheckChains(specs, true, &found)) {
      std::unique_ptr<PipelinePlan>& plan = (*plans)[of_source[faulty]];
      changed = changed || plan != nullptr;
      plan.reset();
    }
    for (ConfigError& e : found) {
      if (!Known(*errors, e)) errors->push_back(std::move(e));
    }
  }
  // Whoever is read by one that goes on goes on too.
  for (size_t i = 0; i < specs.size(); ++i) {
    const auto upstream = std::find_if(running.begin(), running.end(), [&](const RunningPipeline& r) {
      return r.pipeline->name() == specs[i]->source.pipeline.text;
    });
    if (upstream == running.end()) continue;
    const PipelineSpec& spec = upstream->pipeline->plan().spec;
    if (std::any_of(specs.begin(), specs.end(), [&spec](const PipelineSpec* other) {
          return other->name.text == spec.name.text;
        })) {
      continue;
    }
    log('w', LogMessage("pipeline '" + spec.name.text + "' goes on: '" + specs[i]->name.text +
                               "' reads its results")
                        .Of(spec.name.text));
    sources->push_back({spec, upstream->text, true});
    plans->push_back(nullptr);
    specs.push_back(&spec);
    of_source.push_back(sources->size() - 1);
  }
  std::vector<size_t> order;
  for (const size_t k : ChainOrder(specs)) order.push_back(of_source[k]);
  return order;
}

}  // namespace rivulet
