#include "tokenizer/word_table.h"

#include <algorithm>
#include <stdexcept>

namespace edgeward {
namespace {

// A table that was laid out here has shorter runs of full slots; a longer one makes searches slow.
constexpr size_t kLongestRun = 16 * WordTable::kProbeLimit;

}  // namespace

bool WordTable::place(const WordKey& key, uint32_t tail, uint32_t id) {
    WordSlot* slot = slots_.own() + place_of(key.hash);
    const WordSlot* const end = slot + kProbeLimit;
    while (slot != end && slot->meta != kNoSlot) ++slot;
    if (slot == end) return false;
    *slot = {key.head, tail, id | key.shape};
    return true;
}

void WordTable::settle(const WordSlot& slot, Whole whole) const {
    if (slots_.borrowed()) return;
    std::atomic_ref(const_cast<uint32_t&>(slot.meta))
        .fetch_or(static_cast<uint32_t>(whole) << kWholeShift, std::memory_order_relaxed);
}

void WordTable::rename(const WordSlot& slot, uint32_t id) {
    WordSlot& own = slots_.own()[&slot - slots_.data()];
    own.meta = (own.meta & ~kIds) | id;
}

void WordTable::refuse() {
    throw std::invalid_argument(
        "the tokens of the vocabulary cannot be spread over a hash table; the file was made to "
        "collide");
}

void WordTable::check() const {
    const auto fail = [](const char* what) {
        throw std::invalid_argument(std::string("the table of words ") + what +
                                    "; make the compiled vocabulary anew");
    };
    if (slots_.size() <= kProbeLimit || slots_.size() > UINT32_MAX) fail("has no legal size");
    // A search stops at an empty slot, so the last one must be empty.
    if (!is_empty(slots_[slots_.size() - 1])) fail("has no end");
    // Without branches, which a table that is half full could not predict.
    size_t words = 0;
    uint32_t bad = 0;
    for (size_t from = 0; from < slots_.size(); from += kLongestRun / 2) {
        const size_t end = std::min(slots_.size(), from + kLongestRun / 2);
        const size_t before = words;
        for (size_t i = from; i < end; ++i) {
            const uint32_t meta = slots_[i].meta;
            const uint32_t length = (meta & kLengths) >> 24;
            const uint32_t full = meta != kNoSlot;
            words += full;
            bad |= full & ((uint32_t{length > kInline} & uint32_t{length != 15}) | meta >> 31);
        }
        if (words - before == end - from) fail("is crowded");
    }
    if (bad != 0) fail("holds a damaged slot");
    if (words != head_.size) fail("does not hold as many words as it says");
}

}  // namespace edgeward
