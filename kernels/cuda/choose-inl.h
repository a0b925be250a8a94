// Draws one row's token: the steps of sampling/sampler.cpp, by one team of threads.
//
// Knows: the order of the cuts, what a draw is. Does not know: CUDA; a team is all it needs, so the
// same text runs on a device and, thread after thread, on the host (tests/kernels/cuda). No list
// of survivors is kept: a cut is a condition, and blocks that cannot meet it are not looked into.
#pragma once

#include "cuda/select-inl.h"
#include "sampling/philox.h"

namespace edgeward::cuda {

// Which tokens are in play, and what they weigh. Each limit is the last index that stays of those
// that lie exactly on the edge.
struct Cut {
    float highest, scale, lowest;
    float floor = kMinusInfinity;  // logits below are out
    std::uint32_t floor_limit = kNone;
    bool typical = false;
    double mean = 0;
    std::uint32_t furthest = 0, furthest_limit = kNone;  // typical-p: bits of the untypicality
    std::uint32_t least = 0, least_limit = kNone;        // weights below are out
    std::uint32_t excluded = kNone, spared = kNone;      // XTC: weights from there on, but one

    EDGEWARD_HD float power(float logit) const { return (logit - highest) * scale; }

    EDGEWARD_HD std::uint32_t weight(std::uint32_t i, float logit) const {
        if (!(logit >= floor) || (logit == floor && i > floor_limit)) return 0;
        const std::uint32_t own = sampling::weight_of(logit - highest, scale, lowest);
        if (own < least || (own == least && i > least_limit)) return 0;
        if (own >= excluded && i != spared) return 0;
        if (!typical || own == 0) return own;
        const auto far = std::bit_cast<std::uint32_t>(sampling::untypicality(power(logit), mean));
        return far < furthest || (far == furthest && i <= furthest_limit) ? own : 0;
    }

    // Whether a block with this highest logit can hold a weight of `bar` or more. Weights follow
    // logits but for the exponential's last bits: 2^-20 is more than its error.
    EDGEWARD_HD bool reaches(float block_highest, std::uint32_t bar) const {
        if (block_highest < floor) return false;
        const std::uint32_t most = sampling::weight_of(block_highest - highest, scale, lowest);
        return most + (most >> 20) + 1 >= bar;
    }
};

template <typename Team>
class Chooser {
 public:
    EDGEWARD_HD Chooser(Team& team, Shared& shared, const Row& row)
        : team_(team), shared_(shared), row_(row), plan_(*row.plan) {}

    EDGEWARD_HD edgeward_draw run() {
        edgeward_draw draw{};
        draw.place = kNone;
        if (row_.is(EDGEWARD_FORCED)) {
            draw.id = plan_.forced_id;
        } else {
            choose(draw);
        }
        if (row_.is(EDGEWARD_LOGPROB) && draw.status == EDGEWARD_DREW) measure_raw(draw);
        return draw;
    }

 private:
    EDGEWARD_HD void choose(edgeward_draw& draw) {
        cut_.highest = highest_of(team_, row_);
        if (*row_.first_nan != kNone) {
            draw.status = EDGEWARD_NAN;
            draw.place = *row_.first_nan;
        } else if (cut_.highest == -kMinusInfinity) {
            draw.status = EDGEWARD_INFINITE;
            draw.place = best();
        } else if (cut_.highest == kMinusInfinity) {
            draw.status = EDGEWARD_NONE_ALLOWED;
        } else if (row_.is(EDGEWARD_GREEDY)) {
            draw.id = best();
        } else {
            draw_one(draw);
        }
    }

