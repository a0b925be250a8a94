#include "tokenizer/token_matcher.h"

#include <stdexcept>
#include <string>

#include "tokenizer/vocab.h"

namespace edgeward {

TokenMatcher::TokenMatcher() : nodes_{Node{kNoId}} {}

uint32_t TokenMatcher::child(uint32_t node, unsigned char byte) const {
    if (node == 0) return first_[byte];
    uint32_t at = nodes_[node].child;
    while (at != 0 && nodes_[at].byte != byte) at = nodes_[at].sibling;
    return at;
}

void TokenMatcher::add(std::string_view text, uint32_t value) {
    if (text.empty() || text.size() > kMaxLength) {
        throw std::invalid_argument("an added token has " + std::to_string(text.size()) +
                                    " bytes; it may have 1 to " + std::to_string(kMaxLength));
    }
    uint32_t node = 0;
    for (unsigned char byte : text) {
        uint32_t next = child(node, byte);
        if (next == 0) {
            next = static_cast<uint32_t>(nodes_.size());
            nodes_.push_back({kNoId, 0, node == 0 ? 0 : nodes_[node].child, byte});
            (node == 0 ? first_[byte] : nodes_[node].child) = next;
            if (node == 0) starts_ += static_cast<char>(byte);
        }
        node = next;
    }
    if (nodes_[node].value != kNoId) {
        throw std::invalid_argument("two added tokens read \"" + std::string(text) + "\"");
    }
    nodes_[node].value = value;
}

bool TokenMatcher::find(std::string_view text, uint32_t from, Match& match) const {
    if (starts_.empty()) return false;
    for (uint32_t start = from; start < text.size(); ++start) {
        if (starts_.size() == 1) {
            // Most files have only "<" or "[" here.
            const size_t next = text.find(starts_[0], start);
            if (next == std::string_view::npos) return false;
            start = static_cast<uint32_t>(next);
        }
        uint32_t node = first_[static_cast<unsigned char>(text[start])];
        if (node == 0) continue;
        bool found = false;
        for (uint32_t at = start + 1;; ++at) {
            if (nodes_[node].value != kNoId) {
                match = {{start, at}, nodes_[node].value};
                found = true;
            }
            if (at == text.size()) break;
            node = child(node, static_cast<unsigned char>(text[at]));
            if (node == 0) break;
        }
        if (found) return true;
    }
    return false;
}

}  // namespace edgeward
