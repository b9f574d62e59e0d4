"""Renew the key that wraps the key store, so that older copies of the store open nothing any more."""

from __future__ import annotations

from dataclasses import dataclass

from daftari.io.keys import KeyStore


@dataclass(frozen=True, kw_only=True)
class EpochBegun:
    epoch: int
    rewrapped: int  #: versions of keys


def begin_key_epoch(keys: KeyStore, *, dry_run: bool = False) -> EpochBegun:
    """
    Begin an epoch: a new wrapping key wraps every key that is left, and the old one is destroyed.

    Killed at any moment, it leaves every key usable, and may simply be called again: that begins one epoch more.

    Raises:
        KeysUnavailable: the store or the wrapping key cannot be used.
    """
    state = keys.state()
    if dry_run:
        return EpochBegun(epoch=keys.wrapping.latest() + 1, rewrapped=state.versions)
    epoch = keys.wrapping.renew()
    keys.begin_epoch(epoch)
    rewrapped = 0
    while some := keys.rewrap_some(epoch):
        rewrapped += some
    # Nothing older can have come since: under the lock of `begin_epoch`, the store refuses it.
    keys.wrapping.forget_before(epoch)
    return EpochBegun(epoch=epoch, rewrapped=rewrapped)
