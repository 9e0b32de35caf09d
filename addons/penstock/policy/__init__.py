"""Policy: the YAML that a security engineer writes, and the one place where calls are decided."""

from penstock.policy.book import Policy
from penstock.policy.loader import load
from penstock.policy.screen import Screen

__all__ = ["Policy", "Screen", "load"]
