#include "safety/words.h"

<<<<<<< HEAD
#include <algorithm>

namespace edgeward::safety {
namespace {

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

void read_leet(std::vector<Unit>& word) {
    size_t letters = 0;
    size_t leet = 0;
    for (const Unit& unit : word) {
        letters += is_ascii_letter(unit.code);
        leet += leet_letter(unit.code) != 0;
    }
    if (leet == 0 || letters < leet || (!leet_inside(word) && !leet_before_four(word))) return;
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

void rewrite_word(std::vector<Unit>& word, Script& before) {
    const bool plain = std::all_of(word.begin(), word.end(),
                                   [](const Unit& u) { return is_ascii_letter(u.code); });
    if (plain) {
        if (!word.empty()) before = Script::kLatin;
        return;
    }
    const Count count = count_letters(word);
    const bool mixed = count.latin > 0 && count.same + count.like > 0 && count.other == 0;
    const bool disguised =
        count.same > 0 && count.latin + count.like + count.other == 0 && before == Script::kLatin;
    if (mixed || disguised) make_latin(word);
    if (count.other > 0) {
        before = Script::kOther;
    } else if (count.latin > 0) {
        before = Script::kLatin;
    } else if (count.like > 0) {
        before = Script::kOther;
    }
    if (count.other == 0 && (count.latin > 0 || disguised)) read_leet(word);
=======
namespace edgeward::safety {
namespace {

struct Range {
    char32_t first, last;
    CharKind kind;
};

// Above ASCII, in order; what no range names is a letter. kernels/reference_safety.py has the same.
constexpr Range kRanges[] = {
    {0x80, 0xA0, CharKind::kSpace},         {0xA1, 0xA9, CharKind::kSign},
    {0xAB, 0xAC, CharKind::kSign},          {0xAD, 0xAD, CharKind::kNothing},
    {0xAE, 0xB4, CharKind::kSign},          {0xB6, 0xB9, CharKind::kSign},
    {0xBB, 0xBF, CharKind::kSign},          {0xD7, 0xD7, CharKind::kSign},
    {0xF7, 0xF7, CharKind::kSign},          {0x300, 0x36F, CharKind::kNothing},
    {0xE00, 0xEFF, CharKind::kAlone},       {0x1000, 0x109F, CharKind::kAlone},
    {0x1680, 0x1680, CharKind::kSpace},     {0x1780, 0x17FF, CharKind::kAlone},
    {0x2000, 0x200A, CharKind::kSpace},     {0x200B, 0x200F, CharKind::kNothing},
    {0x2010, 0x2027, CharKind::kSign},      {0x2028, 0x2029, CharKind::kSpace},
    {0x202A, 0x202E, CharKind::kNothing},   {0x202F, 0x202F, CharKind::kSpace},
    {0x2030, 0x205E, CharKind::kSign},      {0x205F, 0x205F, CharKind::kSpace},
    {0x2060, 0x206F, CharKind::kNothing},   {0x2070, 0x22FF, CharKind::kSign},
    {0x2300, 0x23FF, CharKind::kAlone},     {0x2400, 0x25FF, CharKind::kSign},
    {0x2600, 0x27BF, CharKind::kAlone},     {0x27C0, 0x2AFF, CharKind::kSign},
    {0x2B00, 0x2BFF, CharKind::kAlone},     {0x2E00, 0x2E7F, CharKind::kSign},
    {0x2E80, 0x2FDF, CharKind::kAlone},     {0x3000, 0x3000, CharKind::kSpace},
    {0x3001, 0x3004, CharKind::kSign},      {0x3005, 0x3007, CharKind::kAlone},
    {0x3008, 0x3020, CharKind::kSign},      {0x3021, 0x9FFF, CharKind::kAlone},
    {0xF900, 0xFAFF, CharKind::kAlone},     {0xFE00, 0xFE0F, CharKind::kNothing},
    {0xFE30, 0xFE4F, CharKind::kSign},      {0xFEFF, 0xFEFF, CharKind::kNothing},
    {0xFF00, 0xFF64, CharKind::kSign},      {0xFF65, 0xFF9F, CharKind::kAlone},
    {0xFFF0, 0xFFFF, CharKind::kSign},      {0x1F000, 0x1F3FA, CharKind::kAlone},
    {0x1F3FB, 0x1F3FF, CharKind::kNothing}, {0x1F400, 0x1FAFF, CharKind::kAlone},
    {0x20000, 0x3FFFF, CharKind::kAlone},   {0xE0000, 0xE0FFF, CharKind::kNothing},
};

CharKind above_ascii(char32_t c) {
    std::size_t low = 0, high = std::size(kRanges);
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (kRanges[middle].last < c) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const bool named = low < std::size(kRanges) && kRanges[low].first <= c;
    return named ? kRanges[low].kind : CharKind::kLetter;
}

constexpr std::array<CharKind, 128> ascii_kinds() {
    std::array<CharKind, 128> kinds{};
    for (char32_t c = 0; c < 128; ++c) {
        const bool letter =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        kinds[c] = c <= ' ' || c == 127 ? CharKind::kSpace
                   : letter             ? CharKind::kLetter
                                        : CharKind::kSign;
    }
    return kinds;
}

constexpr auto kAscii = ascii_kinds();

constexpr bool within(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

}  // namespace

CharKind char_kind(char32_t c) { return c < 128 ? kAscii[c] : above_ascii(c); }

char32_t fold_char(char32_t c) {
    if (c < 128) {
        if (within(c, 'A', 'Z')) return c + 32;
        return within(c, '0', '9') ? U'0' : c;
    }
    if (within(c, 0xC0, 0xDE) || within(c, 0x391, 0x3A9) || within(c, 0x410, 0x42F)) return c + 32;
    if (within(c, 0x400, 0x40F)) return c + 80;
    return c;
>>>>>>> 0f3f27a (Score texts for toxicity and jailbreaks: features, linear scorer, encoder, model file)
}

}  // namespace edgeward::safety
