"""Importing customers from a file: first what it would do, row by row, then doing exactly that.

The importing system's own id is verified, since the system gave it, and it alone decides whom a row is about: two ids of a system
are two customers, whatever they share. What else a file says of how to reach somebody is claimed, unless the system has verified
it. Then a row whose id is new here is about whom such an address or number is proven for, if neither another id of that system
nor the name nor the date of birth says otherwise. An import joins nothing: where a row's identifiers belong to different
customers, they stay with whom they were, and people see match candidates. It is done in batches, each in a transaction of its
own. An import that was stopped is repeated: what is done already changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from conversations.likeness import names
from conversations.models import Customer, Identifier, SharedIdentifier
from conversations.models.identifier import ASSURANCE_RANK, PROVEN, Assurance
from conversations.services import erasure, identity, records, sharing
from conversations.services.import_files import SourceRow
from conversations.services.import_rows import Options, Problem, Row, parse
from conversations.services.parties import IdentifierClaim
from routing.rules.schema import declared_values

BATCH: Final = 200
"""Rows to a transaction: an import holds up a customer who writes meanwhile no longer than that takes."""
CREATED, LINKED, UNCHANGED, REFUSED = "created", "linked", "unchanged", "refused"
UNSAID: Final[Mapping[str, Any]] = {"language": "en", "tier": "standard"}
"""What a new record has where nobody has said anything."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a row does: creates a customer, links to one and changes it, changes nothing, or is refused.

    `customer` is whom it is about, once there is a record; `calls_by` what that customer is called; `by` the identifier that
    linked the row, with the assurance that it has for that customer. `changes` are sentences. `conflicts` are where the file and
    the record differ, or where an identifier is somebody else's; `problems` are cells that cannot be used.
    """

    line: int
    action: str
    customer: int | None
    calls_by: str
    by: str
    changes: tuple[str, ...]
    conflicts: tuple[Problem, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True, eq=False)
class _Record:
    """A customer as it is known while a batch is planned; `made_on` is the line that makes it, for a new one."""

    customer: int | None
    made_on: int | None
    fields: dict[str, Any]
    attributes: dict[str, Any]
    known: dict[Key, tuple[str, str]] = field(default_factory=dict)
    new_fields: dict[str, Any] = field(default_factory=dict)
    claims: list[IdentifierClaim] = field(default_factory=list)

    @property
    def calls_by(self) -> str:
        reachable = next((value for kind, value in sorted(self.known, reverse=True) if kind in ("phone", "email")), "")
        of_line = _("the customer of line %(line)d") % {"line": self.made_on} if self.made_on else ""
        return str(self.fields.get("name") or reachable or of_line or _("Customer %(number)s") % {"number": self.customer})


class _Known:
    """What the record knows of the identifiers of some rows: whose each one is, and those customers."""

    def __init__(self) -> None:
        self.records: dict[int, _Record] = {}
        self.proven: dict[Key, _Record] = {}
        self.seen: set[Key] = set()
        self.shared: dict[Key, str] = {}
        self.erased: set[Key] = set()

    def load(self, rows: Sequence[Row]) -> None:
        """Reads what is not known yet; five statements."""
        keys = {(claim.kind, claim.value) for row in rows for claim in row.every_claim} - self.seen
        found = list(Identifier.objects.filter(_among(keys)))
        self.seen |= {(each.kind, each.value) for each in found}
        shared = SharedIdentifier.objects.filter(_among(keys), allowed_by="")
        self.shared |= {(each.kind, each.value): each.shown_as for each in shared}
        self.erased |= erasure.erased_among(keys)
        owners = {each.customer_id for each in found if each.assurance in PROVEN} - set(self.records)
        for customer in Customer.objects.filter(pk__in=owners):
            fields = {name: getattr(customer, name) for name in (*UNSAID, *OTHER_FIELDS)}
            self.records[customer.pk] = _Record(customer.pk, None, fields, dict(customer.attributes))
        for each in Identifier.objects.filter(customer__in=owners):
            kept = self.records[each.customer_id].known
            before = kept.get((each.kind, each.value), ("", ""))
            kept[each.kind, each.value] = (_better(before[0], each.assurance), _better(before[1], each.shown_as))
        for each in found:
            if each.assurance in PROVEN:
                self.proven[each.kind, each.value] = self.records[each.customer_id]

    def holder_of(self, claim: IdentifierClaim) -> _Record | None:
        """Whom an identifier is proven for; nobody when so many share it."""
        return self.proven.get((claim.kind, claim.value)) if self.identifies(claim) else None

    def identifies(self, claim: IdentifierClaim) -> bool:
        """Whether the value says who its bearer is: not when so many share it."""
        return not sharing.covers(self.shared.get((claim.kind, claim.value)), claim)

    def owners(self, rows: Sequence[Row]) -> set[int]:
        """The customers that any identifier of the rows is proven for."""
        keys = ((claim.kind, claim.value) for row in rows for claim in row.every_claim)
        return {record.customer for key in keys if (record := self.proven.get(key)) and record.customer}


OTHER_FIELDS: Final = ("name", "date_of_birth", "address", "postcode", "time_zone", "open_balance")


def preview(source: Iterable[SourceRow], options: Options) -> Iterator[Outcome]:
    """What an import would do, row by row. Writes and locks nothing, and remembers the whole file's customers."""
    known = _Known()
    for batch in _batches(source, options):
        known.load(batch)
        yield from (_plan(row, known, options)[0] for row in batch)


