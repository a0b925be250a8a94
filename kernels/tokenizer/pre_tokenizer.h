// The pre-tokenizers of a tokenizer.json: each cuts or rewrites the pieces it is given.
//
// Knows: one stage. Does not know: added tokens, the model.
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "tokenizer/cutter.h"
#include "tokenizer/json.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/text.h"

namespace edgeward {

class PreTokenizer {
 public:
    virtual ~PreTokenizer() = default;
    virtual void apply(Pieces& pieces) const = 0;

    // What known_splits.h calls a stage that only isolates matches; empty for others.
    virtual std::string_view split_name() const { return {}; }
    // How the stage cuts, if it only cuts and can do so bit by bit; else null.
    virtual const Cutter* cutter() const { return nullptr; }
    // Whether the stage keeps what stands between white space, and only that.
    virtual bool removes_blanks() const { return false; }
    // The rules of a Metaspace; else null.
    virtual const Metaspace* metaspace() const { return nullptr; }
    // Whether the stage asks where in the original a piece stands.
    virtual bool needs_origins() const { return false; }
    // Called once, before the first use, if no known cutter took the stage's place.
    virtual void prepare() {}
};

// The stages of a "pre_tokenizer" member, sequences flattened; empty for null.
struct PreTokenizers {
    std::vector<std::unique_ptr<PreTokenizer>> stages;
    // The last stage of the file is ByteLevel, so its rewriting of bytes as characters is left out
    // of `stages` and the pieces are raw bytes.
    bool bytes_at_end = false;

    void apply(Pieces& pieces) const {
        for (const auto& stage : stages) stage->apply(pieces);
    }
    bool needs_origins() const {
        return std::any_of(stages.begin(), stages.end(),
                           [](const auto& stage) { return stage->needs_origins(); });
    }
    // The usual stages of SentencePiece files, WhitespaceSplit and a Metaspace that does not ask
    // where a word stands, can work word by word.
    const Metaspace* speller() const;
    // Spells some words of the bytes `whole` of `text` from number `at` of them on, and moves it
    // behind them.
    static void spell(const Metaspace& metaspace, const TracedText& text, Span whole, uint32_t& at,
                      Rewritten& spelled, std::vector<Span>& words);

    // What does the work of all stages, if one cutter can; else null.
    const Cutter* cutter() const { return stages.size() == 1 ? stages[0]->cutter() : nullptr; }
};

// Appends the rewriting that `bytes_at_end` left out, for a model that reads characters only.
void spell_bytes_at_end(PreTokenizers& stages);

// What that rewriting does.
void spell_bytes(Pieces& pieces);

// `known_splits`: use hand-built cutters (known_splits.h) where there are; without, every Split is
// an automaton, which gives the same pieces. Throws std::invalid_argument naming the component that
// is unknown or damaged.
PreTokenizers make_pre_tokenizers(const json::Value& value, bool known_splits = true);

}  // namespace edgeward
