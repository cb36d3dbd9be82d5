"""Keys of host sites: made, changed for new ones, taken back. And the tokens signed with them, each for one browser only."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import EntryPoint, HostSiteKey, HostSiteToken
from conversations.models.entry_point import Channel
from conversations.services import sealing

SECRET_BYTES: Final = 32
LEAST_RSA_BITS: Final = 2048
LONGEST_OVERLAP: Final = timedelta(days=90)


class UnusableKey(ValueError):
    """The key cannot be used; the text says why, for whoever pasted it."""


class NotAccepted(ValueError):
    """The key is not believed any more, so there is nothing to change about it."""


def make_key(
    entry_point: EntryPoint, *, system: str, algorithm: str, made_by: str, public_key: str = "", kid: str = ""
) -> HostSiteKey:
    """A new key of a host site, believed at once. For HS256 a secret is drawn and kept sealed; see `take_secret`.

    `public_key` (PEM) is needed for every other algorithm. Without a `kid` one is drawn. Raises UnusableKey.
    """
    checked = check(entry_point, algorithm, public_key)
    is_secret = algorithm == HostSiteKey.Algorithm.HS256
    return HostSiteKey.objects.create(
        entry_point=entry_point,
        system=system,
        kid=kid or f"{timezone.now():%Y-%m}-{secrets.token_hex(4)}",
        algorithm=algorithm,
        public_key=checked,
        sealed_secret=sealing.seal(secrets.token_urlsafe(SECRET_BYTES)) if is_secret else "",
        made_by=made_by[:200],
    )


def check(entry_point: EntryPoint, algorithm: str, public_key: str) -> str:
    """The public key (PEM) as it is kept, "" for a shared secret. Raises UnusableKey when no key can be made of these."""
    if entry_point.channel != Channel.CHAT:
        raise UnusableKey(_("Web sites sign people in to a web chat. This entry point is a phone number."))
    if algorithm != HostSiteKey.Algorithm.HS256:
        return _checked(public_key, algorithm)
    if public_key.strip():
        raise UnusableKey(_("A shared secret is drawn here. Leave the public key empty, or choose another algorithm."))
    return ""


def rotate(key: HostSiteKey, *, overlap: timedelta, made_by: str, public_key: str = "") -> HostSiteKey:
    """A new key in the place of this one, which is believed for `overlap` more and no longer.

    A key that retires already keeps its date when that is sooner. One transaction; locks the key. Raises UnusableKey,
    NotAccepted.
    """
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise UnusableKey(_("The old key can be accepted for 0 to 90 days more."))
    with transaction.atomic():
        row = _locked(key)
        until = timezone.now() + overlap
        until = min(until, row.accepted_until) if row.accepted_until else until
        new = make_key(row.entry_point, system=row.system, algorithm=row.algorithm, made_by=made_by, public_key=public_key)
        HostSiteKey.objects.filter(pk=row.pk).update(state=HostSiteKey.State.RETIRING, accepted_until=until)
    return new


def revoke(key: HostSiteKey, *, revoked_by: str) -> None:
    """Has a key believed no more from this moment, as when it was stolen. Locks the key. Raises NotAccepted.

    Whoever was signed in with it stays so until their token runs out, at most an hour.
    """
    with transaction.atomic():
        row = _locked(key)
        HostSiteKey.objects.filter(pk=row.pk).update(state=HostSiteKey.State.REVOKED, revoked_at=Now(), revoked_by=revoked_by[:200])


def take_secret(key: HostSiteKey) -> str | None:
    """The shared secret, the first time that it is asked for, to be shown to a person; None ever after.

    Raises sealing.CannotBeOpened.
    """
    with transaction.atomic():
        first = HostSiteKey.objects.filter(pk=key.pk, secret_shown_at__isnull=True).exclude(sealed_secret="")
        return verification_key(key) if first.update(secret_shown_at=Now()) else None


def verification_key(key: HostSiteKey) -> str:
    """What a signature is checked with: the public key in PEM form, or the shared secret. Raises sealing.CannotBeOpened."""
    return key.public_key or sealing.unseal(key.sealed_secret)


def take_token(digest: str, browser: str, *, expires_at: datetime) -> bool:
    """Has a token count for one browser (its series), the first that shows it; says whether it is this one.

    A copy that is shown elsewhere, or after the sign-out, is worth nothing. Tokens that have run out are forgotten, but for
    those that another sign-in is forgetting: what this one waits for later must hold nobody up.
    """
    run_out = HostSiteToken.objects.select_for_update(skip_locked=True).filter(expires_at__lt=Now())
    HostSiteToken.objects.filter(pk__in=run_out.values("pk")).delete()
    HostSiteToken.objects.bulk_create([HostSiteToken(digest=digest, browser=browser, expires_at=expires_at)], ignore_conflicts=True)
    return HostSiteToken.objects.filter(digest=digest, browser=browser).exists()


def hand_token_on(digest: str, browser: str) -> None:
    """Has a token count for another browser (its series)."""
    HostSiteToken.objects.filter(digest=digest).update(browser=browser)


def forget_tokens(browser: str) -> None:
    """Has every token that a browser showed count for nobody any more; one that has run out counts for nobody already."""
    HostSiteToken.objects.filter(browser=browser, expires_at__gte=Now()).update(browser="")


def _locked(key: HostSiteKey) -> HostSiteKey:
    row = HostSiteKey.objects.select_for_update(no_key=True, of=("self",)).select_related("entry_point").get(pk=key.pk)
    if row.state == HostSiteKey.State.REVOKED:
        raise NotAccepted(_("This key is not accepted any more."))
    return row


def _checked(pem: str, algorithm: str) -> str:
    """The public key in PEM form, of the kind that the algorithm needs and no weaker than is safe. Raises UnusableKey."""
    pem = pem.strip()
    if "PRIVATE KEY" in pem:
        raise UnusableKey(_("This is a private key. Keep it on the site's server, and consider it as given away: make a new pair."))
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey(_("This is not a public key in PEM form. It begins with -----BEGIN PUBLIC KEY-----.")) from None
    if algorithm == HostSiteKey.Algorithm.RS256 and isinstance(key, RSAPublicKey):
        if key.key_size < LEAST_RSA_BITS:
            raise UnusableKey(_("This RSA key is too short. Make one of at least 2048 bits."))
        return pem
    if algorithm == HostSiteKey.Algorithm.ES256 and isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return pem
    if algorithm == HostSiteKey.Algorithm.EDDSA and isinstance(key, Ed25519PublicKey):
        return pem
    raise UnusableKey(_("This public key is of another kind than the algorithm that was chosen."))
