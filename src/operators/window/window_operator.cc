#include "operators/window/window_operator.h"

#include "operators/window/aligned_windows.h"
#include "operators/window/clocked_windows.h"
#include "operators/window/count_windows.h"
#include "operators/window/filled_windows.h"
#include "operators/window/session_windows.h"
#include "operators/window/triggered_windows.h"

namespace rivulet {

std::unique_ptr<KeyedOperator> NewWindowOperator(const WindowSpec& spec, const AggregatePlan* plan,
                                                  const PaneLayouts* layouts, std::string prefix,
                                                  const StateView* view, KeyShare share,
                                                  const FirePoint& fired) {
  if (spec.kind == WindowSpec::Kind::kCount) {
    return std::make_unique<CountWindows>(spec, plan, layouts, std::move(prefix), view, share, fired);
  }
  if (spec.filled()) {
    return std::make_unique<FilledWindows>(spec, plan, layouts, prefix, view, share, fired);
  }
  if (spec.keyed()) {
    return std::make_unique<TriggeredWindows>(spec, plan, layouts, std::move(prefix), view, share,
                                              fired);
  }
  if (spec.kind == WindowSpec::Kind::kSession) {
    return std::make_unique<SessionWindows>(spec, plan, layouts, std::move(prefix), view, share,
                                            fired);
  }
  if (spec.per_key.on) {
    return std::make_unique<ClockedWindows>(spec, plan, layouts, std::move(prefix), view, share,
                                            fired);
  }
  return std::make_unique<AlignedWindows>(spec, plan, layouts, std::move(prefix), view, share,
                                          fired);
}

}  // namespace rivulet
