#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <stdexcept>

#include "tokenizer/byte_level.h"
#include "tokenizer/options.h"
#include "tokenizer/placement.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

const json::Value& member_or_null(const json::Value& root, std::string_view name) {
    static const json::Value null;
    const json::Value* found = root.find(name);
    return found == nullptr ? null : *found;
}

const json::Value& checked(const json::Value& root) {
    if (!root.is_object()) throw std::invalid_argument("tokenizer.json must hold an object");
    if (const json::Value* version = root.find("version");
        version != nullptr && version->string("version") != "1.0") {
        throw std::invalid_argument("version of tokenizer.json is \"" +
                                    std::string(version->string("version")) +
                                    "\"; only \"1.0\" is known");
    }
    if (member_or_null(root, "model").is_null()) {
        throw std::invalid_argument("tokenizer.json has no model");
    }
    return root;
}

// Takes the tokens of a text without their places.
class IdSink {
 public:
    static constexpr bool kTraced = false;
    explicit IdSink(size_t text_size) : buffer_(false) {
        buffer_.ids.reserve(text_size / 3 + 16);  // most texts have fewer
    }
    void added(const TracedText&, Span, uint32_t id) { buffer_.add(id, 0); }
    void pieces(const TracedText& text, uint32_t base, std::span<const Span> pieces,
                const Model& model, bool raw_bytes) {
        model.tokenize_pieces(text.bytes().substr(base), pieces, raw_bytes, buffer_);
    }
    std::vector<uint32_t>& ids() { return buffer_.ids; }

 private:
    TokenBuffer buffer_;
};

}  // namespace

Tokenizer::Tokenizer(std::string_view json_text, bool cache) : normalizer_(json::Value()) {
    build(json_text, cache, nullptr);
}

void Tokenizer::build(std::string_view json_text, bool cache, compiled::Reader* tables) {
    const json::Document document(json_text);
    const json::Value& root = checked(document.root());
    normalizer_ = Normalizer(member_or_null(root, "normalizer"));
    pre_tokenizers_ = make_pre_tokenizers(member_or_null(root, "pre_tokenizer"));
    model_ = make_model(member_or_null(root, "model"));
    if (tables != nullptr) {
        if (!model_->compiles()) throw std::invalid_argument("this model has no compiled form");
        model_->read(*tables);
    }
    post_processor_ = PostProcessor(member_or_null(root, "post_processor"));
    length_rules_ = LengthRules(member_or_null(root, "truncation"), member_or_null(root, "padding"),
                                post_processor_.special_tokens());
    decoder_ = Decoder(member_or_null(root, "decoder"));
    if (const json::Value& added = member_or_null(root, "added_tokens"); !added.is_null()) {
        added_ = AddedTokens(added, model_->vocab(), &normalizer_);
    }
    if (pre_tokenizers_.bytes_at_end && model_->takes_bytes()) {
        model_->prepare_bytes();
    } else {
        spell_bytes_at_end(pre_tokenizers_);
    }
    if (cache) model_->use_cache();
    if (tables == nullptr) return fill_pieces();
    (*tables)(piece_bytes_);
    (*tables)(pieces_);
    check_pieces();
    if (pieces_.size() != count_tokens()) {
        throw std::invalid_argument(
            "the compiled tokenizer holds other tokens than it says; make it anew");
    }
}

// One more than the largest id; sets vocab_size_.
uint32_t Tokenizer::count_tokens() {
    const Vocab& vocab = model_->vocab();
    uint32_t end = vocab.end_id();
    vocab_size_ = vocab.size();
    for (const AddedToken& token : added_.tokens()) {
        end = std::max(end, token.id + 1);
        if (added_.by_id(token.id) == &token && vocab.find(token.content) == kNoId) ++vocab_size_;
    }
    return end;
}

