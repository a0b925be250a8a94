#include "tokenizer/known_splits.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/scan_deepseek.h"
#include "tokenizer/scan_gpt2.h"
#include "tokenizer/scan_words.h"

namespace edgeward {
namespace {

constexpr std::array<std::string_view, 3> kDeepSeek = {
    R"(\p{N}{1,3})",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
    R"(| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
};

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

constexpr std::string_view kContraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
constexpr std::string_view kLowerWord =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)";
constexpr std::string_view kUpperWord =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)";

// Takes an expression apart from its front.
class Reader {
 public:
    explicit Reader(std::string_view text) : left_(text) {}

    bool take(std::string_view expected) {
        if (!left_.starts_with(expected)) return false;
        left_.remove_prefix(expected.size());
        return true;
    }
    bool at_end() const { return left_.empty(); }

 private:
    std::string_view left_;
};

bool read_words(Reader& reader, WordRules& rules) {
    if (reader.take(kLowerWord)) {
        rules.cased = true;
        const bool behind = reader.take(kContraction);
        if (behind && !reader.take("?")) return false;
        if (behind) rules.contractions = WordRules::kBehind;
        if (!reader.take("|") || !reader.take(kUpperWord)) return false;
        return !behind || (reader.take(kContraction) && reader.take("?"));
    }
    if (reader.take(kContraction)) {
        rules.contractions = WordRules::kAlone;
        if (!reader.take("|")) return false;
    }
    if (reader.take(R"([^\r\n\p{L}\p{N}]?\p{L}+)")) return true;
    rules.marks_join = true;
    return reader.take(R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+)");
}

// The family of cl100k and o200k.
std::optional<WordRules> word_rules(std::string_view regex) {
    WordRules rules;
    Reader reader(regex);
    if (!read_words(reader, rules) || !reader.take(R"(|\p{N})")) return std::nullopt;
    rules.digits = reader.take("{1,3}") ? 3 : 1;
    const bool signs = rules.marks_join ? reader.take(R"(| ?[^\s\p{L}\p{M}\p{N}]+)")
                                        : reader.take(R"(| ?[^\s\p{L}\p{N}]+)");
    if (!signs) return std::nullopt;
    rules.slash_tail = reader.take(R"([\r\n/]*)");
    if (!rules.slash_tail && !reader.take(R"([\r\n]*)")) return std::nullopt;
    if (!reader.take(R"(|\s*[\r\n]+|\s+(?!\S)|\s+)") || !reader.at_end()) return std::nullopt;
    return rules;
}

}  // namespace

std::unique_ptr<Cutter> known_cutter(std::span<const std::string_view> stages) {
    const auto is = [&](auto&&... names) {
        const std::array<std::string_view, sizeof...(names)> wanted{names...};
        return std::ranges::equal(stages, wanted);
    };
    if (is(kGpt2Stage) || is(kGpt2)) return make_gpt2_cutter(false);
    if (is(kEachDigitStage, kGpt2Stage) || is(kEachDigitStage, kGpt2)) {
        return make_gpt2_cutter(true);
    }
    if (std::ranges::equal(stages, kDeepSeek)) return make_deepseek_cutter();
    if (stages.size() != 1) return nullptr;
    const auto rules = word_rules(stages[0]);
    return rules ? make_word_cutter(*rules) : nullptr;
}

bool covers_all(std::string_view regex) { return regex == kGpt2 || word_rules(regex).has_value(); }

}  // namespace edgeward
