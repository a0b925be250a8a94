// A range of positions. Knows nothing else; every stage speaks of texts in these.
#pragma once

#include <cstdint>

namespace edgeward {

// Half-open range of bytes.
struct Span {
    uint32_t begin = 0;
    uint32_t end = 0;
    uint32_t size() const { return end - begin; }
    bool empty() const { return begin == end; }
};

}  // namespace edgeward
