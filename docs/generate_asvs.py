"""
Write docs/asvs.md from docs/asvs.txt. `make docs` runs it.

A test compares the two, and checks that each named test exists.

Chapters, identifiers and levels are those of OWASP ASVS 5.0.0; requirements are in our own words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE / "asvs.md"
VERDICTS = ("tested", "not applicable", "open")
CHAPTERS = (
    "Encoding and Sanitization",
    "Validation and Business Logic",
    "Web Frontend Security",
    "API and Web Service",
    "File Handling",
    "Authentication",
    "Session Management",
    "Authorization",
    "Self-contained Tokens",
    "OAuth and OIDC",
    "Cryptography",
    "Secure Communication",
    "Configuration",
    "Data Protection",
    "Secure Coding and Architecture",
    "Security Logging and Error Handling",
    "WebRTC",
)
INTRODUCTION = """\
# OWASP ASVS 5.0.0, levels 1 and 2

How Daftari meets the OWASP Application Security Verification Standard, requirement by requirement. `make docs`
generates this page from `asvs.txt`.

| verdict | meaning |
| --- | --- |
| tested | the named tests fail if the requirement is broken |
| not applicable | with the reason |
| open | not met yet, or met without a test; with the state |

Requirements are shortened in our own words. The authoritative text is at
<https://github.com/OWASP/ASVS/tree/v5.0.0/5.0> (CC BY-SA 4.0, OWASP Foundation).
"""


@dataclass(frozen=True)
class Requirement:
    id: str
    level: int
    verdict: str
    asked: str
    why: str  #: tests, each a path below tests/ and a name; or a sentence

    @property
    def chapter(self) -> int:
        return int(self.id.removeprefix("V").split(".")[0])

    @property
    def tests(self) -> list[str]:
        return self.why.split() if self.verdict == "tested" else []


def requirements() -> list[Requirement]:
    found = []
    for line in (HERE / "asvs.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            id_, level, verdict, asked, why = line.split(" | ")
            found.append(Requirement(id_, int(level), verdict, asked, why))
    return found


def page() -> str:
    return "\n".join([INTRODUCTION, *_counts(requirements()), *_chapters(requirements())]) + "\n"


def _counts(found: list[Requirement]) -> Iterator[str]:
    counted = Counter((one.level, one.verdict) for one in found)
    yield "| verdict | level 1 | level 2 | total |"
    yield "| --- | ---: | ---: | ---: |"
    for verdict in VERDICTS:
        one, two = counted[1, verdict], counted[2, verdict]
        yield f"| {verdict} | {one} | {two} | {one + two} |"
    levels = Counter(one.level for one in found)
    yield f"| total | {levels[1]} | {levels[2]} | {len(found)} |\n"
    yield "| chapter | tested | not applicable | open |"
    yield "| --- | ---: | ---: | ---: |"
    for number, ones in groupby(found, key=lambda one: one.chapter):
        by = Counter(one.verdict for one in ones)
        cells = " | ".join(str(by[verdict]) for verdict in VERDICTS)
        yield f"| V{number} {CHAPTERS[number - 1]} | {cells} |"


def _chapters(found: list[Requirement]) -> Iterator[str]:
    for number, ones in groupby(found, key=lambda one: one.chapter):
        yield f"\n## V{number} {CHAPTERS[number - 1]}\n"
        yield "| id | level | requirement | verdict |"
        yield "| --- | ---: | --- | --- |"
        for one in ones:
            yield f"| {one.id} | {one.level} | {one.asked} | {_answer(one)} |"


def _answer(one: Requirement) -> str:
    if one.tests:
        return "tested: " + ", ".join(_link(test) for test in one.tests)
    return f"{one.verdict}: {one.why}"


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../tests/{path})"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