def run(source: Iterable[SourceRow], options: Options) -> Iterator[Outcome]:
    """Imports, and says what each row did once it is committed. Each batch is one transaction.

    Locks the identifiers of a batch, then the customers that they are proven for by rising id.
    """
    for batch in _batches(source, options):
        with transaction.atomic():
            outcomes = _import(batch, options)
        yield from outcomes


def _batches(source: Iterable[SourceRow], options: Options) -> Iterator[list[Row]]:
    declared = {name: declared_values(name) for name in ("tier", "language")}
    rows = (parse(each, options, declared) for each in source)
    while batch := list(islice(rows, BATCH)):
        yield batch


def _import(batch: list[Row], options: Options) -> list[Outcome]:
    identity.lock([claim for row in batch for claim in row.every_claim])
    known = _Known()
    known.load(batch)
    locked: set[int] = set()
    # A join that was committed while a lock was waited for has moved identifiers to a record that is not locked yet.
    while missing := known.owners(batch) - locked:
        locked |= {each.pk for each in records.lock_roots(*Customer.objects.filter(pk__in=missing))}
        known = _Known()
        known.load(batch)
    fresh = {(claim.kind, claim.value) for row in batch for claim in row.every_claim} - known.seen
    planned = [_plan(row, known, options) for row in batch]
    touched = list({id(record): record for _outcome, record in planned if record}.values())
    _write([record for record in touched if record.new_fields or record.claims or record.customer is None], fresh, options)
    return [outcome if record is None else _with_customer(outcome, record) for outcome, record in planned]


