// A thread block as the algorithms see it: work for each thread, then all wait.
//
// Knows: barriers, warps, atomics. Does not know: sampling. Whoever has these members is a team;
// tests/kernels/cuda/host_team.h has them too, and runs the threads one after the other. The rule
// that makes both the same: what a thread writes may be read by others only in a later call.
// Sums and maxima are of whole numbers, so their order does not matter.
#pragma once

#include <cstdint>

namespace edgeward::cuda {

template <unsigned Threads>
class DeviceTeam {
 public:
    static constexpr unsigned kThreads = Threads;
    static_assert(Threads % 32 == 0 && Threads <= 1024);

    // What reductions need: one number a warp, and the result.
    struct Scratch {
        std::uint64_t of_warp[Threads / 32];
        std::uint64_t all;
    };

    __device__ explicit DeviceTeam(Scratch& scratch) : scratch_(scratch) {}

    __device__ static unsigned threads() { return Threads; }

    // Calls work(t) on every thread t.
    template <typename Work>
    __device__ void each(Work work) {
        work(threadIdx.x);
        __syncthreads();
    }

    // Of what value(t) says on every thread; all threads get it.
    template <typename Value>
    __device__ std::uint64_t sum(Value value) {
        return reduce(value(threadIdx.x), [](std::uint64_t a, std::uint64_t b) { return a + b; });
    }
    template <typename Value>
    __device__ std::uint64_t max(Value value) {
        return reduce(value(threadIdx.x),
                      [](std::uint64_t a, std::uint64_t b) { return a > b ? a : b; });
    }
    template <typename Value>
    __device__ std::uint64_t min(Value value) {
        return reduce(value(threadIdx.x),
                      [](std::uint64_t a, std::uint64_t b) { return a < b ? a : b; });
    }

    // put(t, sum of what lower threads say, what t says); returns the sum of all.
    template <typename Value, typename Put>
    __device__ std::uint64_t scan(Value value, Put put) {
        const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
        const std::uint64_t own = value(threadIdx.x);
        const std::uint64_t through = scan_warp(own, lane);
        if (lane == 31) scratch_.of_warp[warp] = through;
        __syncthreads();
        if (warp == 0) {
            const std::uint64_t mine = lane < kWarps ? scratch_.of_warp[lane] : 0;
            const std::uint64_t all = scan_warp(mine, lane);
            if (lane < kWarps) scratch_.of_warp[lane] = all - mine;
            if (lane == 31) scratch_.all = all;
        }
        __syncthreads();
        const std::uint64_t total = scratch_.all;
        put(threadIdx.x, scratch_.of_warp[warp] + through - own, own);
        __syncthreads();
        return total;
    }

    // Each warp takes blocks in turn: put(block, join of what value(block, lane) says), by one
    // thread; 0 for blocks that are not active(block).
    template <typename Active, typename Value, typename Join, typename Put>
    __device__ void for_blocks(std::uint32_t first, std::uint32_t end, Active active, Value value,
                               Join join, Put put) {
        const unsigned lane = threadIdx.x % 32;
        for (std::uint32_t block = first + threadIdx.x / 32; block < end; block += kWarps) {
            std::uint64_t all = 0;
            if (active(block)) all = reduce_warp(value(block, lane), join);
            if (lane == 0) put(block, all);
        }
        __syncthreads();
    }

    // Safe from several threads at once.
    __device__ static void add(std::uint32_t* to, std::uint32_t amount) { atomicAdd(to, amount); }
    __device__ static void add(std::uint64_t* to, std::uint64_t amount) {
        static_assert(sizeof(unsigned long long) == sizeof(std::uint64_t));
        atomicAdd(reinterpret_cast<unsigned long long*>(to),
                  static_cast<unsigned long long>(amount));
    }
    __device__ static void lower(std::uint32_t* to, std::uint32_t value) { atomicMin(to, value); }

 private:
    static constexpr unsigned kWarps = Threads / 32;
    static constexpr unsigned kAllLanes = 0xffffffffu;

    // Every lane gets the result.
    template <typename Join>
    __device__ static std::uint64_t reduce_warp(std::uint64_t value, Join join) {
        for (int distance = 16; distance > 0; distance /= 2) {
            const auto other =
                __shfl_xor_sync(kAllLanes, static_cast<unsigned long long>(value), distance);
            value = join(value, static_cast<std::uint64_t>(other));
        }
        return value;
    }

    __device__ static std::uint64_t scan_warp(std::uint64_t value, unsigned lane) {
        for (unsigned distance = 1; distance < 32; distance *= 2) {
            const auto other =
                __shfl_up_sync(kAllLanes, static_cast<unsigned long long>(value), distance);
            if (lane >= distance) value += static_cast<std::uint64_t>(other);
        }
        return value;
    }

    template <typename Join>
    __device__ std::uint64_t reduce(std::uint64_t value, Join join) {
        const std::uint64_t of_warp = reduce_warp(value, join);
        if (threadIdx.x % 32 == 0) scratch_.of_warp[threadIdx.x / 32] = of_warp;
        __syncthreads();
        std::uint64_t all = scratch_.of_warp[0];
        for (unsigned warp = 1; warp < kWarps; ++warp) all = join(all, scratch_.of_warp[warp]);
        __syncthreads();
        return all;
    }

    Scratch& scratch_;
};

}  // namespace edgeward::cuda
