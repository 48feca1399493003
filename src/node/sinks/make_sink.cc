#include "node/sinks/make_sink.h"

namespace rivulet {

Result<std::unique_ptr<Sink>> MakeSink(const SinkSpec& spec, const std::string& pipeline,
                                       MqttLink* link, RefusedResults* refused) {
  switch (spec.kind) {
    case SinkSpec::Kind::kMqtt:
      return NewMqttSink(spec, link, pipeline, refused);
    case SinkSpec::Kind::kSqlite:
      return NewSqliteSink(spec, pipeline);
    case SinkSpec::Kind::kFile:
      return NewFileSink(spec.target.text);
    case SinkSpec::Kind::kStdout:
      return NewStdoutSink();
  }
  return {ErrorCode::kBadSettingValue, "unknown kind of sink"};
}

}  // namespace rivulet
