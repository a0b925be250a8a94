// Metaspace: SentencePiece's visible space, as pre-tokenizer and as decoder, in old and new files.
#pragma once

#include <string>

#include "tokenizer/options.h"
#include "tokenizer/utf8.h"

namespace edgeward {

enum class PrependScheme { kFirst, kNever, kAlways };

struct Metaspace {
    std::string replacement;  // one character
    PrependScheme scheme = PrependScheme::kAlways;
    bool split = true;
};

inline Metaspace read_metaspace(const Options& options) {
    Metaspace metaspace;
    metaspace.replacement = options.text("replacement");
    if (utf8_count(metaspace.replacement) != 1) {
        throw std::invalid_argument(options.path("replacement") + " must be one character");
    }
    const std::string_view scheme = options.text("prepend_scheme", "always");
    if (scheme == "first") {
        metaspace.scheme = PrependScheme::kFirst;
    } else if (scheme == "never") {
        metaspace.scheme = PrependScheme::kNever;
    } else if (scheme != "always") {
        throw std::invalid_argument(options.path("prepend_scheme") + " is \"" +
                                    std::string(scheme) + "\"; it is first, never or always");
    }
    // Files of before 2024 have this; the reference wants it to agree.
    if (!options.flag("add_prefix_space", true) && metaspace.scheme != PrependScheme::kNever) {
        throw std::invalid_argument(options.path("add_prefix_space") +
                                    " is false; then prepend_scheme must be \"never\"");
    }
    metaspace.split = options.flag("split", true);
    return metaspace;
}

}  // namespace edgeward
