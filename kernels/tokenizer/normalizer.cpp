#include "tokenizer/normalizer.h"

#include <stdexcept>

#include "tokenizer/normalization.h"
#include "tokenizer/normalizer_bert.h"
#include "tokenizer/normalizer_sentencepiece.h"
#include "tokenizer/normalizer_spm.h"
#include "tokenizer/options.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/scanners.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

Span whole_character(const Pieces& text, uint32_t at) {
    const auto lead = static_cast<unsigned char>(text.bytes()[at]);
    return {at, at + static_cast<uint32_t>(utf8_length(lead))};
}

class NormalFormStage final : public NormalizerStage {
 public:
    explicit NormalFormStage(Form form) : form_(form) {}

    void apply(Pieces& text) const override {
        bool normal = true;
        for (Span piece : text.pieces()) normal = normal && is_normal(form_, text.bytes(piece));
        if (normal) return;
        text.rewrite([&](Span piece, Rewritten& out) { normalize(form_, text, piece, out); });
    }
    bool keeps(std::string_view text) const override { return is_normal(form_, text); }

 private:
    Form form_;
};

class LowercaseStage final : public NormalizerStage {
 public:
    void apply(Pieces& text) const override {
        const NormalizationTables& tables = NormalizationTables::get();
        text.rewrite([&](Span piece, Rewritten& out) {
            std::string lower;
            for (uint32_t at = piece.begin; at < piece.end;) {
                const Span character = whole_character(text, at);
                const char32_t code = utf8_decode(text.bytes().data() + at).code;
                if (tables.bits(code) & NormalizationTables::kLowerBit) {
                    lower.clear();
                    for (const uint32_t c : tables.lower(code)) utf8_append(lower, c);
                    out.add(lower, text.origin(at));
                } else {
                    out.add(text.bytes(character), text.origin(at));
                }
                at = character.end;
            }
        });
    }
};

// Every match gives way to the content, which takes the origin of the match's last character.
class ReplaceStage final : public NormalizerStage {
 public:
    ReplaceStage(std::unique_ptr<Scanner> scanner, std::string content)
        : scanner_(std::move(scanner)), content_(std::move(content)) {}

    void apply(Pieces& text) const override {
        std::vector<std::vector<Span>> matches;
        bool any = false;
        for (Span piece : text.pieces()) {
            scanner_->find(text.bytes(piece), matches.emplace_back());
            any = any || !matches.back().empty();
        }
        if (!any) return;
        size_t number = 0;
        text.rewrite([&](Span piece, Rewritten& out) {
            uint32_t at = piece.begin;
            for (Span match : matches[number++]) {
                text.text().copy({at, piece.begin + match.begin}, out);
                at = piece.begin + match.end;
                out.add(content_, text.origin(at - 1));
            }
            text.text().copy({at, piece.end}, out);
        });
    }

 private:
    std::unique_ptr<Scanner> scanner_;
    std::string content_;
};

// Drops the characters that have one of the class bits.
class FilterStage final : public NormalizerStage {
 public:
    explicit FilterStage(uint16_t bits) : bits_(bits) {}

    void apply(Pieces& text) const override {
        const CharClasses& classes = CharClasses::get();
        text.rewrite([&](Span piece, Rewritten& out) {
            for (uint32_t at = piece.begin; at < piece.end;) {
                const Span character = whole_character(text, at);
                if (!(classes.bits(utf8_decode(text.bytes().data() + at).code) & bits_)) {
                    out.add(text.bytes(character), text.origin(at));
                }
                at = character.end;
            }
        });
    }

 private:
    uint16_t bits_;
};

// White space becomes a space (`spaces`), Chinese characters get a space on both sides (`chinese`).
class BertSpacing final : public NormalizerStage {
 public:
    BertSpacing(bool spaces, bool chinese) : spaces_(spaces), chinese_(chinese) {}

    void apply(Pieces& text) const override {
        const CharClasses& classes = CharClasses::get();
        text.rewrite([&](Span piece, Rewritten& out) {
            for (uint32_t at = piece.begin; at < piece.end;) {
                const Span character = whole_character(text, at);
                const char32_t code = utf8_decode(text.bytes().data() + at).code;
                const Span from = text.origin(at);
                if (chinese_ && is_bert_chinese(code)) {
                    out.add(" ", from);
                    out.add(text.bytes(character), from);
                    out.add(" ", from);
                } else {
                    const bool space = spaces_ && classes.space(code);
                    out.add(space ? " " : text.bytes(character), from);
                }
                at = character.end;
            }
        });
    }

 private:
    bool spaces_;
    bool chinese_;
};

