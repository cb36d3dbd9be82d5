"""From identifiers to one customer, however many first contacts arrive at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import phonenumbers
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from email_validator import EmailNotValidError, validate_email

from conversations.models import Customer, Identifier, MatchCandidate
from conversations.models.identifier import ASSURANCE_RANK, E164, EXTERNAL, PROVEN, PUT_RIGHT
from conversations.services import records, sharing
from conversations.services.parties import IdentifierClaim

if TYPE_CHECKING:
    from conversations.services.finding import Facts, Found

LONGEST = 320
SAME_VALUE_SCORE = 0.6
MOST_CLAIMANTS = 3
"""With so many records a newly proven value makes a pair: what anybody may claim must not bury people in pairs."""


class InvalidIdentifier(ValueError):
    """The value is not a usable identifier of its kind."""


def normalise(kind: str, value: str, region: str = "") -> str:
    """The normal form of an identifier: phone as E.164, email in lower case, another system's id as `system:id`.

    `region` is the country (ISO 3166) of numbers written without a country code; without it only numbers with one are
    understood. The part of an address before the @ is lowered, too:
    no provider tells two people apart by its capitals. Raises InvalidIdentifier.
    """
    value = value.replace("\x00", "").strip()
    if kind == Identifier.Kind.PHONE:
        try:
            parsed = phonenumbers.parse(value, region or None)
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


def resolve(claims: Sequence[IdentifierClaim], *, source: str, region: str = "") -> Customer:
    """The customer these identifiers belong to, made when there is none.

    Verified and network-hint identifiers find a record and are kept on it, unless so many share them that they say nothing
    (`sharing`); claimed ones are noted on the record found and make a match candidate when they are proven for somebody
    else. Unusable values are left out; without any usable one, as with a withheld number, the customer is new and anonymous.

    Must run in a transaction. Takes transaction-level advisory locks on the hashes of all identifiers, in sorted order, so
    that simultaneous first contacts wait for each other; then the customer's. A returning party costs three statements.
    """
    usable = _usable(claims, region)
    if not usable:
        return Customer.objects.create()
    lock(usable)
    known = _known(usable)
    customer = _owner(usable, known) or Customer.objects.create()
    seen = [row for row in known if row.customer_id == customer.pk]
    Identifier.objects.filter(pk__in=[row.pk for row in seen]).update(last_seen_at=Now())
    for claim in usable:
        if not any(_is_kept_by(row, claim) for row in seen):
            remember(customer, claim, source=source)
    return customer


def lock(claims: Iterable[IdentifierClaim]) -> None:
    """Takes the advisory locks of identifiers in normal form, in sorted order, until the transaction ends."""
    digests = (hashlib.sha256(f"{each.kind}:{each.value}".encode()).digest() for each in claims)
    keys = sorted({int.from_bytes(digest[:8], "big", signed=True) for digest in digests})
    if keys:
        with connection.cursor() as cursor:
            # One statement, so that the locks are taken in the order of the array.
            cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", [keys])


def holder_of(claim: IdentifierClaim) -> Customer | None:
    """The record for which an identifier (in normal form) is verified or known from the network; None when it is nobody's."""
    held = Identifier.objects.filter(kind=claim.kind, value=claim.value, assurance__in=PROVEN).select_related("customer").first()
    return held.customer if held else None


def remember(customer: Customer, claim: IdentifierClaim, *, source: str) -> Identifier:
    """Keeps a normalised identifier on the record, raising its assurance when this one is better.

    An identifier that is proven for another record stays with that one; here it is kept as claimed, and people see a match
    candidate unless the value is shared by many. They see the same when it is proven here and others had claimed it before: the
    last `MOST_CLAIMANTS` of them. Must run in a transaction that holds the customer's lock.
    """
    other = Identifier.objects.filter(kind=claim.kind, value=claim.value, assurance__in=PROVEN).exclude(customer=customer).first()
    is_shared = sharing.is_shared(claim)
    assurance = "claimed" if other or is_shared else claim.assurance
    # Records that were joined may each have brought the same identifier; the best one speaks for all.
    known = Identifier.objects.filter(customer=customer, kind=claim.kind, value=claim.value)
    identifier = max(known, key=lambda each: ASSURANCE_RANK[each.assurance], default=None)
    was_proven = identifier is not None and identifier.assurance in PROVEN
    if identifier is None:
        identifier = Identifier.objects.create(
            customer=customer,
            original_customer=customer,
            kind=claim.kind,
            value=claim.value,
            assurance=assurance,
            shown_as=claim.assurance,
            source=source,
        )
        is_shared = sharing.count(claim) or is_shared
    changes: dict[str, Any] = {"last_seen_at": Now()}
    if ASSURANCE_RANK[claim.assurance] > ASSURANCE_RANK[identifier.shown_as]:
        changes["shown_as"] = claim.assurance
    if ASSURANCE_RANK[assurance] > ASSURANCE_RANK[identifier.assurance]:
        # What was put right stands for the record however it was shown since.
        changes |= {"assurance": assurance, "source": PUT_RIGHT if identifier.source == PUT_RIGHT else source}
    Identifier.objects.filter(pk=identifier.pk).update(**changes)
    if other and not is_shared:
        _note_same(customer, other.customer, claim, said_as=claim.assurance)
    elif assurance in PROVEN and not was_proven and claim.kind != Identifier.Kind.VISITOR:
        for claimant in _last_claimants(claim, customer):
            _note_same(claimant.customer, customer, claim, said_as=claimant.shown_as)
    return identifier


