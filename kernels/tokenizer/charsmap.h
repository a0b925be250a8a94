// SentencePiece's precompiled normalization: a double-array trie from strings to strings.
//
// Knows: the blob of a "precompiled_charsmap", and which parts of a text the reference replaces:
// a grapheme cluster below six bytes by what its shortest known prefix maps to, else each of its
// characters. Does not know: offsets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/text.h"

namespace edgeward {

class Charsmap {
 public:
    // `base64`: the size of the trie in bytes, the trie, the replacements, each ended by a NUL.
    // Throws std::invalid_argument.
    explicit Charsmap(std::string_view base64);

    struct Change {
        Span from;
        std::string_view to;
    };
    // Appends what is replaced in `text`, in order.
    void find(std::string_view text, std::vector<Change>& changes) const;
    // What the longest known prefix of `text` maps to, as SentencePiece itself asks.
    std::optional<Change> longest(std::string_view text) const;

 private:
    // What the shortest known prefix of `part` maps to.
    std::optional<std::string_view> replacement(std::string_view part) const;
    // Gives the known prefixes of `part`, shortest first, to `take(size, to)` while it says true.
    template <class Take>
    void walk(std::string_view part, Take&& take) const;
    uint32_t skip_plain(std::string_view text, uint32_t at) const;

    std::vector<uint32_t> units_;
    std::string replacements_;
    bool plain_[128] = {};    // ASCII characters that stay what they are
    bool printable_ = false;  // all from the space to the tilde are plain
};

}  // namespace edgeward