std::unique_ptr<NormalizerStage> read_bert(const Options& options) {
    BertOptions bert;
    bert.clean = options.flag("clean_text");
    bert.chinese = options.flag("handle_chinese_chars");
    bert.lowercase = options.flag("lowercase");
    bert.strip_accents = options.flag("strip_accents", bert.lowercase);
    std::vector<std::unique_ptr<NormalizerStage>> stages;
    if (bert.clean) stages.push_back(std::make_unique<FilterStage>(kBertRemovedBit));
    if (bert.clean || bert.chinese) {
        stages.push_back(std::make_unique<BertSpacing>(bert.clean, bert.chinese));
    }
    if (bert.strip_accents) {
        stages.push_back(std::make_unique<NormalFormStage>(Form::kNfd));
        stages.push_back(std::make_unique<FilterStage>(kNonspacingBit));
    }
    if (bert.lowercase) stages.push_back(std::make_unique<LowercaseStage>());
    return make_bert(bert, std::move(stages));
}

// Bytes as characters, as the ByteLevel pre-tokenizer writes them.
class ByteLevelStage final : public NormalizerStage {
 public:
    void apply(Pieces& text) const override { spell_bytes(text); }
};

// The prefix takes the origin of the character before which it stands.
class PrependStage final : public NormalizerStage {
 public:
    explicit PrependStage(std::string prefix) : prefix_(std::move(prefix)) {}

    void apply(Pieces& text) const override {
        text.rewrite([&](Span piece, Rewritten& out) {
            if (!piece.empty()) out.add(prefix_, text.origin(piece.begin));
            text.text().copy(piece, out);
        });
    }

 private:
    std::string prefix_;
};

class StripStage final : public NormalizerStage {
 public:
    StripStage(bool left, bool right) : left_(left), right_(right) {}

    void apply(Pieces& text) const override {
        const CharClasses& classes = CharClasses::get();
        text.split([&](std::string_view bytes, std::vector<Span>& out) {
            const char* begin = bytes.data();
            const char* end = begin + bytes.size();
            const auto space = [&](const char* p) { return classes.space(utf8_decode(p).code); };
            while (left_ && begin < end && space(begin)) {
                begin += utf8_length(static_cast<unsigned char>(*begin));
            }
            while (right_ && begin < end && space(utf8_before(end))) end = utf8_before(end);
            out.push_back({static_cast<uint32_t>(begin - bytes.data()),
                           static_cast<uint32_t>(end - bytes.data())});
        });
    }

 private:
    bool left_;
    bool right_;
};

std::unique_ptr<NormalizerStage> make_stage(const Options& options, const std::string& type) {
    if (type == "BertNormalizer") return read_bert(options);
    if (type == "NFC") return std::make_unique<NormalFormStage>(Form::kNfc);
    if (type == "NFD") return std::make_unique<NormalFormStage>(Form::kNfd);
    if (type == "NFKC") return std::make_unique<NormalFormStage>(Form::kNfkc);
    if (type == "NFKD") return std::make_unique<NormalFormStage>(Form::kNfkd);
    if (type == "StripAccents") return std::make_unique<FilterStage>(kCombiningBit);
    if (type == "Lowercase") return std::make_unique<LowercaseStage>();
    if (type == "Strip") {
        return std::make_unique<StripStage>(options.flag("strip_left"),
                                            options.flag("strip_right"));
    }
    if (type == "Nmt") return make_nmt();
    if (type == "SentencePiece") return make_sentencepiece(options);
    if (type == "Precompiled") return make_precompiled(options.text("precompiled_charsmap"));
    if (type == "ByteLevel") return std::make_unique<ByteLevelStage>();
    if (type == "Replace") {
        return std::make_unique<ReplaceStage>(make_scanner(options.member("pattern")),
                                              std::string(options.text("content")));
    }
    if (type == "Prepend") {
        return std::make_unique<PrependStage>(std::string(options.text("prepend")));
    }
    throw std::invalid_argument("normalizer \"" + type +
                                "\" is not supported; supported: BertNormalizer, ByteLevel, "
                                "Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, "
                                "Replace, Sequence, Strip, StripAccents");
}

void add_stages(const json::Value& value, std::vector<std::unique_ptr<NormalizerStage>>& stages,
                int depth) {
    if (depth > 8) throw std::invalid_argument("normalizer sequences are nested too deep");
    const Options options(value, "normalizer");
    const std::string type(options.text("type"));
    if (type == "Sequence") {
        for (const json::Value& part : options.array("normalizers")) {
            add_stages(part, stages, depth + 1);
        }
        return;
    }
    stages.push_back(make_stage(options, type));
}

}  // namespace

Normalizer::Normalizer(const json::Value& value) {
    if (!value.is_null()) add_stages(value, stages_, 0);
}

std::string Normalizer::normalized(std::string_view text) const {
    Pieces pieces(text, {0, static_cast<uint32_t>(text.size())});
    apply(pieces);
    return pieces.pieces().empty() ? std::string()
                                   : std::string(pieces.bytes(pieces.pieces().front()));
}

}  // namespace edgeward
