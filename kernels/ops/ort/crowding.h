// Notices when other programs hold the cores that a team needs.
//
// Knows: how long passes took and how much of that was waiting. Does not know: threads, decoders.
//
// Threads that wait for each other some hundred times a step suffer badly where the system gives
// one of them a core only now and then: two threads are then many times slower than one. Results do
// not depend on the number of threads, so such a time is better worked through alone.
#pragma once

#include <algorithm>
#include <cstdint>

namespace edgeward::ops::ort {

class Crowding {
 public:
    // Whether the pass that begins at `now` (nanoseconds of a steady clock) should run alone.
    bool alone(std::int64_t now) const { return now < until_; }

    // A pass of the whole team ended at `now`, took `total` and waited `waited` of it.
    void report(std::int64_t now, std::int64_t total, std::int64_t waited) {
        if (waited * 2 < total) {
            pause_ = kShortest;
            return;
        }
        until_ = now + pause_;
        pause_ = std::min(pause_ * 2, kLongest);
    }

 private:
    static constexpr std::int64_t kShortest = 10'000'000, kLongest = 640'000'000;
    std::int64_t until_ = 0, pause_ = kShortest;
};

}  // namespace edgeward::ops::ort
