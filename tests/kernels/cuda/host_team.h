// The stand-in for a thread block: the same members as DeviceTeam, threads one after the other.
//
// Knows: an order of the threads, which may be turned around: an algorithm in which one thread
// reads what another writes in the same call gives different answers then. Does not know: sampling.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace edgeward::cuda {

enum class Order { kForward = 0, kBackward = 1, kMixed = 2 };

template <unsigned Threads>
class HostTeam {
 public:
    static constexpr unsigned kThreads = Threads;

    explicit HostTeam(Order order) {
        for (unsigned t = 0; t < Threads; ++t) {
            // 389 and every power of two have no common divisor.
            order_.push_back(order == Order::kForward    ? t
                             : order == Order::kBackward ? Threads - 1 - t
                                                         : (t * 389 + 17) % Threads);
        }
    }

    static unsigned threads() { return Threads; }

    template <typename Work>
    void each(Work work) {
        for (const unsigned t : order_) work(t);
    }

    template <typename Value>
    std::uint64_t sum(Value value) {
        std::uint64_t all = 0;
        for (const unsigned t : order_) all += value(t);
        return all;
    }
    template <typename Value>
    std::uint64_t max(Value value) {
        std::uint64_t all = 0;
        for (const unsigned t : order_) all = std::max<std::uint64_t>(all, value(t));
        return all;
    }
    template <typename Value>
    std::uint64_t min(Value value) {
        std::uint64_t all = ~std::uint64_t{0};
        for (const unsigned t : order_) all = std::min<std::uint64_t>(all, value(t));
        return all;
    }

    template <typename Value, typename Put>
    std::uint64_t scan(Value value, Put put) {
        std::vector<std::uint64_t> own(Threads), before(Threads);
        for (const unsigned t : order_) own[t] = value(t);
        std::uint64_t all = 0;
        for (unsigned t = 0; t < Threads; ++t) {
            before[t] = all;
            all += own[t];
        }
        for (const unsigned t : order_) put(t, before[t], own[t]);
        return all;
    }

    template <typename Active, typename Value, typename Join, typename Put>
    void for_blocks(std::uint32_t first, std::uint32_t end, Active active, Value value, Join join,
                    Put put) {
        for (unsigned i = 0; i < Threads / 32; ++i) {
            const unsigned warp = order_[i * 32] / 32;
            for (std::uint32_t block = first + warp; block < end; block += Threads / 32) {
                std::uint64_t all = 0;
                if (active(block)) {
                    all = value(block, 0);
                    for (std::uint32_t lane = 1; lane < 32; ++lane) {
                        all = join(all, value(block, lane));
                    }
                }
                put(block, all);
            }
        }
    }

    template <typename Amount>
    static void add(Amount* to, Amount amount) {
        *to += amount;
    }
    static void lower(std::uint32_t* to, std::uint32_t value) { *to = std::min(*to, value); }

 private:
    std::vector<unsigned> order_;
};

}  // namespace edgeward::cuda
