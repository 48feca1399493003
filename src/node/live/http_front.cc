#include "node/live/http_front.h"

#include "node/http/metrics_text.h"

namespace rivulet {
namespace {

constexpr Duration kTryAgain = Duration::Seconds(5);

}  // namespace

HttpFront::HttpFront(const HttpSpec& spec, std::function<NodeStatus()> status, LogFunction log)
    : spec_(spec), status_(std::move(status)), log_(std::move(log)) {}

HttpServerOptions HttpFront::Options() const {
  HttpServerOptions options;
  options.address = spec_.address;
  options.port = spec_.port;
  options.answers.token = spec_.token;
  options.answers.hosts = spec_.hosts;
  options.answers.hosts.push_back(spec_.address);
  auto& handlers = options.answers.handlers;
  handlers["/healthz"] = [](const HttpRequest&) { return HttpResponse{200, "text/plain", "ok\n"}; };
  handlers["/readyz"] = [this](const HttpRequest&) {
    const NodeStatus s = status_();
    return HttpResponse{s.ready ? 200 : 503, "text/plain",
                        s.ready ? "ready\n" : "not ready: " + s.trouble + "\n"};
  };
  handlers["/metrics"] = [this](const HttpRequest&) {
    return HttpResponse{200, std::string(MetricsText::kContentType), StatusMetrics(status_())};
  };
  handlers["/api/v1/status"] = [this](const HttpRequest&) {
    return HttpResponse{200, "application/json", StatusJson(status_())};
  };
  return options;
}

void HttpFront::Step(Monotonic now) {
  if (spec_.port == 0 || server_.port() != 0 || now < next_try_) return;
  next_try_ = now + kTryAgain;
  const Status status = server_.Start(Options());
  if (status.ok() && complained_) log_('i', "http on " + where());
  if (!status.ok() && !complained_) {
    log_('w', LogMessage(status, "no status, no metrics; tried again every 5 s: "));
  }
  complained_ = !status.ok();
}

std::string HttpFront::where() const {
  return server_.port() == 0 ? "" : spec_.address + ":" + std::to_string(server_.port());
}

}  // namespace rivulet
