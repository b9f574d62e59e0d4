"""The key that signs checkpoints of the audit, and the public key that proves them."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from daftari.io.audit import signing_key as files
from daftari.settings import Settings


def make_signing_key(settings: Settings) -> Path:
    """
    Make the workspace's key pair; return the file of the public key.

    Raises:
        SigningKeyError: a key exists.
    """
    return files.generate_signing_key(settings.signing_key)


def signing_key_of(settings: Settings) -> Ed25519PrivateKey:
    """
    Return the workspace's private key.

    Raises:
        SigningKeyError: it does not exist, is not such a key, or other users may read it.
    """
    return files.read_signing_key(settings.signing_key)


def public_key_of(settings: Settings, path: Path | None = None) -> Ed25519PublicKey:
    """
    Return the public key in *path*; by default the one next to the workspace's private key.

    Raises:
        SigningKeyError: it does not exist, or is not such a key.
    """
    return files.read_public_key(path or files.public_path(settings.signing_key))
