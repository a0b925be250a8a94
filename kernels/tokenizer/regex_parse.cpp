// From the text of an expression to its program.
#include <stdexcept>

#include "tokenizer/regex.h"
#include "tokenizer/utf8.h"

namespace edgeward::regex {
namespace {

constexpr size_t kMaxPattern = 16384;
constexpr size_t kMaxCode = 8192;
constexpr int kMaxNesting = 32;
constexpr uint32_t kMaxCount = 255;

class Parser {
 public:
    explicit Parser(std::string_view pattern) : pattern_(pattern) {}

    Program parse() {
        if (pattern_.size() > kMaxPattern) fail("it is too long");
        alternatives(0);
        if (at_ != pattern_.size()) fail("an unexpected ')'");
        emit({Instruction::kMatch});
        return std::move(program_);
    }

 private:
    [[noreturn]] void fail(const std::string& what) const {
        throw std::invalid_argument("the regular expression \"" + std::string(pattern_) +
                                    "\" is not supported: " + what + " at byte " +
                                    std::to_string(at_));
    }
    bool done() const { return at_ == pattern_.size(); }
    char peek() const { return done() ? '\0' : pattern_[at_]; }
    bool take(std::string_view text) {
        if (!pattern_.substr(at_).starts_with(text)) return false;
        at_ += text.size();
        return true;
    }
    char32_t take_character() {
        if (done()) fail("it ends too soon");
        const Decoded c = utf8_decode(pattern_.data() + at_);
        at_ += c.length;
        return c.code;
    }

    uint32_t emit(Instruction instruction) {
        if (program_.code.size() == kMaxCode) fail("it is too large");
        program_.code.push_back(instruction);
        return static_cast<uint32_t>(program_.code.size() - 1);
    }
    uint32_t here() const { return static_cast<uint32_t>(program_.code.size()); }
    uint32_t add_set(CharSet set) {
        program_.sets.push_back(std::move(set));
        return static_cast<uint32_t>(program_.sets.size() - 1);
    }
    void emit_set(CharSet set) { emit({Instruction::kChar, add_set(std::move(set))}); }

    void alternatives(int depth);
    void sequence(int depth);
    void atom(int depth);
    void group(int depth);
    void lookahead(bool negative);
    void quantify(uint32_t start);
    bool may_be_empty(uint32_t start) const;
    void repeat(uint32_t start, uint32_t low, uint32_t high, bool forever, bool lazy);
    bool read_count(uint32_t& low, uint32_t& high, bool& forever);
    CharSet one_character_set();
    CharSet escape_set();
    std::optional<char32_t> escape_character();
    CharSet bracket(int depth);
    CharSet bracket_item(int depth);
    CharSet literal(char32_t c) const;

