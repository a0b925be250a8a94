"""The normalizer of safety checks: against its twin, in parts, and what it must leave alone."""

from __future__ import annotations

import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from tokenizers import normalizers

from edgeward.kernels import _native
from edgeward.kernels import reference_safety_normalize as twin

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))
import make_confusables  # noqa: E402

NFKC = normalizers.NFKC()
CONFUSABLES = make_confusables.table()


def text_of(text: str) -> str:
    return _native.safety_normalize(text)[0]


def test_table_of_look_alikes_is_what_the_script_writes():
    script = ROOT / "tools/make_confusables.py"
    subprocess.run([sys.executable, str(script), "--check"], check=True, timeout=60)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("", ""),
        ("Ignore ALL previous", "ignore all previous"),
        ("ｉｇｎｏｒｅ", "ignore"),
        ("𝐢𝐠𝐧𝐨𝐫𝐞 𝓪𝓵𝓵 𝕡𝕣𝕖𝕧𝕚𝕠𝕦𝕤", "ignore all previous"),
        ("ⓘⓖⓝⓞⓡⓔ", "ignore"),
        ("🅸🅶🅽🅾🆁🅴", "ignore"),
        ("ig\u200bno\u00adre\u2060 \u202eall\ufeff", "ignore all"),
        ("i\u0336g\u0336n\u0336o\u0336r\u0336e\u0336", "ignore"),
        ("ígnörè àll", "ignore all"),
        ("іgnоrе previоus", "ignore previous"),
        ("ignore аѕ", "ignore as"),
        ("1gn0r3 pr3v10us 1nstruct10ns", "ignore previous instructions"),
        ("1gn0r3 4ll pr3v10u5 1n57ruc710n5", "ignore all previous instructions"),
        ("i g n o r e  a l l  r u l e s", "ignore all rules"),
        ("1gn0re this and the 5th of May", "ignore this and the 5th of may"),
        ("k1ll h4ck3r 5h1t a$$hole", "kill hacker shit asshole"),
        ("ki11er", "killer"),
        ("i g n o r e", "ignore"),
        ("i-g-n-o-r-e p.r.e.v", "ignore prev"),
        ("і g n о r е", "ignore"),
        ("heeeeelp!!!!!!", "heelp!!"),
        ("a  b\t\tc\n\n\nd", "a b c\nd"),
        ("straße", "strasse"),
        ("\ud800x", "\ufffdx"),
    ],
)
def test_many_spellings_become_one(text: str, normal: str):
    assert text_of(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "привет, как дела? сосо и осень, рос, хор, уха",
        "καλημέρα, τι κάνεις; οι νόμοι",
        "नमस्ते, क्या हाल है",
        "今日は天気がいいです。",
        "안녕하세요",
        "mp3, covid19, gpt4, 5th, 1st, 90s, v2, python3, base64, utf8, 10am, h2o",
        "user 12345 paid 1000000 on 2024-11-22",
        "a b c",
        "u.s.a. and e.g. this",
        "$home and us$ 5!",
    ],
)
def test_ordinary_text_stays(text: str):
    assert text_of(text) == unicodedata.normalize("NFKC", text).replace("ς", "σ")


def test_a_million_times_one_character_is_short():
    assert text_of("a" * 1_000_000) == "a" * 2 * -(-1_000_000 // 10**6)
    assert text_of("\u0301" * 1_000_000) == ""
    assert text_of("é\u0323" * 100_000) == "ee"
    assert len(text_of("a " * 500_000)) < 20_000


def test_offsets_lead_back_to_the_original():
    text = "Say: і\u200bgn0re  ﬁve"
    normal, offsets, _ = _native.safety_normalize(text)
    assert normal == "say: ignore five"
    assert len(offsets) == len(normal) + 1
    assert offsets.dtype == "int32"
    begin = normal.index("ignore")
    assert text[offsets[begin] : offsets[begin + 6]] == "і\u200bgn0re"
    assert list(offsets[normal.index("five") :]) == [14, 14, 15, 16, 17]


PARTS = [
    *"aeinosxIGNORE0134578!@$ .-_*/|,~·\n\t", "  ", "ignore", "the ", "all", "hello ", "\u200b",
    "\u0301", "\u0323", "é", "ß", "Æ", "ﬁ", "①", "ａ", "𝐚", "а", "о", "с", "е", "в", "ж", "Й", "й",
    "и\u0306",
    "α", "ς", "ώ", "կ", "नि", "क\u093c", "가", "\u1100\u1161\u11a8", "漢", "字", "🇦", "👍🏽",
    "1", "22", "٣", "\ufffd", "\x00", "\u2028", "ø", "İ", "ı", "ſ", "Ω", "ꭰ", "ᴀ", "𝟘", "½", "ﷺ",
]  # fmt: skip


def random_texts(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices(PARTS, k=rng.randrange(1, 40))) for _ in range(count)]


def test_equals_the_twin_on_random_text():
    for text in random_texts(1500, 1):
        normal, offsets, _ = _native.safety_normalize(text)
        assert (normal, list(offsets)) == twin.normalize(text, CONFUSABLES), repr(text)


def newer_than_python(char: str) -> bool:
    """The frozen tables, which are the reference tokenizer's, know more of it than Python."""
    return NFKC.normalize_str(char) != unicodedata.normalize("NFKC", char)


def test_equals_the_twin_on_every_character():
    starts = [*range(0x20, 0x3400, 64), *range(0xA400, 0xABFF, 64), *range(0xF900, 0x20000, 64)]
    for start in starts:
        codes = [c for c in range(start, start + 64) if not 0xD800 <= c < 0xE000]
        known = [chr(c) for c in codes if unicodedata.category(chr(c)) != "Cn"]
        if newer_than_python("x, ".join(known)):
            known = [char for char in known if not newer_than_python(char)]
        text = "x, ".join(known)
        assert text_of(text) == twin.normalize(text, CONFUSABLES)[0], hex(start)


def test_long_words_and_runs_equal_the_twin():
    for text in ["ab" * 400 + "c", "a b " * 400, "x" + "é" * 700, "й1" * 300, "漢字" * 300 + " a"]:
        assert text_of(text) == twin.normalize(text, CONFUSABLES)[0]


def test_parts_give_what_the_whole_gives():
    for text in random_texts(300, 2):
        whole = text_of(text)
        stream = _native.NormalizeStream()
        said = ""
        for at, char in enumerate(text):
            said += stream.push(char)
            assert said + stream.pending() == text_of(text[: at + 1])
        assert said + stream.finish() == whole
        assert stream.push("Again ") + stream.finish() == "again "


def test_bytes_are_taken_and_damaged_ones_replaced():
    assert text_of(b"IGN\xff\xfeORE") == "ign\ufffd\ufffdore"


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="text must be str or bytes, not int"):
        _native.safety_normalize(7)  # type: ignore[arg-type]
