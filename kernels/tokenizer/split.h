// Cutting a text where something matches, in the five ways of Hugging Face's Split.
//
// Knows: matches and what to do with them. Does not know: what a match is.
#pragma once

#include <string_view>
#include <vector>

#include "tokenizer/text.h"

namespace edgeward {

enum class Behavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// Throws std::invalid_argument for an unknown name.
Behavior behavior_named(std::string_view name);

// Turns matches (not empty, in order, without overlap) into the spans that are kept of a text of
// `size` bytes. `invert` swaps matches and gaps.
void apply_behavior(Behavior behavior, bool invert, const std::vector<Span>& matches, uint32_t size,
                    std::vector<Span>& out);

// Finds the matches of a fixed pattern in a text.
class Scanner {
 public:
    virtual ~Scanner() = default;

    // Appends the matches in `text`, in order. The text ends where `text` ends: nothing behind it
    // is looked at.
    virtual void find(std::string_view text, std::vector<Span>& matches) const = 0;
};

}  // namespace edgeward
