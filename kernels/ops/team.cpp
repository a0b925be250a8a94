#include "ops/team.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

namespace edgeward::ops {
namespace {

// The team whose call this thread is in, so that a call from inside runs alone instead of waiting
// for itself.
thread_local const Team* t_inside = nullptr;

inline void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Best effort: a processor that is not allowed, or a system without the call, leaves it where it
// is.
void pin_to_own(std::size_t index) {
#if defined(__linux__)
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    const auto count = static_cast<std::size_t>(CPU_COUNT(&allowed));
    if (count == 0) return;
    std::size_t wanted = index % count;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed) || wanted-- != 0) continue;
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(cpu, &own);
        pthread_setaffinity_np(pthread_self(), sizeof own, &own);
        return;
    }
#else
    (void)index;
#endif
}

// A share that is left, in one word: phase, first, last. A word of an older phase stands for a
// share that nobody has touched yet. A phase would come again after 4 million barriers; every share
// is touched far more often.
constexpr unsigned kIndexBits = 21, kPhaseBits = 64 - 2 * kIndexBits;
constexpr std::uint64_t kMostItems = (std::uint64_t{1} << kIndexBits) - 1;

constexpr std::uint64_t phase_word(std::uint64_t phase) {
    return phase & ((std::uint64_t{1} << kPhaseBits) - 1);
}

constexpr std::uint64_t word_of(std::uint64_t phase, const Range& left) {
    return phase_word(phase) << (2 * kIndexBits) | std::uint64_t{left.first} << kIndexBits |
           left.last;
}

Range left_of(std::uint64_t word, std::uint64_t phase, const Range& whole) {
    if (word >> (2 * kIndexBits) != phase_word(phase)) return whole;
    return {word >> kIndexBits & kMostItems, word & kMostItems};
}

}  // namespace

void Member::barrier() {
    ++phase_;
    if (team_ == nullptr) {
        alone_taken_ = 0;
    } else {
        team_->arrive();
    }
}

bool Member::take(std::size_t items, std::size_t chunk, Range& range) {
    std::size_t first = alone_taken_;
    if (team_ == nullptr) {
        alone_taken_ += chunk;
    } else {
        first = team_->taken_.fetch_add(chunk, std::memory_order_relaxed);
    }
    if (first >= items) return false;
    range = {first, items - first < chunk ? items : first + chunk};
    return true;
}

bool Member::next(std::size_t items, std::size_t chunk, Range& range) {
    if (team_ == nullptr || items > kMostItems) return take(items, chunk, range);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t owner = index + i < count ? index + i : index + i - count;
        if (team_->claim(owner, i == 0, phase_, items, chunk, range)) return true;
    }
    return false;
}

Team::Team(const TeamOptions& options) : options_(options), process_(getpid()) {
    if (options.threads < 1 || options.threads > 256) {
        throw std::invalid_argument("threads is " + std::to_string(options.threads) +
                                    "; give 1 to 256");
    }
    if (options.spin_us > 1'000'000) {
        throw std::invalid_argument("spin_us is " + std::to_string(options.spin_us) +
                                    "; give 0 to 1000000 microseconds");
    }
    left_ = std::make_unique<Left[]>(options.threads);
    threads_.reserve(options.threads - 1);
    try {
        for (std::size_t index = 1; index < options.threads; ++index) {
            threads_.emplace_back([this, index] { serve(index); });
        }
    } catch (...) {
        dismiss();
        throw;
    }
}

Team::~Team() {
    if (getpid() == process_) {
        dismiss();
    } else {
        // The threads did not follow into this process: nothing to join, and a std::thread that is
        // not joined may not be destroyed.
        new std::vector<std::thread>(std::move(threads_));
    }
}

void Team::dismiss() {
    stop_ = true;
    call_.fetch_add(1, std::memory_order_release);
    call_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Team::wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) const {
    using Clock = std::chrono::steady_clock;
    if (options_.spin_us != 0) {
        const auto until = Clock::now() + std::chrono::microseconds(options_.spin_us);
        do {
            // About a microsecond; the clock is too dear to be asked every time.
            for (int i = 0; i < 32; ++i) {
                if (value.load(std::memory_order_acquire) != old) return;
                relax();
            }
        } while (Clock::now() < until);
    }
    while (value.load(std::memory_order_acquire) == old) {
        value.wait(old, std::memory_order_acquire);
    }
}

void Team::arrive() {
    const std::uint32_t generation = generation_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == options_.threads) {
        arrived_.store(0, std::memory_order_relaxed);
        taken_.store(0, std::memory_order_relaxed);
        generation_.fetch_add(1, std::memory_order_release);
        generation_.notify_all();
    } else {
        wait_while(generation_, generation);
    }
}

// Relaxed: what was computed is seen by others after the barrier, and only who changed a word has
// the pieces that it took.
bool Team::claim(std::size_t owner, bool own, std::uint64_t phase, std::size_t items,
                 std::size_t chunk, Range& range) {
    std::atomic<std::uint64_t>& word = left_[owner].word;
    const Range whole = share_of(items, owner, options_.threads);
    std::uint64_t old = word.load(std::memory_order_relaxed);
    for (;;) {
        Range left = left_of(old, phase, whole);
        if (left.size() == 0) return false;
        // Half of what is left, and others a quarter: all threads then end at about the same time.
        const std::size_t count = std::min(chunk, (left.size() + (own ? 1 : 3)) / (own ? 2 : 4));
        if (own) {
            range = {left.first, left.first + count};
            left.first += count;
        } else {
            range = {left.last - count, left.last};
            left.last -= count;
        }
        if (word.compare_exchange_weak(old, word_of(phase, left), std::memory_order_relaxed)) {
            return true;
        }
    }
}

void Team::serve(std::size_t index) {
    if (options_.pin) pin_to_own(index);
    t_inside = this;
    std::uint32_t seen = 0;
    for (;;) {
        wait_while(call_, seen);
        ++seen;
        if (stop_) return;
        Member member(index, options_.threads, this, phase_);
        function_(work_, member);
        arrive();
    }
}

void Team::run_erased(Function function, void* work) {
    if (options_.threads == 1 || t_inside == this || getpid() != process_) {
        Member alone(0, 1, nullptr, 0);
        function(work, alone);
        return;
    }
    const std::lock_guard<std::mutex> turn(turn_);
    const Team* const outer = t_inside;
    t_inside = this;
    function_ = function;
    work_ = work;
    taken_.store(0, std::memory_order_relaxed);
    call_.fetch_add(1, std::memory_order_release);
    call_.notify_all();
    Member member(0, options_.threads, this, phase_);
    function(work, member);
    arrive();
    phase_ = member.phase_ + 1;  // the workers have read it: they have arrived as well
    t_inside = outer;
}

}  // namespace edgeward::ops