    std::string_view pattern_;
    size_t at_ = 0;
    bool ignore_case_ = false;
    Program program_;
};

void Parser::alternatives(int depth) {
    if (depth > kMaxNesting) fail("groups are nested too deep");
    // split a, b: a; jump end; b: split ...
    std::vector<uint32_t> jumps;
    for (;;) {
        const uint32_t split = emit({Instruction::kJump, here() + 1});
        sequence(depth);
        if (!take("|")) break;
        jumps.push_back(emit({Instruction::kJump}));
        program_.code[split] = {Instruction::kSplit, split + 1, here()};
    }
    for (const uint32_t jump : jumps) program_.code[jump].a = here();
}

void Parser::sequence(int depth) {
    while (!done() && peek() != '|' && peek() != ')') {
        const uint32_t start = here();
        atom(depth);
        quantify(start);
    }
}

void Parser::atom(int depth) {
    if (peek() == '(') return group(depth);
    emit_set(one_character_set());
}

void Parser::group(int depth) {
    if (take("(?!")) return lookahead(true);
    if (take("(?=")) return lookahead(false);
    const bool outer = ignore_case_;
    if (take("(?i:")) {
        ignore_case_ = true;
    } else if (!take("(?:")) {
        take("(");
        if (peek() == '?') fail("this kind of group");
    }
    alternatives(depth + 1);
    if (!take(")")) fail("a ')' is missing");
    ignore_case_ = outer;
}

void Parser::lookahead(bool negative) {
    const CharSet set = one_character_set();
    if (!take(")")) fail("a lookahead of more than one character");
    emit({negative ? Instruction::kNotNext : Instruction::kNext, add_set(set)});
}

bool Parser::read_count(uint32_t& low, uint32_t& high, bool& forever) {
    const size_t start = at_;
    const auto number = [&](uint32_t& value) {
        const size_t first = at_;
        value = 0;
        while (peek() >= '0' && peek() <= '9') {
            value = value * 10 + static_cast<uint32_t>(peek() - '0');
            if (value > kMaxCount) fail("a count above " + std::to_string(kMaxCount));
            ++at_;
        }
        return at_ != first;
    };
    if (take("{")) {
        const bool has_low = number(low);
        forever = false;
        if (take("}") && has_low) {
            high = low;
            return true;
        }
        if (take(",")) {
            forever = !number(high);
            if (take("}") && (has_low || !forever)) {
                if (!forever && high < low) fail("a count that runs backwards");
                return true;
            }
        }
    }
    at_ = start;  // a brace that is no count is a literal
    return false;
}

void Parser::quantify(uint32_t start) {
    uint32_t low = 0;
    uint32_t high = 1;
    bool forever = false;
    bool count = false;
    if (take("*")) {
        forever = true;
    } else if (take("+")) {
        low = 1;
        forever = true;
    } else if (!take("?")) {
        if (peek() != '{' || !read_count(low, high, forever)) return;
        count = true;
    }
    const bool lazy = !count && take("?");
    if (peek() == '*' || peek() == '+' || peek() == '?') fail("a possessive or double quantifier");
    for (uint32_t i = start; i < here(); ++i) {
        const Instruction::Op op = program_.code[i].op;
        if (op == Instruction::kNext || op == Instruction::kNotNext) fail("a repeated lookahead");
    }
    // Engines differ in what they do when a turn of an endless loop matches nothing.
    if (forever && may_be_empty(start)) fail("an endless repetition of what may match nothing");
    repeat(start, low, high, forever, lazy);
}

// True if the code from `start` on can be passed without a character.
bool Parser::may_be_empty(uint32_t start) const {
    std::vector<bool> seen(program_.code.size() + 1);
    std::vector<uint32_t> open{start};
    while (!open.empty()) {
        const uint32_t at = open.back();
        open.pop_back();
        if (at == here()) return true;
        if (seen[at]) continue;
        seen[at] = true;
        const Instruction& code = program_.code[at];
        if (code.op == Instruction::kSplit) open.push_back(code.b);
        if (code.op == Instruction::kSplit || code.op == Instruction::kJump) {
            open.push_back(code.a);
        }
    }
    return false;
}

// Rewrites the code from `start` on, once or more times, as its repetition.
void Parser::repeat(uint32_t start, uint32_t low, uint32_t high, bool forever, bool lazy) {
    const std::vector<Instruction> body(program_.code.begin() + start, program_.code.end());
    program_.code.resize(start);
    const auto copy = [&] {
        const uint32_t shift = here() - start;
        for (Instruction instruction : body) {
            if (instruction.op == Instruction::kSplit || instruction.op == Instruction::kJump) {
                instruction.a += shift;
                instruction.b += shift;
            }
            emit(instruction);
        }
    };
    const auto split = [&](uint32_t at, uint32_t enter, uint32_t leave) {
        program_.code[at] = {Instruction::kSplit, lazy ? leave : enter, lazy ? enter : leave};
    };
    for (uint32_t i = 0; i < low; ++i) copy();
    if (forever) {
        const uint32_t loop = emit({Instruction::kSplit});
        copy();
        emit({Instruction::kJump, loop});
        split(loop, loop + 1, here());
        return;
    }
    std::vector<uint32_t> exits;
    for (uint32_t i = low; i < high; ++i) {
        exits.push_back(emit({Instruction::kSplit}));
        copy();
    }
    for (const uint32_t at : exits) split(at, at + 1, here());
}

// The set of a single literal, class or escape.
CharSet Parser::one_character_set() {
    const char c = peek();
    if (c == '[') {
        ++at_;
        return bracket(0);
    }
    if (c == '.') {
        ++at_;
        return CharSet('\n', '\n').complement();
    }
    if (c == '\\') {
        ++at_;
        if (const auto code = escape_character()) return literal(*code);
        return escape_set();
    }
    if (c == '*' || c == '+' || c == '?' || c == '^' || c == '$' || c == ')') {
        fail(std::string("'") + c + "' here");
    }
    return literal(take_character());
}

CharSet Parser::literal(char32_t c) const {
    CharSet set(c, c);
    if (!ignore_case_) return set;
    if (c >= 0x80) fail("ignoring the case of a character that is not ASCII");
    const char32_t lower = c | 0x20;
    if (lower >= 'a' && lower <= 'z') {
        set.add(lower, lower);
        set.add(lower ^ 0x20, lower ^ 0x20);
        if (lower == 's') set.add(0x17F, 0x17F);
        if (lower == 'k') set.add(0x212A, 0x212A);
    }
    return set;
}

// The character that an escape behind '\' stands for; nothing, and nothing read, for a set.
std::optional<char32_t> Parser::escape_character() {
    static constexpr std::string_view kNames = "nrtfvae0";
    static constexpr std::string_view kValues{"\n\r\t\f\v\a\x1b\0", 8};
    const char c = peek();
    if (const size_t i = kNames.find(c); i != std::string_view::npos && !done()) {
        ++at_;
        return static_cast<char32_t>(kValues[i]);
    }
    const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    if (letter && (c == 'x' || c == 'u')) {
        const bool braces = c == 'x' && pattern_.substr(at_).starts_with("x{");
        at_ += braces ? 2 : 1;
        char32_t code = 0;
        const int digits = braces ? 8 : c == 'x' ? 2 : 4;
        int seen = 0;
        for (; seen < digits; ++seen, ++at_) {
            const char d = peek();
            const char l = static_cast<char>(d | 0x20);
            if (d >= '0' && d <= '9') {
                code = code * 16 + static_cast<char32_t>(d - '0');
            } else if (l >= 'a' && l <= 'f') {
                code = code * 16 + static_cast<char32_t>(l - 'a' + 10);
            } else {
                break;
            }
        }
        if (seen == 0 || (braces && !take("}")) || (c == 'u' && seen != 4)) fail("this escape");
        if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF) ||
            (c == 'x' && !braces && code > 0x7F)) {
            fail("an escape that is no character");
        }
        return code;
    }
    if (letter || (c >= '0' && c <= '9')) return std::nullopt;
    return take_character();
}

