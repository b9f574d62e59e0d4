"""The store of data keys, and the keys that wrap them."""

from daftari.io.keys.open_store import key_store_of
from daftari.io.keys.store import KeyStore

__all__ = ["KeyStore", "key_store_of"]
