// A BPE model's tables in a compiled file. Knows: their order in it, and what must hold of them.
#include <stdexcept>

#include "tokenizer/bpe.h"
#include "tokenizer/byte_level.h"

namespace edgeward {
namespace {

struct Facts {
    uint32_t part_at_marks;
    uint32_t reserved;
};

}  // namespace

// Mapped tables are read only, so what is found out about a word must be in them from the start.
void Bpe::settle_all() {
    // Without its unknown token a vocabulary cannot cut every entry.
    if (options_.unk_token && vocab_.find(*options_.unk_token) == kNoId) return;
    for (uint32_t id = 0; id < vocab_.end_id(); ++id) {
        if (!vocab_.has(id)) continue;
        const std::string_view text = vocab_.text(id);
        const WordSlot* const slot = vocab_.find_slot(text);
        const auto bytes = byte_ranks_.size() > 0 ? byte_level_decode(text) : std::nullopt;
        is_whole(*slot, bytes ? *bytes : text, bytes.has_value());
    }
}

void Bpe::write(compiled::Writer& writer) {
    settle_all();
    writer(Facts{part_at_marks_, 0});
    vocab_.visit(writer);
    merges_.visit(writer);
    writer(byte_ranks_);
}

void Bpe::read(compiled::Reader& reader) {
    Facts facts{};
    reader(facts);
    vocab_.visit(reader);
    merges_.visit(reader);
    reader(byte_ranks_);
    vocab_.check();
    merges_.check(vocab_.end_id());
    const bool plain = vocab_.spelling() == Spelling::kPlain;
    const size_t ranks = byte_ranks_.size();
    bool good = facts.part_at_marks <= 1 && plain != options_.take_bytes() &&
                (ranks == 0 || (!plain && ranks == size_t{256} * 256));
    for (const uint32_t rank : byte_ranks_.span()) {
        good = good && (rank == kNoRank ||
                        (rank < merges_.rules() && merges_.result(rank) < vocab_.end_id()));
    }
    if (!good) {
        throw std::invalid_argument(
            "the compiled tokenizer does not fit its options; make it anew from tokenizer.json");
    }
    part_at_marks_ = facts.part_at_marks != 0;
    // Only the merging of new words is faster with these, and they take time to make.
    joints_ = nullptr;
    character_ids_.clear();
    find_fallback();
}

}  // namespace edgeward