def _plan(row: Row, known: _Known, options: Options) -> tuple[Outcome, _Record | None]:
    """What a row does to the record it is about, noted on that record so that later rows see it."""
    if not row.claims:
        return Outcome(row.line, REFUSED, None, "", "", (), (), row.problems), None
    claims = _set_apart(row, known)
    record, by = _whom(row, claims, known)
    is_new = record is None
    if is_new and (erased := [claim for claim in claims if (claim.kind, claim.value) in known.erased]):
        return Outcome(row.line, REFUSED, None, "", "", (), (), (*row.problems, _was_erased(row, erased[0]))), None
    if record is None:
        record = _Record(None, row.line, dict(UNSAID), {})
    calls_by = record.calls_by
    changes, conflicts = _fields(row, record, options, is_new=is_new)
    if is_new and claims != row.claims and not known.holder_of(claims[1]):
        conflicts.append(_stands_for_another(row, known))
    for claim in claims:
        key = (claim.kind, claim.value)
        best = _better(*record.known.get(key, ("", "")))
        if best and ASSURANCE_RANK[best] >= ASSURANCE_RANK[claim.assurance]:
            continue
        is_anothers = known.proven.get(key, record) is not record
        if is_anothers and known.identifies(claim):
            conflicts.append(_belongs_to_another(row, claim, known.proven[key]))
        is_held = claim.assurance in PROVEN and not is_anothers and known.identifies(claim)
        if is_held:
            known.proven[key] = record
        held = claim.assurance if is_held else str(Assurance.CLAIMED)
        record.known[key] = (held, claim.assurance)
        record.claims.append(claim)
        changes.append(_("%(kind)s %(value)s") % {"kind": Identifier.Kind(claim.kind).label, "value": claim.value})
    action = CREATED if is_new else LINKED if changes else UNCHANGED
    return Outcome(
        row.line, action, record.customer, record.calls_by if is_new else calls_by, by, tuple(changes), tuple(conflicts), row.problems
    ), record


def _set_apart(row: Row, known: _Known) -> tuple[IdentifierClaim, ...]:
    """The identifiers of a row; with an id of its own where its address or number stands for somebody whom it is not about."""
    holder = known.holder_of(row.claims[0]) if row.apart else None
    is_anothers = holder is not None and _contradicts(row, holder)
    if row.apart and (is_anothers or (holder is None and known.holder_of(row.apart))):
        return (row.apart, *row.claims[1:])
    return row.claims


def _whom(row: Row, claims: Sequence[IdentifierClaim], known: _Known) -> tuple[_Record | None, str]:
    """The customer whom a row is about, and by which identifier: the system's own id, or else one that is verified here and there."""
    for claim in claims:
        record = known.holder_of(claim)
        if record is None or claim.assurance != Assurance.VERIFIED:
            continue
        if claim.kind == Identifier.Kind.EXTERNAL or not (_has_another_id(record, row) or _contradicts(row, record)):
            held = Assurance(record.known.get((claim.kind, claim.value), (claim.assurance, ""))[0]).label
            return record, f"{Identifier.Kind(claim.kind).label} {claim.value} ({held})"
    return None, ""


def _has_another_id(record: _Record, row: Row) -> bool:
    """Whether the system gave a customer another id than it gives the row; not where the row's own address stood for one."""
    if row.apart or row.claims[0].kind != Identifier.Kind.EXTERNAL:
        return False
    system = row.claims[0].value.partition(":")[0]
    stood_in = {f"{system}:{claim.value}" for claim in row.claims[1:]}
    ids = {value for kind, value in record.known if kind == Identifier.Kind.EXTERNAL and value.startswith(f"{system}:")}
    return bool(ids - stood_in)


def _contradicts(row: Row, record: _Record) -> bool:
    """Whether the name or the date of birth says that the row is about somebody else."""
    born, known_born = row.fields.get("date_of_birth"), record.fields.get("date_of_birth")
    if born and known_born and born != known_born:
        return True
    return not names.may_be_ones(row.fields.get("name", ""), record.fields.get("name") or "")


