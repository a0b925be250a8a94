#include "tokenizer/model.h"

#include <stdexcept>

#include "tokenizer/bpe.h"

namespace edgeward {

bool Model::tokenize_bytes(std::string_view, TokenBuffer&) const {
    throw std::logic_error("this model takes no bytes");
}

std::unique_ptr<Model> make_model(const json::Value& model) {
    model.object("model");
    const json::Value* type = model.find("type");
    // Files of before 2021 do not say; only a BPE model has merges.
    if (type == nullptr && model.find("merges") == nullptr) {
        throw std::invalid_argument("model has neither a type nor merges; supported: BPE");
    }
    const std::string_view name = type == nullptr ? "BPE" : type->string("model.type");
    if (name == "BPE") return make_bpe(model);
    throw std::invalid_argument("model type \"" + std::string(name) +
                                "\" is not supported; supported: BPE");
}

}  // namespace edgeward
