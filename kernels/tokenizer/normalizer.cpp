#include "tokenizer/normalizer.h"

#include <stdexcept>

#include "tokenizer/options.h"

namespace edgeward {
namespace {

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
    throw std::invalid_argument("normalizer \"" + type +
                                "\" is not supported; supported: Sequence");
}

}  // namespace

Normalizer::Normalizer(const json::Value& value) {
    if (!value.is_null()) add_stages(value, stages_, 0);
}

std::string Normalizer::normalized(std::string_view text) const {
    Pieces pieces(text, {0, static_cast<uint32_t>(text.size())});
    apply(pieces);
    return std::string(pieces.bytes(pieces.pieces().front()));
}

}  // namespace edgeward
