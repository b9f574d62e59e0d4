"""Where keys are kept: the store of data keys, and what wraps them."""

from daftari.io.keys.open_store import key_store_of
from daftari.io.keys.store import KeyStore

__all__ = ["KeyStore", "key_store_of"]