def _fields(row: Row, record: _Record, options: Options, *, is_new: bool) -> tuple[list[str], list[Problem]]:
    """Fills what is empty; where the two differ, the option says which one is kept."""
    changes: list[str] = []
    conflicts: list[Problem] = []
    told = [(name, name, value, record.fields) for name, value in row.fields.items()]
    told += [(f"attributes.{name}", name, value, record.attributes) for name, value in row.attributes.items()]
    for column, name, theirs, kept in told:
        ours = kept.get(name)
        if ours == theirs or (isinstance(ours, str) and isinstance(theirs, str) and ours.casefold() == theirs.casefold()):
            continue
        if not is_new and ours not in (None, "", 0) and not options.take_theirs:
            sentence = _("The file says “%(theirs)s”, the record says “%(ours)s”. The record is kept.")
            conflicts.append(Problem(row.line, column, sentence % {"theirs": theirs, "ours": ours}))
            continue
        kept[name] = theirs
        record.new_fields["attributes" if kept is record.attributes else name] = record.attributes if kept is record.attributes else theirs
        changes.append(f"{column}: {ours} → {theirs}" if ours and not is_new else f"{column}: {theirs}")
    return changes, conflicts


def _belongs_to_another(row: Row, claim: IdentifierClaim, owner: _Record) -> Problem:
    sentence = _("%(value)s belongs to %(who)s. It is noted as claimed, and the two are shown as possibly one person.")
    if owner.calls_by == claim.value:
        sentence = _("%(value)s belongs to another customer. It is noted as claimed, and the two are shown as possibly one person.")
    return Problem(row.line, _column(claim), sentence % {"value": claim.value, "who": owner.calls_by})


def _stands_for_another(row: Row, known: _Known) -> Problem:
    claim, holder = row.claims[1], known.holder_of(row.claims[0])
    sentence = _("%(value)s stands for %(who)s, whose name or date of birth is another one. The row is a customer of its own.")
    return Problem(row.line, _column(claim), sentence % {"value": claim.value, "who": holder.calls_by if holder else claim.value})


def _was_erased(row: Row, claim: IdentifierClaim) -> Problem:
    sentence = _("%(value)s belonged to somebody who was erased. Leave the row out, or wait until they are in touch again.")
    return Problem(row.line, _column(claim), sentence % {"value": claim.value})


def _column(claim: IdentifierClaim) -> str:
    return "external_id" if claim.kind == Identifier.Kind.EXTERNAL else claim.kind


def _write(touched: Sequence[_Record], fresh: set[Key], options: Options) -> None:
    """Writes what was planned. Identifiers that nobody has yet go in together, the others one by one with all that belongs to it."""
    new = [record for record in touched if record.customer is None]
    made = Customer.objects.bulk_create([Customer(**record.new_fields) for record in new])
    for record, created in zip(new, made, strict=True):
        record.customer = created.pk
    customers = {record: Customer(pk=record.customer) for record in touched}
    for record in set(touched) - set(new):
        if record.new_fields:
            Customer.objects.filter(pk=customers[record].pk).update(**record.new_fields)
    claims = [(customers[record], claim) for record in touched for claim in record.claims]
    times = Counter((claim.kind, claim.value) for _customer, claim in claims)
    alone = {key for key in fresh if times[key] == 1}
    source = options.source[:80]
    Identifier.objects.bulk_create(
        Identifier(
            customer=customer,
            original_customer=customer,
            kind=claim.kind,
            value=claim.value,
            assurance=claim.assurance,
            shown_as=claim.assurance,
            source=source,
        )
        for customer, claim in claims
        if (claim.kind, claim.value) in alone
    )
    for customer, claim in claims:
        if (claim.kind, claim.value) not in alone:
            identity.remember(customer, claim, source=source)


def _among(keys: set[Key]) -> Q:
    """The condition that kind and value are among these, for an index on both."""
    wanted = Q(pk__in=[])
    for kind in {kind for kind, _value in keys}:
        wanted |= Q(kind=kind, value__in=[value for each, value in keys if each == kind])
    return wanted


def _with_customer(outcome: Outcome, record: _Record) -> Outcome:
    return Outcome(
        outcome.line, outcome.action, record.customer, outcome.calls_by, outcome.by, outcome.changes, outcome.conflicts, outcome.problems
    )


def _better(one: str, other: str) -> str:
    return max(one, other, key=lambda level: ASSURANCE_RANK.get(level, -1))
