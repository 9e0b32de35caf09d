"""The store: sealed segments and views over the journal, for anyone who may read and without ever locking the writer.

`open_store` is all that a gateway needs of it, and does not load DuckDB.
"""

from penstock.store.live import Store, open_store

__all__ = ["Store", "open_store"]
