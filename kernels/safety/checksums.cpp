#include "safety/checksums.h"

#include <array>
#include <cstdint>

namespace edgeward::safety {
namespace {

int value(char c) { return c - '0'; }

int number(std::string_view digits) {
    int n = 0;
    for (const char c : digits) n = n * 10 + value(c);
    return n;
}

template <size_t N>
int weighted(std::string_view digits, const std::array<int, N>& weights) {
    int sum = 0;
    for (size_t i = 0; i < N; ++i) sum += value(digits[i]) * weights[i];
    return sum;
}

bool all_same(std::string_view digits) {
    return digits.find_first_not_of(digits[0]) == std::string_view::npos;
}

}  // namespace

bool luhn(std::string_view digits) {
    int sum = 0;
    for (size_t i = 0; i < digits.size(); ++i) {
        int digit = value(digits[digits.size() - 1 - i]);
        if (i % 2 == 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return sum % 10 == 0 && !all_same(digits);
}

bool iban_mod97(std::string_view account) {
    int rest = 0;
    for (size_t i = 0; i < account.size(); ++i) {
        const char c = account[(i + 4) % account.size()];
        rest = c >= 'A' ? (rest * 100 + (c - 'A' + 10)) % 97 : (rest * 10 + value(c)) % 97;
    }
    return rest == 1;
}

bool verhoeff(std::string_view digits) {
    // Multiplication in the dihedral group of order 10, and its permutation of period 8.
    static constexpr uint8_t kTimes[10][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
        {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
        {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
        {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
        {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
    static constexpr uint8_t kPermutation[10] = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
    int check = 0;
    for (size_t i = 0; i < digits.size(); ++i) {
        int digit = value(digits[digits.size() - 1 - i]);
        for (size_t turn = 0; turn < i % 8; ++turn) digit = kPermutation[digit];
        check = kTimes[check][digit];
    }
    return check == 0;
}

bool bsn(std::string_view digits) {
    static constexpr std::array<int, 9> kWeights = {9, 8, 7, 6, 5, 4, 3, 2, -1};
    return weighted(digits, kWeights) % 11 == 0 && !all_same(digits);
}

bool day_of_year(std::string_view month, std::string_view day) {
    const int m = number(month);
    const int d = number(day);
    return m >= 1 && m <= 12 && d >= 1 && d <= 31;
}

bool pesel(std::string_view digits) {
    static constexpr std::array<int, 11> kWeights = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
    // The month carries the century: 80, 0, 20, 40 or 60 more.
    const int month = number(digits.substr(2, 2)) % 20;
    const int day = number(digits.substr(4, 2));
    return weighted(digits, kWeights) % 10 == 0 && month >= 1 && month <= 12 && day >= 1 &&
           day <= 31;
}

bool cpf(std::string_view digits) {
    if (all_same(digits)) return false;
    for (size_t n = 9; n < 11; ++n) {
        int sum = 0;
        for (size_t i = 0; i < n; ++i) sum += value(digits[i]) * static_cast<int>(n + 1 - i);
        if (sum * 10 % 11 % 10 != value(digits[n])) return false;
    }
    return true;
}

bool steuer_id(std::string_view digits) {
    if (digits[0] == '0') return false;
    // Of the first ten digits exactly one comes twice or three times.
    std::array<int, 10> count{};
    for (size_t i = 0; i < 10; ++i) ++count[static_cast<size_t>(value(digits[i]))];
    int repeated = 0;
    for (const int n : count) {
        if (n > 3) return false;
        repeated += n > 1;
    }
    if (repeated != 1) return false;
    int product = 10;
    for (size_t i = 0; i < 10; ++i) {
        int sum = (value(digits[i]) + product) % 10;
        if (sum == 0) sum = 10;
        product = sum * 2 % 11;
    }
    return (11 - product) % 10 == value(digits[10]);
}

bool nir(std::string_view digits) {
    if (digits[0] != '1' && digits[0] != '2') return false;
    const int month = number(digits.substr(3, 2));
    if (month < 1 || (month > 12 && month < 20) || (month > 42 && month < 50)) return false;
    int64_t body = 0;
    for (size_t i = 0; i < 13; ++i) body = body * 10 + value(digits[i]);
    return 97 - body % 97 == number(digits.substr(13));
}

bool dni(std::string_view number_) {
    static constexpr std::string_view kLetters = "TRWAGMYFPDXBNJZSQVHLCKE";
    const char first = number_[0];
    const int lead = first >= 'X' ? first - 'X' : value(first);
    const int rest = lead * 10000000 + number(number_.substr(1, 7));
    return kLetters[static_cast<size_t>(rest % 23)] == number_[8] &&
           !(first < 'X' && all_same(number_.substr(0, 8)));
}

bool codice_fiscale(std::string_view number_) {
    static constexpr int kOdd[26] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                     20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
    int sum = 0;
    for (size_t i = 0; i < 15; ++i) {
        const char c = number_[i];
        const int at = c >= 'A' ? c - 'A' : value(c);
        sum += i % 2 == 0 ? kOdd[at] : at;
    }
    return 'A' + sum % 26 == number_[15];
}

bool us_ssn(std::string_view digits) {
    const int area = number(digits.substr(0, 3));
    return area != 0 && area != 666 && area < 900 && digits.substr(3, 2) != "00" &&
           digits.substr(5) != "0000" && digits != "123456789" && digits != "078051120";
}

bool personnummer(std::string_view digits) {
    // A coordination number has 60 added to its day.
    const int day = number(digits.substr(4, 2)) % 60;
    const int month = number(digits.substr(2, 2));
    return month >= 1 && month <= 12 && day >= 1 && day <= 31 && luhn(digits);
}

}  // namespace edgeward::safety
