#include "node/engine/heartbeat.h"

#include <unistd.h>

namespace rivulet {
namespace {

thread_local Heartbeat* own = nullptr;

}  // namespace

void Heartbeat::Attach(Activity activity) {
  own = this;
  thread_id_.store(::gettid(), std::memory_order_relaxed);
  Set(activity);
}

void Beat() {
  if (own != nullptr) own->Count();
}

ActivityScope::ActivityScope(Activity activity) {
  if (own == nullptr) return;
  before_ = own->activity();
  own->Set(activity);
}

ActivityScope::~ActivityScope() {
  if (own != nullptr) own->Set(before_);
}

Heartbeat* Heartbeats::Add(std::string name) {
  const std::lock_guard lock(mutex_);
  return &all_.emplace_back(std::move(name));
}

void Heartbeats::ForEach(const std::function<void(const Heartbeat&)>& look) const {
  const std::lock_guard lock(mutex_);
  for (const Heartbeat& one : all_) look(one);
}

}  // namespace rivulet
