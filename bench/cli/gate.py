"""`edgeward gate`: may the candidate take the baseline's place?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import edgeward
from edgeward.errors import EdgewardError
from edgeward.pack import Pack
from edgeward.quantize.evaluate.examine import examine
from edgeward.quantize.pack_cli import folder_of

from ..figures import notes as notes_of
from ..gate import judge, outputs
from ..gate.policy import Policy, read
from ..progress import Tell, progress_bar
from ..records import Recording
from ..records import read as read_recording
from ..suites import arms
from ..suites.subject import subject


def gate(
    baseline: Annotated[str, typer.Argument(help="The pack in use.", metavar="BASELINE")],
    candidate: Annotated[str, typer.Argument(help="The new pack.", metavar="CANDIDATE")],
    policy: Annotated[Path, typer.Option(help="Figures and margins, a TOML file.")],
    recording: Annotated[
        Path | None,
        typer.Option(help="A recording of `bench ab` of the two, instead of measuring now."),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of arithmetic.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Where JUnit XML goes.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Where a Markdown summary goes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare a candidate with a baseline under a policy; exit code 1 unless all is shown.

    A figure passes when its whole interval is within the margin. Speed is measured in turns.

    Examples:

    `edgeward gate smollm2-135m ./candidate --policy policy.toml --junit gate.xml`
    """
    rules = read(policy)
    with progress_bar(as_json) as tell:
        findings, notes = _findings(baseline, candidate, rules, recording, threads, tell)
    summary = outputs.markdown(findings, notes)
    for path, text in ((junit, outputs.junit(findings)), (markdown, summary)):
        if path is not None:
            try:
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                raise EdgewardError(f"cannot write {path}: {error.strerror}.") from error
    print(outputs.as_json(findings, notes) if as_json else summary)
    if not outputs.passed(findings):
        raise typer.Exit(1)


def _findings(
    baseline: str,
    candidate: str,
    rules: Policy,
    recording: Path | None,
    threads: int | None,
    tell: Tell,
) -> tuple[list[judge.Finding], list[str]]:
    folders, notes = (folder_of(baseline), folder_of(candidate)), []
    findings: list[judge.Finding] = []
    settings = rules.settings
    if rules.size:
        subjects = {}
        for arm, folder in zip(arms.ARMS, folders, strict=True):
            with edgeward.load(folder, threads=threads) as model:
                subjects[arm] = subject(model)
        findings += judge.size(rules, subjects)
    if rules.speed:
        setting = arms.Setting(
            int(settings["prompt"]), int(settings["generate"]), settings["seconds"],
            threads=threads,
        )  # fmt: skip
        taken = (
            arms.run(folders, setting, None, tell)
            if recording is None
            else _recorded(recording, folders)
        )
        findings += judge.speed(rules, taken)
        notes += notes_of(taken)
    if rules.quality:
        windows = int(settings["windows"]) or None
        report = examine(
            folders[1], folders[0], windows=windows, greedy=False, threads=threads, tell=tell
        )
        findings += judge.quality(rules, report)
    return findings, notes


def _recorded(path: Path, folders: tuple[Path, Path]) -> Recording:
    """A recording of these two packs in turns; `EdgewardError` if it is of others."""
    found = read_recording(path)
    hashes = [Pack.open(folder, check_hashes=False).sha256 for folder in folders]
    if [of.sha256 for of in found.header.subjects.values()] != hashes:
        raise EdgewardError(f"{path} is not of these two packs, in this order: measure them anew.")
    return found
