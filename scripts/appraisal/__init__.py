"""How good the detectors are: on labelled cases, and on ordinary texts in which they should find nothing."""
