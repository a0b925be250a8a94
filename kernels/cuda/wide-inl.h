// The passes over all logits, spread over the whole device: mask, edits, maxima, masses, moments.
//
// Knows: one chunk of one row and a team of threads (see team.h). Does not know: what is drawn.
// Everything that is added up here is a whole number, or added in the order of sampling/passes.h.
#pragma once

#include "cuda/row.h"

namespace edgeward::cuda {

constexpr std::uint32_t kGroup = 32;       // threads that look at one block together
constexpr std::uint32_t kChunkBlocks = 8;  // blocks of kBlock logits that one team looks at
constexpr std::uint32_t kChunkThreads = kChunkBlocks * kGroup;
constexpr std::uint32_t kColumns = 8;  // as in passes-inl.h
constexpr std::uint32_t kBlockSize = static_cast<std::uint32_t>(kBlock);

// Calls each(i) for the logits of `block` that thread `lane` of its group looks at.
template <typename Each>
EDGEWARD_HD inline void in_block(const Row& row, std::uint32_t block, std::uint32_t lane,
                                 Each each) {
    const std::uint32_t begin = block * kBlockSize;
    if (begin + kBlockSize <= row.size) {
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
        for (std::uint32_t i = 0; i < kBlockSize; i += kGroup) each(begin + i + lane);
    } else {
        for (std::uint32_t i = begin + lane; i < row.size; i += kGroup) each(i);
    }
}

// What single-logit changes work on.
template <typename Team>
EDGEWARD_HD void copy_chunk(Team& team, const Row& row, std::uint32_t chunk) {
    if (!row.copied() || row.is(EDGEWARD_FORCED)) return;
    team.each([&](std::uint32_t t) {
        const std::uint32_t block = chunk * kChunkBlocks + t / kGroup;
        if (block >= row.blocks) return;
        in_block(row, block, t % kGroup, [&](std::uint32_t i) {
            const bool open = row.allowed == nullptr || (row.allowed[i / 32] >> (i % 32) & 1) != 0;
            row.copy[i] = open ? row.raw[i] : kMinusInfinity;
        });
    });
}

// As sampling::Adjustments::apply, on the copy.
template <typename Team>
EDGEWARD_HD void edit_row(Team& team, const Row& row, const edgeward_edit* edits) {
    if (!row.is(EDGEWARD_EDITED)) return;
    const edgeward_row& plan = *row.plan;
    const edgeward_edit* group = edits + plan.first_edit;
    const auto for_group = [&](std::uint32_t count, auto change) {
        team.each([&](std::uint32_t t) {
            for (std::uint32_t e = t; e < count; e += team.threads()) {
                float& logit = row.copy[group[e].id];
                logit = change(logit, group[e].value);
            }
        });
        group += count;
    };
    for_group(plan.bans, [](float, float) { return kMinusInfinity; });
    for_group(plan.biases, [](float logit, float bias) { return logit + bias; });
    for_group(plan.penalties, [&plan](float logit, float discount) {
        return logit * plan.factors[logit > 0 ? 1 : 0] - discount;
    });
    for_group(plan.charges, [](float logit, float charge) { return logit - charge; });
}

// The highest of each block, and the first NaN of the row.
template <typename Team>
EDGEWARD_HD void scan_chunk(Team& team, const Row& row, std::uint32_t chunk) {
    if (row.is(EDGEWARD_FORCED)) return;
    const std::uint32_t first = chunk * kChunkBlocks;
    const std::uint32_t end = first + kChunkBlocks < row.blocks ? first + kChunkBlocks : row.blocks;
    team.for_blocks(
        first, end, [](std::uint32_t) { return true; },
        [&](std::uint32_t block, std::uint32_t lane) {
            std::uint64_t best = key_of(kMinusInfinity);
            in_block(row, block, lane, [&](std::uint32_t i) {
                const float value = row.logits[i];
                if (value != value) {
                    team.lower(row.first_nan, i);
                } else {
                    best = best > key_of(value) ? best : key_of(value);
                }
            });
            return best;
        },
        [](std::uint64_t a, std::uint64_t b) { return a > b ? a : b; },
        [&](std::uint32_t block, std::uint64_t best) {
            row.highest[block] = value_of(static_cast<std::uint32_t>(best));
        });
}

// The highest of the row, from its blocks.
template <typename Team>
EDGEWARD_HD float highest_of(Team& team, const Row& row) {
    const std::uint64_t best = team.max([&](std::uint32_t t) {
        std::uint64_t own = 0;
        for (std::uint32_t block = t; block < row.blocks; block += team.threads()) {
            const std::uint64_t key = key_of(row.highest[block]);
            own = own > key ? own : key;
        }
        return own;
    });
    return value_of(static_cast<std::uint32_t>(best));
}

EDGEWARD_HD inline bool drawable(float highest) {
    return highest > kMinusInfinity && highest < -kMinusInfinity;
}

// The mass of each block, for rows that weigh all their tokens.
template <typename Team>
EDGEWARD_HD void weigh_chunk(Team& team, const Row& row, std::uint32_t chunk) {
    if (!row.is(EDGEWARD_WEIGHS)) return;
    const float highest = highest_of(team, row);
    if (!drawable(highest)) return;
    const float scale = row.plan->scale, lowest = sampling::lowest_drop(scale);
    const std::uint32_t first = chunk * kChunkBlocks;
    const std::uint32_t end = first + kChunkBlocks < row.blocks ? first + kChunkBlocks : row.blocks;
    team.for_blocks(
        first, end, [](std::uint32_t) { return true; },
        [&](std::uint32_t block, std::uint32_t lane) {
            std::uint64_t mass = 0;
            in_block(row, block, lane, [&](std::uint32_t i) {
                mass += sampling::weight_of(row.logits[i] - highest, scale, lowest);
            });
            return mass;
        },
        [](std::uint64_t a, std::uint64_t b) { return a + b; },
        [&](std::uint32_t block, std::uint64_t mass) { row.mass[block] = mass; });
}

// The moments of each block, for top-n-sigma. `columns` is memory the team shares.
template <typename Team>
EDGEWARD_HD void measure_chunk(Team& team, const Row& row, std::uint32_t chunk,
                               Moments (*columns)[kColumns]) {
    if (!row.is(EDGEWARD_SIGMA) || row.is(EDGEWARD_GREEDY)) return;
    const double highest = highest_of(team, row);
    const std::uint32_t first = chunk * kChunkBlocks;
    team.each([&](std::uint32_t t) {
        const std::uint32_t own = t / kColumns, block = first + own;
        if (own >= kChunkBlocks || block >= row.blocks) return;
        Moments sum;
        const std::uint32_t end = (block + 1) * kBlockSize;
        for (std::uint32_t i = block * kBlockSize + t % kColumns; i < end && i < row.size;
             i += kColumns) {
            const double drop = highest - static_cast<double>(row.logits[i]);
            const bool finite = drop < static_cast<double>(-kMinusInfinity);
            const double kept = finite ? drop : 0.0;
            sum.sum += kept;
            sum.squares += kept * kept;
            sum.count += finite;
        }
        columns[own][t % kColumns] = sum;
    });
    team.each([&](std::uint32_t t) {
        if (t >= kChunkBlocks || first + t >= row.blocks) return;
        Moments sum;
        for (std::uint32_t column = 0; column < kColumns; ++column) {
            sum.sum += columns[t][column].sum;
            sum.squares += columns[t][column].squares;
            sum.count += columns[t][column].count;
        }
        row.moments[first + t] = sum;
    });
}

}  // namespace edgeward::cuda
