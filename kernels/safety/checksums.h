// Check digits of cards, accounts and national numbers.
//
// Knows: the arithmetic, on digits given as characters. Does not know: texts, what a number looks
// like when written.
#pragma once

#include <string_view>

namespace edgeward::safety {

bool luhn(std::string_view digits);            // ISO/IEC 7812-1
bool iban_mod97(std::string_view account);     // ISO 7064 MOD 97-10, letters in upper case
bool verhoeff(std::string_view digits);        // Aadhaar
bool bsn(std::string_view digits);             // Netherlands: 9 digits, eleven-test
bool pesel(std::string_view digits);           // Poland: 11 digits, with a date
bool cpf(std::string_view digits);             // Brazil: 11 digits
bool steuer_id(std::string_view digits);       // Germany: 11 digits, ISO 7064 MOD 11,10
bool nir(std::string_view digits);             // France: 15 digits, mod 97
bool dni(std::string_view number);             // Spain: 8 digits, or X/Y/Z and 7, and a letter
bool codice_fiscale(std::string_view number);  // Italy: 16 letters and digits, upper case
bool us_ssn(std::string_view digits);          // areas that were never given out are not one
bool personnummer(std::string_view digits);    // Sweden: 10 digits, date and Luhn
bool day_of_year(std::string_view month, std::string_view day);

}  // namespace edgeward::safety
