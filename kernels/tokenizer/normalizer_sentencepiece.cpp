#include "tokenizer/normalizer_sentencepiece.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/charsmap.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";  // U+2581

class SentencePieceStage final : public NormalizerStage {
 public:
    explicit SentencePieceStage(const Options& options)
        : dummy_prefix_(options.flag("add_dummy_prefix")),
          collapse_(options.flag("remove_extra_whitespaces")),
          suffix_(options.flag("treat_whitespace_as_suffix", false)),
          space_(options.flag("escape_whitespaces", true) ? kMark : " ") {
        const std::string_view map = options.text("precompiled_charsmap", "");
        if (!map.empty()) charsmap_.emplace(map);
        if (options.find("user_defined_symbols") == nullptr) return;
        for (const json::Value& symbol : options.array("user_defined_symbols")) {
            symbols_.emplace_back(symbol.string("a user-defined symbol"));
        }
        // The longest first; those that start with one byte lie together.
        std::erase(symbols_, "");
        std::sort(symbols_.begin(), symbols_.end(), [](const auto& a, const auto& b) {
            if (a[0] != b[0]) return a[0] < b[0];
            return a.size() > b.size();
        });
    }

    void apply(Pieces& text) const override {
        text.rewrite([&](Span piece, Rewritten& out) { rewrite(text, piece, out); });
    }

 private:
    struct Step {
        std::string_view to;
        uint32_t size;  // of what it stands for
    };

    // What the text that starts with `rest` goes on with: a symbol as it is, the longest part that
    // the charsmap knows, or one character.
    Step step(std::string_view rest) const {
        const auto first =
            std::lower_bound(symbols_.begin(), symbols_.end(), rest[0],
                             [](const std::string& symbol, char byte) { return symbol[0] < byte; });
        for (auto at = first; at != symbols_.end() && (*at)[0] == rest[0]; ++at) {
            if (rest.starts_with(*at)) return {*at, static_cast<uint32_t>(at->size())};
        }
        if (charsmap_) {
            if (const auto found = charsmap_->longest(rest)) return {found->to, found->from.end};
        }
        const auto size = static_cast<uint32_t>(utf8_length(static_cast<unsigned char>(rest[0])));
        return {rest.substr(0, size), size};
    }

    void rewrite(const Pieces& text, Span piece, Rewritten& out) const {
        const std::string_view bytes = text.bytes(piece);
        const size_t begin = out.bytes.size();
        uint32_t at = 0;
        while (collapse_ && at < bytes.size()) {
            const Step next = step(bytes.substr(at));
            if (next.to != " ") break;
            at += next.size;
        }
        if (at == bytes.size()) return;
        if (dummy_prefix_ && !suffix_) out.add(space_, text.origin(piece.begin + at));
        bool after_space = collapse_;
        while (at < bytes.size()) {
            const Step next = step(bytes.substr(at));
            Span from = text.origin(piece.begin + at);
            const char* const last = utf8_before(bytes.data() + at + next.size);
            const auto last_at = static_cast<uint32_t>(last - bytes.data());
            from.end = std::max(from.end, text.origin(piece.begin + last_at).end);
            at += next.size;
            std::string_view to = next.to;
            while (after_space && to.starts_with(' ')) to.remove_prefix(1);
            for (size_t i = 0; i < to.size();) {
                const auto n = utf8_length(static_cast<unsigned char>(to[i]));
                out.add(to[i] == ' ' ? space_ : to.substr(i, n), from);
                i += n;
            }
            if (!to.empty()) after_space = to.ends_with(' ');
            if (!collapse_) after_space = false;
        }
        while (collapse_ && out.bytes.size() > begin && out.bytes.ends_with(space_)) {
            out.resize(out.bytes.size() - space_.size());
        }
        if (dummy_prefix_ && suffix_) out.add(space_, text.origin(piece.begin));
    }

    bool dummy_prefix_;
    bool collapse_;
    bool suffix_;
    std::string_view space_;
    std::optional<Charsmap> charsmap_;
    std::vector<std::string> symbols_;
};

}  // namespace

std::unique_ptr<NormalizerStage> make_sentencepiece(const Options& options) {
    return std::make_unique<SentencePieceStage>(options);
}

}  // namespace edgeward
