// Body of the passes, compiled once per instruction set: define EDGEWARD_PASSES_ISA, then include.
//
// Written with vectors of any width: each lane rounds alone, maxima and integer sums do not depend
// on their order, so all widths agree bit for bit (-ffp-contract=off keeps the multiply-adds
// apart).
#include "sampling/passes.h"
#include "simd.h"

namespace edgeward::sampling::EDGEWARD_PASSES_ISA {
namespace {

using namespace simd;

static_assert(kBlock % (4 * kLanes) == 0);

constexpr float kMinusInf = -__builtin_inff();

inline std::size_t lesser(std::size_t a, std::size_t b) { return a < b ? a : b; }

// A block whose highest is zero may say -0 or +0, which compare alike and weigh alike.
// The sum of everything read is the NaN trap: it is sticky and costs one addition a vector. Sums of
// +inf and -inf, or of values near the largest float, are the false alarms.
bool block_max(const float* x, std::size_t n, float* highest) {
    Floats trap_a{}, trap_b{};
    const std::size_t whole = n / kBlock;
    for (std::size_t b = 0; b < whole; ++b, x += kBlock) {
        Floats best_a = load(x), best_b = load(x + kLanes);
        trap_a += best_a;
        trap_b += best_b;
        for (std::size_t i = 2 * kLanes; i < kBlock; i += 2 * kLanes) {
            const Floats a = load(x + i), c = load(x + i + kLanes);
            best_a = max(a, best_a);
            best_b = max(c, best_b);
            trap_a += a;
            trap_b += c;
        }
        highest[b] = reduce_max(max(best_a, best_b));
    }
    const std::size_t rest = n - whole * kBlock;
    if (rest != 0) {
        Floats best = Floats{} + kMinusInf;
        for (std::size_t i = 0; i < rest; i += kLanes) {
            const Floats v =
                rest - i >= kLanes ? load(x + i) : load_part(x + i, rest - i, kMinusInf);
            best = max(v, best);
            trap_a += v;
        }
        highest[whole] = reduce_max(best);
    }
    trap_a += trap_b;
    return any(trap_a != trap_a);
}

std::size_t collect(const float* x, std::size_t n, const float* highest, float threshold,
                    std::uint32_t* ids, float* values) {
    const Floats bar = Floats{} + threshold;
    std::size_t count = 0;
    for (std::size_t begin = 0; begin < n; begin += kBlock) {
        if (highest[begin / kBlock] < threshold) continue;
        const std::size_t end = lesser(begin + kBlock, n);
        for (std::size_t i = begin; i < end; i += kLanes) {
            const Floats v = end - i >= kLanes ? load(x + i) : load_part(x + i, end - i, kMinusInf);
            for (unsigned left = bits_of(v >= bar); left != 0; left &= left - 1) {
                const std::size_t at = i + static_cast<std::size_t>(__builtin_ctz(left));
                ids[count] = static_cast<std::uint32_t>(at);
                values[count++] = x[at];
            }
        }
    }
    return count;
}

// weight_of() of weight.h, a vector at a time: the same steps in the same order.
inline Ints weights_of(Floats drop, Floats scale) {
    const Floats round = Floats{} + kRound;
    const Floats shifted = fma(drop, scale, round);
    const Floats part = fma(drop, scale, round - shifted);
    Floats p = Floats{} + kExp5;
    p = fma(p, part, Floats{} + kExp4);
    p = fma(p, part, Floats{} + kExp3);
    p = fma(p, part, Floats{} + kExp2);
    p = fma(p, part, Floats{} + kExp1);
    p = fma(p, part, Floats{} + kUnit);
    const Words bits = reinterpret_cast<Words>(p) + (reinterpret_cast<Words>(shifted) << 23);
    return round_to_int(reinterpret_cast<Floats>(bits));
}

// Two weights make at most 2^31, so pairs are added in 32 bits before they are widened.
inline void add_pair(Ints a, Ints b, Longs& even, Longs& odd) {
    const Longs pair =
        reinterpret_cast<Longs>(reinterpret_cast<Words>(a) + reinterpret_cast<Words>(b));
    even += pair & 0xffffffffu;
    odd += pair >> 32;
}

// Two bodies: the comparison with a floor costs an eighth of the loop.
template <bool Floored>
std::uint64_t weigh_from(const float* x, std::size_t n, float highest, float scale, float floor,
                         std::uint32_t* weights, std::uint64_t* block_mass) {
    const Floats bar = Floats{} + floor;
    const Floats top = Floats{} + highest, by = Floats{} + scale;
    const Floats lowest = Floats{} + lowest_drop(scale);
    const auto weights_at = [&](Floats v) {
        Floats drop = max(v - top, lowest);
        if constexpr (Floored) drop = v >= bar ? drop : lowest;
        return weights_of(drop, by);
    };
    std::uint64_t total = 0;
    for (std::size_t begin = 0; begin < n; begin += kBlock) {
        Longs even{}, odd{};
        const std::size_t size = lesser(kBlock, n - begin);
        std::size_t i = begin;
        for (; i + 2 * kLanes <= begin + size; i += 2 * kLanes) {
            const Ints a = weights_at(load(x + i));
            const Ints b = weights_at(load(x + i + kLanes));
            store(weights + i, a);
            store(weights + i + kLanes, b);
            add_pair(a, b, even, odd);
        }
        for (; i < begin + kBlock; i += kLanes) {
            const std::size_t left = i < n ? n - i : 0;
            Ints w{};
            if (left != 0) {
                w = weights_at(left >= kLanes ? load(x + i) : load_part(x + i, left, kMinusInf));
            }
            store(weights + i, w);
            add_pair(w, Ints{}, even, odd);
        }
        total += block_mass[begin / kBlock] = reduce_add(even + odd);
    }
    return total;
}

std::uint64_t weigh(const float* x, std::size_t n, float highest, float scale, float floor,
                    std::uint32_t* weights, std::uint64_t* block_mass) {
    return (floor > kMinusInf ? weigh_from<true> : weigh_from<false>)(x, n, highest, scale, floor,
                                                                      weights, block_mass);
}

std::uint64_t mass_above(const std::uint32_t* weights, std::size_t blocks, std::int32_t threshold,
                         std::uint64_t* block_mass) {
    const Ints bar = Ints{} + threshold;
    std::uint64_t total = 0;
    for (std::size_t b = 0; b < blocks; ++b, weights += kBlock) {
        Longs even{}, odd{};
        for (std::size_t i = 0; i < kBlock; i += 2 * kLanes) {
            const Ints u = load(weights + i), v = load(weights + i + kLanes);
            add_pair(u > bar ? u : Ints{}, v > bar ? v : Ints{}, even, odd);
        }
        total += block_mass[b] = reduce_add(even + odd);
    }
    return total;
}

// Sums of doubles do depend on their order: value i goes to column i % 8, whatever the width.
Moments block_moments(const float* x, std::size_t n, float highest) {
    constexpr std::size_t kColumns = 8, kVectors = kColumns / kDoubleLanes;
    const Doubles top = Doubles{} + highest, infinity = Doubles{} - kMinusInf;
    Doubles sums[kVectors] = {}, squares[kVectors] = {};
    Longs infinite[kVectors] = {};
    std::size_t i = 0;
    for (; i + kColumns <= n; i += kColumns) {
        for (std::size_t v = 0; v < kVectors; ++v) {
            const Doubles drop = top - load_doubles(x + i + v * kDoubleLanes);
            const auto finite = drop < infinity;
            const Doubles kept = finite ? drop : Doubles{};
            sums[v] += kept;
            squares[v] += kept * kept;
            infinite[v] += reinterpret_cast<Longs>(finite) + 1;
        }
    }
    double sum[kColumns], square[kColumns];
    __builtin_memcpy(sum, sums, sizeof sum);
    __builtin_memcpy(square, squares, sizeof square);
    Moments total;
    total.count = i;
    for (std::size_t v = 0; v < kVectors; ++v) total.count -= reduce_add(infinite[v]);
    for (; i < n; ++i) {
        if (x[i] == kMinusInf) continue;
        const double drop = static_cast<double>(highest) - static_cast<double>(x[i]);
        sum[i % kColumns] += drop;
        square[i % kColumns] += drop * drop;
        ++total.count;
    }
    for (std::size_t column = 0; column < kColumns; ++column) {
        total.sum += sum[column];
        total.squares += square[column];
    }
    return total;
}

Moments moments(const float* x, std::size_t n, float highest) {
    Moments total;
    for (std::size_t begin = 0; begin < n; begin += kBlock) {
        const Moments block = block_moments(x + begin, lesser(kBlock, n - begin), highest);
        total.sum += block.sum;
        total.squares += block.squares;
        total.count += block.count;
    }
    return total;
}

void keep_allowed(const float* x, std::size_t n, const std::uint32_t* allowed, float* out) {
    Ints lane_bit{};
    for (std::size_t lane = 0; lane < kLanes; ++lane) lane_bit[lane] = std::int32_t{1} << lane;
    const Floats banned = Floats{} + kMinusInf;
    std::size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        const auto bits = static_cast<std::int32_t>(allowed[i / 32] >> (i % 32));
        const Ints set = (Ints{} + bits) & lane_bit;
        store(out + i, set != 0 ? load(x + i) : banned);
    }
    for (; i < n; ++i) out[i] = (allowed[i / 32] >> (i % 32) & 1) != 0 ? x[i] : kMinusInf;
}

#include "sampling/mass_passes-inl.h"

}  // namespace

extern const Passes kPasses;
const Passes kPasses{block_max,
                     collect,
                     weigh,
                     mass_above,
                     moments,
                     keep_allowed,
                     power_sum,
                     mass_within<float>,
                     mass_within<std::uint32_t>,
                     narrow<float>,
                     narrow<std::uint32_t>};

}  // namespace edgeward::sampling::EDGEWARD_PASSES_ISA
