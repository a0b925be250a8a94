// A team of threads that works on one call at a time, with a barrier that costs a fraction of a
// microsecond.
//
// Knows: threads, barriers, shares of work. Does not know: what is computed.
//
// The caller is thread 0. A thread that waits spins for a bounded time, then sleeps in the kernel:
// a team never holds a core longer than that when a core is taken away or work ends. A second
// caller waits until the first call is over. A call from inside a call, or in a process forked from
// the one that made the team, is run by the caller alone: results do not depend on the number of
// threads (operators.h), so this is always right.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace edgeward::ops {

struct Range {
    std::size_t first = 0, last = 0;
    std::size_t size() const { return last - first; }
};

// The share of `index` among `count` when `items` are dealt evenly: sizes differ by at most one.
constexpr Range share_of(std::size_t items, std::size_t index, std::size_t count) {
    return {items * index / count, items * (index + 1) / count};
}

struct TeamOptions {
    std::size_t threads = 1;    // including the caller, 1 ... 256
    std::size_t spin_us = 200;  // how long a thread spins before it sleeps; 0 saves energy
    bool pin = false;           // workers to processors of their own among those allowed (Linux)
};

class Team;

// What a function sees of the team while it runs. One for each thread.
class Member {
 public:
    const std::size_t index, count;

    // Waits until every thread of the call has come here; what was written before is seen after.
    void barrier();

    // The next at most `chunk` of `items` that no thread has taken since the last barrier; false
    // when all are taken. All threads must ask with the same `items` between two barriers.
    bool take(std::size_t items, std::size_t chunk, Range& range);

    // The next piece of this thread's even share, front to back so that memory is read in order;
    // when that is used up, the last piece of another's. Pieces get smaller towards a share's end
    // and are at most `chunk`. All threads must ask with the same `items` between two barriers.
    bool next(std::size_t items, std::size_t chunk, Range& range);

    // An even share for this thread.
    Range share(std::size_t items) const { return share_of(items, index, count); }

 private:
    friend class Team;
    Member(std::size_t index, std::size_t count, Team* team, std::uint64_t phase)
        : index(index), count(count), team_(team), phase_(phase) {}

    Team* team_;           // null: alone
    std::uint64_t phase_;  // barriers that the team has passed; the same for all of a call
    std::size_t alone_taken_ = 0;
};

class Team {
 public:
    // Throws std::invalid_argument for options out of range, std::system_error when the system
    // gives no thread.
    explicit Team(const TeamOptions& options);
    ~Team();
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    std::size_t size() const { return options_.threads; }

    // Calls work(Member&) on every thread; returns when all are done. `work` must not throw: an
    // exception ends the process.
    template <typename Work>
    void run(Work&& work) {
        run_erased([](void* w,
                      Member& m) noexcept { (*static_cast<std::remove_reference_t<Work>*>(w))(m); },
                   const_cast<void*>(static_cast<const void*>(std::addressof(work))));
    }

 private:
    friend class Member;
    using Function = void (*)(void*, Member&) noexcept;

    void run_erased(Function function, void* work);
    void serve(std::size_t index);
    void arrive();
    bool claim(std::size_t owner, bool own, std::uint64_t phase, std::size_t items,
               std::size_t chunk, Range& range);
    void dismiss();
    void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) const;

    TeamOptions options_;
    std::int64_t process_ = 0;
    std::mutex turn_;
    Function function_ = nullptr;
    void* work_ = nullptr;
    bool stop_ = false;
    // Each on a cache line of its own: they are written by one thread and watched by others.
    alignas(64) std::atomic<std::uint32_t> call_{0};
    alignas(64) std::atomic<std::uint32_t> arrived_{0};
    alignas(64) std::atomic<std::uint32_t> generation_{0};
    alignas(64) std::atomic<std::size_t> taken_{0};
    // What is left of each thread's share, and of which phase: Member::next.
    struct alignas(64) Left {
        std::atomic<std::uint64_t> word{0};
    };
    std::unique_ptr<Left[]> left_;
    std::uint64_t phase_ = 1;  // with which the next call begins
    std::vector<std::thread> threads_;
};

}  // namespace edgeward::ops