void Tokenizer::fill_pieces() {
    const Vocab& vocab = model_->vocab();
    const uint32_t end = count_tokens();
    pieces_.resize(end, Piece{});
    const auto keep = [&](std::string_view bytes) {
        const auto begin = static_cast<uint32_t>(piece_bytes_.size());
        piece_bytes_.append(bytes);
        return Span{begin, static_cast<uint32_t>(piece_bytes_.size())};
    };
    std::vector<bool> added(end);
    for (const AddedToken& token : added_.tokens()) added[token.id] = true;
    piece_bytes_.reserve(size_t{end} * 8);
    std::string room;
    for (uint32_t id = 0; id < end; ++id) {
        if (!added[id] && !vocab.has(id)) continue;
        const std::string_view text = added[id] ? id_to_token(id) : vocab.text(id);
        Piece& piece = pieces_.own()[id];
        piece.known = true;
        piece.special = added_.is_special(text);
        if (!decoder_.streams()) continue;
        if (decoder_.bytes()) {
            // What Decoder::piece says, without making strings of it.
            room.resize(text.size());
            const size_t size = byte_level_decode(text, room.data());
            piece.rest =
                keep(size == kNotByteLevel ? text : std::string_view(room).substr(0, size));
            piece.first = piece.rest;
            continue;
        }
        const StreamPiece form = decoder_.piece(text);
        piece.byte = form.byte;
        piece.rest = keep(form.rest);
        piece.first = form.first == form.rest ? piece.rest : keep(form.first);
    }
}

template <class Sink>
void Tokenizer::run(std::string_view text, Sink& sink) const {
    if (text.size() > kMaxText) {
        throw std::invalid_argument("the text has " + std::to_string(text.size()) +
                                    " bytes; the limit is " + std::to_string(kMaxText));
    }
    const TracedText original(text);
    added_.split(text, false, [&](Span span, uint32_t id) {
        if (id != kNoId) return sink.added(original, span, id);
        if (normalizer_.keeps(original.bytes(span))) return run_normalized(original, span, sink);
        Pieces changed(original, span, Sink::kTraced || pre_tokenizers_.needs_origins());
        normalizer_.apply(changed);
        if (!changed.pieces().empty()) {
            run_normalized(changed.text(), changed.pieces().front(), sink);
        }
    });
}

template <class Sink>
void Tokenizer::run_normalized(const TracedText& text, Span all, Sink& sink) const {
    added_.split(text.bytes(all), true, [&](Span part, uint32_t id) {
        const Span span{all.begin + part.begin, all.begin + part.end};
        if (id != kNoId) return sink.added(text, span, id);
        run_words(text, span, sink);
    });
}

template <class Sink>
void Tokenizer::run_words(const TracedText& text, Span span, Sink& sink) const {
    if (const Cutter* cutter = pre_tokenizers_.cutter()) {
        // Pieces go from the cutter to the model a block at a time; nothing grows with the text.
        Span block[256];
        const std::string_view bytes = text.bytes(span);
        for (uint32_t at = 0; at < bytes.size();) {
            const size_t count = cutter->cut(bytes, at, block);
            sink.pieces(text, span.begin, {block, count}, *model_, pre_tokenizers_.bytes_at_end);
        }
        return;
    }
    if (const Metaspace* metaspace = pre_tokenizers_.speller()) {
        Rewritten spelled;
        spelled.traced = Sink::kTraced;
        std::vector<Span> words;
        for (uint32_t at = 0; at < span.size();) {
            PreTokenizers::spell(*metaspace, text, span, at, spelled, words);
            sink.pieces(TracedText(spelled), 0, words, *model_, false);
        }
        return;
    }
    Pieces cut(text, span, Sink::kTraced || pre_tokenizers_.needs_origins());
    pre_tokenizers_.apply(cut);
    sink.pieces(cut.text(), 0, cut.pieces(), *model_, pre_tokenizers_.bytes_at_end);
}

std::vector<uint32_t> Tokenizer::encode(std::string_view text, bool add_special_tokens) const {
    IdSink sink(text.size());
    run(text, sink);
    length_rules_.truncate(sink.ids(), add_special_tokens);
    std::vector<uint32_t> ids;
    const auto& parts = post_processor_.parts();
    if (parts.size() == 1 && parts[0].sequence) {
        ids = std::move(sink.ids());
    } else {
        for (const PostProcessor::Part& part : parts) {
            if (!part.sequence && !add_special_tokens) continue;
            const auto& source = part.sequence ? sink.ids() : part.ids;
            ids.insert(ids.end(), source.begin(), source.end());
        }
    }
    length_rules_.pad(ids, ids.size(), length_rules_.pad_id());
    return ids;
}

PlacedTokens Tokenizer::place(std::string_view text) const {
    PlacedSink sink(text, model_->vocab(), {.blanks = true, .words = true});
    run(text, sink);
    return std::move(sink.tokens());
}

