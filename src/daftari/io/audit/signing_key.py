"""
The Ed25519 key that signs checkpoints of the audit: a file only its owner can read, with the public key beside it.
"""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from daftari.errors import SigningKeyError
from daftari.io.workspace.whole_files import PRIVATE, write_whole_file


def public_path(private: Path) -> Path:
    return private.with_suffix(".pub.pem")


def generate_signing_key(private: Path) -> Path:
    """
    Make a key pair; return the path of the public key.

    Raises:
        SigningKeyError: a key exists. A new one could not prove what the old one signed.
    """
    key = Ed25519PrivateKey.generate()
    private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        write_whole_file(private, content, mode=PRIVATE, replaces=False)
    except FileExistsError:
        raise SigningKeyError(
            f"{private}: a key exists; expected none",
            hint="Keep it: its public key proves what it has signed.",
        ) from None
    public = public_path(private)
    write_whole_file(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return public


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """
    Raises:
        SigningKeyError: it does not exist, is not such a key, or other users may read it.
    """
    _require_private(path)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "private")
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """
    Raises:
        SigningKeyError: it does not exist, or is not such a key.
    """
    _require_there(path)
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, "public")
    return key


def _no_key(path: Path, half: str) -> SigningKeyError:
    return SigningKeyError(
        f"{path}: is not a {half} key; expected an Ed25519 key, as PEM, without a password"
    )


def _require_there(path: Path) -> None:
    if not path.is_file():
        raise SigningKeyError(
            f"{path}: no such file; expected an Ed25519 key, as PEM",
            hint="`daftari audit keygen` makes one.",
        )


def _require_private(path: Path) -> None:
    _require_there(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SigningKeyError(
            f"{path}: mode {mode:04o}; expected 0600, for its owner alone",
            hint=f"Find out who could read it, then: chmod 600 {path}",
        )
