// A few words of a text looked up at once: the memory for all of them is asked for before the
// first is read.
//
// Knows: the vocabulary, the cache. Does not know: what happens to a word that is no entry.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "tokenizer/text.h"
#include "tokenizer/vocab.h"
#include "tokenizer/word_cache.h"

namespace edgeward {

class WordBlock {
 public:
    static constexpr size_t kSize = 16;

    // Up to kSize words; `cache` may be null.
    WordBlock(const Vocab& vocab, const WordCache* cache, std::string_view text,
              std::span<const Span> words)
        : text_(text), words_(words) {
        for (size_t i = 0; i < words.size(); ++i) {
            const char* const p = text.data() + words[i].begin;
            keys_[i] = text.size() - words[i].begin >= 16
                           ? vocab.words().key_of_readable(p, words[i].size())
                           : vocab.words().key({p, words[i].size()});
            vocab.words().prefetch(keys_[i]);
        }
        for (size_t i = 0; i < words.size(); ++i) {
            slots_[i] = vocab.find(keys_[i], word(i));
            if (slots_[i] == nullptr && cache != nullptr) cache->prefetch(keys_[i]);
        }
    }

    size_t size() const { return words_.size(); }
    std::string_view word(size_t i) const {
        return {text_.data() + words_[i].begin, words_[i].size()};
    }
    const WordKey& key(size_t i) const { return keys_[i]; }
    // nullptr for a word that is no vocabulary entry.
    const WordSlot* slot(size_t i) const { return slots_[i]; }

 private:
    std::string_view text_;
    std::span<const Span> words_;
    WordKey keys_[kSize];
    const WordSlot* slots_[kSize];
};

// Calls `take(block)` for all of `words`, kSize at a time; it returns how many words it took, and
// fewer than all end the loop. Returns how many were taken.
template <class Take>
size_t take_in_blocks(const Vocab& vocab, const WordCache* cache, std::string_view text,
                      std::span<const Span> words, Take&& take) {
    for (size_t from = 0; from < words.size(); from += WordBlock::kSize) {
        const auto some = words.subspan(from, std::min(WordBlock::kSize, words.size() - from));
        const size_t taken = take(WordBlock(vocab, cache, text, some));
        if (taken != some.size()) return from + taken;
    }
    return words.size();
}

}  // namespace edgeward
