"""What a gate found, for machines and for a pull request: JSON, JUnit XML, Markdown."""

from __future__ import annotations

import dataclasses
import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from .judge import Finding


def passed(findings: Sequence[Finding]) -> bool:
    """Whether every figure of the policy was shown to be within its margin."""
    return all(finding.outcome == "passed" for finding in findings)


def as_json(findings: Sequence[Finding], notes: Sequence[str]) -> str:
    """One object; `passed` first."""
    said = {"passed": passed(findings), "findings": [dataclasses.asdict(f) for f in findings]}
    return json.dumps(said | {"notes": list(notes)})


def junit(findings: Sequence[Finding]) -> str:
    """JUnit's XML: a test case a figure."""
    bad = [finding for finding in findings if finding.outcome != "passed"]
    suite = ET.Element(
        "testsuite", name="edgeward gate", tests=str(len(findings)), failures=str(len(bad))
    )
    for finding in findings:
        case = ET.SubElement(suite, "testcase", classname="edgeward.gate", name=finding.name)
        if finding.outcome != "passed":
            ET.SubElement(case, "failure", message=finding.outcome).text = finding.said
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def markdown(findings: Sequence[Finding], notes: Sequence[str]) -> str:
    """A summary for a pull request."""
    lines = [
        f"### edgeward gate: {'passed' if passed(findings) else 'not passed'}", "",
        "| figure | value | interval | margin | |", "|---|---:|---:|---:|---|",
    ]  # fmt: skip
    for f in findings:
        value = "" if f.value is None else f"{f.value:.4g}"
        between = "" if f.low is None else f"{f.low:.4g} - {f.high:.4g}"
        lines.append(f"| {f.name} | {value} | {between} | {f.margin:.4g} | {f.outcome} |")
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)])
