// Reads the fields of one component of a tokenizer.json and names it in errors.
#pragma once

#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tokenizer/json.h"

namespace edgeward {

class Options {
 public:
    // `what` says which component this is, e.g. "pre_tokenizer".
    Options(const json::Value& value, std::string what) : value_(value), what_(std::move(what)) {
        value_.object(what_);
    }

    // nullptr when absent or null.
    const json::Value* find(std::string_view name) const {
        const json::Value* member = value_.find(name);
        return member == nullptr || member->is_null() ? nullptr : member;
    }

    const json::Value& member(std::string_view name) const {
        const json::Value* found = find(name);
        if (found == nullptr) throw std::invalid_argument(what_ + " has no " + std::string(name));
        return *found;
    }

    bool flag(std::string_view name, std::optional<bool> otherwise = {}) const {
        if (otherwise && find(name) == nullptr) return *otherwise;
        return member(name).boolean(path(name));
    }

    std::string_view text(std::string_view name,
                          std::optional<std::string_view> otherwise = {}) const {
        if (otherwise && find(name) == nullptr) return *otherwise;
        return member(name).string(path(name));
    }

    uint32_t number(std::string_view name, uint32_t max) const {
        return static_cast<uint32_t>(member(name).unsigned_integer(path(name), max));
    }

    std::span<const json::Value> array(std::string_view name) const {
        return member(name).array(path(name));
    }

    std::string path(std::string_view name) const { return what_ + "." + std::string(name); }

 private:
    const json::Value& value_;
    std::string what_;
};

}  // namespace edgeward
