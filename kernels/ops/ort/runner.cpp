#include "ops/ort/runner.h"

namespace edgeward::ops::ort {

void Turn::lock() {
    std::unique_lock lock(mutex_);
    const std::uint64_t mine = given_++;
    next_.wait(lock, [&] { return served_ == mine; });
}

void Turn::unlock() {
    {
        const std::lock_guard lock(mutex_);
        ++served_;
    }
    next_.notify_all();
}

Numbered<Runner>& runners() {
    static auto* const table = new Numbered<Runner>;
    return *table;
}

Numbered<std::atomic<bool>>& stop_flags() {
    static auto* const table = new Numbered<std::atomic<bool>>;
    return *table;
}

}  // namespace edgeward::ops::ort
