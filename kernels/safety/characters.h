// One character at a time: what it is read as, once width, style, case, accents and invisible
// characters are taken away.
//
// Knows: NFKC and lower case (the tokenizer's frozen tables), which characters show nothing, which
// ones are variants of a Latin letter. Does not know: words, the characters around a cluster.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace edgeward::safety {

// A character of normalized text and the index of the original character it came from.
struct Unit {
    char32_t code;
    uint32_t at;
};

// How a character of another script resembles a Latin letter.
enum class LookAlike : uint8_t {
    kNone,
    kLatin,  // it is a Latin letter: read as the plain one in any word
    kSame,   // drawn the same: enough to suspect a whole word
    kLike,   // resembles it: counts only in a word that is Latin otherwise
};

struct Confusable {
    char32_t code;
    char letter;
    LookAlike kind;
};

// What `code` may be read as; kind kNone where there is nothing.
Confusable confusable(char32_t code);

// Part of a word: a letter, a mark that makes a syllable, or anything else a word is spelt with.
bool is_word_letter(char32_t code);

inline bool is_ascii_letter(char32_t code) { return code - U'a' < 26; }

// Turns raw characters into units. A character with marks behind it is held until they end.
class Folder {
 public:
    static constexpr size_t kClusterLimit = 32;  // marks on one character; more are dropped

    // Calls sink(Unit) for everything that is final once `code`, character number `at`, is seen.
    template <class Sink>
    void push(char32_t code, uint32_t at, Sink&& sink) {
        const Step step = look(code);
        if (step == Step::kDrop) return;
        if (step == Step::kJoin && size_ > 0) {
            if (size_ < kClusterLimit) cluster_[size_++] = code;
            return;
        }
        finish(sink);
        if (step == Step::kPlain) {
            sink(Unit{plain(code), at});
        } else {
            cluster_[size_++] = code;
            at_ = at;
        }
    }

    template <class Sink>
    void finish(Sink&& sink) {
        if (size_ == 0) return;
        std::array<char32_t, kFoldedLimit> folded;
        const size_t n = fold(folded);
        for (size_t i = 0; i < n; ++i) sink(Unit{folded[i], at_});
        size_ = 0;
    }

    bool idle() const { return size_ == 0; }
    uint32_t held_at() const { return at_; }  // unless idle

 private:
    // NFKC makes at most 18 characters of one (U+FDFA), lower case at most 2 of one.
    static constexpr size_t kFoldedLimit = 2 * (18 + kClusterLimit);

    enum class Step : uint8_t {
        kDrop,   // shows nothing
        kPlain,  // alone, and simple
        kJoin,   // belongs to the character before it
        kHold,   // may be changed, or be joined by what follows
    };
    static Step look(char32_t code);
    static char32_t plain(char32_t code);
    size_t fold(std::array<char32_t, kFoldedLimit>& out) const;

    std::array<char32_t, kClusterLimit> cluster_{};
    size_t size_ = 0;
    uint32_t at_ = 0;
};

}  // namespace edgeward::safety
