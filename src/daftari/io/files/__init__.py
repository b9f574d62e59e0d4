"""Files as rows: whatever their format, encoding and layout. Nothing here judges a value."""

from daftari.io.files.source import Source, open_source, sheets_of
from daftari.io.files.unpack import STDIN

__all__ = ["STDIN", "Source", "open_source", "sheets_of"]
