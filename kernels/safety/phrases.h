// Phrases to object to, and phrases that excuse them: Aho and Corasick's automaton (1975) over
// normalized text, in flat arrays.
//
// Knows: bytes, states, places. Does not know: what a phrase means, policies. Building takes time
// and memory linear in the phrases, matching linear in the text, whatever either holds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "safety/normalize.h"

namespace edgeward::safety {

class Phrases {
 public:
    static constexpr size_t kMostBytes = 1u << 26;  // of all phrases together

    struct Match {
        uint32_t phrase;  // its place among those blocked
        uint32_t begin;
        uint32_t end;  // characters of the original text
    };

    // Phrases are normalized as texts are. Those of nothing but white space, and more than
    // kMostBytes together, are refused with std::invalid_argument.
    Phrases(const std::vector<std::string>& block, const std::vector<std::string>& allow,
            bool whole_words);

    // Characters of the longest phrase.
    size_t longest() const { return longest_; }

 private:
    friend class PhraseStream;
    static constexpr uint32_t kNone = UINT32_MAX;

    struct State {
        uint32_t edges;       // where its edges begin; they end where those of the next begin
        uint32_t fail;        // the state of its longest proper ending
        uint32_t phrase;      // that ends here, or kNone
        uint32_t next_match;  // the nearest ending at which a phrase ends, or kNone
        uint32_t depth;       // bytes
    };
    uint32_t child(uint32_t state, char byte) const;
    uint32_t step(uint32_t state, char byte) const;
    void build(std::vector<std::pair<std::string, uint32_t>>& phrases);
    void link();

    std::vector<State> states_;
    std::vector<unsigned char> bytes_;  // of the edges
    std::vector<uint32_t> targets_;
    std::vector<uint32_t> lengths_;  // bytes of each phrase, those that excuse behind the others
    uint32_t blocked_ = 0;
    size_t longest_ = 0;
    bool whole_words_;
};

// A text that comes in parts. Holds what a match may still need: as many characters as the longest
// phrase has.
class PhraseStream {
 public:
    explicit PhraseStream(std::shared_ptr<const Phrases> phrases);

    // Takes the next part, valid UTF-8; appends the matches that are certain.
    void push(std::string_view text, std::vector<Phrases::Match>& found);
    // The text has ended.
    void finish(std::vector<Phrases::Match>& found);
    // Original characters from the beginning that no later text can make part of a match.
    uint32_t settled() const;

 private:
    struct Candidate {
        uint32_t phrase;
        uint32_t begin;  // original characters
        uint32_t end;
        size_t first;  // bytes of normalized text
        size_t last;
    };
    void read(std::vector<Phrases::Match>& found);
    void note(uint32_t state, size_t end);
    void decide(size_t until, std::vector<Phrases::Match>& found);
    bool word_at(size_t byte) const;
    bool word_before(size_t byte) const;
    uint32_t origin(size_t byte) const { return text_.origins[byte - dropped_]; }
    uint32_t origin_behind(size_t byte) const;

    std::shared_ptr<const Phrases> phrases_;
    Normalizer normalizer_{true};
    Text text_;           // normalized, without what is not needed any more
    size_t dropped_ = 0;  // bytes of it
    size_t read_ = 0;     // bytes of normalized text that the automaton has seen
    uint32_t state_ = 0;
    bool ended_ = false;
    std::vector<Candidate> matches_;  // waiting for the character behind them, or for an excuse
    std::vector<Candidate> excuses_;
};

}  // namespace edgeward::safety
