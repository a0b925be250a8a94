#include "tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "tokenizer/byte_level.h"
#include "tokenizer/cutters.h"
#include "tokenizer/known_splits.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/options.h"
#include "tokenizer/scan_bert.h"
#include "tokenizer/scan_gpt2.h"
#include "tokenizer/scanners.h"
#include "tokenizer/split.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

// Split, Digits and Punctuation: cut where a scanner matches.
class SplitStage final : public PreTokenizer {
 public:
    // `name` is what split_name() returns.
    SplitStage(std::unique_ptr<Scanner> scanner, Behavior behavior, bool invert,
               std::string_view name = {})
        : scanner_(std::move(scanner)), behavior_(behavior), invert_(invert), name_(name) {}
    // For a regular expression, compiled only if it is needed.
    SplitStage(std::string_view regex, Behavior behavior, bool invert)
        : regex_(regex), behavior_(behavior), invert_(invert) {
        const bool isolates = behavior == Behavior::kIsolated;
        const bool keeps = behavior == Behavior::kRemoved && invert && covers_all(regex);
        if (isolates || keeps) name_ = regex_;
    }

    void apply(Pieces& pieces) const override {
        std::vector<Span> matches;
        pieces.split([&](std::string_view text, std::vector<Span>& out) {
            matches.clear();
            scanner_->find(text, matches);
            apply_behavior(behavior_, invert_, matches, static_cast<uint32_t>(text.size()), out);
        });
    }
    std::string_view split_name() const override { return name_; }
    void prepare() override {
        if (scanner_ == nullptr) scanner_ = make_regex_scanner(regex_);
    }

 private:
    std::string regex_;
    std::unique_ptr<Scanner> scanner_;
    Behavior behavior_;
    bool invert_;
    std::string_view name_;
};

// Cuts by a cutter.
class CutStage final : public PreTokenizer {
 public:
    explicit CutStage(std::unique_ptr<Cutter> cutter, std::string_view name = {})
        : cutter_(std::move(cutter)), name_(name) {}

    void apply(Pieces& pieces) const override {
        pieces.split(
            [&](std::string_view text, std::vector<Span>& out) { cutter_->cut_all(text, out); });
    }
    std::string_view split_name() const override { return name_; }
    const Cutter* cutter() const override { return cutter_.get(); }

 private:
    std::unique_ptr<Cutter> cutter_;
    std::string_view name_;
};

// The prefix of ByteLevel: a piece that does not start with a space gets one.
class SpacePrefix final : public PreTokenizer {
 public:
    void apply(Pieces& pieces) const override {
        pieces.rewrite([&](Span piece, Rewritten& out) {
            // The new space takes the origin of the character before which it stands.
            if (pieces.bytes()[piece.begin] != ' ') out.add(" ", pieces.origin(piece.begin));
            pieces.text().copy(piece, out);
        });
    }
};

// Spaces become a visible character, and one is put before the text.
class MetaspaceStage final : public PreTokenizer {
 public:
    explicit MetaspaceStage(Metaspace metaspace) : metaspace_(std::move(metaspace)) {}

    void apply(Pieces& pieces) const override {
        pieces.rewrite([&](Span piece, Rewritten& out) { spell(pieces, piece, out); });
        if (metaspace_.split) pieces.split([&](auto text, auto& out) { cut(text, out); });
    }
    const Metaspace* metaspace() const override { return &metaspace_; }
    bool needs_origins() const override { return metaspace_.scheme == PrependScheme::kFirst; }

 private:
    void spell(const Pieces& pieces, Span piece, Rewritten& out) const {
        const std::string& mark = metaspace_.replacement;
        const std::string_view text = pieces.bytes(piece);
        const Span first = pieces.origin(piece.begin);
        const bool wanted = metaspace_.scheme == PrependScheme::kAlways ||
                            (metaspace_.scheme == PrependScheme::kFirst && first.begin == 0);
        if (wanted && text[0] != ' ' && !text.starts_with(mark)) out.add(mark, first);
        uint32_t at = 0;
        for (size_t space; (space = text.find(' ', at)) != std::string_view::npos;) {
            const auto next = piece.begin + static_cast<uint32_t>(space);
            pieces.text().copy({piece.begin + at, next}, out);
            out.add(mark, pieces.origin(next));
            at = static_cast<uint32_t>(space) + 1;
        }
        pieces.text().copy({piece.begin + at, piece.end}, out);
    }

    // Before every mark.
    void cut(std::string_view text, std::vector<Span>& out) const {
        const std::string& mark = metaspace_.replacement;
        uint32_t begin = 0;
        for (size_t at = text.find(mark); at != std::string_view::npos;
             at = text.find(mark, at + mark.size())) {
            out.push_back({begin, static_cast<uint32_t>(at)});
            begin = static_cast<uint32_t>(at);
        }
        out.push_back({begin, static_cast<uint32_t>(text.size())});
    }