Encoding Tokenizer::encode_with_offsets(std::string_view text, bool add_special_tokens) const {
    return encode_placed(text, add_special_tokens, true);
}

std::vector<Span> Tokenizer::offsets(std::string_view text, bool add_special_tokens) const {
    return encode_placed(text, add_special_tokens, false).offsets;
}

Encoding Tokenizer::encode_placed(std::string_view text, bool add_special_tokens,
                                  bool with_ids) const {
    Encoding encoding;
    if (!post_processor_.is_simple() || length_rules_.truncates()) {
        FullEncoding full = encode_full(text, std::nullopt, add_special_tokens);
        encoding.ids = std::move(full.ids);
        for (const auto& [begin, end] : full.offsets) encoding.offsets.push_back({begin, end});
        return encoding;
    }
    PlacedSink sink(
        text, model_->vocab(),
        {.ids = with_ids, .trim = post_processor_.trims() ? &post_processor_ : nullptr});
    run(text, sink);
    PlacedTokens& tokens = sink.tokens();
    const auto& parts = post_processor_.parts();
    if (parts.size() == 1 && parts[0].sequence) {
        encoding = {std::move(tokens.ids), std::move(tokens.characters)};
    } else {
        for (const PostProcessor::Part& part : parts) {
            if (!part.sequence && !add_special_tokens) continue;
            const auto& ids = part.sequence ? tokens.ids : part.ids;
            if (with_ids) encoding.ids.insert(encoding.ids.end(), ids.begin(), ids.end());
            if (part.sequence) {
                encoding.offsets.insert(encoding.offsets.end(), tokens.characters.begin(),
                                        tokens.characters.end());
            } else {
                encoding.offsets.resize(encoding.offsets.size() + part.ids.size());
            }
        }
    }
    const size_t length = encoding.offsets.size();
    if (with_ids) length_rules_.pad(encoding.ids, length, length_rules_.pad_id());
    length_rules_.pad(encoding.offsets, length, Span{});
    return encoding;
}

void Tokenizer::pad_batch(std::vector<std::vector<uint32_t>>& batch) const {
    size_t longest = 0;
    for (const auto& ids : batch) longest = std::max(longest, ids.size());
    for (auto& ids : batch) length_rules_.pad(ids, longest, length_rules_.pad_id());
}

std::string Tokenizer::decode(std::span<const uint32_t> ids, bool skip_special_tokens) const {
    if (!decoder_.streams() || decoder_.looks_ahead())
        return decode_chain(ids, skip_special_tokens);
    std::string text;
    std::string run;  // of fallback bytes
    bool first = true;
    for (const uint32_t id : ids) {
        if (!is_shown(id, skip_special_tokens)) continue;
        const std::string_view bytes = token_bytes(id, first);
        first = false;
        if (pieces_[id].byte) {
            run += bytes;
            continue;
        }
        append_fallback(run, text);
        run.clear();
        text += bytes;
    }
    append_fallback(run, text);
    if (decoder_.bytes()) {
        if (utf8_valid_prefix(text) != text.size()) return utf8_lossy(text);
        return text;
    }
    std::string_view left = text;
    for (uint32_t i = 0; i < decoder_.strip_count() && left.starts_with(decoder_.strip()); ++i) {
        left.remove_prefix(decoder_.strip().size());
    }
    return left.size() == text.size() ? text : std::string(left);
}

std::string Tokenizer::decode_chain(std::span<const uint32_t> ids, bool skip_special_tokens) const {
    std::vector<std::string> tokens;
    for (const uint32_t id : ids) {
        if (is_shown(id, skip_special_tokens)) tokens.emplace_back(id_to_token(id));
    }
    return decoder_.decode(std::move(tokens));
}

std::string_view Tokenizer::token_bytes(uint32_t id, bool first) const {
    if (!is_token(id)) return {};
    const Span span = first ? pieces_[id].first : pieces_[id].rest;
    return {piece_bytes_.data() + span.begin, span.size()};
}

std::string_view Tokenizer::id_to_token(uint32_t id) const {
    if (const AddedToken* token = added_.by_id(id)) return token->pattern;
    return model_->vocab().has(id) ? model_->vocab().text(id) : std::string_view();
}

uint32_t Tokenizer::token_to_id(std::string_view token) const {
    const uint32_t id = added_.find(token);
    return id != kNoId ? id : model_->vocab().find(token);
}

}  // namespace edgeward
