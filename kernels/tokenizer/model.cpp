#include "tokenizer/model.h"

#include <array>
#include <stdexcept>

#include "tokenizer/bpe.h"
#include "tokenizer/unigram.h"
#include "tokenizer/word_models.h"

namespace edgeward {

bool Model::tokenize_bytes(std::string_view, TokenBuffer&) const {
    throw std::logic_error("this model takes no bytes");
}

size_t Model::tokenize_pieces(std::string_view text, std::span<const Span> pieces, bool raw_bytes,
                              TokenBuffer& out) const {
    for (size_t i = 0; i < pieces.size(); ++i) {
        const std::string_view piece = text.substr(pieces[i].begin, pieces[i].size());
        if (!raw_bytes) {
            tokenize(piece, out);
        } else if (!tokenize_bytes(piece, out)) {
            return i;
        }
        if (out.want_lengths) out.ends.push_back(static_cast<uint32_t>(out.ids.size()));
    }
    return pieces.size();
}

namespace {

// Files of before 2021 do not name their model; each kind has members of its own.
std::string_view type_of(const json::Value& model) {
    if (const json::Value* type = model.find("type")) return type->string("model.type");
    if (model.find("merges") != nullptr) return "BPE";
    if (model.find("max_input_chars_per_word") != nullptr) return "WordPiece";
    if (model.find("unk_id") != nullptr) return "Unigram";
    if (model.find("vocab") != nullptr) return "WordLevel";
    throw std::invalid_argument("model has neither a type nor a vocab");
}

}  // namespace

std::unique_ptr<Model> make_model(const json::Value& model) {
    model.object("model");
    const std::string_view type = type_of(model);
    if (type == "BPE") return make_bpe(model);
    if (type == "WordPiece") return make_word_piece(model);
    if (type == "WordLevel") return make_word_level(model);
    if (type == "Unigram") return make_unigram(model);
    throw std::invalid_argument(
        "model type \"" + std::string(type) +
        "\" is not supported; supported: BPE, Unigram, WordLevel, WordPiece");
}

// The member "vocab" as an object of tokens and ids.
Vocab read_vocab(const json::Value& model, Spelling spelling) {
    const json::Value* value = model.find("vocab");
    if (value == nullptr) throw std::invalid_argument("model has no vocab");
    Vocab vocab(spelling);
    const json::Items members = value->members("model.vocab");
    vocab.reserve(members.size(), members.size() * 8);
    // A block at a time: the memory for all of its tokens is asked for before the first is added.
    constexpr size_t kBlock = 16;
    std::array<Vocab::Wanted, kBlock> block;
    std::array<uint32_t, kBlock> ids;
    for (auto at = members.begin(); at != members.end();) {
        size_t count = 0;
        for (; count < kBlock && at != members.end(); ++at, ++count) {
            const json::Item member = *at;
            const auto id = member.unsigned_integer("the id of a token in model.vocab", kMaxId);
            ids[count] = static_cast<uint32_t>(id);
            block[count].read(vocab, member.name());
        }
        for (size_t i = 0; i < count; ++i) vocab.add(block[i], ids[i]);
    }
    return vocab;
}

}  // namespace edgeward
