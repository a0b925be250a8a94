#include "tokenizer/decoder.h"

#include <algorithm>
#include <stdexcept>

#include "tokenizer/byte_level.h"
#include "tokenizer/decoder_stages.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

int fallback_byte(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
    // The reference's number parser takes a sign: "<0x+5>" is byte 5.
    if (token[3] == '+') return hex_digit(token[4]);
    const int high = hex_digit(token[3]);
    const int low = hex_digit(token[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void append_fallback(std::string_view run, std::string& out) {
    if (utf8_valid_prefix(run) == run.size()) {
        out += run;
    } else {
        for (size_t i = 0; i < run.size(); ++i) utf8_append(out, kReplacement);
    }
}

Decoder::Decoder(const json::Value& value) {
    if (value.is_null()) return;
    std::vector<std::string> types;
    read(value, types, 0);
    choose_kind(types);
}

void Decoder::read(const json::Value& value, std::vector<std::string>& types, int depth) {
    if (depth > 8) throw std::invalid_argument("decoder sequences are nested too deep");
    const Options options(value, "decoder");
    const std::string type(options.text("type"));
    if (type == "Sequence") {
        for (const json::Value& part : options.array("decoders")) read(part, types, depth + 1);
        return;
    }
    stages_.push_back(make_decoder_stage(options, type));
    if (type == "Strip") {
        strip_ = options.text("content");
        strip_count_ = options.number("start", UINT32_MAX);
        strip_stop_ = options.number("stop", UINT32_MAX);
    }
    types.push_back(type);
}

// Finds out whether the stages make a text token by token.
void Decoder::choose_kind(const std::vector<std::string>& types) {
    kind_ = Kind::kChain;
    if (types == std::vector<std::string>{"ByteLevel"}) kind_ = Kind::kBytes;
    if (types == std::vector<std::string>{"Metaspace"} ||
        types == std::vector<std::string>{"WordPiece"}) {
        kind_ = Kind::kFirstAndRest;
    }
    if (types == std::vector<std::string>{"BPEDecoder"}) kind_ = Kind::kRestAndLast;
    // Replace ... ByteFallback? Fuse? Strip?, the last only behind Fuse.
    size_t at = 0;
    const auto next_is = [&](std::string_view type) {
        if (at == types.size() || types[at] != type) return false;
        ++at;
        return true;
    };
    while (next_is("Replace")) ++replacements_;
    fallback_ = next_is("ByteFallback");
    const bool strips = next_is("Fuse") && next_is("Strip");
    if (!types.empty() && at == types.size() && (!strips || strip_stop_ == 0)) {
        kind_ = Kind::kPieces;
    }
    if (kind_ != Kind::kPieces || !strips) {
        strip_.clear();
        strip_count_ = 0;
    }
}

std::string Decoder::decode(std::vector<std::string> tokens) const {
    // Some stages of the reference fail on an empty list; no tokens are no text.
    if (tokens.empty()) return "";
    for (const auto& stage : stages_) stage->apply(tokens);
    std::string text;
    for (size_t i = 0; i < tokens.size(); ++i) {
        if (i > 0 && kind_ == Kind::kJoin) text += ' ';
        text += tokens[i];
    }
    return text;
}

StreamPiece Decoder::piece(std::string_view token) const {
    StreamPiece piece{std::string(token), std::string(token), false};
    switch (kind_) {
        case Kind::kJoin:
            piece.rest.insert(0, " ");
            break;
        case Kind::kBytes:
            // A token with a character outside the alphabet (an added one) stands for itself.
            if (auto bytes = byte_level_decode(token)) piece.first = piece.rest = *bytes;
            break;
        case Kind::kFirstAndRest: {
            std::vector<std::string> pair{piece.first, piece.rest};
            stages_[0]->apply(pair);
            piece.first = pair[0];
            piece.rest = pair[1];
            break;
        }
        case Kind::kRestAndLast: {
            std::vector<std::string> pair{piece.rest, piece.first};
            stages_[0]->apply(pair);
            piece.rest = pair[0];
            piece.first = pair[1];
            break;
        }
        case Kind::kPieces: {
            std::vector<std::string> one{piece.first};
            for (size_t i = 0; i < replacements_; ++i) stages_[i]->apply(one);
            if (const int byte = fallback_ ? fallback_byte(one[0]) : -1; byte >= 0) {
                one[0].assign(1, static_cast<char>(byte));
                piece.byte = true;
            }
            piece.first = piece.rest = one[0];
            break;
        }
        case Kind::kChain:
            throw std::logic_error("this decoder does not stream");
    }
    return piece;
}

}  // namespace edgeward
