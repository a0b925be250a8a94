"""The phrase automaton: against a slow search, in parts, and with its excuses."""

from __future__ import annotations

import random
import re

import pytest

from edgeward.kernels import _native


def normal(text: str) -> str:
    return _native.safety_normalize(text)[0]


def slow(text: str, block: list[str], allow: list[str], whole: bool) -> set[tuple[int, int]]:
    """Places of blocked phrases outside of allowed ones, the longest at each end."""
    offsets = _native.safety_normalize(text)[1]
    plain = normal(text).replace("\n", " ")

    def places(phrases: list[str]) -> list[tuple[int, int]]:
        longest: dict[int, int] = {}
        for phrase in phrases:
            wanted = normal(phrase).replace("\n", " ").strip()
            for match in re.finditer(f"(?={re.escape(wanted)})", plain):
                begin, end = match.start(), match.start() + len(wanted)
                inside = whole and (
                    (word(plain[begin]) and word(plain[begin - 1 : begin]))
                    or (word(plain[end - 1]) and word(plain[end : end + 1]))
                )
                if not inside:
                    longest[end] = min(begin, longest.get(end, begin))
        return [(begin, end) for end, begin in longest.items()]

    def word(char: str) -> bool:
        return char.isalnum()

    excuses = places(allow)
    kept = [
        (begin, end)
        for begin, end in places(block)
        if not any(first <= begin and end <= last for first, last in excuses)
    ]
    return {(int(offsets[begin]), end) for begin, end in kept}


def test_disguised_phrases_are_found_where_they_stand():
    phrases = _native.Phrases(["kill them all"])
    text = "Now: K1LL\u200b thém\nа l l — k.i.l.l them all"
    text = "Now: K1LL\u200b thém\naꓲl, KILL  THEM  ALL!"
    ((_, begin, end),) = phrases.find(text)
    assert text[begin:end] == "KILL  THEM  ALL"


def test_words_are_whole_unless_said_otherwise():
    assert _native.Phrases(["ass"]).find("class assess pass") == []
    assert len(_native.Phrases(["ass"], [], False).find("class assess pass")) == 3
    assert _native.Phrases(["坏话"]).find("这是坏话吗") == [(0, 2, 4)]
    assert _native.Phrases(["c++"]).find("c++, xc++ c++x")[0] == (0, 0, 3)


def test_a_longer_phrase_excuses_what_is_in_it():
    phrases = _native.Phrases(["kill", "die"], ["kill the process", "die casting", "do or die"])
    assert phrases.find("Kill the process; die casting, do or die") == []
    assert [m[0] for m in phrases.find("kill the processor, kill it, die cast")] == [0, 0, 1]


ALPHABETS = ["ab ", "ab", "aаb é1."]


@pytest.mark.parametrize("whole", [True, False])
def test_equals_a_slow_search_in_the_whole_and_in_parts(whole: bool):
    rng = random.Random(7)
    for _ in range(400):
        letters = rng.choice(ALPHABETS)

        def text(least: int, most: int, letters: str = letters) -> str:
            return "".join(rng.choices(letters, k=rng.randint(least, most)))

        block = [p for p in (text(1, 4) for _ in range(4)) if normal(p).strip()]
        allow = [p for p in (text(2, 6) for _ in range(2)) if normal(p).strip()]
        block = [p for p in block if normal(p).strip() not in [normal(a).strip() for a in allow]]
        phrases = _native.Phrases(block, allow, whole)
        body = text(0, 40)
        found = phrases.find(body)
        expected = slow(body, block, allow, whole)
        assert sorted(m[1] for m in found) == sorted(p[0] for p in expected), (block, allow, body)
        stream, parts = phrases.stream(), []
        for char in body:
            before = stream.settled
            new = stream.push(char)
            assert all(match[1] >= before for match in new)
            parts += new
        assert sorted(parts + stream.finish()) == sorted(found), (block, allow, body)


def test_many_phrases_and_long_text_are_quick():
    rng = random.Random(3)
    words = ["".join(rng.choices("abcdefgh", k=rng.randint(3, 12))) for _ in range(20_000)]
    phrases = _native.Phrases(words, [w + " it" for w in words[:1000]])
    assert phrases.longest <= 15
    text = " ".join(rng.choices(words, k=50_000))
    assert len(phrases.find(text)) > 40_000
    deep = _native.Phrases(["a b" * n for n in range(1, 200)] + ["ab" * 3000], [], False)
    deep.find("a b" * 20_000 + "ab" * 100_000)


def test_phrases_without_visible_characters_are_refused():
    with pytest.raises(ValueError, match="no characters that show"):
        _native.Phrases(["ok", " \u200b\n"])
