"""Penstock: the only path to the model."""

__version__ = "0.1.0"
