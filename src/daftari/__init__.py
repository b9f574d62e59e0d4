"""Daftari: one contract per dataset; everything else is derived from it and enforced."""

__version__ = "0.1.0"
