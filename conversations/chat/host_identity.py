"""What a host site's signed token (JWT, RFC 7519) says of who sits in front of the browser, and why one is not believed.

How a token must be signed is said by the key that it names and never by the token: its header chooses a key, nothing more.
A refusal is a sentence for the site's developer. It is about the token alone, so it tells nothing of whom we know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import jwt
from django.utils.translation import gettext as _
from jwt.exceptions import InvalidSubjectError

from conversations.flows.signing_in import Vouched
from conversations.models import EntryPoint, HostSiteKey, Identifier
from conversations.models.identifier import Assurance
from conversations.selectors import host_sites as keys
from conversations.services import identity
from conversations.services.host_sites import verification_key
from conversations.services.parties import IdentifierClaim
from conversations.services.sealing import CannotBeOpened

LONGEST_TOKEN: Final = 4096
LONGEST_LIFETIME: Final = timedelta(hours=1)
LEEWAY: Final = timedelta(seconds=60)
REQUIRED: Final = ("sub", "aud", "exp", "iat")
LONGEST: Final = {"sub": 200, "name": 100, "locale": 35, "email": 320, "phone": 40}
_KID = re.compile(r"[A-Za-z0-9._-]{1,40}")
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class NotBelieved(Exception):
    """A token that counts for nothing. `code` is for the widget; the text is for the site's developer."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def read(token: str, entry_point: EntryPoint) -> Vouched:
    """What the token vouches for at this entry point. Raises NotBelieved.

    Needed are `sub` (the site's own id of the person), `aud` (the entry point's address), `iat` and `exp` (at most an hour
    apart, 60 s of leeway). `email` and `phone` count as proven with `email_verified` and `phone_verified` true, otherwise as
    claimed. `name` is shown to the person; it and the language of `locale` go onto a record that has no name yet.
    """
    if not token or len(token) > LONGEST_TOKEN:
        raise NotBelieved("identity_refused", _("The token is empty or longer than 4,096 characters."))
    key = _key_named_by(token, entry_point)
    claims = _verified(token, key, entry_point)
    until = _until(claims)
    return Vouched(
        claims=tuple(_identifiers(claims, key, entry_point, until)),
        name=_UNPRINTABLE.sub("", _text(claims, "name")).strip(),
        language=_language(_text(claims, "locale")),
        until=until,
        # Of what is signed only: a signature can be written in more than one way.
        digest=sha256(token.rpartition(".")[0].encode()).hexdigest(),
    )


def _key_named_by(token: str, entry_point: EntryPoint) -> HostSiteKey:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise NotBelieved("identity_refused", _("The token is not a JWT.")) from None
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise NotBelieved("identity_refused", _("The token’s header names no key: set “kid” to the id of the key."))
    key = keys.accepted_key(entry_point.pk, kid)
    if key is None:
        raise NotBelieved("identity_refused", _("The key that the token names in “kid” is not accepted at this entry point."))
    return key


def _verified(token: str, key: HostSiteKey, entry_point: EntryPoint) -> Mapping[str, Any]:
    """The claims of a token that the key has signed, for this entry point and for now."""
    try:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            verification_key(key),
            algorithms=[key.algorithm],
            audience=entry_point.address,
            leeway=LEEWAY,
            options={"require": list(REQUIRED), "strict_aud": True},
        )
        return claims
    except CannotBeOpened:
        raise NotBelieved("identity_refused", _("The key cannot be read any more. Make a new one.")) from None
    except jwt.ExpiredSignatureError:
        raise NotBelieved("identity_expired", _("The token has expired.")) from None
    except jwt.InvalidAlgorithmError:
        needed = {"algorithm": key.algorithm}
        raise NotBelieved("identity_refused", _("This key signs with %(algorithm)s; the token says something else.") % needed) from None
    except jwt.MissingRequiredClaimError as error:
        raise NotBelieved("identity_refused", _("The token has no “%(claim)s”.") % {"claim": error.claim}) from None
    except jwt.InvalidAudienceError:
        raise NotBelieved("identity_refused", _("The token’s “aud” is not the address of this entry point.")) from None
    except jwt.ImmatureSignatureError:
        raise NotBelieved("identity_refused", _("The token is from the future. Check the clock of the site’s server.")) from None
    except InvalidSubjectError:
        raise NotBelieved("identity_refused", _("“sub” must be a text: the site’s own id of the person.")) from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise NotBelieved("identity_refused", _("The token was not signed with this key, or was altered.")) from None


def _until(claims: Mapping[str, Any]) -> datetime:
    """When the site stops vouching, with the leeway that its clock is given."""
    issued, expires = claims["iat"], claims["exp"]
    if isinstance(issued, bool) or isinstance(expires, bool) or not all(isinstance(each, (int, float)) for each in (issued, expires)):
        raise NotBelieved("identity_refused", _("“iat” and “exp” must be numbers: seconds since 1970."))
    if not 0 < expires - issued <= LONGEST_LIFETIME.total_seconds():
        raise NotBelieved("identity_refused", _("“exp” must be after “iat”, by an hour at most."))
    return datetime.fromtimestamp(expires, tz=UTC) + LEEWAY


def _identifiers(claims: Mapping[str, Any], key: HostSiteKey, entry_point: EntryPoint, until: datetime) -> list[IdentifierClaim]:
    """The site's own id first, then email and phone; unusable values are left out."""
    subject = _text(claims, "sub")
    if not subject or subject != subject.strip() or _UNPRINTABLE.search(subject):
        raise NotBelieved("identity_refused", _("“sub” must be a text without spaces around it: the site’s own id of the person."))
    wanted = [(Identifier.Kind.EXTERNAL, f"{key.system}:{subject}", True)]
    for kind in (Identifier.Kind.EMAIL, Identifier.Kind.PHONE):
        wanted.append((kind, _text(claims, kind.value), claims.get(f"{kind.value}_verified") is True))
    found = []
    for kind, value, is_verified in wanted:
        try:
            normal = identity.normalise(kind, value, entry_point.default_region)
        except identity.InvalidIdentifier:
            continue
        level = Assurance.VERIFIED if is_verified else Assurance.CLAIMED
        found.append(IdentifierClaim(kind.value, normal, level.value, until if is_verified else None))
    return found


def _language(locale: str) -> str:
    """The language of a locale, such as en of en-GB; "" when it is none."""
    locale = locale.replace("_", "-")
    return locale.partition("-")[0].lower() if _LANGUAGE.fullmatch(locale) else ""


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST[name]:
        limits = {"claim": name, "longest": LONGEST[name]}
        raise NotBelieved("identity_refused", _("“%(claim)s” must be a text of at most %(longest)d characters.") % limits)
    return value