def _last_claimants(claim: IdentifierClaim, holder: Customer) -> list[Identifier]:
    """Where else a value is kept that is proven for `holder`: the records that showed it last, each once and only so many."""
    rows = Identifier.objects.filter(kind=claim.kind, value=claim.value).exclude(customer=holder).select_related("customer")
    last = {each.customer_id: each for each in rows.order_by("-last_seen_at", "-pk")[: 2 * MOST_CLAIMANTS]}
    return list(last.values())[:MOST_CLAIMANTS]


def _note_same(claimant: Customer, holder: Customer, claim: IdentifierClaim, *, said_as: str) -> None:
    evidence = {"same": claim.kind, "value": claim.value, "said_as": said_as}
    note_candidate(claimant, holder, score=SAME_VALUE_SCORE, evidence=evidence)


def introduce(customer: Customer, name: str, language: str) -> None:
    """Gives a record that has no name yet the one that somebody vouches for, and the language with it.

    Must run in a transaction that holds the customer's lock.
    """
    if name:
        Customer.objects.filter(pk=customer.pk, name="").update(name=name, **({"language": language} if language else {}))


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


def claim(customer: Customer, kind: str, value: str, *, source: str, region: str = "") -> Identifier:
    """Notes what a party typed or said about itself; it proves nothing. Raises InvalidIdentifier.

    Must run in a transaction that holds the customer's lock.
    """
    normal = normalise(kind, value, region)
    return remember(customer, IdentifierClaim(kind, normal, "claimed"), source=source)


def find(facts: Facts, *, language: str = "en", region: str = "") -> list[Found]:
    """The records that what was heard may be about, likeliest first; see `services.finding`. Reads only, and proves nothing."""
    from conversations.services import finding  # finding needs this module's normal forms

    return finding.find(facts, language=language, region=region)


def _usable(claims: Iterable[IdentifierClaim], region: str) -> list[IdentifierClaim]:
    usable = []
    for each in claims:
        try:
            usable.append(IdentifierClaim(each.kind, normalise(each.kind, each.value, region), each.assurance))
        except InvalidIdentifier:
            continue
    return usable


def _known(claims: Sequence[IdentifierClaim]) -> Sequence[Any]:
    """The proven identifiers with these values, each with its customer, locked, and up to where it is `shared`."""
    values = [Q(kind=each.kind, value=each.value) for each in claims if each.assurance in PROVEN]
    if not values:
        return []
    shown = Identifier.objects.filter(reduce(or_, values), assurance__in=PROVEN)
    rows = (
        shown.select_related("customer").annotate(shared=sharing.shared_up_to("kind", "value")).order_by("customer_id", "pk")
    )
    # One record that nobody holds is locked as it is read. Several are locked by `lock_roots` alone: whoever held some of them
    # and waited for others would take them out of their order.
    alone = rows.filter(~Exists(shown.exclude(customer=OuterRef("customer"))), customer__root=None)
    known = list(alone.select_for_update(no_key=True, of=("customer",), skip_locked=True))
    if len(known) == len(values):
        return known
    found = list(rows)
    if len(found) == len(known):
        return known
    records.lock_roots(*(row.customer for row in found))
    return list(rows.all())


def _owner(claims: Sequence[IdentifierClaim], known: Iterable[Any]) -> Customer | None:
    by_value = {(row.kind, row.value): row for row in known}
    proven = [each for each in claims if each.assurance in PROVEN]
    for each in sorted(proven, key=lambda one: (one.assurance != "verified", one.kind == "visitor")):
        row = by_value.get((each.kind, each.value))
        if row and not sharing.covers(row.shared, each):
            return None if each.kind == "visitor" and _may_be_anothers(row.customer, proven) else row.customer
    return None


def _may_be_anothers(customer: Customer, proven: Sequence[IdentifierClaim]) -> bool:
    """Whether a browser's record is a known person's while whoever sits there now has proven to be somebody not known yet."""
    is_person = any(each.assurance == "verified" and each.kind != "visitor" for each in proven)
    known = Identifier.objects.filter(customer=customer, assurance="verified").exclude(kind="visitor")
    return is_person and known.exists()


def _is_kept_by(row: Identifier, claim: IdentifierClaim) -> bool:
    """Whether a row keeps a claim already, as surely as it was shown now."""
    is_as_sure = min(ASSURANCE_RANK[row.assurance], ASSURANCE_RANK[row.shown_as]) >= ASSURANCE_RANK[claim.assurance]
    return (row.kind, row.value) == (claim.kind, claim.value) and is_as_sure
