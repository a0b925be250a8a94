// Words to ids in one flat hash table: a word of up to 12 bytes lies in its slot as two integers,
// so that a hit costs one cache line.
//
// Knows: bytes and ids. Longer words are known by a 64-bit hash and compared by the caller, who
// keeps their text. Does not know: how a word is spelled in a file.
//
// Open addressing without deletion. No word lies further than kProbeLimit slots behind its first
// place, and as many slots follow the last one, so a search neither wraps around nor runs away,
// whatever a damaged or hostile file says.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "tokenizer/flat_array.h"
#include "tokenizer/hash.h"

namespace edgeward {

struct WordSlot {
    uint64_t head;  // bytes 0..7 of the word, or its hash
    uint32_t tail;  // bytes 8..11 of the word, or where its text is kept
    uint32_t meta;  // bits 0..23 id, 24..27 length, 28 spelled, 29..30 see Whole; kNoSlot: empty
};

// A word made ready for a search.
struct WordKey {
    uint64_t head;
    uint64_t hash;
    uint32_t tail;
    uint32_t shape;  // the bits 24..28 of its slot

    bool is_long() const;
};

// Whether a vocabulary entry, cut into its own characters and merged, gives itself.
enum class Whole : uint32_t { kUnknown = 0, kYes = 1, kNo = 2 };

class WordTable {
 public:
    static constexpr size_t kInline = 12;
    static constexpr size_t kProbeLimit = 256;

    struct Head {
        uint64_t seed = 0x9E3779B97F4A7C15u;
        uint64_t size = 0;
    };

    // `spelled` sets words apart that read the same but mean something else.
    WordKey key(std::string_view word, bool spelled = false) const {
        return make_key(word, spelled, head_.seed);
    }
    // The same for a word of `size` bytes that has 16 readable bytes from its start on.
    WordKey key_of_readable(const char* word, size_t size) const {
        return size <= kInline ? make_short_key(word, size, head_.seed)
                               : make_key({word, size}, false, head_.seed);
    }
    void prefetch(const WordKey& key) const {
        __builtin_prefetch(slots_.data() + place_of(key.hash));
    }
    // The slot of `key`, or nullptr. `same(tail)` says whether the text kept at `tail` is the word;
    // it is asked about long words only.
    template <class Same>
    const WordSlot* find(const WordKey& key, Same&& same) const {
        const WordSlot* slot = slots_.data() + place_of(key.hash);
        for (;; ++slot) {
            const uint32_t meta = load_meta(*slot);
            if (slot->head == key.head && (meta & kShape) == key.shape &&
                (key.is_long() ? same(slot->tail) : slot->tail == key.tail)) {
                return slot;
            }
            if (meta == kNoSlot) return nullptr;
        }
    }

    static uint32_t id(const WordSlot& slot) { return load_meta(slot) & kIds; }
    static Whole whole(const WordSlot& slot) { return Whole{load_meta(slot) >> kWholeShift & 3}; }
    // Any thread may settle what it found out; all find the same. Does nothing to a mapped table.
    void settle(const WordSlot& slot, Whole whole) const;

    // Gives a word another id.
    void rename(const WordSlot& slot, uint32_t id);

    // The word must not be there. `text_of(tail)` gives the text of a long word again when the
    // table has to be laid out anew. Throws std::invalid_argument if the words cannot be spread.
    template <class TextOf>
    void add(std::string_view word, bool spelled, uint32_t id, uint32_t tail, TextOf&& text_of);
    template <class TextOf>
    void reserve(size_t words, TextOf&& text_of);

    size_t size() const { return head_.size; }
    // Keys are of one seed; a table that was laid out anew may have another.
    uint64_t seed() const { return head_.seed; }
    std::span<const WordSlot> slots() const { return slots_.span(); }
    static bool is_empty(const WordSlot& slot) { return slot.meta == kNoSlot; }
    static bool is_long(const WordSlot& slot) { return (slot.meta & kLengths) == kLong; }

    // The head and the arrays, for a file that keeps them. After `visit` has replaced them, check()
    // must be called before anything else; it throws std::invalid_argument.
    template <class Visit>
    void visit(Visit&& visit) {
        visit(head_);
        visit(slots_);
    }
    void check() const;

 private:
    static constexpr uint32_t kNoSlot = UINT32_MAX;
    static constexpr uint32_t kIds = (1u << 24) - 1;
    static constexpr uint32_t kLengths = 15u << 24;
    static constexpr uint32_t kLong = 15u << 24;
    static constexpr uint32_t kSpelled = 1u << 28;
    static constexpr uint32_t kShape = kLengths | kSpelled;
    static constexpr uint32_t kWholeShift = 29;
    friend struct WordKey;