    Metaspace metaspace_;
};

// WhitespaceSplit.
class BlankStage final : public PreTokenizer {
 public:
    void apply(Pieces& pieces) const override { pieces.split(cut_blanks); }
    bool removes_blanks() const override { return true; }
};

// Cuts by a function.
class FunctionStage final : public PreTokenizer {
 public:
    using Cut = void (*)(std::string_view, std::vector<Span>&);
    explicit FunctionStage(Cut cut) : cut_(cut) {}
    void apply(Pieces& pieces) const override { pieces.split(cut_); }

 private:
    Cut cut_;
};

class FixedLengthStage final : public PreTokenizer {
 public:
    explicit FixedLengthStage(uint32_t length) : length_(length) {
        if (length == 0) {
            throw std::invalid_argument("pre_tokenizer.length is 0; it must be 1 or more");
        }
    }
    void apply(Pieces& pieces) const override {
        pieces.split([&](auto text, auto& out) { cut_fixed(text, length_, out); });
    }

 private:
    uint32_t length_;
};

class SpellBytes final : public PreTokenizer {
 public:
    void apply(Pieces& pieces) const override { spell_bytes(pieces); }
};

constexpr uint32_t kDefaultFixedLength = 5;

std::string delimiter(const Options& options) {
    std::string character(options.text("delimiter"));
    if (utf8_count(character) != 1) {
        throw std::invalid_argument("pre_tokenizer.delimiter must be one character");
    }
    return character;
}

void add_stages(const json::Value& value, std::vector<std::unique_ptr<PreTokenizer>>& stages,
                bool& bytes_at_end, int depth);

void add_sequence(const json::Value& value, std::vector<std::unique_ptr<PreTokenizer>>& stages,
                  bool& bytes_at_end, int depth) {
    const Options options(value, "pre_tokenizer Sequence");
    for (const json::Value& part : options.array("pretokenizers")) {
        add_stages(part, stages, bytes_at_end, depth + 1);
    }
}

void add_byte_level(const Options& options, std::vector<std::unique_ptr<PreTokenizer>>& stages) {
    if (options.flag("add_prefix_space")) stages.push_back(std::make_unique<SpacePrefix>());
    if (options.flag("use_regex", true)) {
        stages.push_back(std::make_unique<CutStage>(make_gpt2_cutter(false), kGpt2Stage));
    }
}

void add_split(const Options& options, std::vector<std::unique_ptr<PreTokenizer>>& stages) {
    const json::Value& pattern = options.member("pattern");
    const Behavior behavior = behavior_named(options.text("behavior"));
    const bool invert = options.flag("invert");
    if (const auto regex = regex_of(pattern)) {
        stages.push_back(std::make_unique<SplitStage>(*regex, behavior, invert));
    } else {
        stages.push_back(std::make_unique<SplitStage>(make_scanner(pattern), behavior, invert));
    }
}

void add_stages(const json::Value& value, std::vector<std::unique_ptr<PreTokenizer>>& stages,
                bool& bytes_at_end, int depth) {
    if (depth > 8) throw std::invalid_argument("pre_tokenizer sequences are nested too deep");
    const Options options(value, "pre_tokenizer");
    const std::string type(options.text("type"));
    if (type == "Sequence") return add_sequence(value, stages, bytes_at_end, depth);
    if (bytes_at_end) {
        // Another stage follows a ByteLevel: that stage reads the rewritten characters.
        stages.push_back(std::make_unique<SpellBytes>());
        bytes_at_end = false;
    }
    if (type == "ByteLevel") {
        add_byte_level(options, stages);
        bytes_at_end = true;
    } else if (type == "Digits") {
        const bool each = options.flag("individual_digits");
        stages.push_back(
            std::make_unique<SplitStage>(make_class_scanner(CharTest::kNumeric),
                                         each ? Behavior::kIsolated : Behavior::kContiguous, false,
                                         each ? kEachDigitStage : std::string_view()));
    } else if (type == "Punctuation") {
        stages.push_back(std::make_unique<SplitStage>(
            make_class_scanner(CharTest::kPunctuation),
            behavior_named(options.text("behavior", "Isolated")), false));
    } else if (type == "WhitespaceSplit") {
        stages.push_back(std::make_unique<BlankStage>());
    } else if (type == "BertPreTokenizer") {
        stages.push_back(std::make_unique<CutStage>(make_bert_cutter()));
    } else if (type == "Whitespace") {
        stages.push_back(std::make_unique<FunctionStage>(cut_words));
    } else if (type == "UnicodeScripts") {
        stages.push_back(std::make_unique<FunctionStage>(cut_scripts));
    } else if (type == "FixedLength") {
        const bool given = options.find("length") != nullptr;
        stages.push_back(std::make_unique<FixedLengthStage>(
            given ? options.number("length", UINT32_MAX) : kDefaultFixedLength));
    } else if (type == "CharDelimiterSplit") {
        stages.push_back(std::make_unique<SplitStage>(make_string_scanner(delimiter(options)),
                                                      Behavior::kRemoved, false));
    } else if (type == "Metaspace") {
        stages.push_back(std::make_unique<MetaspaceStage>(read_metaspace(options)));
    } else if (type == "Split") {
        add_split(options, stages);
    } else {
        throw std::invalid_argument("pre_tokenizer \"" + type +
                                    "\" is not supported; supported: BertPreTokenizer, "
                                    "ByteLevel, CharDelimiterSplit, Digits, FixedLength, "
                                    "Metaspace, Punctuation, Sequence, Split, UnicodeScripts, "
                                    "Whitespace, WhitespaceSplit");
    }
}

}  // namespace

