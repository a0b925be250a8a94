#include "tokenizer/decoder_stages.h"

#include <algorithm>
#include <stdexcept>

#include "tokenizer/byte_level.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/scanners.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

std::string joined(const std::vector<std::string>& tokens) {
    std::string text;
    for (const std::string& token : tokens) text += token;
    return text;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    if (from.empty()) return;
    size_t next = text.find(from);
    if (next == std::string::npos) return;
    std::string out;
    size_t at = 0;
    for (; next != std::string::npos; next = text.find(from, at)) {
        out.append(text, at, next - at);
        out += to;
        at = next + from.size();
    }
    out.append(text, at);
    text = std::move(out);
}

// The spaces that English does not write, one rule after the other.
void clean_up(std::string& text) {
    static constexpr std::string_view kRules[][2] = {
        {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
        {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
        {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
    };
    // All of them start at a space, which few tokens have but in front.
    const auto can_start = [&](size_t at) {
        return at + 1 < text.size() &&
               std::string_view(".?!,'nd").find(text[at + 1]) != std::string_view::npos;
    };
    size_t space = text.find(' ');
    while (space != std::string::npos && !can_start(space)) space = text.find(' ', space + 1);
    if (space == std::string::npos) return;
    for (const auto& rule : kRules) replace_all(text, rule[0], rule[1]);
}

class ByteLevelStage final : public DecoderStage {
 public:
    void apply(std::vector<std::string>& tokens) const override {
        std::string bytes;
        for (const std::string& token : tokens) {
            bytes += byte_level_decode(token).value_or(token);
        }
        tokens.assign(1, utf8_lossy(bytes));
    }
};

class ByteFallbackStage final : public DecoderStage {
 public:
    void apply(std::vector<std::string>& tokens) const override {
        std::vector<std::string> out;
        std::string run;
        const auto flush = [&] {
            if (!run.empty()) append_fallback(run, out.emplace_back());
            run.clear();
        };
        for (std::string& token : tokens) {
            if (const int byte = fallback_byte(token); byte >= 0) {
                run.push_back(static_cast<char>(byte));
            } else {
                flush();
                out.push_back(std::move(token));
            }
        }
        flush();
        tokens = std::move(out);
    }
};

class FuseStage final : public DecoderStage {
 public:
    void apply(std::vector<std::string>& tokens) const override {
        tokens.assign(1, joined(tokens));
    }
};

class ReplaceDecoder final : public DecoderStage {
 public:
    ReplaceDecoder(std::unique_ptr<Scanner> scanner, std::string content)
        : scanner_(std::move(scanner)), content_(std::move(content)) {}

    void apply(std::vector<std::string>& tokens) const override {
        std::vector<Span> matches;
        for (std::string& token : tokens) {
            matches.clear();
            scanner_->find(token, matches);
            if (matches.empty()) continue;
            std::string out;
            size_t at = 0;
            for (Span match : matches) {
                out.append(token, at, match.begin - at);
                out += content_;
                at = match.end;
            }
            out.append(token, at);
            token = std::move(out);
        }
    }

 private:
    std::unique_ptr<Scanner> scanner_;
    std::string content_;
};

class StripDecoder final : public DecoderStage {
 public:
    StripDecoder(std::string content, uint32_t start, uint32_t stop)
        : content_(std::move(content)), start_(start), stop_(stop) {}

    void apply(std::vector<std::string>& tokens) const override {
        for (std::string& token : tokens) {
            std::string_view left = token;
            for (uint32_t i = 0; i < start_ && left.starts_with(content_); ++i) {
                left.remove_prefix(content_.size());
            }
            for (uint32_t i = 0; i < stop_ && left.ends_with(content_); ++i) {
                left.remove_suffix(content_.size());
            }
            token = std::string(left);
        }
    }

 private:
    std::string content_;
    uint32_t start_;
    uint32_t stop_;
};

class MetaspaceDecoder final : public DecoderStage {
 public:
    explicit MetaspaceDecoder(Metaspace metaspace) : metaspace_(std::move(metaspace)) {}

    void apply(std::vector<std::string>& tokens) const override {
        for (size_t i = 0; i < tokens.size(); ++i) {
            const bool drop = i == 0 && metaspace_.scheme != PrependScheme::kNever;
            replace_all(tokens[i], metaspace_.replacement, drop ? "" : " ");
        }
    }

 private:
    Metaspace metaspace_;
};

class WordPieceDecoder final : public DecoderStage {
 public:
    WordPieceDecoder(std::string prefix, bool cleanup)
        : prefix_(std::move(prefix)), cleanup_(cleanup) {}

    void apply(std::vector<std::string>& tokens) const override {
        for (size_t i = 0; i < tokens.size(); ++i) {
            std::string& token = tokens[i];
            if (i > 0 && token.starts_with(prefix_)) {
                token.erase(0, prefix_.size());
            } else if (i > 0) {
                token.insert(0, " ");
            }
            if (cleanup_) clean_up(token);
        }
    }

 private:
    std::string prefix_;
    bool cleanup_;
};

// Speech models say a token once for each stretch of sound, and "pad" where they say nothing.
class CtcDecoder final : public DecoderStage {
 public:
    CtcDecoder(std::string pad, std::string delimiter, bool cleanup)
        : pad_(std::move(pad)), delimiter_(std::move(delimiter)), cleanup_(cleanup) {}

    void apply(std::vector<std::string>& tokens) const override {
        tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
        for (std::string& token : tokens) {
            replace_all(token, pad_, "");
            if (!cleanup_) continue;
            clean_up(token);
            replace_all(token, delimiter_, " ");
        }
        std::erase(tokens, "");
    }

 private:
    std::string pad_;
    std::string delimiter_;
    bool cleanup_;
};

class SuffixDecoder final : public DecoderStage {
 public:
    explicit SuffixDecoder(std::string suffix) : suffix_(std::move(suffix)) {}

    void apply(std::vector<std::string>& tokens) const override {
        for (size_t i = 0; i < tokens.size(); ++i) {
            replace_all(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
        }
    }

 private:
    std::string suffix_;
};

}  // namespace

std::unique_ptr<DecoderStage> make_decoder_stage(const Options& options, const std::string& type) {
    if (type == "ByteLevel") return std::make_unique<ByteLevelStage>();
    if (type == "ByteFallback") return std::make_unique<ByteFallbackStage>();
    if (type == "Fuse") return std::make_unique<FuseStage>();
    if (type == "Metaspace") return std::make_unique<MetaspaceDecoder>(read_metaspace(options));
    if (type == "CTC") {
        return std::make_unique<CtcDecoder>(std::string(options.text("pad_token")),
                                            std::string(options.text("word_delimiter_token")),
                                            options.flag("cleanup"));
    }
    if (type == "BPEDecoder") {
        return std::make_unique<SuffixDecoder>(std::string(options.text("suffix")));
    }
    if (type == "WordPiece") {
        return std::make_unique<WordPieceDecoder>(std::string(options.text("prefix")),
                                                  options.flag("cleanup"));
    }
    if (type == "Replace") {
        return std::make_unique<ReplaceDecoder>(make_scanner(options.member("pattern")),
                                                std::string(options.text("content")));
    }
    if (type == "Strip") {
        const std::string content(options.text("content"));
        if (utf8_count(content) != 1) {
            throw std::invalid_argument("decoder Strip.content must be one character");
        }
        constexpr uint32_t kMost = 1 << 20;
        return std::make_unique<StripDecoder>(content, options.number("start", kMost),
                                              options.number("stop", kMost));
    }
    throw std::invalid_argument(
        "decoder \"" + type +
        "\" is not supported; supported: BPEDecoder, ByteFallback, "
        "ByteLevel, CTC, Fuse, Metaspace, Replace, Sequence, Strip, WordPiece");
}

}  // namespace edgeward
