"""Files as rows: whatever their format, encoding and layout. Nothing here judges a value."""

from daftari.io.files.source import Source, digest, open_source

__all__ = ["Source", "digest", "open_source"]
