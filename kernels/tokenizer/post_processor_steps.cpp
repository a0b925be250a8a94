#include "tokenizer/post_processor_steps.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "tokenizer/vocab.h"

namespace edgeward {
namespace {

// ["</s>", 2]
uint32_t read_named_id(const Options& options, std::string_view name) {
    const auto pair = options.array(name);
    if (pair.size() != 2) {
        throw std::invalid_argument(options.path(name) + " must be a token and its id");
    }
    return static_cast<uint32_t>(pair[1].unsigned_integer(options.path(name), kMaxId));
}

void trim_encoding(FullEncoding& encoding, bool prefix_added) {
    for (size_t i = 0; i < encoding.size(); ++i) {
        auto& [begin, end] = encoding.offsets[i];
        const auto [leading, trailing] = encoding.blanks[i];
        trim_offsets(begin, end, leading, trailing, i == 0, prefix_added);
    }
}

void trim_all(std::vector<FullEncoding>& encodings, bool prefix_added) {
    for (FullEncoding& encoding : encodings) {
        trim_encoding(encoding, prefix_added);
        for (FullEncoding& part : encoding.overflowing) trim_encoding(part, prefix_added);
    }
}

// Of ByteLevel.
class TrimStep final : public PostProcessorStep {
 public:
    explicit TrimStep(const Options& options)
        : trims_(options.flag("trim_offsets", true)),
          prefix_added_(options.flag("add_prefix_space")) {}

    void apply(std::vector<FullEncoding>& encodings, bool) const override {
        if (trims_) trim_all(encodings, prefix_added_);
        for (uint32_t i = 0; i < encodings.size(); ++i) encodings[i].set_sequence(i);
    }
    size_t special_tokens(bool) const override { return 0; }
    bool trims() const override { return trims_; }

 private:
    bool trims_;
    bool prefix_added_;
};

// Special tokens before and behind one text; kNoId for none.
struct Frame {
    uint32_t before;
    uint32_t before_type;
    uint32_t after;
    uint32_t after_type;
};

FullEncoding framed(FullEncoding&& text, const Frame& frame, uint32_t sequence) {
    FullEncoding whole;
    if (frame.before != kNoId) whole.append_special(frame.before, frame.before_type);
    const size_t begin = whole.size();
    const size_t end = begin + text.size();
    std::fill(text.special_mask.begin(), text.special_mask.end(), uint8_t{0});
    std::fill(text.attention_mask.begin(), text.attention_mask.end(), uint8_t{1});
    std::vector<FullEncoding> overflowing = std::move(text.overflowing);
    text.overflowing.clear();
    whole.append(text);
    whole.append_special(frame.after, frame.after_type);
    whole.sequences = {{sequence, {begin, end}}};
    for (FullEncoding& part : overflowing) {
        whole.overflowing.push_back(framed(std::move(part), frame, sequence));
    }
    return whole;
}

// [CLS] A [SEP], and behind it B [SEP].
class BertStep final : public PostProcessorStep {
 public:
    explicit BertStep(const Options& options)
        : cls_(read_named_id(options, "cls")), sep_(read_named_id(options, "sep")) {}

    void apply(std::vector<FullEncoding>& encodings, bool add_special_tokens) const override {
        if (!add_special_tokens) return;
        for (size_t i = 0; i < encodings.size(); ++i) {
            const Frame frame = i == 0 ? Frame{cls_, 0, sep_, 0} : Frame{kNoId, 0, sep_, 1};
            encodings[i] = framed(std::move(encodings[i]), frame, i > 0);
        }
    }
    size_t special_tokens(bool pair) const override { return pair ? 3 : 2; }

 private:
    uint32_t cls_;
    uint32_t sep_;
};

// <s> A </s>, and behind it </s> B </s>; there is one type only.
class RobertaStep final : public PostProcessorStep {
 public:
    explicit RobertaStep(const Options& options)
        : cls_(read_named_id(options, "cls")),
          sep_(read_named_id(options, "sep")),
          trims_(options.flag("trim_offsets")),
          prefix_added_(options.flag("add_prefix_space")) {}

    void apply(std::vector<FullEncoding>& encodings, bool add_special_tokens) const override {
        if (trims_) trim_all(encodings, prefix_added_);
        for (FullEncoding& encoding : encodings) encoding.set_type(0);
        if (!add_special_tokens) return;
        for (size_t i = 0; i < encodings.size(); ++i) {
            for (FullEncoding& part : encodings[i].overflowing) part.set_type(0);
            const Frame frame{i == 0 ? cls_ : sep_, 0, sep_, 0};
            encodings[i] = framed(std::move(encodings[i]), frame, i > 0);
        }
    }
    size_t special_tokens(bool pair) const override { return pair ? 4 : 2; }
    bool trims() const override { return trims_; }

