"""Labels that are written against their number."""

from __future__ import annotations


def after(*labels: str) -> str:
    """As `BEGIN`, or with one of these right before it, without a space: `BSN123456782`."""
    glued = "|".join(f"(?<={each})" for label in labels for each in (label, label.lower()))
    return rf"(?<![0-9+])(?<![0-9][.-])(?:(?<![A-Za-z])|{glued})"
