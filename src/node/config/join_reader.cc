#include "node/config/join_reader.h"

#include "node/config/stream_join_reader.h"

namespace rivulet {

void ReadJoin(const Setting& setting, Faults* faults, Step* step) {
  step->what = ReadStreamJoin(setting, faults);
}

}  // namespace rivulet
