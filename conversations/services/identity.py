"""From identifiers to one customer, however many first contacts arrive at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import phonenumbers
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from email_validator import EmailNotValidError, validate_email

from conversations.models import Customer, Identifier, MatchCandidate
from conversations.models.identifier import ASSURANCE_RANK, E164, EXTERNAL
from conversations.services import records
from conversations.services.parties import IdentifierClaim

PROVEN = ("verified", "network_hint")
LONGEST = 320


class InvalidIdentifier(ValueError):
    """The value is not a usable identifier of its kind."""


def normalise(kind: str, value: str, region: str = "GB") -> str:
    """The normal form of an identifier: phone as E.164, email in lower case, another system's id as `system:id`.

    `region` is the country of numbers written without a country code. The part of an address before the @ is lowered, too:
    no provider tells two people apart by its capitals. Raises InvalidIdentifier.
    """
    value = value.replace("\x00", "").strip()
    if kind == Identifier.Kind.PHONE:
        try:
            parsed = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException as error:
            raise InvalidIdentifier(f"“{value[:40]}” is not a phone number.") from error
        normal = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        # Some countries have possible numbers that are shorter or longer than what E.164 can hold.
        if not phonenumbers.is_possible_number(parsed) or not re.fullmatch(E164, normal):
            raise InvalidIdentifier(f"“{value[:40]}” is not a phone number.")
        return normal
    if kind == Identifier.Kind.EMAIL:
        try:
            return validate_email(value, check_deliverability=False).normalized.lower()
        except EmailNotValidError as error:
            raise InvalidIdentifier(f"“{value[:80]}” is not an email address.") from error
    if not value or len(value) > LONGEST:
        raise InvalidIdentifier("The identifier is empty or too long.")
    if kind == Identifier.Kind.EXTERNAL:
        system, colon, number = value.partition(":")
        value = f"{system.strip().lower()}{colon}{number.strip()}"
        if not re.fullmatch(EXTERNAL, value):
            raise InvalidIdentifier(f"“{value[:40]}” does not name its system, as in crm:10042.")
    return value


def resolve(claims: Sequence[IdentifierClaim], *, source: str, region: str = "GB") -> Customer:
    """The customer these identifiers belong to, made when there is none.

    Verified and network-hint identifiers find a record and are kept on it; claimed ones are noted on
    the record found and make a match candidate when they are proven for somebody else. Unusable values
    are left out; without any usable one the customer is new and anonymous.

    Must run in a transaction. Takes transaction-level advisory locks on the hashes of all
    identifiers, in sorted order, so that simultaneous first contacts wait for each other; then the customer's.
    """
    usable = _usable(claims, region)
    _lock(usable)
    proven = [claim for claim in usable if claim.assurance in PROVEN]
    found = _owner(proven)
    customer = records.lock_root(found) if found else Customer.objects.create()
    for claim in usable:
        remember(customer, claim, source=source)
    return customer


def remember(customer: Customer, claim: IdentifierClaim, *, source: str) -> Identifier:
    """Keeps a normalised identifier on the record, raising its assurance when this one is better.

    An identifier that is proven for another record stays with that one; here it is kept as claimed,
    and people see a match candidate. Must run in a transaction that holds the customer's lock.
    """
    others = (
        Identifier.objects.filter(kind=claim.kind, value=claim.value, assurance__in=PROVEN)
        .exclude(customer=customer)
        .select_related("customer")
    )
    other = others.first()
    assurance = "claimed" if other else claim.assurance
    # Records that were joined may each have brought the same identifier; the best one speaks for all.
    known = Identifier.objects.filter(customer=customer, kind=claim.kind, value=claim.value)
    identifier = max(known, key=lambda each: ASSURANCE_RANK[each.assurance], default=None) or Identifier.objects.create(
        customer=customer,
        original_customer=customer,
        kind=claim.kind,
        value=claim.value,
        assurance=assurance,
        shown_as=claim.assurance,
        source=source,
    )
    changes: dict[str, Any] = {"last_seen_at": Now()}
    if ASSURANCE_RANK[claim.assurance] > ASSURANCE_RANK[identifier.shown_as]:
        changes["shown_as"] = claim.assurance
    if ASSURANCE_RANK[assurance] > ASSURANCE_RANK[identifier.assurance]:
        changes |= {"assurance": assurance, "source": source}
    Identifier.objects.filter(pk=identifier.pk).update(**changes)
    if other:
        note_candidate(customer, other.customer, score=0.6, evidence={"same": claim.kind, "value": claim.value, "said_as": claim.assurance})
    return identifier


def note_candidate(customer: Customer, other: Customer, *, score: float, evidence: Mapping[str, Any]) -> None:
    """Shows people that two records may be one person; further evidence is added until they have settled it.

    Joins nothing. Must run in a transaction; locks the candidate when there is one.
    """
    pair = Q(customer=customer, other=other) | Q(customer=other, other=customer)
    known = MatchCandidate.objects.select_for_update(no_key=True).filter(pair).first()
    if known is None:
        MatchCandidate.objects.get_or_create(customer=customer, other=other, defaults={"score": score, "evidence": dict(evidence)})
    elif known.state == MatchCandidate.State.OPEN:
        MatchCandidate.objects.filter(pk=known.pk).update(score=max(score, known.score), evidence={**known.evidence, **evidence})


def claim(customer: Customer, kind: str, value: str, *, source: str, region: str = "GB") -> Identifier:
    """Notes what a party typed or said about itself; it proves nothing. Raises InvalidIdentifier.

    Must run in a transaction that holds the customer's lock.
    """
    normal = normalise(kind, value, region)
    return remember(customer, IdentifierClaim(kind, normal, "claimed"), source=source)


def _usable(claims: Iterable[IdentifierClaim], region: str) -> list[IdentifierClaim]:
    usable = []
    for each in claims:
        try:
            usable.append(IdentifierClaim(each.kind, normalise(each.kind, each.value, region), each.assurance))
        except InvalidIdentifier:
            continue
    return usable


def _lock(claims: Iterable[IdentifierClaim]) -> None:
    digests = (hashlib.sha256(f"{each.kind}:{each.value}".encode()).digest() for each in claims)
    keys = sorted({int.from_bytes(digest[:8], "big", signed=True) for digest in digests})
    if keys:
        with connection.cursor() as cursor:
            # One statement, so that the locks are taken in the order of the array.
            cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", [keys])


def _owner(proven: Sequence[IdentifierClaim]) -> Customer | None:
    strongest_first = sorted(proven, key=lambda each: (each.assurance != "verified", each.kind == "visitor"))
    for each in strongest_first:
        found = Identifier.objects.filter(kind=each.kind, value=each.value, assurance__in=PROVEN).select_related("customer").first()
        if found:
            return found.customer
    return None
