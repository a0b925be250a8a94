// Whether an object gives a name twice. Knows: names. Does not know: what becomes of it.
#pragma once

#include <optional>
#include <string_view>

#include "tokenizer/json.h"

namespace edgeward::json {

// A name that stands twice among the members, if one does.
std::optional<std::string_view> repeated_name(const Items& members);

}  // namespace edgeward::json
