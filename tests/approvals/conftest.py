"""Fixtures of the approvals tests."""

from __future__ import annotations

import pytest

from tests.approvals.desk_kit import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
