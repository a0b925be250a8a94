#include "safety/phrases.h"

#include <algorithm>
#include <stdexcept>

#include "tokenizer/utf8.h"

namespace edgeward::safety {
namespace {

constexpr size_t kSettleEvery = 256;

// What a word goes on with, in scripts that leave a space between words.
bool in_word(char32_t c) {
    if (c - U'0' < 10) return true;
    const bool spaced =
        c < 0xE00 || c - 0x10A0u < 0x60 || c - 0x1200u < 0x1A0 || c - 0x1E00u < 0x200;
    return spaced && is_word_letter(c);
}

}  // namespace

Phrases::Phrases(const std::vector<std::string>& block, const std::vector<std::string>& allow,
                 bool whole_words)
    : blocked_(static_cast<uint32_t>(block.size())), whole_words_(whole_words) {
    std::vector<std::pair<std::string, uint32_t>> phrases;
    size_t total = 0;
    for (const auto* list : {&block, &allow}) {
        for (const std::string& phrase : *list) {
            std::string plain = normalize(phrase, false).bytes;
            const size_t first = plain.find_first_not_of(" \n");
            if (first == std::string::npos) {
                throw std::invalid_argument("the phrase '" + phrase +
                                            "' has no characters that show; leave it out");
            }
            plain = plain.substr(first, plain.find_last_not_of(" \n") + 1 - first);
            // Lines are broken anywhere.
            std::replace(plain.begin(), plain.end(), '\n', ' ');
            total += plain.size();
            if (total > kMostBytes) {
                throw std::invalid_argument("the phrases have more than " +
                                            std::to_string(kMostBytes) +
                                            " bytes together; give fewer");
            }
            longest_ = std::max(longest_, utf8_count(plain));
            lengths_.push_back(static_cast<uint32_t>(plain.size()));
            phrases.emplace_back(std::move(plain), static_cast<uint32_t>(lengths_.size() - 1));
        }
    }
    std::sort(phrases.begin(), phrases.end());
    build(phrases);
    link();
}

// States in order of depth: each level is made from the one before, whose states are ranges of the
// sorted phrases.
void Phrases::build(std::vector<std::pair<std::string, uint32_t>>& phrases) {
    struct Range {
        size_t begin, end;
    };
    std::vector<Range> level = {{0, phrases.size()}};
    states_.push_back({0, 0, kNone, kNone, 0});
    for (uint32_t depth = 0; !level.empty(); ++depth) {
        std::vector<Range> next;
        const size_t first = states_.size() - level.size();
        for (size_t k = 0; k < level.size(); ++k) {
            State& state = states_[first + k];
            state.edges = static_cast<uint32_t>(bytes_.size());
            size_t i = level[k].begin;
            // The phrase that ends here comes first; of several alike the first given counts.
            for (; i < level[k].end && phrases[i].first.size() == depth; ++i) {
                state.phrase = std::min(state.phrase, phrases[i].second);
            }
            while (i < level[k].end) {
                const char byte = phrases[i].first[depth];
                size_t end = i;
                while (end < level[k].end && phrases[end].first[depth] == byte) ++end;
                bytes_.push_back(static_cast<unsigned char>(byte));
                targets_.push_back(static_cast<uint32_t>(first + level.size() + next.size()));
                next.push_back({i, end});
                i = end;
            }
        }
        for (size_t k = 0; k < next.size(); ++k) states_.push_back({0, 0, kNone, kNone, depth + 1});
        level = std::move(next);
    }
    // One more, so that every state's edges end where the next ones begin.
    states_.push_back({static_cast<uint32_t>(bytes_.size()), 0, kNone, kNone, 0});
}

void Phrases::link() {
    for (uint32_t state = 0; state + 1 < states_.size(); ++state) {
        for (uint32_t e = states_[state].edges; e < states_[state + 1].edges; ++e) {
            const uint32_t target = targets_[e];
            uint32_t fail = 0;
            if (state != 0) fail = step(states_[state].fail, static_cast<char>(bytes_[e]));
            states_[target].fail = fail;
            const bool ends = states_[fail].phrase != kNone;
            states_[target].next_match = ends ? fail : states_[fail].next_match;
        }
    }
}

uint32_t Phrases::child(uint32_t state, char byte) const {
    const auto begin = bytes_.begin() + states_[state].edges;
    const auto end = bytes_.begin() + states_[state + 1].edges;
    const auto found = std::lower_bound(begin, end, static_cast<unsigned char>(byte));
    if (found == end || *found != static_cast<unsigned char>(byte)) return kNone;
    return targets_[static_cast<size_t>(found - bytes_.begin())];
}

uint32_t Phrases::step(uint32_t state, char byte) const {
    for (;;) {
        const uint32_t next = child(state, byte);
        if (next != kNone) return next;
        if (state == 0) return 0;
        state = states_[state].fail;
    }
}

PhraseStream::PhraseStream(std::shared_ptr<const Phrases> phrases) : phrases_(std::move(phrases)) {}

void PhraseStream::push(std::string_view text, std::vector<Phrases::Match>& found) {
    normalizer_.push(text, text_);
    read(found);
}

void PhraseStream::finish(std::vector<Phrases::Match>& found) {
    normalizer_.finish(text_);
    ended_ = true;
    read(found);
}

void PhraseStream::read(std::vector<Phrases::Match>& found) {
    const size_t end = dropped_ + text_.bytes.size();
    for (; read_ < end; ++read_) {
        const char byte = text_.bytes[read_ - dropped_];
        state_ = phrases_->step(state_, byte == '\n' ? ' ' : byte);
        note(state_, read_ + 1);
        // Now and then, so that few wait at a time.
        if (read_ % kSettleEvery == 0 && !matches_.empty()) {
            decide(read_ + 1 - phrases_->states_[state_].depth, found);
        }
    }
    // What a phrase that has begun may still excuse cannot be decided.
    const size_t begun = end - phrases_->states_[state_].depth;
    decide(ended_ ? SIZE_MAX : begun, found);
    // The character before a phrase that has begun, or before one that waits, is still needed.
    size_t keep = std::min(begun, end);
    for (const Candidate& match : matches_) keep = std::min(keep, match.first);
    for (const Candidate& match : excuses_) keep = std::min(keep, match.first);
    keep = keep > 4 ? keep - 4 : 0;
    while (keep > dropped_ && keep < end && is_continuation(text_.bytes[keep - dropped_])) --keep;
    if (keep > dropped_ + 4096 || (keep > dropped_ && keep - dropped_ > text_.bytes.size() / 2)) {
        text_.bytes.erase(0, keep - dropped_);
        text_.origins.erase(text_.origins.begin(),
                            text_.origins.begin() + static_cast<std::ptrdiff_t>(keep - dropped_));
        dropped_ = keep;
    }
}

// Keeps the longest match that ends here, of each kind, that begins where a word does.
void PhraseStream::note(uint32_t state, size_t end) {
    const auto& states = phrases_->states_;
    bool blocked = false;
    bool excused = false;
    if (states[state].phrase == Phrases::kNone) state = states[state].next_match;
    for (; state != Phrases::kNone && !(blocked && excused); state = states[state].next_match) {
        const uint32_t phrase = states[state].phrase;
        bool& done = phrase < phrases_->blocked_ ? blocked : excused;
        const size_t begin = end - phrases_->lengths_[phrase];
        if (done || (phrases_->whole_words_ && word_at(begin) && word_before(begin))) continue;
        done = true;
        auto& list = phrase < phrases_->blocked_ ? matches_ : excuses_;
        list.push_back({phrase, origin(begin), 0, begin, end});
    }
}

// Settles the matches that end before the byte `until`, or whose end a next character confirms.
void PhraseStream::decide(size_t until, std::vector<Phrases::Match>& found) {
    const size_t end = dropped_ + text_.bytes.size();
    const auto open = [&](const Candidate& match) {
        // The character behind is not known yet.
        return !ended_ && match.last == end;
    };
    const auto refuted = [&](const Candidate& match) {
        return phrases_->whole_words_ && match.last < end && word_before(match.last) &&
               word_at(match.last);
    };
    std::erase_if(excuses_, [&](const Candidate& match) { return !open(match) && refuted(match); });
    std::erase_if(matches_, [&](const Candidate& match) {
        if (open(match)) return false;
        if (refuted(match)) return true;
        for (const Candidate& excuse : excuses_) {
            if (excuse.first <= match.first && match.last <= excuse.last) {
                return !open(excuse);
            }
        }
        // A phrase that has begun before the match and goes on may excuse it.
        if (until <= match.first) return false;
        found.push_back({match.phrase, match.begin, origin_behind(match.last)});
        return true;
    });
    size_t oldest = until;
    for (const Candidate& match : matches_) oldest = std::min(oldest, match.first);
    std::erase_if(excuses_,
                  [&](const Candidate& excuse) { return !open(excuse) && excuse.last <= oldest; });
}

bool PhraseStream::word_at(size_t byte) const {
    return in_word(utf8_decode(text_.bytes.data() + (byte - dropped_)).code);
}

bool PhraseStream::word_before(size_t byte) const {
    if (byte == dropped_) return false;
    return in_word(utf8_decode(utf8_before(text_.bytes.data() + (byte - dropped_))).code);
}

// The end of the original characters behind the normalized ones that end at `byte`.
uint32_t PhraseStream::origin_behind(size_t byte) const {
    const uint32_t last = text_.origins[byte - dropped_ - 1];
    for (size_t i = byte - dropped_; i < text_.origins.size(); ++i) {
        if (text_.origins[i] > last) return text_.origins[i];
    }
    return std::max(last + 1, normalizer_.taken() > 0 ? normalizer_.pending() : last + 1);
}

uint32_t PhraseStream::settled() const {
    const size_t end = dropped_ + text_.bytes.size();
    uint32_t first = normalizer_.pending();
    const size_t depth = phrases_->states_[state_].depth;
    if (depth > 0) first = std::min(first, origin(end - depth));
    for (const Candidate& match : matches_) first = std::min(first, match.begin);
    return first;
}

}  // namespace edgeward::safety