    static WordKey make_key(std::string_view word, bool spelled, uint64_t seed);
    static WordKey make_short_key(const char* word, size_t size, uint64_t seed);
    static void set_short_hash(WordKey& key, uint64_t seed) {
        constexpr uint64_t kB = 0xC2B2AE3D27D4EB4Fu;
        key.hash = mix(key.head ^ seed, (uint64_t{key.shape} << 32 | key.tail) ^ kB);
    }
    static uint32_t load_meta(const WordSlot& slot) {
        return std::atomic_ref(const_cast<uint32_t&>(slot.meta)).load(std::memory_order_relaxed);
    }
    size_t place_of(uint64_t hash) const {
        return (hash >> 32) * (slots_.size() - kProbeLimit) >> 32;
    }
    bool place(const WordKey& key, uint32_t tail, uint32_t id);
    template <class TextOf>
    void lay_out(size_t places, TextOf&& text_of);
    [[noreturn]] static void refuse();

    Head head_;
    FlatArray<WordSlot> slots_;
};

inline bool WordKey::is_long() const { return (shape & WordTable::kLengths) == WordTable::kLong; }

inline WordKey WordTable::make_key(std::string_view word, bool spelled, uint64_t seed) {
    const char* p = word.data();
    const size_t n = word.size();
    WordKey key{0, 0, 0, spelled ? kSpelled : 0};
    if (n > kInline) {
        key.hash = hash_bytes(word, seed);
        key.head = key.hash;
        key.shape |= kLong;
        return key;
    }
    if (n >= 8) {
        key.head = load8(p);
        key.tail = static_cast<uint32_t>(load4(p + n - 4) >> (8 * (12 - n)));
    } else if (n >= 4) {
        key.head = load4(p) | load4(p + n - 4) << (8 * (n - 4));
    } else if (n > 0) {
        const auto byte = [p](size_t i) { return uint64_t{static_cast<unsigned char>(p[i])}; };
        key.head = byte(0) | byte(n / 2) << (8 * (n / 2)) | byte(n - 1) << (8 * (n - 1));
    }
    key.shape |= static_cast<uint32_t>(n) << 24;
    set_short_hash(key, seed);
    return key;
}

inline WordKey WordTable::make_short_key(const char* word, size_t size, uint64_t seed) {
    // The bytes of head and tail that belong to a word of each size.
    static constexpr auto kMasks = [] {
        std::array<uint64_t, 2 * (kInline + 1)> masks{};
        for (size_t n = 0; n <= kInline; ++n) {
            masks[2 * n] = n >= 8 ? ~uint64_t{0} : (uint64_t{1} << 8 * n) - 1;
            masks[2 * n + 1] = n <= 8 ? 0 : (uint64_t{1} << 8 * (n - 8)) - 1;
        }
        return masks;
    }();
    WordKey key{load8(word) & kMasks[2 * size], 0,
                static_cast<uint32_t>(load4(word + 8) & kMasks[2 * size + 1]),
                static_cast<uint32_t>(size) << 24};
    set_short_hash(key, seed);
    return key;
}

template <class TextOf>
void WordTable::lay_out(size_t places, TextOf&& text_of) {
    const FlatArray<WordSlot> old = std::move(slots_);
    for (int attempt = 0; attempt < 8; ++attempt) {
        slots_ = {};
        slots_.resize(places + kProbeLimit, WordSlot{0, 0, kNoSlot});
        bool placed = true;
        for (const WordSlot& slot : old.span()) {
            if (is_empty(slot)) continue;
            char word[kInline];
            std::memcpy(word, &slot.head, 8);
            std::memcpy(word + 8, &slot.tail, 4);
            const std::string_view text =
                is_long(slot) ? text_of(slot.tail)
                              : std::string_view(word, (slot.meta & kLengths) >> 24);
            const WordKey again = key(text, (slot.meta & kSpelled) != 0);
            placed = placed && place(again, slot.tail, slot.meta & kIds);
        }
        if (placed) return;
        // Made to collide: a seed that the file cannot know.
        head_.seed = random_seed();
    }
    refuse();
}

template <class TextOf>
void WordTable::reserve(size_t words, TextOf&& text_of) {
    const size_t places = words + words * 3 / 4 + 64;
    if (places + kProbeLimit > slots_.size()) lay_out(places, text_of);
}

template <class TextOf>
void WordTable::add(std::string_view word, bool spelled, uint32_t id, uint32_t tail,
                    TextOf&& text_of) {
    if ((head_.size + 1) * 3 / 2 + kProbeLimit > slots_.size()) {
        reserve((head_.size + 32) * 2, text_of);
    }
    ++head_.size;
    for (int attempt = 0; attempt < 8; ++attempt) {
        const WordKey found = key(word, spelled);
        const uint32_t rest = found.is_long() ? tail : found.tail;
        if (place(found, rest, id)) return;
        head_.seed = random_seed();
        lay_out(slots_.size() - kProbeLimit, text_of);
    }
    refuse();
}

}  // namespace edgeward
