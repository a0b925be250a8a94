#include "tokenizer/grapheme.h"

namespace edgeward {
namespace {

constexpr ByteRun kRuns[] = {
#include "tokenizer/grapheme_tables.inc"
};

// The order is the table's.
enum Class : uint8_t {
    kOther,
    kControl,
    kCr,
    kLf,
    kExtend,
    kZwj,
    kSpacingMark,
    kPrepend,
    kL,
    kV,
    kT,
    kLv,
    kLvt,
};
constexpr uint8_t kClassMask = 15;
constexpr uint8_t kPictographic = 1 << 4;
constexpr uint8_t kConsonant = 1 << 5;
constexpr uint8_t kLinker = 1 << 6;
constexpr uint8_t kConjunctExtend = 1 << 7;

const RunTable& table() {
    static const RunTable made(kRuns);
    return made;
}

bool is_control(uint8_t c) { return c == kControl || c == kCr || c == kLf; }

bool same_syllable(uint8_t before, uint8_t after) {
    switch (before) {
        case kL:
            return after == kL || after == kV || after == kLv || after == kLvt;
        case kV:
        case kLv:
            return after == kV || after == kT;
        case kT:
        case kLvt:
            return after == kT;
        default:
            return false;
    }
}

// What a cluster has seen that lets a far character join it.
class Memory {
 public:
    explicit Memory(uint8_t first) { add(first); }

    void add(uint8_t value) {
        const uint8_t c = value & kClassMask;
        // GB11: Extended_Pictographic Extend* ZWJ.
        if (value & kPictographic) {
            picture_ = kOpen;
        } else if (c == kZwj && picture_ == kOpen) {
            picture_ = kReady;
        } else if (c != kExtend || picture_ == kReady) {
            picture_ = kNone;
        }
        // GB9c: a consonant, then extending characters with at least one linker among them.
        if (value & kConsonant) {
            conjunct_ = kOpen;
        } else if (value & kLinker) {
            if (conjunct_ != kNone) conjunct_ = kReady;
        } else if (!(value & kConjunctExtend)) {
            conjunct_ = kNone;
        }
    }

    bool takes(uint8_t value) const {
        return (picture_ == kReady && (value & kPictographic)) ||
               (conjunct_ == kReady && (value & kConsonant));
    }

 private:
    enum State : uint8_t { kNone, kOpen, kReady };
    State picture_ = kNone;
    State conjunct_ = kNone;
};

bool joins(uint8_t before, uint8_t after, const Memory& memory, uint8_t value) {
    if (before == kCr) return after == kLf;
    if (is_control(before) || is_control(after)) return false;
    if (after == kExtend || after == kZwj || after == kSpacingMark || before == kPrepend) {
        return true;
    }
    return same_syllable(before, after) || memory.takes(value);
}

}  // namespace

GraphemeCursor::GraphemeCursor(std::string_view text, uint32_t at)
    : table_(table()), text_(text), at_(at) {
    look();
}

void GraphemeCursor::look() {
    if (done()) return;
    const Decoded c = utf8_decode(text_.data() + at_);
    length_ = c.length;
    value_ = table_[c.code];
}

uint32_t GraphemeCursor::next() {
    uint8_t last = value_;
    at_ += length_;
    look();
    // Most characters stand alone between others of no class.
    if (done() || ((last | value_) & kClassMask) == kOther) return at_;
    Memory memory(last);
    while (!done() && joins(last & kClassMask, value_ & kClassMask, memory, value_)) {
        last = value_;
        memory.add(value_);
        at_ += length_;
        look();
    }
    return at_;
}

}  // namespace edgeward
