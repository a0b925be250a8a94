#include "tokenizer/split.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace edgeward {
namespace {

struct Part {
    Span span;
    bool match;
};

// Matches and the gaps between them, which together cover the text.
std::vector<Part> cover(bool invert, const std::vector<Span>& matches, uint32_t size) {
    std::vector<Part> parts;
    parts.reserve(matches.size() * 2 + 1);
    uint32_t at = 0;
    for (Span match : matches) {
        if (at < match.begin) parts.push_back({{at, match.begin}, invert});
        parts.push_back({match, !invert});
        at = match.end;
    }
    if (at < size) parts.push_back({{at, size}, invert});
    return parts;
}

// A match joins the part before it, unless that is a match as well.
void merge_with_previous(const std::vector<Part>& parts, std::vector<Span>& out) {
    bool after_match = false;
    const size_t first = out.size();
    for (const Part& part : parts) {
        if (part.match && !after_match && out.size() > first) {
            out.back().end = part.span.end;
        } else {
            out.push_back(part.span);
        }
        after_match = part.match;
    }
}

void merge_with_next(const std::vector<Part>& parts, std::vector<Span>& out) {
    bool after_match = false;
    const size_t first = out.size();
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
        if (part->match && !after_match && out.size() > first) {
            out.back().begin = part->span.begin;
        } else {
            out.push_back(part->span);
        }
        after_match = part->match;
    }
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
}

void merge_runs(const std::vector<Part>& parts, std::vector<Span>& out) {
    bool after_match = false;
    const size_t first = out.size();
    for (const Part& part : parts) {
        if (part.match == after_match && out.size() > first) {
            out.back().end = part.span.end;
        } else {
            out.push_back(part.span);
        }
        after_match = part.match;
    }
}

}  // namespace

Behavior behavior_named(std::string_view name) {
    if (name == "Removed") return Behavior::kRemoved;
    if (name == "Isolated") return Behavior::kIsolated;
    if (name == "MergedWithPrevious") return Behavior::kMergedWithPrevious;
    if (name == "MergedWithNext") return Behavior::kMergedWithNext;
    if (name == "Contiguous") return Behavior::kContiguous;
    throw std::invalid_argument("behavior \"" + std::string(name) +
                                "\" is unknown; it is one of Removed, Isolated, "
                                "MergedWithPrevious, MergedWithNext, Contiguous");
}

void apply_behavior(Behavior behavior, bool invert, const std::vector<Span>& matches, uint32_t size,
                    std::vector<Span>& out) {
    const std::vector<Part> parts = cover(invert, matches, size);
    switch (behavior) {
        case Behavior::kRemoved:
            for (const Part& part : parts) {
                if (!part.match) out.push_back(part.span);
            }
            break;
        case Behavior::kIsolated:
            for (const Part& part : parts) out.push_back(part.span);
            break;
        case Behavior::kMergedWithPrevious:
            merge_with_previous(parts, out);
            break;
        case Behavior::kMergedWithNext:
            merge_with_next(parts, out);
            break;
        case Behavior::kContiguous:
            merge_runs(parts, out);
            break;
    }
}

}  // namespace edgeward
