"""The detectors that come with Penstock, one subject a file.

What stands at the edge of a value is written out in ASCII (`(?<![0-9A-Za-z])`) rather than as `\\b`: Chinese and
Japanese text has no spaces, its characters count as word characters, and a card number between them still is one.
Every pattern is bounded, or has an `until`. Each has labelled cases in `tests/detect/cases`.
"""
