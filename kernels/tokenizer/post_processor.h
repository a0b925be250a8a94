// What is done to the tokens of a text at the end: offsets trimmed, special tokens put around.
//
// Knows: the "post_processor" member for one sequence (no pairs). All kinds come down to a list of
// trims and one template. Does not know: how tokens came about.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tokenizer/json.h"

namespace edgeward {

// A token with the characters of the original text it stands for, half open, and how many
// characters of white space its string starts and ends with.
struct PlacedToken {
    uint32_t id;
    uint32_t begin;
    uint32_t end;
    uint32_t leading;
    uint32_t trailing;
};

class PostProcessor {
 public:
    // Nothing but the sequence itself.
    PostProcessor() = default;
    // Throws std::invalid_argument naming the component that is unknown or damaged.
    explicit PostProcessor(const json::Value& value);

    bool trims() const { return !trims_.empty(); }

    // Takes leading and trailing white space out of the offsets.
    void trim(std::span<PlacedToken> tokens) const;

    // A run of special tokens, or the sequence where `sequence` is true.
    struct Part {
        bool sequence;
        std::vector<uint32_t> ids;
    };
    // In order; special tokens have the offsets (0, 0).
    const std::vector<Part>& parts() const { return parts_; }
    // How many tokens are put around a text.
    size_t special_tokens() const;

 private:
    void read(const json::Value& value, int depth);
    void set_parts(std::vector<Part> parts);

    // Each says whether a space before the first token was added and so must not be taken out.
    std::vector<bool> trims_;
    std::vector<Part> parts_{{true, {}}};
    bool has_template_ = false;
};

}  // namespace edgeward