    EDGEWARD_HD void draw_one(edgeward_draw& draw) {
        cut_.scale = plan_.scale;
        cut_.lowest = sampling::lowest_drop(plan_.scale);
        if (row_.is(EDGEWARD_WEIGHS)) {
            total_ = total_mass(team_, row_);  // weigh_chunk was there
        } else {
            cut_logits();
            total_ = weigh();
        }
        if (plan_.typical_p < 1) keep_typical();
        if (row_.is(EDGEWARD_MIROSTAT)) {
            cut_.least = sampling::surprise_bar(total_, plan_.mirostat_share);
            total_ = weigh();
        } else if (plan_.xtc_probability > 0) {
            if (plan_.top_p < 1) keep_nucleus();
            exclude();
        } else if (plan_.top_p < 1) {
            return draw_nucleus(draw);
        }
        take(draw, draw_below(total_, 0, [&](std::uint32_t i) { return weight(i); }));
    }

    EDGEWARD_HD void take(edgeward_draw& draw, std::uint32_t id) const {
        draw.id = id;
        draw.mass = total_;
        draw.weight = weight(id);
    }

    // The lowest index that has the highest logit.
    EDGEWARD_HD std::uint32_t best() {
        const std::uint64_t block = team_.min([&](std::uint32_t t) {
            for (std::uint32_t b = t; b < row_.blocks; b += team_.threads()) {
                if (row_.highest[b] == cut_.highest) return std::uint64_t{b};
            }
            return std::uint64_t{kNone};
        });
        const auto begin = static_cast<std::uint32_t>(block) * kBlockSize;
        return static_cast<std::uint32_t>(team_.min([&](std::uint32_t t) {
            const bool here =
                t < kBlockSize && begin + t < row_.size && row_.logits[begin + t] == cut_.highest;
            return std::uint64_t{here ? begin + t : kNone};
        }));
    }

    EDGEWARD_HD std::uint64_t weight(std::uint32_t i) const {
        return cut_.weight(i, row_.logits[i]);
    }

    EDGEWARD_HD std::uint64_t weigh() {
        return measure_blocks(
            team_, row_, [&](std::uint32_t b) { return cut_.reaches(row_.highest[b], cut_.least); },
            [&](std::uint32_t i) { return weight(i); });
    }

    // min-p, top-n-sigma and top-k, which need no weights.
    EDGEWARD_HD void cut_logits() {
        double bar = static_cast<double>(kMinusInfinity);
        const double highest = cut_.highest;
        if (row_.is(EDGEWARD_MIN_P)) bar = highest + plan_.min_drop;
        if (plan_.top_n_sigma > 0) {
            const double other = sampling::sigma_bar(highest, plan_.top_n_sigma, moments());
            bar = bar > other ? bar : other;
        }
        const auto floor = static_cast<float>(bar);
        const float least = value_of(key_of(kMinusInfinity) + 1);  // the lowest finite float
        cut_.floor = floor > least ? floor : least;
        if (plan_.top_k > 0) keep_highest();
    }

    // In the order of the blocks, by one thread: a sum of doubles.
    EDGEWARD_HD Moments moments() {
        team_.each([&](std::uint32_t t) {
            if (t != 0) return;
            Moments sum;
            for (std::uint32_t b = 0; b < row_.blocks; ++b) {
                sum.sum += row_.moments[b].sum;
                sum.squares += row_.moments[b].squares;
                sum.count += row_.moments[b].count;
            }
            shared_.high = std::bit_cast<std::uint64_t>(sum.sum);
            shared_.low = std::bit_cast<std::uint64_t>(sum.squares);
            shared_.left = sum.count;
        });
        Moments sum;
        sum.sum = std::bit_cast<double>(shared_.high);
        sum.squares = std::bit_cast<double>(shared_.low);
        sum.count = shared_.left;
        return sum;
    }

