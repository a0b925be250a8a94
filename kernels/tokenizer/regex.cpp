#include "tokenizer/regex.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

constexpr size_t kMaxStates = 4000;
constexpr size_t kMaxClasses = 250;

// Where one character leads from a list of instructions in order of preference.
class Step {
 public:
    Step(const regex::Program& program, std::vector<bool> member)
        : program_(program), member_(std::move(member)), seen_(program.code.size()) {}

    // `member_[s]`: the character is in set s; all false at the end of the text.
    void run(const std::vector<uint32_t>& from) {
        for (const uint32_t start : from) {
            stack_.push_back(start);
            while (!stack_.empty()) {
                const uint32_t at = stack_.back();
                stack_.pop_back();
                if (seen_[at]) continue;
                seen_[at] = true;
                follow(at);
                if (match) return;  // what is less preferred does not count any more
            }
        }
    }

    bool match = false;
    std::vector<uint32_t> next;

 private:
    void follow(uint32_t at) {
        using Op = regex::Instruction::Op;
        const regex::Instruction& code = program_.code[at];
        switch (code.op) {
            case Op::kChar:
                if (member_[code.a] && std::find(next.begin(), next.end(), at + 1) == next.end()) {
                    next.push_back(at + 1);
                }
                break;
            case Op::kSplit:
                stack_.push_back(code.b);
                stack_.push_back(code.a);
                break;
            case Op::kJump:
                stack_.push_back(code.a);
                break;
            case Op::kNext:
                if (member_[code.a]) stack_.push_back(at + 1);
                break;
            case Op::kNotNext:
                if (!member_[code.a]) stack_.push_back(at + 1);
                break;
            case Op::kMatch:
                match = true;
                stack_.clear();
                break;
        }
    }

    const regex::Program& program_;
    std::vector<bool> member_;
    std::vector<bool> seen_;
    std::vector<uint32_t> stack_;
};

}  // namespace

RegexScanner::RegexScanner(std::string_view pattern) {
    const regex::Program program = regex::compile(pattern);
    classify(program);
    build(program);
    for (size_t column = 0; column < columns_; ++column) {
        if (table_[columns_ + column] & kMatchBit) {
            throw std::invalid_argument("the regular expression \"" + std::string(pattern) +
                                        "\" is not supported: it may match no character at all");
        }
    }
}

// Code points that are in the same sets are one class.
void RegexScanner::classify(const regex::Program& program) {
    constexpr char32_t kEnd = 0x110000;
    struct Border {
        char32_t at;
        size_t set;
    };
    std::vector<Border> borders;
    for (size_t set = 0; set < program.sets.size(); ++set) {
        for (const CharSet::Range& range : program.sets[set].ranges()) {
            borders.push_back({range.first, set});
            borders.push_back({range.last + 1, set});
        }
    }
    std::sort(borders.begin(), borders.end(),
              [](const Border& a, const Border& b) { return a.at < b.at; });
    std::map<std::vector<bool>, uint8_t> known;
    std::vector<uint8_t> classes(kEnd);
    std::vector<bool> inside(program.sets.size());
    size_t border = 0;
    for (char32_t c = 0; c < kEnd;) {
        for (; border < borders.size() && borders[border].at == c; ++border) {
            inside[borders[border].set].flip();
        }
        const auto [entry, is_new] = known.try_emplace(inside, static_cast<uint8_t>(known.size()));
        if (is_new) members_.push_back(inside);
        if (members_.size() > kMaxClasses) {
            throw std::invalid_argument("a regular expression has too many different classes");
        }
        const char32_t next = border < borders.size() ? borders[border].at : kEnd;
        std::fill(classes.begin() + c, classes.begin() + next, entry->second);
        c = next;
    }
    columns_ = members_.size() + 1;
    members_.emplace_back(program.sets.size());  // the end of the text is in no set
    std::map<std::string, size_t> blocks;
    for (size_t first = 0; first < kEnd; first += 256) {
        const std::string block(classes.begin() + static_cast<std::ptrdiff_t>(first),
                                classes.begin() + static_cast<std::ptrdiff_t>(first + 256));
        const auto [entry, is_new] = blocks.try_emplace(block, blocks.size());
        if (is_new) blocks_.insert(blocks_.end(), block.begin(), block.end());
        if (blocks.size() > 256) {
            throw std::invalid_argument("a regular expression has too many different classes");
        }
        stage_.push_back(static_cast<uint8_t>(entry->second));
    }
}

// A state is the list of instructions a backtracking engine could still be at, best first.
void RegexScanner::build(const regex::Program& program) {
    std::map<std::vector<uint32_t>, Cell> numbers;
    std::vector<std::vector<uint32_t>> states{{}, {0}};
    numbers[{}] = 0;
    numbers[{0}] = 1;
    for (size_t state = 0; state < states.size(); ++state) {
        const std::vector<uint32_t> from = states[state];
        for (size_t column = 0; column < columns_; ++column) {
            Step step(program, members_[column]);
            step.run(from);
            const auto [entry, is_new] =
                numbers.try_emplace(step.next, static_cast<Cell>(states.size()));
            if (is_new) states.push_back(step.next);
            if (states.size() > kMaxStates) {
                throw std::invalid_argument("a regular expression needs too many states");
            }
            table_.push_back(static_cast<Cell>(entry->second | (step.match ? kMatchBit : 0)));
        }
    }
}

// End of the match that starts at `p`, or null.
const char* RegexScanner::match(const char* p, const char* end) const {
    const char* found = nullptr;
    size_t state = 1;
    while (p < end) {
        size_t column = 0;
        size_t length = 1;
        if (const auto byte = static_cast<unsigned char>(*p); byte < 0x80) {
            column = blocks_[byte];
        } else {
            const Decoded c = utf8_decode(p);
            column = class_of(c.code);
            length = c.length;
        }
        const Cell cell = table_[state * columns_ + column];
        if (cell & kMatchBit) found = p;
        state = cell & ~kMatchBit;
        if (state == 0) return found;
        p += length;
    }
    return table_[state * columns_ + columns_ - 1] & kMatchBit ? end : found;
}

void RegexScanner::find(std::string_view text, std::vector<Span>& matches) const {
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    for (const char* p = begin; p < end;) {
        if (const char* next = match(p, end)) {
            matches.push_back(
                {static_cast<uint32_t>(p - begin), static_cast<uint32_t>(next - begin)});
            p = next;
        } else {
            p += utf8_length(static_cast<unsigned char>(*p));
        }
    }
}

}  // namespace edgeward
