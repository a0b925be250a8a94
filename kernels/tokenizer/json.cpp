#include "tokenizer/json.h"

#include <charconv>
#include <stdexcept>

#include "tokenizer/json_names.h"
#include "tokenizer/json_number.h"

namespace edgeward::json {

const char* kind_name(Kind kind) {
    switch (kind) {
        case Kind::kNull:
            return "null";
        case Kind::kFalse:
        case Kind::kTrue:
            return "true or false";
        case Kind::kNumber:
            return "a number";
        case Kind::kString:
            return "a string";
        case Kind::kArray:
            return "an array";
        case Kind::kObject:
            return "an object";
    }
    return "unknown";
}

void Item::wrong_kind(std::string_view what, const char* wanted) const {
    throw std::invalid_argument(std::string(what) + " must be " + wanted + ", not " +
                                kind_name(kind()));
}

bool Item::boolean(std::string_view what) const {
    if (!is_bool()) wrong_kind(what, "true or false");
    return kind() == Kind::kTrue;
}

double Item::number(std::string_view what) const {
    if (!is_number()) wrong_kind(what, "a number");
    const std::string_view digits = text(word_);
    const std::optional<double> value = reference_double(digits);
    if (!value) {
        throw std::invalid_argument(std::string(what) + " is out of range: " + std::string(digits));
    }
    return *value;
}

uint64_t Item::unsigned_integer(std::string_view what, uint64_t max) const {
    if (!is_number()) wrong_kind(what, "a whole number");
    const std::string_view digits = text(word_);
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
    if (error != std::errc() || end != digits.end() || value > max) {
        throw std::invalid_argument(std::string(what) + " is " + std::string(digits) +
                                    "; it must be a whole number from 0 to " + std::to_string(max));
    }
    return value;
}

Items Item::elements(std::string_view what) const {
    if (!is_array()) wrong_kind(what, "an array");
    return children();
}

Items Item::members(std::string_view what) const {
    if (!is_object()) wrong_kind(what, "an object");
    return children();
}

Items Item::children() const {
    Items items;
    items.size_ = size_of(word_);
    items.begin_.document_ = items.end_.document_ = document_;
    items.begin_.named_ = items.end_.named_ = is_object();
    items.begin_.at_ = at_ + 1;
    items.end_.at_ = at_ + words_of(word_);
    return items;
}

std::span<const Value> Value::array(std::string_view what) const {
    if (!is_array()) wrong_kind(what, "an array");
    return built(what);
}

std::span<const Value> Value::object(std::string_view what) const {
    if (!is_object()) wrong_kind(what, "an object");
    return built(what);
}

std::span<const Value> Value::built(std::string_view what) const {
    const Items all = children();
    if (children_ == nullptr && all.size() > 0) {
        auto page = std::make_unique<Value[]>(all.size());
        Value* out = page.get();
        for (const Item item : all) static_cast<Item&>(*out++) = item;
        if (is_object() && all.size() > kMaxCheckedMembers) {
            if (const auto twice = repeated_name(all)) {
                throw std::invalid_argument(std::string(what) + " gives the name \"" +
                                            std::string(twice->substr(0, 80)) + "\" twice");
            }
        }
        document_->built_.push_back(std::move(page));
        children_ = document_->built_.back().get();
    }
    return {children_, all.size()};
}

const Value* Value::find(std::string_view key) const {
    for (const Value& member : object("a value with members")) {
        if (member.name() == key) return &member;
    }
    return nullptr;
}

Document::Document(std::string_view text) {
    if (text.size() > kMaxBytes) {
        throw std::invalid_argument("the file has " + std::to_string(text.size()) +
                                    " bytes; the limit is " + std::to_string(kMaxBytes));
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    text_ = text;
    read();
    static_cast<Item&>(root_) = Item(this, tape_.data(), false);
}

}  // namespace edgeward::json
