#include "tokenizer/merges.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

#include "tokenizer/vocab.h"

namespace edgeward {
namespace {

constexpr size_t kLongestRun = 16 * MergeTable::kProbeLimit;

}  // namespace

MergeTable::MergeTable(size_t rules, uint32_t end_id) {
    // One more than needed, so that no pair has all bits set and looks like an empty slot.
    head_.id_bits = std::max(1u, static_cast<uint32_t>(std::bit_width(end_id)));
    const size_t limit = std::min(kMaxRules, size_t{1} << (64 - 2 * head_.id_bits));
    if (rules > limit) {
        throw std::invalid_argument("model.merges has " + std::to_string(rules) +
                                    " rules; the limit for ids up to " + std::to_string(end_id) +
                                    " is " + std::to_string(limit));
    }
    results_.resize(rules, kNoId);
    filter_.resize(rules / 8 + 1, 0);
    slots_.resize(rules + rules * 3 / 4 + 64 + kProbeLimit, kEmpty);
}

bool MergeTable::place(uint64_t slot) {
    const uint32_t rank_bits = 64 - 2 * head_.id_bits;
    const uint64_t hash = (slot >> rank_bits) * head_.multiplier;
    filter_.own()[scaled(hash, filter_.size())] |= filter_bits(hash);
    uint64_t* at = slots_.own() + scaled(hash, slots_.size() - kProbeLimit);
    const uint64_t* const end = at + kProbeLimit;
    while (at != end && *at != kEmpty && *at >> rank_bits != slot >> rank_bits) ++at;
    if (at == end) return false;
    *at = slot;
    return true;
}

void MergeTable::lay_out_anew() {
    const FlatArray<uint64_t> old = std::move(slots_);
    for (int attempt = 0; attempt < 8; ++attempt) {
        // Made to collide: a multiplier that the file cannot know.
        head_.multiplier = random_seed() | 1;
        const size_t words = filter_.size();
        filter_ = {};
        filter_.resize(words, 0);
        slots_ = {};
        slots_.resize(old.size(), kEmpty);
        bool placed = true;
        for (const uint64_t slot : old.span()) placed = placed && (slot == kEmpty || place(slot));
        if (placed) return;
    }
    throw std::invalid_argument(
        "the rules of model.merges cannot be spread over a hash table; the file was made to "
        "collide");
}

void MergeTable::set(uint32_t left, uint32_t right, uint32_t rank, uint32_t result) {
    results_.own()[rank] = result;
    const uint64_t pair = uint64_t{left} << head_.id_bits | right;
    const uint64_t slot = pair << (64 - 2 * head_.id_bits) | rank;
    while (!place(slot)) lay_out_anew();
}

void MergeTable::check(uint32_t end_id) const {
    const auto fail = [](const char* what) {
        throw std::invalid_argument(std::string("the table of merges ") + what +
                                    "; make the compiled vocabulary anew");
    };
    if (head_.id_bits < 1 || head_.id_bits > 24) fail("has ids of an illegal width");
    if (filter_.size() == 0 || filter_.size() > UINT32_MAX) fail("has no filter");
    if (slots_.size() <= kProbeLimit || slots_.size() > UINT32_MAX) fail("has no legal size");
    if (slots_[slots_.size() - 1] != kEmpty) fail("has no end");
    // Without branches: a hundred thousand slots a millisecond are what a mapped file waits for.
    const uint32_t rank_bits = 64 - 2 * head_.id_bits;
    const uint64_t ids = (uint64_t{1} << head_.id_bits) - 1;
    const uint64_t ranks = (uint64_t{1} << rank_bits) - 1;
    const uint64_t rules = std::min(results_.size(), kMaxRules);
    uint64_t bad = 0;
    for (size_t from = 0; from < slots_.size(); from += kLongestRun / 2) {
        const size_t end = std::min(slots_.size(), from + kLongestRun / 2);
        uint64_t empty = 0;
        for (size_t i = from; i < end; ++i) {
            const uint64_t slot = slots_[i];
            const uint64_t pair = slot >> rank_bits;
            const uint64_t full = slot != kEmpty;
            empty |= full ^ 1;
            bad |= full & (uint64_t{pair >> head_.id_bits >= end_id} | ((pair & ids) >= end_id) |
                           ((slot & ranks) >= rules));
        }
        if (empty == 0) fail("is crowded");
    }
    if (bad != 0) fail("names no token, or no rule");
    bool gaps = false;
    for (const uint32_t result : results_.span()) {
        gaps |= result == kNoId;
        bad |= result >= end_id && result != kNoId;
    }
    // A rank without a rule must have no slot either.
    for (size_t i = 0; gaps && i < slots_.size(); ++i) {
        bad |= slots_[i] != kEmpty && results_[slots_[i] & ranks] == kNoId;
    }
    if (bad != 0) fail("makes no token");
}

}  // namespace edgeward
