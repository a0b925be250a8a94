#include "tokenizer/scanners.h"

#include <stdexcept>
#include <string>

#include "tokenizer/regex.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

class ClassScanner final : public Scanner {
 public:
    explicit ClassScanner(uint16_t bit) : classes_(CharClasses::get()), bit_(bit) {}

    void find(std::string_view text, std::vector<Span>& matches) const override {
        for (uint32_t at = 0; at < text.size();) {
            const Decoded c = utf8_decode(text.data() + at);
            if (classes_.bits(c.code) & bit_) matches.push_back({at, at + c.length});
            at += c.length;
        }
    }

 private:
    const CharClasses& classes_;
    uint16_t bit_;
};

class StringScanner final : public Scanner {
 public:
    explicit StringScanner(std::string needle) : needle_(std::move(needle)) {}

    void find(std::string_view text, std::vector<Span>& matches) const override {
        if (needle_.empty()) return;
        for (size_t at = text.find(needle_); at != std::string_view::npos;
             at = text.find(needle_, at + needle_.size())) {
            matches.push_back(
                {static_cast<uint32_t>(at), static_cast<uint32_t>(at + needle_.size())});
        }
    }

 private:
    std::string needle_;
};

}  // namespace

std::unique_ptr<Scanner> make_class_scanner(CharTest test) {
    switch (test) {
        case CharTest::kNumeric:
            return std::make_unique<ClassScanner>(kNumericBit);
        case CharTest::kPunctuation:
            return std::make_unique<ClassScanner>(kPunctuationBit);
        case CharTest::kSpace:
            return std::make_unique<ClassScanner>(kSpaceBit);
    }
    throw std::logic_error("unknown character test");
}

std::unique_ptr<Scanner> make_string_scanner(std::string needle) {
    return std::make_unique<StringScanner>(std::move(needle));
}

std::unique_ptr<Scanner> make_regex_scanner(std::string_view regex) {
    return std::make_unique<RegexScanner>(regex);
}

std::optional<std::string_view> regex_of(const json::Value& pattern) {
    pattern.object("the pattern");
    if (pattern.find("String") != nullptr) return std::nullopt;
    const json::Value* regex = pattern.find("Regex");
    if (regex == nullptr) return std::nullopt;
    return regex->string("pattern.Regex");
}

std::unique_ptr<Scanner> make_scanner(const json::Value& pattern) {
    pattern.object("the pattern");
    if (const json::Value* text = pattern.find("String")) {
        return std::make_unique<StringScanner>(std::string(text->string("pattern.String")));
    }
    if (const auto regex = regex_of(pattern)) return make_regex_scanner(*regex);
    throw std::invalid_argument("the pattern is neither a String nor a Regex");
}

}  // namespace edgeward
