#include "tokenizer/text.h"

namespace edgeward {

const Origins TracedText::kUntraced;

void TracedText::copy(Span span, Rewritten& out) const {
    if (unchanged()) return out.add_copy(bytes(span), span.begin);
    if (out.traced && !span.empty()) out.origins.copy(out.size(), span, *origins_, cursor_);
    out.bytes.append(bytes(span));
}

}  // namespace edgeward
