#include "node/sinks/make_sink.h"

namespace rivulet {

Status Sink::Skip(uint64_t begin) {
  return {ErrorCode::kSinkGap, "results before number " + std::to_string(begin) +
                                   " are missing there, and are not kept any more"};
}

Result<std::unique_ptr<Sink>> MakeSink(const SinkSpec& spec, const std::string& pipeline,
                                       MqttLink* link, FileSystem* files,
                                       RefusedResults* refused) {
  switch (spec.kind) {
    case SinkSpec::Kind::kMqtt:
      return NewMqttSink(spec, link, pipeline, refused);
    case SinkSpec::Kind::kSqlite:
      return NewSqliteSink(spec, pipeline);
    case SinkSpec::Kind::kFile:
      return NewFileSink(spec.target.text, files, OutputUse::kNew, spec.record_gaps);
    case SinkSpec::Kind::kStdout:
      return NewStdoutSink();
  }
  return {ErrorCode::kBadSettingValue, "unknown kind of sink"};
}

}  // namespace rivulet
