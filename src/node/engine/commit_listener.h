// CommitListener: hears of commits, of which one is under way at a time.
#pragma once

namespace rivulet {

// One thread (the engine's).
class CommitListener {
 public:
  virtual ~CommitListener() = default;
  // A commit takes along everything so far; and it was made. Of one that failed nothing more is heard.
  virtual void OnCollected() = 0;
  virtual void OnCommitted() = 0;
};

}  // namespace rivulet
