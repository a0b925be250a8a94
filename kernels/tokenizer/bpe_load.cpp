// Reads a BPE model from its JSON: vocabulary, merges as "a b" or ["a", "b"], and the options.
#include <array>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>

#include "tokenizer/bpe.h"

namespace edgeward {
namespace {

struct Pair {
    std::string_view left;
    std::string_view right;
};

std::string rule(size_t number) { return "model.merges[" + std::to_string(number) + "]"; }

Pair read_pair(const json::Item& value, size_t number) {
    if (value.is_string()) {
        const std::string_view text = value.string("merge");
        const size_t space = text.find(' ');
        if (space == std::string_view::npos ||
            text.find(' ', space + 1) != std::string_view::npos) {
            throw std::invalid_argument(rule(number) + " is \"" + std::string(text) +
                                        "\"; a rule is two tokens with one space between");
        }
        return {text.substr(0, space), text.substr(space + 1)};
    }
    if (!value.is_array()) value.elements(rule(number));  // throws
    const json::Items parts = value.elements("an entry of model.merges");
    if (parts.size() != 2) {
        throw std::invalid_argument(rule(number) + " has " + std::to_string(parts.size()) +
                                    " parts; a rule is two tokens");
    }
    const json::Item left = *parts.begin();
    const json::Item right = *std::next(parts.begin());
    if (!left.is_string()) left.string(rule(number));    // throws
    if (!right.is_string()) right.string(rule(number));  // throws
    return {left.string("a token"), right.string("a token")};
}

uint32_t token_of(const Vocab& vocab, const Vocab::Wanted& token, size_t number) {
    const uint32_t id = vocab.find(token);
    if (id == kNoId) {
        throw std::invalid_argument(rule(number) + " needs the token \"" +
                                    std::string(token.token()) +
                                    "\", which the vocabulary does not hold");
    }
    return id;
}

// The id of what a rule makes. Tokens are mostly numbered in the order of the rules that make them,
// so it is the last one's, or the next: looking at those two spares a search.
uint32_t result_of(const Vocab& vocab, std::string_view joined, uint32_t last, size_t number) {
    if (last != kNoId) {
        for (const uint32_t id : {last, last + 1}) {
            if (vocab.has(id) && vocab.text(id) == joined) return id;
        }
    }
    return token_of(vocab, {vocab, joined}, number);
}

struct Rule {
    size_t number = 0;
    Vocab::Wanted first;
    Vocab::Wanted second;
    std::string joined;  // what the pair makes
    uint32_t left = kNoId;
    uint32_t right = kNoId;
    uint32_t result = kNoId;

    void read(const json::Item& entry, size_t at, std::string_view prefix, const Vocab& vocab) {
        number = at;
        const Pair pair = read_pair(entry, at);
        if (pair.right.size() < prefix.size()) {
            throw std::invalid_argument(rule(at) + ": \"" + std::string(pair.right) +
                                        "\" is shorter than continuing_subword_prefix");
        }
        joined = pair.left;
        joined += pair.right.substr(prefix.size());
        first.read(vocab, pair.left);
        second.read(vocab, pair.right);
    }
};

// `shared`: rules that follow each other and make the same token have one rank, so that of two
// places the first is merged, whatever the parts. SentencePiece ranks tokens and not rules.
MergeTable read_merges(const json::Value& value, const Vocab& vocab, std::string_view prefix,
                       bool shared) {
    const json::Items rules = value.elements("model.merges");
    MergeTable merges(rules.size(), vocab.end_id());
    // A block of rules at a time: ask for the slots of their tokens, find them, ask for the slots
    // of the rules, fill them. One after the other, each step would wait for memory.
    constexpr size_t kBlock = 16;
    std::array<Rule, kBlock> block;
    uint32_t rank = 0;
    uint32_t last = kNoId;
    uint32_t made = kNoId;
    size_t number = 0;
    for (auto at = rules.begin(); at != rules.end();) {
        size_t count = 0;
        for (; count < kBlock && at != rules.end(); ++at, ++number) {
            const json::Item entry = *at;
            // Old files start with a comment line, which counts for nothing.
            if (entry.is_string() && entry.string("merge").starts_with("#version")) continue;
            block[count++].read(entry, number, prefix, vocab);
        }
        const std::span<Rule> rows(block.data(), count);
        for (Rule& row : rows) {
            row.left = token_of(vocab, row.first, row.number);
            row.right = token_of(vocab, row.second, row.number);
            row.result = made = result_of(vocab, row.joined, made, row.number);
            merges.prefetch(row.left, row.right);
        }
        for (const Rule& row : rows) {
            if (!shared || row.result != last) rank = static_cast<uint32_t>(row.number);
            last = row.result;
            merges.set(row.left, row.right, rank, row.result);
        }
    }
    return merges;
}

std::string text_or_empty(const json::Value& model, std::string_view name) {
    const json::Value* value = model.find(name);
    if (value == nullptr || value->is_null()) return "";
    return std::string(value->string("model." + std::string(name)));
}

bool flag(const json::Value& model, std::string_view name) {
    const json::Value* value = model.find(name);
    return value != nullptr && !value->is_null() && value->boolean("model." + std::string(name));
}

const json::Value& need(const json::Value& model, std::string_view name) {
    const json::Value* value = model.find(name);
    if (value == nullptr) throw std::invalid_argument("model has no " + std::string(name));
    return *value;
}

}  // namespace

std::unique_ptr<Model> make_bpe(const json::Value& model) {
    if (const json::Value* dropout = model.find("dropout");
        dropout != nullptr && !dropout->is_null() && dropout->number("model.dropout") != 0) {
        throw std::invalid_argument(
            "model.dropout is not 0: dropout is for training and makes the ids random");
    }
    BpeOptions options;
    if (const json::Value* unk = model.find("unk_token"); unk != nullptr && !unk->is_null()) {
        options.unk_token = unk->string("model.unk_token");
    }
    options.prefix = text_or_empty(model, "continuing_subword_prefix");
    options.suffix = text_or_empty(model, "end_of_word_suffix");
    options.fuse_unk = flag(model, "fuse_unk");
    options.byte_fallback = flag(model, "byte_fallback");
    options.ignore_merges = flag(model, "ignore_merges");
    Vocab vocab = read_vocab(model, options.take_bytes() ? Spelling::kByteLevel : Spelling::kPlain);
    MergeTable merges = read_merges(need(model, "merges"), vocab, options.prefix,
                                    flag(model, "merges_share_ranks"));
    return std::make_unique<Bpe>(std::move(vocab), std::move(merges), std::move(options));
}

}  // namespace edgeward
