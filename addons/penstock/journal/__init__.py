"""The journal: what happened, chained and on disk before anything else happens."""

from penstock.journal.entry import MAX_LINE, Entry, EntryError
from penstock.journal.file import Journal

__all__ = ["MAX_LINE", "Entry", "EntryError", "Journal"]