void spell_bytes(Pieces& pieces) {
    pieces.rewrite([&](Span piece, Rewritten& out) {
        Span from;
        for (uint32_t at = piece.begin; at < piece.end; ++at) {
            const char byte = pieces.bytes()[at];
            if (!is_continuation(byte)) from = pieces.origin(at);
            out.add(byte_level_char(static_cast<unsigned char>(byte)), from);
        }
    });
}

void spell_bytes_at_end(PreTokenizers& stages) {
    if (!stages.bytes_at_end) return;
    stages.stages.push_back(std::make_unique<SpellBytes>());
    stages.bytes_at_end = false;
}

namespace {

// Puts one cutter in the place of stages that together are a known split, the most it can take.
void fuse(std::vector<std::unique_ptr<PreTokenizer>>& stages) {
    constexpr size_t kMost = 3;
    for (size_t first = 0; first < stages.size(); ++first) {
        std::vector<std::string_view> names;
        for (size_t i = first; i < std::min(first + kMost, stages.size()); ++i) {
            if (stages[i]->split_name().empty()) break;
            names.push_back(stages[i]->split_name());
        }
        for (; !names.empty(); names.pop_back()) {
            auto cutter = known_cutter(names);
            if (cutter == nullptr) continue;
            const auto at = stages.begin() + static_cast<std::ptrdiff_t>(first);
            stages.erase(at + 1, at + static_cast<std::ptrdiff_t>(names.size()));
            stages[first] = std::make_unique<CutStage>(std::move(cutter));
            break;
        }
    }
}

}  // namespace

const Metaspace* PreTokenizers::speller() const {
    const bool usual = stages.size() == 2 && stages[0]->removes_blanks();
    return usual && !stages[1]->needs_origins() ? stages[1]->metaspace() : nullptr;
}

void PreTokenizers::spell(const Metaspace& metaspace, const TracedText& text, Span whole,
                          uint32_t& at, Rewritten& spelled, std::vector<Span>& words) {
    constexpr size_t kSome = 256;
    const std::string& mark = metaspace.replacement;
    const std::string_view bytes = text.bytes(whole);
    spelled.clear();
    words.clear();
    Span found;
    while (words.size() < kSome) {
        if (!next_word(bytes, at, found)) {
            at = whole.size();
            return;
        }
        at = found.end;
        const Span from{whole.begin + found.begin, whole.begin + found.end};
        const std::string_view word = text.bytes(from);
        uint32_t begin = spelled.size();
        const bool wanted = metaspace.scheme == PrependScheme::kAlways;
        if (wanted && !word.starts_with(mark)) {
            spelled.add(mark, spelled.traced ? text.origin(from.begin) : Span{});
        }
        text.copy(from, spelled);
        if (metaspace.split && word.find(mark[0]) != std::string_view::npos) {
            for (size_t cut = begin + 1; (cut = spelled.bytes.find(mark, cut)) != std::string::npos;
                 cut += mark.size()) {
                if (cut == begin) continue;
                words.push_back({begin, static_cast<uint32_t>(cut)});
                begin = static_cast<uint32_t>(cut);
            }
        }
        words.push_back({begin, spelled.size()});
    }
}

PreTokenizers make_pre_tokenizers(const json::Value& value, bool known_splits) {
    PreTokenizers result;
    if (!value.is_null()) add_stages(value, result.stages, result.bytes_at_end, 0);
    if (known_splits) fuse(result.stages);
    for (const auto& stage : result.stages) stage->prepare();
    return result;
}

}  // namespace edgeward
