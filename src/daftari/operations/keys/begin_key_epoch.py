"""Replace the key that wraps the key store, so that older copies of the store open nothing any more."""

from __future__ import annotations

from dataclasses import dataclass

from daftari.io.keys import KeyStore


@dataclass(frozen=True, kw_only=True)
class EpochBegun:
    epoch: int
    rewrapped: int  #: versions of keys


def begin_key_epoch(keys: KeyStore, *, dry_run: bool = False) -> EpochBegun:
    """
    Begin an epoch: a new wrapping key wraps every remaining key, and the old one is destroyed.

    Killed at any moment, it leaves every key usable. Calling it again then begins one more epoch.

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
    # No older key can have been added since: under the lock of `begin_epoch`, the store rejects it.
    keys.wrapping.forget_before(epoch)
    return EpochBegun(epoch=epoch, rewrapped=rewrapped)
