// Personal data and secrets in a text: e-mail and IP addresses, phone, card, account and national
// numbers, keys of common services.
//
// Knows: how each is written and its check digits. Does not know: names, postal addresses, birth
// dates; who a text is about. Written by hand, without backtracking: each place is looked at a
// bounded number of times. A number that only its check digit tells from any other counts only
// behind a word that announces it ("BSN", "phone").
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer/span.h"

namespace edgeward::safety {

enum class Pii : uint8_t {
    kEmail,
    kPhone,
    kIban,
    kCard,
    kIp,
    kKey,
    kUsSsn,
    kDeTaxId,
    kEsDni,
    kFrNir,
    kItCodiceFiscale,
    kNlBsn,
    kPlPesel,
    kSePersonnummer,
    kBrCpf,
    kInAadhaar,
    kGbNino,
};
inline constexpr size_t kPiiKinds = 17;

const char* name_of(Pii kind);

struct PiiFound {
    Span span;  // bytes
    Pii kind;
};

// Bytes that a finding, with the words that announce it, may reach back from the end of a text that
// goes on; private keys alone may be longer.
inline constexpr size_t kPiiReach = 384;

// What is found, in order, without overlaps. `text` must be valid UTF-8.
std::vector<PiiFound> find_pii(std::string_view text);

// Bytes from the beginning that nothing said later can make part of a finding.
size_t pii_settled(std::string_view text);

}  // namespace edgeward::safety
