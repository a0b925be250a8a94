"""The suite of structured output: its schemas, its judge, its figures, on a tiny model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from edgeward.bench.suites import structured
from edgeward.errors import ResponseFormatError
from edgeward.model import Model
from edgeward.structure.formats import checked

KNOWN = dict(structured.schemas())


def test_there_are_twenty_schemas() -> None:
    assert len(KNOWN) == 20


@pytest.mark.parametrize("name", KNOWN)
def test_a_schema_is_one_and_can_be_obeyed(tiny_model: Model, name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(KNOWN[name])
    assert KNOWN[name]["description"]
    form = {"type": "json_schema", "schema": KNOWN[name]}
    assert checked(form) is not None
    try:
        tiny_model.generate("a", response_format=form, max_tokens=1)
    except ResponseFormatError as error:
        pytest.fail(str(error))


def test_the_command_judges_and_times(tiny_pack: Path) -> None:
    program = "from edgeward.cli import main; main()"
    arguments = ["bench", "structured", str(tiny_pack), "--generations", "3", "--json"]
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments, "--max-tokens", "40"],
        capture_output=True,
        text=True,
        check=False,
    )
    said = json.loads(run.stdout)
    assert run.returncode == (0 if said["valid_share"] == 1 else 1)
    assert [row["answers"] for row in said["rows"]] == [1, 1, 1]
    for row in said["rows"]:
        assert row["valid"] + len(row["invalid"]) == 1
    assert said["figures"]["added to a token"]["unit"] == "us"


def test_a_wrong_answer_is_told_with_its_seed(tiny_model: Model) -> None:
    row = structured.Row("x", 0.0)
    reply = tiny_model.generate("hello", max_tokens=4, seed=1)
    structured._note(row, reply, jsonschema.Draft202012Validator({}), seed=5)
    assert row.valid == 0
    assert row.invalid[0].startswith("seed 5, ended by length: no JSON")