    // The k highest logits, equal ones by lower index. The k-th highest of the blocks' maxima is a
    // lower bound on the k-th highest logit: so many blocks hold one each that reaches it.
    EDGEWARD_HD void keep_highest() {
        float bound = cut_.floor;
        if (plan_.top_k < row_.blocks) {
            const Edge edge =
                select(team_, shared_, shared_.counts, plan_.top_k, [&](std::uint32_t t, auto put) {
                    for (std::uint32_t b = t; b < row_.blocks; b += team_.threads()) {
                        put(~key_of(row_.highest[b]), 1u);
                    }
                });
            const float kth = value_of(~edge.key);
            bound = kth > bound ? kth : bound;
        }
        const Edge edge =
            select(team_, shared_, shared_.counts, plan_.top_k, [&](std::uint32_t t, auto put) {
                in_blocks_from(team_, row_, bound, t, [&](std::uint32_t, float logit) {
                    if (logit >= bound) put(~key_of(logit), 1u);
                });
            });
        cut_.floor = edge.found ? value_of(~edge.key) : bound;
        if (!edge.found) return;
        if (edge.equal == edge.left) return;
        const auto on_edge = [&](std::uint32_t i) {
            return std::uint64_t{row_.logits[i] == cut_.floor};
        };
        measure_blocks(
            team_, row_, [&](std::uint32_t b) { return row_.highest[b] >= cut_.floor; }, on_edge);
        cut_.floor_limit = locate(team_, shared_, row_, edge.left - 1, on_edge);
    }

    // Weights by their key, to the least set that reaches p of the whole.
    template <typename Key>
    EDGEWARD_HD Edge select_mass(double p, Key key) {
        return select(team_, shared_, shared_.masses, sampling::share_of(total_, p),
                      [&](std::uint32_t t, auto put) {
                          in_blocks_from(team_, row_, cut_.floor, t,
                                         [&](std::uint32_t i, float logit) {
                                             const std::uint64_t own = cut_.weight(i, logit);
                                             if (own != 0) put(key(own, logit), own);
                                         });
                      });
    }

    // The last index that stays of the weights on an edge that was cut through.
    template <typename OnEdge>
    EDGEWARD_HD std::uint32_t limit(const Edge& edge, OnEdge on_edge) {
        const auto measure = [&](std::uint32_t i) {
            const float logit = row_.logits[i];
            const std::uint64_t own = cut_.weight(i, logit);
            return own != 0 && on_edge(own, logit) ? own : 0;
        };
        measure_blocks(
            team_, row_, [&](std::uint32_t b) { return row_.highest[b] >= cut_.floor; }, measure);
        return locate(team_, shared_, row_, edge.left - 1, measure);
    }

    EDGEWARD_HD void keep_typical() {
        team_.each([&](std::uint32_t t) {
            if (t == 0) shared_.high = shared_.low = 0;
        });
        team_.each([&](std::uint32_t t) {
            sampling::PowerSum own;
            in_blocks_from(team_, row_, cut_.floor, t, [&](std::uint32_t i, float logit) {
                const std::uint32_t weight = cut_.weight(i, logit);
                if (weight != 0) own.add(weight, cut_.power(logit));
            });
            team_.add(&shared_.high, own.high);
            team_.add(&shared_.low, own.low);
        });
        sampling::PowerSum sum;
        sum.high = shared_.high;
        sum.low = shared_.low;
        const double mean = sum.mean(total_);
        const auto far = [&](std::uint64_t, float logit) {
            return std::bit_cast<std::uint32_t>(sampling::untypicality(cut_.power(logit), mean));
        };
        const Edge edge = select_mass(plan_.typical_p, far);
        if (!edge.found) return;
        const std::uint32_t last = limit(
            edge, [&](std::uint64_t own, float logit) { return far(own, logit) == edge.key; });
        cut_.typical = true;
        cut_.mean = mean;
        cut_.furthest = edge.key;
        cut_.furthest_limit = last;
        total_ = weigh();
    }

    EDGEWARD_HD void keep_nucleus() {
        const Edge edge = select_mass(
            plan_.top_p, [](std::uint64_t own, float) { return ~static_cast<std::uint32_t>(own); });
        if (!edge.found) return;
        const std::uint32_t last =
            limit(edge, [&](std::uint64_t own, float) { return own == ~edge.key; });
        cut_.least = ~edge.key;
        cut_.least_limit = last;
        total_ = weigh();
    }