CharSet Parser::escape_set() {
    const char c = peek();
    if (!done()) ++at_;
    switch (c) {
        case 's':
            return space_set();
        case 'S':
            return space_set().complement();
        case 'd':
            return *property_set("Nd");
        case 'D':
            return property_set("Nd")->complement();
        case 'w':
            return word_set();
        case 'W':
            return word_set().complement();
        case 'p':
        case 'P': {
            if (!take("{")) fail("a property without braces");
            const bool negative = take("^") != (c == 'P');
            const size_t close = pattern_.find('}', at_);
            if (close == std::string_view::npos) fail("a '}' is missing");
            const auto set = property_set(pattern_.substr(at_, close - at_));
            if (!set) fail("this property");
            at_ = close + 1;
            return negative ? set->complement() : *set;
        }
        default:
            fail("this escape");
    }
}

// Behind '[' up to and with ']'. "&&" intersects what stands before with what follows.
CharSet Parser::bracket(int depth) {
    if (depth > kMaxNesting) fail("classes are nested too deep");
    const bool negative = take("^");
    CharSet set;
    std::optional<CharSet> all;
    bool first = true;
    for (;; first = false) {
        if (done()) fail("a ']' is missing");
        if (first && peek() == ']') fail("an empty class");
        if (take("]")) break;
        if (take("&&")) {
            all = all ? all->intersection(set) : set;
            set = CharSet();
            continue;
        }
        set.add(bracket_item(depth));
    }
    if (all) set = all->intersection(set);
    return negative ? set.complement() : set;
}

CharSet Parser::bracket_item(int depth) {
    if (pattern_.substr(at_).starts_with("[:")) fail("a POSIX class");
    if (take("[")) return bracket(depth + 1);
    char32_t first = 0;
    if (take("\\")) {
        const auto code = escape_character();
        if (!code) return escape_set();
        first = *code;
    } else {
        first = take_character();
    }
    // A minus before the bracket that closes the class is a literal.
    if (peek() != '-' || pattern_.substr(at_).starts_with("-]")) return literal(first);
    ++at_;
    char32_t last = 0;
    if (take("\\")) {
        const auto code = escape_character();
        if (!code) fail("a range that ends with a set");
        last = *code;
    } else {
        if (peek() == '[') fail("a range that ends with a class");
        last = take_character();
    }
    if (last < first) fail("a range that runs backwards");
    if (ignore_case_) fail("ignoring the case of a range");
    return {first, last};
}

}  // namespace

Program compile(std::string_view pattern) { return Parser(pattern).parse(); }

}  // namespace edgeward::regex
