#include "tokenizer/word_table.h"

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
    size_t words = 0;
    size_t run = 0;
    for (const WordSlot& slot : slots_.span()) {
        run = is_empty(slot) ? 0 : run + 1;
        words += !is_empty(slot);
        if (run > kLongestRun) fail("is crowded");
        const uint32_t length = (slot.meta & kLengths) >> 24;
        if (!is_empty(slot) && ((length > kInline && length != 15) || slot.meta >> 31 != 0)) {
            fail("holds a damaged slot");
        }
    }
    // A search stops at an empty slot, so the last one must be empty.
    if (run != 0) fail("has no end");
    if (words != head_.size) fail("does not hold as many words as it says");
}

}  // namespace edgeward
