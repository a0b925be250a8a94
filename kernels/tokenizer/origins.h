// Where in the original each byte of a rewritten text came from.
//
// Knows: runs of bytes. Most of a rewritten text is a copy, character by character, so a run says
// where such a copy began; what was changed is a run whose bytes share one span. Does not know:
// what changed the text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer/span.h"
#include "tokenizer/utf8.h"

namespace edgeward {

class Origins {
 public:
    // A place to go on searching from. Any is right; the last one's is quick.
    struct Cursor {
        size_t run = 0;
    };

    bool empty() const { return runs_.empty(); }

    // The bytes from `at` on, the end so far, are one copied character or more that start at byte
    // `begin` of the original.
    void follow(uint32_t at, uint32_t begin) {
        if (!runs_.empty() && runs_.back().size == kFollows &&
            begin - runs_.back().begin == at - runs_.back().at) {
            return;
        }
        runs_.push_back({at, begin, kFollows});
    }
    // `part`, which stands at `at`, the end so far, came from the span `from`.
    void add(uint32_t at, std::string_view part, Span from) {
        // A character of the same length reads like a copy of it: its span is its own.
        if (from.size() == part.size() &&
            utf8_length(static_cast<unsigned char>(part[0])) == part.size()) {
            return follow(at, from.begin);
        }
        if (!runs_.empty() && runs_.back().begin == from.begin &&
            runs_.back().size == from.size()) {
            return;
        }
        runs_.push_back({at, from.begin, from.size()});
    }
    // The same for the bytes `span` of a text that has the origins `other`.
    void copy(uint32_t at, Span span, const Origins& other, Cursor& cursor) {
        cursor.run = other.find(span.begin, cursor.run);
        for (size_t i = cursor.run; i < other.runs_.size() && other.runs_[i].at < span.end; ++i) {
            const Run& run = other.runs_[i];
            const uint32_t begin = std::max(run.at, span.begin);
            const uint32_t to = at + (begin - span.begin);
            if (run.size == kFollows) {
                follow(to, run.begin + (begin - run.at));
            } else if (runs_.empty() || runs_.back().begin != run.begin ||
                       runs_.back().size != run.size) {
                runs_.push_back({to, run.begin, run.size});
            }
        }
    }
    // Forgets what stands at `size` and behind.
    void resize(uint32_t size) {
        while (!runs_.empty() && runs_.back().at >= size) runs_.pop_back();
    }

    // Where in the original the bytes `span` begin, if they are a copy; else kNoPlace.
    static constexpr uint32_t kNoPlace = UINT32_MAX;
    uint32_t copied(Span span, Cursor& cursor) const {
        cursor.run = find(span.begin, cursor.run);
        const Run& run = runs_[cursor.run];
        const bool whole = cursor.run + 1 == runs_.size() || runs_[cursor.run + 1].at >= span.end;
        return run.size == kFollows && whole ? run.begin + (span.begin - run.at) : kNoPlace;
    }

    // The span behind the character at byte `at` of the text, which reads `bytes`.
    Span origin(uint32_t at, std::string_view bytes, Cursor& cursor) const {
        cursor.run = find(at, cursor.run);
        const Run& run = runs_[cursor.run];
        if (run.size != kFollows) return {run.begin, run.begin + run.size};
        while (is_continuation(bytes[at])) --at;
        const uint32_t begin = run.begin + (at - run.at);
        const auto lead = static_cast<unsigned char>(bytes[at]);
        return {begin, begin + static_cast<uint32_t>(utf8_length(lead))};
    }

 private:
    static constexpr uint32_t kFollows = UINT32_MAX;
    struct Run {
        uint32_t at;     // its first byte in the text
        uint32_t begin;  // in the original
        uint32_t size;   // of the span that all its bytes share, or kFollows
    };

    // The run of byte `at`.
    size_t find(uint32_t at, size_t from) const {
        constexpr size_t kNear = 8;
        if (from < runs_.size() && runs_[from].at <= at) {
            const size_t end = std::min(from + kNear, runs_.size());
            size_t next = from + 1;
            while (next < end && runs_[next].at <= at) ++next;
            if (next == runs_.size() || runs_[next].at > at) return next - 1;
        }
        const auto behind = std::upper_bound(runs_.begin(), runs_.end(), at,
                                             [](uint32_t a, const Run& run) { return a < run.at; });
        return static_cast<size_t>(behind - runs_.begin()) - 1;
    }

    std::vector<Run> runs_;
};

}  // namespace edgeward
