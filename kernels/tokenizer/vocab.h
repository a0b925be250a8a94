// Strings and their ids. Knows: a two-way table, immutable once filled. Does not know: merging,
// scores, added tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgeward {

inline constexpr uint32_t kNoId = UINT32_MAX;

// Larger ids are refused: the table by id is dense, and no vocabulary comes near.
inline constexpr uint32_t kMaxId = (1u << 24) - 1;

class Vocab {
 public:
    Vocab();

    void reserve(size_t tokens, size_t bytes);

    // Throws std::invalid_argument when the string or the id is there already, or the id is too
    // large.
    void add(std::string_view token, uint32_t id);

    // kNoId when absent.
    uint32_t find(std::string_view token) const;

    bool has(uint32_t id) const { return id < entries_.size() && entries_[id].size != kNoId; }
    // The string of `id`, which must be there.
    std::string_view text(uint32_t id) const {
        return std::string_view(arena_).substr(entries_[id].begin, entries_[id].size);
    }

    size_t size() const { return size_; }
    // One more than the largest id.
    uint32_t end_id() const { return static_cast<uint32_t>(entries_.size()); }

 private:
    struct Entry {
        uint32_t begin = 0;
        uint32_t size = kNoId;
    };
    struct Slot {
        uint32_t tag = 0;
        uint32_t id = kNoId;
    };
    void grow(size_t slots);
    void place(uint64_t hash, uint32_t id);

    std::string arena_;
    std::vector<Entry> entries_;  // by id
    std::vector<Slot> slots_;     // open addressing, at most half full
    size_t size_ = 0;
    uint64_t seed_;
};

}  // namespace edgeward
