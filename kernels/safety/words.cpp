#include "safety/words.h"

#include <algorithm>

namespace edgeward::safety {
namespace {

// Letters of a word that would have shown leetspeak, had it been meant.
constexpr size_t kTellingWord = 4;

struct Count {
    size_t latin = 0;  // a to z
    size_t same = 0;
    size_t like = 0;
    size_t other = 0;  // letters that look like no Latin one
};

Count count_letters(std::span<const Unit> word) {
    Count count;
    for (const Unit& unit : word) {
        if (unit.code < 0x80) {
            count.latin += is_ascii_letter(unit.code);
            continue;
        }
        const LookAlike kind = confusable(unit.code).kind;
        count.same += kind == LookAlike::kSame;
        count.like += kind == LookAlike::kLike;
        count.other += kind == LookAlike::kNone;
    }
    return count;
}

void make_latin(std::vector<Unit>& word) {
    for (Unit& unit : word) {
        if (unit.code < 0x80) continue;
        const Confusable found = confusable(unit.code);
        if (found.kind != LookAlike::kNone) unit.code = static_cast<char32_t>(found.letter);
    }
}

// True if a run of leet characters stands between two letters.
bool leet_inside(std::span<const Unit> word) {
    bool after_letter = false;
    bool run = false;
    for (const Unit& unit : word) {
        if (is_ascii_letter(unit.code)) {
            if (run) return true;
            after_letter = true;
        } else if (leet_letter(unit.code) != 0) {
            run = after_letter;
        } else {
            after_letter = run = false;
        }
    }
    return false;
}

bool leet_before_four(std::span<const Unit> word) {
    if (word.size() < 5 || word[0].code - U'0' > 9 || leet_letter(word[0].code) == 0) return false;
    return std::all_of(word.begin() + 1, word.begin() + 5,
                       [](const Unit& unit) { return is_ascii_letter(unit.code); });
}

// True if the word was read as leetspeak; `likely` if the one before it was.
bool read_leet(std::vector<Unit>& word, bool likely) {
    size_t letters = 0;
    size_t leet = 0;
    for (const Unit& unit : word) {
        letters += is_ascii_letter(unit.code);
        leet += leet_letter(unit.code) != 0;
    }
    if (leet == 0 || letters == 0) return false;
    const bool written = letters * 2 >= leet && (leet_inside(word) || leet_before_four(word));
    if (!written && !likely) return false;
    size_t end = word.size();
    while (end > 0 && word[end - 1].code == U'!') --end;
    for (size_t i = 0; i < end; ++i) {
        const char letter = leet_letter(word[i].code);
        if (letter == 0) continue;
        // Two ones are a double l (k1ll is written ki11).
        const bool pair = word[i].code == U'1' && i + 1 < end && word[i + 1].code == U'1';
        word[i].code = static_cast<char32_t>(pair ? 'l' : letter);
        if (pair) word[++i].code = U'l';
    }
    return true;
}

}  // namespace

char leet_letter(char32_t code) {
    switch (code) {
        case U'0':
            return 'o';
        case U'1':
        case U'!':
            return 'i';
        case U'3':
            return 'e';
        case U'4':
        case U'@':
            return 'a';
        case U'5':
        case U'$':
            return 's';
        case U'7':
            return 't';
        case U'8':
            return 'b';
        default:
            return 0;
    }
}

void note_plain(size_t letters, Before& before) {
    before.script = Script::kLatin;
    if (letters >= kTellingWord) before.leet = false;
}

void rewrite_word(std::vector<Unit>& word, Before& before) {
    const bool plain = std::all_of(word.begin(), word.end(),
                                   [](const Unit& u) { return is_ascii_letter(u.code); });
    if (plain) {
        if (!word.empty()) note_plain(word.size(), before);
        return;
    }
    const Count count = count_letters(word);
    const bool mixed = count.latin > 0 && count.same + count.like > 0 && count.other == 0;
    const bool disguised = count.same > 0 && count.latin + count.like + count.other == 0 &&
                           before.script == Script::kLatin;
    if (mixed || disguised) make_latin(word);
    if (count.other > 0) {
        before.script = Script::kOther;
    } else if (count.latin > 0) {
        before.script = Script::kLatin;
    } else if (count.like > 0) {
        before.script = Script::kOther;
    }
    if (count.other == 0 && (count.latin > 0 || disguised)) {
        const bool leet = read_leet(word, before.leet);
        if (leet || word.size() >= kTellingWord) before.leet = leet;
    }
}

}  // namespace edgeward::safety
