"""The key that signs checkpoints of the audit, and the public key that proves them."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from daftari.io.audit import signing_key as files
from daftari.settings import Settings


def make_signing_key(settings: Settings) -> Path:
    """
    Make the workspace's key pair; return the file of the public half.

    Raises:
        SigningKeyError: there is a key already.
    """
    return files.generate_signing_key(settings.signing_key)


def signing_key_of(settings: Settings) -> Ed25519PrivateKey:
    """
    Return the workspace's private key.

    Raises:
        SigningKeyError: it is not there, is no such key, or others than its owner may read it.
    """
    return files.read_signing_key(settings.signing_key)


def public_key_of(settings: Settings, path: Path | None = None) -> Ed25519PublicKey:
    """
    Return the public key in *path*, by default the one beside the workspace's private key.

    Raises:
        SigningKeyError: it is not there, or is no such key.
    """
    return files.read_public_key(path or files.public_path(settings.signing_key))
