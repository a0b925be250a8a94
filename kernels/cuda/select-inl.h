// Finding a place without sorting: the k-th key, the cut of a mass, the token under an offset.
//
// Knows: keys, amounts, blocks, a team of threads (see team.h). Does not know: what is looked for.
// Keys of 32 bits are found 11 bits at a time, by counting (a radix select): three looks at the
// values, whatever they are.
#pragma once

#include "cuda/wide-inl.h"

namespace edgeward::cuda {

constexpr std::uint32_t kBins = 1u << 11;

// What the threads of a team share.
struct Shared {
    union {
        std::uint32_t counts[kBins];
        std::uint64_t masses[kBins];
    };
    std::uint64_t left, equal, high, low;
    std::uint32_t digit, block, chosen;
};

// Of values in the order of their keys, the key at which the amounts reach a target: what was left
// of the target before that key, and what those that have it amount to.
struct Edge {
    bool found;  // false: all together do not exceed the target
    std::uint32_t key;
    std::uint64_t left, equal;
};

// visit(t, each) must call each(key, amount) for every value that thread t looks at. `bins` is one
// of Shared's; its type must hold the sum of all amounts.
template <typename Team, typename Amount, typename Visit>
EDGEWARD_HD Edge select(Team& team, Shared& shared, Amount* bins, std::uint64_t target,
                        Visit visit) {
    Edge edge{false, 0, target, 0};
    std::uint32_t known = 0;
    for (std::uint32_t round = 0; round < 3; ++round) {
        const std::uint32_t shift = round == 0 ? 21 : round == 1 ? 10 : 0;
        const std::uint32_t last = round == 2 ? kBins / 2 - 1 : kBins - 1;
        team.each([&](std::uint32_t t) {
            for (std::uint32_t bin = t; bin <= last; bin += team.threads()) bins[bin] = 0;
        });
        team.each([&](std::uint32_t t) {
            visit(t, [&](std::uint32_t key, Amount amount) {
                if ((key & known) != edge.key) return;
                team.add(&bins[key >> shift & last], amount);
            });
        });
        const std::uint32_t span = kBins / team.threads() > 1 ? kBins / team.threads() : 1;
        const std::uint64_t total = team.scan(
            [&](std::uint32_t t) {
                std::uint64_t sum = 0;
                for (std::uint32_t bin = t * span; bin < (t + 1) * span && bin <= last; ++bin) {
                    sum += bins[bin];
                }
                return sum;
            },
            [&](std::uint32_t t, std::uint64_t before, std::uint64_t sum) {
                if (before >= edge.left || before + sum < edge.left) return;
                std::uint32_t bin = t * span;
                for (; before + bins[bin] < edge.left; ++bin) before += bins[bin];
                shared.digit = bin;
                shared.left = edge.left - before;
                shared.equal = bins[bin];
            });
        if (round == 0 && total <= target) return edge;
        edge.found = true;
        edge.key |= shared.digit << shift;
        edge.left = shared.left;
        edge.equal = shared.equal;
        known |= last << shift;
    }
    return edge;
}

// Writes what each block measures to row.mass, 0 for blocks that are not active(block), and returns
// the sum. measure(i) must be 0 for every i of those.
template <typename Team, typename Active, typename Measure>
EDGEWARD_HD std::uint64_t measure_blocks(Team& team, const Row& row, Active active,
                                         Measure measure) {
    team.for_blocks(
        0, row.blocks, active,
        [&](std::uint32_t block, std::uint32_t lane) {
            std::uint64_t sum = 0;
            in_block(row, block, lane, [&](std::uint32_t i) { sum += measure(i); });
            return sum;
        },
        [](std::uint64_t a, std::uint64_t b) { return a + b; },
        [&](std::uint32_t block, std::uint64_t sum) { row.mass[block] = sum; });
    return total_mass(team, row);
}

// The sum of row.mass.
template <typename Team>
EDGEWARD_HD std::uint64_t total_mass(Team& team, const Row& row) {
    return team.sum([&](std::uint32_t t) {
        std::uint64_t sum = 0;
        for (std::uint32_t block = t; block < row.blocks; block += team.threads()) {
            sum += row.mass[block];
        }
        return sum;
    });
}

// The index under `offset` when measures are laid end to end by index; row.mass holds those of the
// blocks, and their sum is more than `offset`.
template <typename Team, typename Measure>
EDGEWARD_HD std::uint32_t locate(Team& team, Shared& shared, const Row& row, std::uint64_t offset,
                                 Measure measure) {
    static_assert(Team::kThreads >= kBlock);
    const std::uint32_t span = (row.blocks + team.threads() - 1) / team.threads();
    team.scan(
        [&](std::uint32_t t) {
            std::uint64_t sum = 0;
            for (std::uint32_t b = t * span; b < (t + 1) * span && b < row.blocks; ++b) {
                sum += row.mass[b];
            }
            return sum;
        },
        [&](std::uint32_t t, std::uint64_t before, std::uint64_t sum) {
            if (offset < before || offset - before >= sum) return;
            std::uint32_t block = t * span;
            for (; offset - before >= row.mass[block]; ++block) before += row.mass[block];
            shared.block = block;
            shared.left = offset - before;
        });
    const std::uint32_t begin = shared.block * kBlockSize;
    const std::uint64_t rest = shared.left;
    team.scan(
        [&](std::uint32_t t) {
            return t < kBlockSize && begin + t < row.size ? measure(begin + t) : std::uint64_t{0};
        },
        [&](std::uint32_t t, std::uint64_t before, std::uint64_t own) {
            if (rest >= before && rest - before < own) shared.chosen = begin + t;
        });
    return shared.chosen;
}

// Calls each(i, logit) for the logits that thread t looks at in blocks whose highest reaches
// `floor`.
template <typename Team, typename Each>
EDGEWARD_HD inline void in_blocks_from(const Team& team, const Row& row, float floor,
                                       std::uint32_t t, Each each) {
    for (std::uint32_t block = t / kGroup; block < row.blocks; block += team.threads() / kGroup) {
        if (row.highest[block] < floor) continue;
        in_block(row, block, t % kGroup, [&](std::uint32_t i) { each(i, row.logits[i]); });
    }
}

}  // namespace edgeward::cuda
