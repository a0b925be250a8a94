"""Personal data: found in every usual form, with its check digits; code, dates and numbers stay."""

from __future__ import annotations

import time

import pytest

from edgeward.kernels import _native
from edgeward.safety import pii

KEY = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def found(text: str) -> list[tuple[str, str]]:
    return [(kind, text[begin:end]) for kind, begin, end in _native.find_pii(text)]


WRITTEN = [
    ("email", "jo.smith+news@mail.example.co.uk"),
    ("email", "jürgen@bücher.example"),
    ("email", "_x@example.org"),
    ("phone", "+49 30 901820"),
    ("phone", "+1 (212) 555-0175"),
    ("phone", "(212) 555-0175"),
    ("phone", "212-555-0175"),
    ("phone", "06 12 34 56 78"),
    ("phone", "06.12.34.56.78"),
    ("phone", "020 7946 0958"),
    ("phone", "030 12345678"),
    ("phone", "0049 30 1234567"),
    ("iban", "DE89370400440532013000"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "GB82 WEST 1234 5698 7654 32"),
    ("iban", "FR1420041010050500013M02606"),
    ("card", "4111 1111 1111 1111"),
    ("card", "5500-0000-0000-0004"),
    ("card", "378282246310005"),
    ("card", "3782 822463 10005"),
    ("card", "6011000990139424"),
    ("ip", "192.168.17.4"),
    ("ip", "2001:db8:85a3::8a2e:370:7334"),
    ("ip", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
    ("key", "AKIAIOSFODNN7EXAMPLE"),
    ("key", "ghp_" + KEY),
    ("key", "sk-" + KEY),
    ("key", "sk-proj-" + KEY),
    ("key", "xoxb-123456789012-" + KEY),
    ("key", "AIza" + KEY[:35]),
    ("key", "hf_" + KEY[:34]),
    ("key", "SG." + KEY[:22] + "." + KEY + "abcdefg"),
    ("key", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r"),
    ("us_ssn", "536-22-1874"),
    ("de_tax_id", "86 095 742 719"),
    ("es_dni", "12345678Z"),
    ("es_dni", "X1234567L"),
    ("fr_nir", "1 85 05 78 006 084 91"),
    ("fr_nir", "255081416802538"),
    ("it_codice_fiscale", "RSSMRA85T10A562S"),
    ("se_personnummer", "811228-9874"),
    ("se_personnummer", "19811228-9874"),
    ("br_cpf", "529.982.247-25"),
    ("in_aadhaar", "2341 2341 2346"),
    ("gb_nino", "AB 12 34 56 C"),
    ("gb_nino", "AB123456C"),
]


def test_every_kind_there_is_has_an_example() -> None:
    kinds = _native.pii_kinds()
    assert len(set(kinds)) == len(kinds)
    # Numbers of these two count only behind a word that announces them, see below.
    assert {kind for kind, _ in WRITTEN} | {"nl_bsn", "pl_pesel"} == set(kinds)
    assert kinds == pii.KINDS


@pytest.mark.parametrize(("kind", "written"), WRITTEN)
@pytest.mark.parametrize(
    "around", ["{}", "Это {}, да.", "x: {}\nnext 12", "请看{}吧", "({})", '"{}";']
)
def test_each_kind_is_found_in_its_place(kind: str, written: str, around: str):
    if around == "({})" and written.startswith("("):
        return
    assert found(around.format(written)) == [(kind, written)]


@pytest.mark.parametrize(
    ("kind", "before", "number"),
    [
        ("nl_bsn", "BSN: ", "111222333"),
        ("pl_pesel", "PESEL ", "44051401359"),
        ("br_cpf", "CPF nº ", "52998224725"),
        ("us_ssn", "Social security number ", "536221874"),
        ("de_tax_id", "Steuer-ID ", "86095742719"),
        ("in_aadhaar", "aadhaar no. ", "234123412346"),
        ("se_personnummer", "personnummer ", "8112289874"),
        ("phone", "call me: ", "2125550175"),
    ],
)
def test_bare_digits_count_only_where_a_word_announces_them(kind, before, number):
    assert found(f"{before}{number}.") == [(kind, number)]
    assert found(f"Order {number}.") == []
    assert found(f"{before}none! Order {number}.") == []


@pytest.mark.parametrize(
    "text",
    [
        "On 2024-11-22 at 10:30:45, 22.11.2024, 11/22/2024, 01.02.2024 10:30, 01-02-2024 10:30.",
        "version 1.2.3.4, v10.0.19041.1, 127.0.0.1, 0.0.0.0, 01.02.03.04, 3.14159265358979",
        "for (int i = 0; i < 1000000; ++i) sum += a[i] * 0x7fffffff; // 123456789012",
        "std::vector<int> x; a::b::c; 12:30:45; aa:bb:cc:dd:ee:ff; fe::cd; key: value",
        "icon@2x.png @media @app.route user@localhost a @ b git@ x@y a@b.c1 @mention, @@@@@",
        "4111 1111 1111 1112 and 1234 5678 9012 3456 and 0000 0000 0000 0000",
        "DE89370400440532013001, GB82 WEST 1234 5698 7654 33, AB12, XY99ABCDEFGHIJKLMNOP",
        "12345678A 123456789 1234567890 12345678901 123456789012345 1000000000000000",
        "000-12-3456, 666-12-3456, 900-12-3456, 123-45-6789, 078-05-1120",
        "sha256:b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "uuid 123e4567-e89b-12d3-a456-426614174000, sk-learn, sk-image-processing, hf_hub_download",
        "Population 1 234 567 890; $1,234,567.89; 1.234.567,89; 50 000 000; 12 345 678",
        "ISBN 978-3-16-148410-0, RFC 2119, 192.168.1.256, 1.2.3, 10.20.30, 555-1234",
        "pi = 3.1415926535897932384626433832795028841971, e = 2.7182818284590452353602874713527",
        "Call me at noon. The tel of Jericho. Phone home in 2024.",
    ],
)
def test_code_dates_and_numbers_are_left_alone(text: str):
    assert found(text) == []


def test_a_private_key_is_found_from_begin_to_end():
    body = "\n".join([KEY * 2] * 20)
    pem = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
    assert found(f"see\n{pem}\nend") == [("key", pem)]
    assert found(f"see\n{pem[:200]}") == [("key", pem[:200])]
    assert found("-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----") == []


def test_several_are_found_in_order():
    text = "jo@example.org, 4111 1111 1111 1111; +49 30 901820 / DE89370400440532013000"
    assert [kind for kind, _ in found(text)] == ["email", "card", "phone", "iban"]


@pytest.mark.parametrize(
    "bait",
    ["a@", "1-", "+1 ", "(1", "AA00 ", "1.", "::", "a.", "-----BEGIN RSA PRIVATE KEY-----", "9",
     "eyJaaaaaaaaaaaaa.", "sk-", "x1", "@", "é", "\ud800", "12345678-", "4111 ", "GB82 WEST "],
)  # fmt: skip
def test_time_is_linear_in_bait(bait: str):
    short, long = bait * (20_000 // len(bait)), bait * (400_000 // len(bait))
    times = []
    for text in (short, long):
        began = time.perf_counter()
        _native.find_pii(text)
        _native.pii_settled(text)
        times.append(time.perf_counter() - began)
    assert times[1] < 20 * 10 * times[0] + 0.5


def test_what_is_settled_never_becomes_part_of_a_finding():
    texts = [
        "Hello there, jo.smith@example.org is it.",
        "Pay DE89 3704 0044 0532 0130 00 or GB82 WEST 1234 5698 7654 32 now",
        "Card 4111 1111 1111 1111, phone +1 (212) 555-0175, or 06 12 34 56 78!",
        "NINO AB 12 34 56 C. SSN 536-22-1874, NIR 1 85 05 78 006 084 91.",
        f"token ghp_{KEY} and AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN RSA PRIVATE KEY-----\nabc def\n\nghi\n-----END RSA PRIVATE KEY-----\nbye",
        "ping 2001:db8:85a3::8a2e:370:7334 or 192.168.17.4 then",
    ]
    for text in texts:
        assert found(text)
        for kind, begin, end in _native.find_pii(text):
            for cut in range(begin + 1, end):
                assert _native.pii_settled(text[:cut]) <= begin, (kind, text[:cut])
