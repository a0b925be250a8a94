// A tokenizer to a compiled file and back. Knows: which tables there are beside the model's.
#include <stdexcept>

#include "tokenizer/tokenizer.h"

namespace edgeward {

std::string Tokenizer::compile(std::string_view json_without_tables, std::string_view source) {
    if (!model_->compiles()) return "";
    compiled::Writer writer;
    writer.text(json_without_tables);
    model_->write(writer);
    writer(piece_bytes_);
    writer(pieces_);
    return writer.file(source);
}

Tokenizer::Tokenizer(MappedFile file, std::string_view source, bool cache)
    : file_(std::move(file)), normalizer_(json::Value()) {
    compiled::Reader reader(file_.bytes(), source);
    const std::string_view json_text = reader.text();
    build(json_text, cache, &reader);
    reader.end();
}

void Tokenizer::check_pieces() const {
    bool good = true;
    for (const Piece& piece : pieces_.span()) {
        for (const Span span : {piece.first, piece.rest}) {
            good = good && span.begin <= span.end && span.end <= piece_bytes_.size();
        }
    }
    if (!good) {
        throw std::invalid_argument(
            "the compiled tokenizer points outside its text; make it anew from tokenizer.json");
    }
}

}  // namespace edgeward
