"""Prints precision, recall and F1 of each detector on the labelled cases, and how often all of them together raise a
false alarm in ordinary texts."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penstock.detect.detector import DETECTORS, detector
from penstock.masking.mask import Mask, MaskRule
from scripts.appraisal import cases, corpus
from scripts.appraisal.score import Score, appraise, mean

CHECKED, UNCHECKED = 0.95, 0.85
"""The F1 that is aimed at, with a check and without."""
MOST_ALARMS = 1.0
"""In 10,000 words of prose."""
REVIEWED: Final = Path(__file__).with_name("reviewed.txt")
"""Finds in documentation that somebody has looked at: they are values. `detector digest`, a line each."""


def digest(name: str, value: str) -> str:
    return f"{name} {hashlib.sha256(value.encode()).hexdigest()[:16]}"


def reviewed() -> frozenset[str]:
    lines = REVIEWED.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def aim(name: str) -> float:
    return CHECKED if detector(name).proof else UNCHECKED


def alarms(texts: Iterable[tuple[str, str]], known: frozenset[str], *, verbose: bool = False) -> dict[str, Any]:
    """What all detectors together find in texts in which they should find nothing."""
    mask = Mask([MaskRule(each.name, each) for each in DETECTORS if each.name != "ip"])
    words, values, false = 0, 0, Counter[str]()
    for name, text in texts:
        words += corpus.words(text)
        for found in mask.whole(text).findings:
            value = text[found.start : found.end]
            if found.detector == "email" or digest(found.detector, value) in known:
                values += 1  # an address in documentation is an address
                continue
            false[found.detector] += 1
            if verbose:
                around = text[max(0, found.start - 40) : found.end + 20]
                print(f"{name}: {digest(found.detector, value)} {value[:60]!r} in {around[:160]!r}", file=sys.stderr)
    rate = sum(false.values()) / words * 10_000
    return {"words": words, "values": values, "false": dict(false.most_common()), "per_10000_words": round(rate, 3)}


def row(name: str, score: Score) -> dict[str, Any]:
    figures = {"precision": score.precision, "recall": score.recall, "f1": score.f1}
    return {
        "detector": name,
        "values": score.found + score.missed,
        **{key: round(value, 4) for key, value in figures.items()},
        "aim": aim(name),
        "slips": score.slips,
    }


def show(document: dict[str, Any]) -> None:
    console = Console(width=120, highlight=False)
    table = Table("detector", "values", "precision", "recall", "F1", "aim", box=box.SIMPLE_HEAD, pad_edge=False)
    for each in document["detectors"]:
        style = "" if each["f1"] >= each["aim"] else "red"
        figures = [f"{each[key]:.3f}" for key in ("precision", "recall", "f1")]
        table.add_row(each["detector"], str(each["values"]), *figures, f"{each['aim']:.2f}", style=style)
    console.print(table)
    for each in document["detectors"]:
        for slip in each["slips"]:
            console.print(Text(f"{each['detector']}: {slip}"))
    console.print()
    for name, figure in document["mean_f1"].items():
        console.print(f"{name}: mean F1 {figure['f1']:.4f} over {figure['detectors']} detectors")
    for name, found in document["alarms"].items():
        told = ", ".join(f"{count} {kind}" for kind, count in found["false"].items()) or "none"
        console.print(
            f"{name}: {found['per_10000_words']:.2f} false alarms in 10,000 words ({found['words']:,} words; {told};"
            f" {found['values']} values that are ones)"
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/quality", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--cases",
        type=Path,
        action="append",
        help="a file or folder of labelled cases (tests/detect/cases, and tests/detect/texts by other hands)",
    )
    parser.add_argument("--words", type=int, default=400_000, help="how many words of prose to read (400000)")
    parser.add_argument("--no-corpus", action="store_true", help="the labelled cases only")
    parser.add_argument("--verbose", action="store_true", help="tell every false alarm, on stderr")
    options = parser.parse_args()
    parts = {path.name: appraise(cases.load(path)) for path in options.cases or (cases.FOLDER, cases.TEXTS)}
    scores: dict[str, Score] = {}
    for part in parts.values():
        for name, score in part.items():
            scores[name] = scores.get(name, Score()) + score
    known = reviewed()
    document: dict[str, Any] = {
        "detectors": [row(name, score) for name, score in scores.items()],
        "mean_f1": {name: {"f1": round(mean(part), 4), "detectors": len(part)} for name, part in parts.items()},
        "alarms": {},
    }
    if not options.no_corpus:
        corpora = {
            "prose": corpus.prose(options.words),
            "code": corpus.code(options.words),
            "figures": [("figures", corpus.figures(5000))],
        }
        document["alarms"] = {name: alarms(texts, known, verbose=options.verbose) for name, texts in corpora.items()}
    print(json.dumps(document, ensure_ascii=False, indent=1)) if options.json else show(document)
    short = any(each["f1"] < each["aim"] for each in document["detectors"])
    noisy = document["alarms"] and document["alarms"]["prose"]["per_10000_words"] > MOST_ALARMS
    return int(bool(short or noisy))


if __name__ == "__main__":
    sys.exit(main())