 private:
    uint32_t cls_;
    uint32_t sep_;
    bool trims_;
    bool prefix_added_;
};

// Texts and special tokens in an order of their own, for one text and for two.
class TemplateStep final : public PostProcessorStep {
 public:
    explicit TemplateStep(const Options& options) {
        const json::Value& tokens = options.member("special_tokens");
        tokens.object(options.path("special_tokens"));
        single_ = read(options, "single", tokens);
        pair_ = read(options, "pair", tokens);
    }

    void apply(std::vector<FullEncoding>& encodings, bool add_special_tokens) const override {
        if (encodings.empty() || encodings.size() > 2) {
            throw std::invalid_argument(
                "post_processor Sequence has a TemplateProcessing behind another one");
        }
        std::vector<FullEncoding> out;
        for (const Piece& piece : encodings.size() == 2 ? pair_ : single_) {
            if (piece.sequence >= 0) {
                FullEncoding& text = encodings[static_cast<size_t>(piece.sequence)];
                text.set_type(piece.type);
                text.set_sequence(static_cast<uint32_t>(piece.sequence));
                out.push_back(text);
            } else if (add_special_tokens) {
                FullEncoding& run = out.emplace_back();
                for (const uint32_t id : piece.ids) run.append_special(id, piece.type);
            }
        }
        encodings = std::move(out);
    }
    size_t special_tokens(bool pair) const override {
        size_t count = 0;
        for (const Piece& piece : pair ? pair_ : single_) count += piece.ids.size();
        return count;
    }

 private:
    struct Piece {
        int sequence;  // 0 or 1, or -1 for special tokens
        uint32_t type;
        std::vector<uint32_t> ids;
    };

    static std::vector<Piece> read(const Options& options, std::string_view name,
                                   const json::Value& tokens) {
        std::vector<Piece> pieces;
        const std::string what = "TemplateProcessing." + std::string(name);
        for (const json::Value& value : options.array(name)) {
            value.object("a piece of " + what);
            if (const json::Value* sequence = value.find("Sequence")) {
                pieces.push_back(read_sequence(Options(*sequence, what + ".Sequence"), name));
            } else if (const json::Value* special = value.find("SpecialToken")) {
                pieces.push_back(read_special(Options(*special, what + ".SpecialToken"), tokens));
            } else {
                throw std::invalid_argument("a piece of " + what +
                                            " is neither a Sequence nor a SpecialToken");
            }
        }
        return pieces;
    }

    static Piece read_sequence(const Options& options, std::string_view name) {
        const std::string_view id = options.text("id");
        if (id != "A" && id != "B") {
            throw std::invalid_argument(options.path("id") + " is \"" + std::string(id) +
                                        "\"; it is A or B");
        }
        if (id == "B" && name == "single") {
            throw std::invalid_argument("TemplateProcessing.single names a second sequence");
        }
        return {id == "B", options.number("type_id", UINT32_MAX), {}};
    }

    static Piece read_special(const Options& options, const json::Value& tokens) {
        const std::string name(options.text("id"));
        const json::Value* token = tokens.find(name);
        if (token == nullptr) {
            throw std::invalid_argument("TemplateProcessing.special_tokens has no \"" + name +
                                        "\"");
        }
        Piece piece{-1, options.number("type_id", UINT32_MAX), {}};
        const Options entry(*token, "TemplateProcessing.special_tokens." + name);
        for (const json::Value& id : entry.array("ids")) {
            piece.ids.push_back(
                static_cast<uint32_t>(id.unsigned_integer(entry.path("ids"), kMaxId)));
        }
        return piece;
    }

    std::vector<Piece> single_;
    std::vector<Piece> pair_;
};

}  // namespace

void trim_offsets(uint32_t& begin, uint32_t& end, uint32_t leading, uint32_t trailing, bool first,
                  bool prefix_added) {
    if (leading > 0) {
        if ((first || begin == 0) && prefix_added && leading == 1) leading = 0;
        begin = std::min(begin + leading, end);
    }
    if (trailing > 0 && end >= trailing) end = std::max(end - trailing, begin);
}

std::unique_ptr<PostProcessorStep> make_trim_step(const Options& options) {
    return std::make_unique<TrimStep>(options);
}
std::unique_ptr<PostProcessorStep> make_bert_step(const Options& options) {
    return std::make_unique<BertStep>(options);
}
std::unique_ptr<PostProcessorStep> make_roberta_step(const Options& options) {
    return std::make_unique<RobertaStep>(options);
}
std::unique_ptr<PostProcessorStep> make_template_step(const Options& options) {
    return std::make_unique<TemplateStep>(options);
}

}  // namespace edgeward
