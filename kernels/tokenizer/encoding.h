// What a model is given for one text or a pair of texts: ids with all that goes with them, and the
// parts that truncation cut off.
//
// Knows: how the reference cuts, joins and pads such encodings, down to which of its parts overlap
// and what becomes of their sequence numbers. Does not know: where tokens come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace edgeward {

enum class Side : uint8_t { kLeft, kRight };

struct FullEncoding {
    std::vector<uint32_t> ids;
    // Characters of the text that a token comes from, half open; (0, 0) for added ones.
    std::vector<std::pair<uint32_t, uint32_t>> offsets;
    // Characters of white space at the start and the end of each token's string, for trimming.
    std::vector<std::pair<uint32_t, uint32_t>> blanks;
    std::vector<uint32_t> type_ids;
    // The number of the pre-token that a token comes from, -1 for added ones.
    std::vector<int32_t> words;
    std::vector<uint8_t> special_mask;    // 1 for tokens that were added
    std::vector<uint8_t> attention_mask;  // 0 for padding
    // Which tokens are those of which text. Empty: all are of the first.
    std::map<uint32_t, std::pair<size_t, size_t>> sequences;
    std::vector<FullEncoding> overflowing;

    size_t size() const { return ids.size(); }

    void set_sequence(uint32_t number) { sequences[number] = {0, size()}; }
    void set_type(uint32_t type) { type_ids.assign(size(), type); }

    // For each token 0 or 1, the text it is of, or -1.
    std::vector<int32_t> sequence_ids() const;

    // Appends tokens that stand for nothing in a text.
    void append_special(uint32_t id, uint32_t type);

    // Appends `other`; overflowing parts are joined each with each.
    void append(const FullEncoding& other);

    // Keeps `most` tokens and turns the others into overflowing parts of as many, `stride` of which
    // they share with the part before. Throws std::invalid_argument if stride >= most > 0.
    void truncate(size_t most, size_t stride, Side side);

    struct Filling {
        uint32_t id;
        uint32_t type;
    };
    // Fills up to `length`, overflowing parts too.
    void pad(size_t length, Filling filling, Side side);

 private:
    FullEncoding part(size_t begin, size_t end) const;
};

}  // namespace edgeward
