#include "safety/cutter.h"

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
}

}  // namespace edgeward::safety