    // XTC: of all that reach the threshold only the last in rank stays.
    EDGEWARD_HD void exclude() {
        const std::uint64_t bits =
            sampling::random_bits(plan_.seed, plan_.position, 0, sampling::Stream::kExclude);
        if (!sampling::excludes(bits, plan_.xtc_probability)) return;
        const std::uint64_t share = sampling::share_of(total_, plan_.xtc_threshold);
        if (share > kUnitWeight) return;
        const auto bar = static_cast<std::uint32_t>(share > 1 ? share : 1);
        const std::uint64_t last = team_.min([&](std::uint32_t t) {
            std::uint64_t own = ~std::uint64_t{0};
            in_blocks_from(team_, row_, cut_.floor, t, [&](std::uint32_t i, float logit) {
                const std::uint64_t weight = cut_.weight(i, logit);
                const std::uint64_t rank = weight << 32 | (kNone - i);
                if (weight >= bar && rank < own) own = rank;
            });
            return own;
        });
        if (last == ~std::uint64_t{0}) return;
        cut_.excluded = bar;
        cut_.spared = kNone - static_cast<std::uint32_t>(last);
        total_ = weigh();
    }

    template <typename Measure>
    EDGEWARD_HD std::uint32_t draw_below(std::uint64_t mass, std::uint32_t attempt,
                                         Measure measure) {
        const std::uint64_t bits =
            sampling::random_bits(plan_.seed, plan_.position, attempt, sampling::Stream::kToken);
        return locate(team_, shared_, row_, sampling::below(bits, mass), measure);
    }

    // As Weights::draw_nucleus: draws from all, and again from what ranks above the loser.
    EDGEWARD_HD void draw_nucleus(edgeward_draw& draw) {
        const std::uint64_t reached = sampling::share_of(total_, plan_.top_p);
        std::uint32_t chosen = draw_below(total_, 0, [&](std::uint32_t i) { return weight(i); });
        for (std::uint32_t attempt = 1;; ++attempt) {
            const std::uint64_t bar = weight(chosen);
            const auto above = [&](std::uint32_t i) {
                const std::uint64_t own = weight(i);
                return own > bar || (own == bar && i < chosen) ? own : std::uint64_t{0};
            };
            const std::uint64_t mass = measure_blocks(
                team_, row_,
                [&](std::uint32_t b) {
                    return cut_.reaches(row_.highest[b], static_cast<std::uint32_t>(bar));
                },
                above);
            if (mass < reached) return take(draw, chosen);
            chosen = draw_below(mass, attempt, above);
        }
    }

    // The model's own distribution, before mask and edits.
    EDGEWARD_HD void measure_raw(edgeward_draw& draw) {
        const auto over_all = [&](std::uint32_t t, auto each) {
            for (std::uint32_t i = t; i < row_.size; i += team_.threads()) each(row_.raw[i]);
        };
        const std::uint64_t best = team_.max([&](std::uint32_t t) {
            std::uint64_t own = key_of(kMinusInfinity);
            over_all(t, [&](float logit) {
                if (logit == logit && key_of(logit) > own) own = key_of(logit);
            });
            return own;
        });
        const float highest = value_of(static_cast<std::uint32_t>(best));
        const auto scale = static_cast<float>(1.4426950408889634);
        const float lowest = sampling::lowest_drop(scale);
        draw.raw_mass = team_.sum([&](std::uint32_t t) {
            std::uint64_t sum = 0;
            over_all(t, [&](float logit) {
                if (logit == logit) sum += sampling::weight_of(logit - highest, scale, lowest);
            });
            return sum;
        });
        draw.raw_highest = highest;
        draw.raw_logit = row_.raw[draw.id];
    }

    Team& team_;
    Shared& shared_;
    const Row& row_;
    const edgeward_row& plan_;
    Cut cut_{};
    std::uint64_t total_ = 0;
};

}  // namespace edgeward::cuda
