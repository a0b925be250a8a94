#include "tokenizer/word_cache.h"

#include <algorithm>
#include <bit>
#include <new>

namespace edgeward {
namespace {

// Zeroed memory of which only the pages that are touched exist.
void* zeroed(size_t bytes) {
    void* p = std::calloc(bytes, 1);
    if (p == nullptr) throw std::bad_alloc();
    return p;
}

}  // namespace

WordCache::WordCache(size_t bytes) {
    bytes = std::clamp(bytes, size_t{1} << 16, kMostBytes);
    const size_t slots = std::bit_floor(bytes / 8 / sizeof(uint32_t));
    const size_t index = (slots + kProbes) * sizeof(uint32_t);
    index_.reset(static_cast<uint32_t*>(zeroed(index)));
    arena_.reset(static_cast<char*>(zeroed(bytes - index)));
    mask_ = slots - 1;
    end_ = static_cast<uint32_t>((bytes - index) / 8);
}

void WordCache::add(const WordKey& key, std::string_view word, std::span<const uint32_t> ids,
                    std::span<const uint32_t> lengths) {
    if (word.size() > kLongestWord || ids.size() > kMostTokens || ids.empty()) return;
    // Full; checked first, so that the counter cannot run over.
    if (used_.load(std::memory_order_relaxed) >= end_) return;
    size_t at = first(key);
    const size_t last = at + kProbes;
    while (at != last && load(at) != 0) ++at;
    if (at == last) return;
    const size_t bytes =
        sizeof(Entry) + ids.size() * sizeof(uint32_t) + (key.is_long() ? word.size() : 0);
    const auto units = static_cast<uint32_t>((bytes + 7) / 8);
    const uint32_t place = used_.fetch_add(units, std::memory_order_relaxed);
    if (place > end_ - units) return;
    char* p = arena_.get() + size_t{place} * 8;
    new (p) Entry{key.head, key.tail, static_cast<uint16_t>(ids.size()),
                  static_cast<uint16_t>(word.size())};
    auto* tokens = reinterpret_cast<uint32_t*>(p + sizeof(Entry));
    for (size_t i = 0; i < ids.size(); ++i) tokens[i] = ids[i] | lengths[i] << 24;
    if (key.is_long()) std::memcpy(p + bytes - word.size(), word.data(), word.size());
    // Another thread may take the slot first; the entry is then lost, which harms nobody.
    for (uint32_t empty = 0; at != last; ++at, empty = 0) {
        if (std::atomic_ref(index_[at])
                .compare_exchange_strong(empty, mark(key) | place, std::memory_order_release,
                                         std::memory_order_relaxed)) {
            return;
        }
    }
}

}  // namespace edgeward
