// What is done to the tokens of a text or a pair at the end: offsets trimmed, special tokens put
// around.
//
// Knows: the "post_processor" member: its steps in their order, as the reference runs them over a
// list of encodings that are joined at the end. For one text without overflow, the usual case, they
// come down to a trim and a template. Does not know: how tokens came about.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tokenizer/encoding.h"
#include "tokenizer/json.h"
#include "tokenizer/span.h"

namespace edgeward {

// How many characters of white space a token's string starts and ends with.
struct Blanks {
    uint32_t leading = 0;
    uint32_t trailing = 0;
};

// One step. A list of encodings, at first one for each text, becomes another.
class PostProcessorStep {
 public:
    virtual ~PostProcessorStep() = default;
    virtual void apply(std::vector<FullEncoding>& encodings, bool add_special_tokens) const = 0;
    // Tokens it adds around one text, or around two.
    virtual size_t special_tokens(bool pair) const = 0;
    // Takes white space out of offsets.
    virtual bool trims() const { return false; }
};

class PostProcessor {
 public:
    // Nothing but the text itself.
    PostProcessor() { find_parts(); }
    // Throws std::invalid_argument naming the component that is unknown or damaged.
    explicit PostProcessor(const json::Value& value);

    // All of it. `encodings` has one or two, cut already; their type ids and sequences are set
    // here.
    FullEncoding process(std::vector<FullEncoding> encodings, bool add_special_tokens) const;
    // How many tokens are put around one text, or around two.
    size_t special_tokens(bool pair = false) const;

    bool trims() const;

    // The rest is what process() does to one text without overflow.

    // False if only process() gives the right offsets: a trim comes behind a template.
    bool is_simple() const { return simple_; }
    // The characters of a token without the white space at its ends; `first` of its text or not.
    Span trim(Span characters, Blanks blanks, bool first) const;
    // A run of special tokens, or the text where `sequence` is true.
    struct Part {
        bool sequence;
        std::vector<uint32_t> ids;
    };
    // In order; special tokens have the offsets (0, 0).
    const std::vector<Part>& parts() const { return parts_; }

 private:
    void read(const json::Value& value, int depth);
    void find_parts();

    bool given_ = false;
    std::vector<std::unique_ptr<PostProcessorStep>> steps_;
    // For each trim, whether a space before the first token was added and so must stay.
    std::vector<bool> trims_;
    bool simple_ = true;
    std::vector<Part> parts_;
};

}  // namespace edgeward
