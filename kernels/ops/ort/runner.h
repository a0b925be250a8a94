// Teams and stop flags that callers hold by number, and the turn at a team.
//
// Knows: who may use a team and its memory now. Does not know: what is computed.
//
// A graph's inputs are arrays, so a team reaches the operator as an int64 that this table gave out.
// A number that was never given out, or was closed, is an error and not a pointer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "ops/decoder/workspace.h"
#include "ops/ort/crowding.h"
#include "ops/team.h"

namespace edgeward::ops::ort {

// First come, first served: a step does not wait for all of another request's prefill, only for
// the piece that runs now.
class Turn {
 public:
    void lock();
    void unlock();

 private:
    std::mutex mutex_;
    std::condition_variable next_;
    std::uint64_t given_ = 0, served_ = 0;
};

// A team, the memory its calls work in, and whose turn it is. All but `turn` belongs to who has it.
struct Runner {
    explicit Runner(const TeamOptions& options) : team(options) {}
    Turn turn;
    Team team;
    Team single{TeamOptions{}};  // the caller alone
    Crowding crowding;
    Workspace workspace;
};

// Objects by number; numbers are never used twice. Thread-safe.
template <typename T>
class Numbered {
 public:
    std::int64_t add(std::shared_ptr<T> object) {
        const std::lock_guard lock(mutex_);
        objects_.emplace(++last_, std::move(object));
        return last_;
    }
    // Null for an unknown number.
    std::shared_ptr<T> find(std::int64_t number) const {
        const std::lock_guard lock(mutex_);
        const auto found = objects_.find(number);
        return found == objects_.end() ? nullptr : found->second;
    }
    void remove(std::int64_t number) {
        std::shared_ptr<T> last;  // outlives the lock: a team's end joins its threads
        {
            const std::lock_guard lock(mutex_);
            const auto found = objects_.find(number);
            if (found == objects_.end()) return;
            last = std::move(found->second);
            objects_.erase(found);
        }
    }

 private:
    mutable std::mutex mutex_;
    std::int64_t last_ = 0;
    std::unordered_map<std::int64_t, std::shared_ptr<T>> objects_;
};

// The process's tables. Never destroyed: threads may still wait in them when the process ends.
Numbered<Runner>& runners();
Numbered<std::atomic<bool>>& stop_flags();

}  // namespace edgeward::ops::ort
