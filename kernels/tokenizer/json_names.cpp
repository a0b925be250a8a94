#include "tokenizer/json_names.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "tokenizer/hash.h"

namespace edgeward::json {

std::optional<std::string_view> repeated_name(const Items& members) {
    constexpr size_t kFew = 16;
    if (members.size() <= kFew) {
        std::string_view names[kFew];
        size_t count = 0;
        for (const Item member : members) {
            const std::string_view name = member.name();
            if (std::find(names, names + count, name) != names + count) return name;
            names[count++] = name;
        }
        return std::nullopt;
    }
    const uint64_t seed = random_seed();
    const size_t slots = std::bit_ceil(members.size() * 2);
    std::vector<std::string_view> table(slots, std::string_view(nullptr, 0));
    for (const Item member : members) {
        const std::string_view name = member.name();
        size_t at = hash_bytes(name, seed) & (slots - 1);
        for (; table[at].data() != nullptr; at = (at + 1) & (slots - 1)) {
            if (table[at] == name) return name;
        }
        table[at] = name;
    }
    return std::nullopt;
}

}  // namespace edgeward::json
