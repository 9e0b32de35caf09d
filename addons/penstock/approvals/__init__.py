"""Approvals: held requests wait at a desk, people decide, and a grant lets exactly what was approved pass."""
