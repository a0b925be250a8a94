#include "tokenizer/text.h"

#include "tokenizer/utf8.h"

namespace edgeward {

Span TracedText::origin(uint32_t at) const {
    if (spans_ == &kUntraced) return kUntraced;
    if (spans_ != nullptr) return spans_[at];
    while (is_continuation(bytes_[at])) --at;
    return {at, at + static_cast<uint32_t>(utf8_length(static_cast<unsigned char>(bytes_[at])))};
}

}  // namespace edgeward
