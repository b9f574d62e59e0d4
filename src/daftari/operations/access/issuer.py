"""The OpenID Connect issuer in the settings: it issues callers' tokens, and people sign in through it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from daftari.contract.access.caller import Caller
from daftari.contract.model import Dataset
from daftari.contract.permissions import roles_named
from daftari.errors import NotAuthenticated
from daftari.io.access.oidc_tokens import Verifier as Verifier
from daftari.io.access.oidc_tokens import issuer_of
from daftari.settings import Settings

if TYPE_CHECKING:
    from daftari.io.access.oidc_sign_in import SignIn as SignIn


def verifier_of(settings: Settings, datasets: Iterable[Dataset]) -> Verifier | None:
    """
    Return the checker of the issuer's tokens, for the roles that *datasets* name; None: the settings name no issuer.
    """
    issuer = issuer_of(settings)
    return Verifier(issuer, roles_named(datasets)) if issuer else None


def sign_in_of(settings: Settings, verifier: Verifier | None) -> SignIn | None:
    """Return the sign-in through the issuer; None: people sign in only with tokens."""
    if settings.oidc_client_id is None or verifier is None:
        return None
    from daftari.io.access.oidc_sign_in import SignIn, client_of

    return SignIn(client_of(settings), verifier)


def go_to_issuer(sign_in: SignIn) -> tuple[str, str]:
    """
    Return a secret for the browser to keep, and the issuer's address to send it to.

    Raises:
        SettingError: the issuer does not name that address.
    """
    from daftari.io.access.oidc_sign_in import new_secret

    secret = new_secret()
    return secret, sign_in.way_there(secret)


def come_from_issuer(sign_in: SignIn, secret: str, query: str) -> Caller:
    """
    Return the person who came back from the issuer with *query*, in a browser that kept *secret*.

    Raises:
        NotAuthenticated: the issuer refused, or the sign-in began in another browser.
        SettingError: the issuer does not name its token endpoint.
    """
    if not secret:
        raise NotAuthenticated
    return sign_in.caller_from(secret, query)
