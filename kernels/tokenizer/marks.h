// SentencePiece's spaces, U+2581, as the places where words start.
#pragma once

#include <cstring>
#include <string_view>

namespace edgeward {

inline constexpr std::string_view kMark = "\xE2\x96\x81";

// Where the next word starts behind `from`: at a mark that does not follow another; the end of the
// text if there is none.
inline size_t next_word(std::string_view text, size_t from) {
    while (text.substr(from).starts_with(kMark)) from += kMark.size();
    const char* const end = text.data() + text.size();
    for (const char* p = text.data() + from; p < end; ++p) {
        p = static_cast<const char*>(std::memchr(p, kMark[0], static_cast<size_t>(end - p)));
        if (p == nullptr) break;
        if (std::string_view(p, static_cast<size_t>(end - p)).starts_with(kMark)) {
            return static_cast<size_t>(p - text.data());
        }
    }
    return text.size();
}

}  // namespace edgeward
