"""What a customer's consents say now: which no stands, which yes counts, and the row that says so.

A yes or a no covers an act when its scope does: the same purpose, and whatever of way and number it names is the act's. A no
that covers an act stands until a newer yes names at least as much as the no did; a yes for everything lifts no no that was
said of one number, and a yes for one number lifts a no for everything for that number alone. When records are joined, the
strictest counts: a yes lifts a no of another record only when it was given after the two were joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.db.models.functions import Coalesce, Now

from conversations.models import Consent, ContactPreference, Customer, CustomerLink, Suppression
from conversations.models.consent import Purpose, Way
from conversations.models.identifier import Assurance
from conversations.models.keyed_hash import keyed_hash

DEFAULTS: Mapping[str, bool] = {
    Purpose.CONTACT: True,
    Purpose.OUTBOUND_CALL: False,
    Purpose.SMS: False,
    Purpose.MARKETING: False,
    Purpose.RECORDING: False,
}
"""Whether we may when nothing was ever said. For recordings the entry point decides; see `services.consent.may_we`."""

PURPOSE_OF_WAY: Mapping[str, str] = {Way.CALL: Purpose.OUTBOUND_CALL, Way.TEXT: Purpose.SMS}


@dataclass(frozen=True, slots=True)
class Act:
    """Something we might do: for which purpose, which way, to which number or address, on which line."""

    purpose: str
    way: str = ""
    kind: str = ""
    value: str = ""
    interaction_id: int | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """A customer's consents at one moment, newest first, and how their records were joined: record to (into, when)."""

    rows: tuple[Consent, ...]
    at: datetime
    links: Mapping[int, tuple[int, datetime]]

    def standing_no(self, act: Act, *, requests: bool = True) -> Consent | None:
        """The newest no that covers the act and that no later yes has lifted; without `requests`, a request lifts nothing."""
        covering = [row for row in self.rows if covers(row, act)]
        yeses = [row for row in covering if self._counts(row) and (requests or not row.asked_for)]
        return next((no for no in covering if no.decision != Consent.Decision.GIVEN and not self._is_lifted(no, yeses)), None)

    def standing_contact_no(self, act: Act, *, requests: bool = True) -> Consent | None:
        """The newest wish not to be contacted at all that stands; with `requests`, what the customer asked for since is let through."""
        general = Act(Purpose.CONTACT, kind=act.kind, value=act.value)
        yeses = [row for row in self.rows if self._counts(row) and (covers(row, general) or (requests and _is_request_for(row, act)))]
        nos = [row for row in self.rows if row.decision != Consent.Decision.GIVEN and covers(row, general)]
        return next((no for no in nos if not self._is_lifted(no, yeses)), None)

    def yes(self, act: Act, *, requests: bool = True) -> Consent | None:
        """The newest yes that covers the act and has not ended; without `requests`, one that is more than a request."""
        covering = (row for row in self.rows if self._counts(row) and covers(row, act))
        return next((row for row in covering if requests or not row.asked_for), None)

    def yes_on_its_line(self, act: Act) -> Consent | None:
        """The newest yes for the act's purpose that was given on the act's own line."""
        said_there = (row for row in self.rows if row.interaction_id is not None and row.interaction_id == act.interaction_id)
        return next((row for row in said_there if self._counts(row) and covers(row, act)), None)

    def ended_yes(self, act: Act) -> Consent | None:
        """The newest yes that covered the act and has ended."""
        return next((row for row in self.rows if row.decision == Consent.Decision.GIVEN and covers(row, act)), None)

    def request_since(self, act: Act, since: datetime) -> Consent | None:
        """The newest request for exactly this, from somebody who had shown that the number is theirs, later than `since`."""
        requests = (row for row in self.rows if self._counts(row) and _is_request_for(row, act) and _is_shown(row))
        return next((row for row in requests if row.at > since), None)

    def _counts(self, row: Consent) -> bool:
        return row.decision == Consent.Decision.GIVEN and (row.expires_at is None or row.expires_at > self.at)

    def _is_lifted(self, no: Consent, yeses: Iterable[Consent]) -> bool:
        return any(
            (yes.at, yes.pk) > (no.at, no.pk) and names_as_much(yes, no) and _is_shown(yes) and self._said_together(yes, no)
            for yes in yeses
        )

    def _said_together(self, yes: Consent, no: Consent) -> bool:
        """Whether the yes was given on the record of the no, or after the two records were joined."""
        between = self._links_above(yes.original_customer_id) ^ self._links_above(no.original_customer_id)
        return all(yes.at > self.links[joined][1] for joined in between)

    def _links_above(self, record: int) -> set[int]:
        """The records, this one first, whose links lead from it to the record that it counts for."""
        found: set[int] = set()
        while record in self.links and record not in found:
            found.add(record)
            record = self.links[record][0]
        return found


@dataclass(frozen=True, slots=True)
class CurrentAnswer:
    """What holds for one scope: the row that says so, and whether it is a yes that counts."""

    consent: Consent
    holds: bool


@dataclass(frozen=True, slots=True)
class PurposeAnswers:
    """One purpose with the answers that hold, one a scope, newest first; `default` when there is none."""

    purpose: str
    label: str
    answers: tuple[CurrentAnswer, ...]
    default: bool


def ledger_of(customer: Customer, at: datetime | None = None) -> Ledger:
    """All that the record and those joined into it have said up to `at`, by default now; three statements at most."""
    root, now = Customer.objects.values_list(Coalesce("root_id", "pk"), Now()).get(pk=customer.pk)
    rows = Consent.objects.filter(customer_id=root, at__lte=at or now).order_by("-at", "-pk")
    found = tuple(rows)
    links: dict[int, tuple[int, datetime]] = {}
    if len({row.original_customer_id for row in found}) > 1:
        # The links of the whole tree: what leads from a record to the root are links between its own records.
        active = CustomerLink.objects.filter(active=True, joined__root_id=root)
        links = {joined: (into, made_at) for joined, into, made_at in active.values_list("joined_id", "into_id", "made_at")}
    return Ledger(found, at or now, links)


def answers_of(customer: Customer) -> list[PurposeAnswers]:
    """Every purpose with what holds for each scope that was ever spoken of, each row with its record; a bounded number of statements."""
    ledger = ledger_of(customer)
    prefetch_related_objects(ledger.rows, "original_customer")
    return [
        PurposeAnswers(str(purpose), str(purpose.label), _answers_for(ledger, str(purpose)), DEFAULTS[purpose]) for purpose in Purpose
    ]


def _answers_for(ledger: Ledger, purpose: str) -> tuple[CurrentAnswer, ...]:
    newest: dict[tuple[str, str, str], Consent] = {}
    for row in ledger.rows:
        if row.purpose == purpose:
            newest.setdefault((row.way, row.kind, row.value), row)
    found = []
    for (way, kind, value), row in newest.items():
        no = ledger.standing_no(Act(purpose, way, kind, value))
        same = no is not None and (no.way, no.kind, no.value) == (way, kind, value)
        found.append(CurrentAnswer(no if no and same else row, no is None and _yes_holds(ledger, row)))
    return tuple(found)


def _yes_holds(ledger: Ledger, row: Consent) -> bool:
    """Whether a row is a yes that has not ended, and no wish to be left alone stands above it. Recording a call is no contact."""
    act = Act(row.purpose, row.way, row.kind, row.value)
    if row.decision != Consent.Decision.GIVEN or ledger.yes(act) is None:
        return False
    return row.purpose in (Purpose.CONTACT, Purpose.RECORDING) or ledger.standing_contact_no(act) is None


def preference_of(customer: Customer) -> ContactPreference | None:
    """How the customer likes to be reached: the last that any of the joined records said."""
    return ContactPreference.objects.filter(customer=customer.root_id or customer.pk).order_by("-updated_at", "-pk").first()


def value_hash(kind: str, value: str) -> str:
    """The keyed hash under which a value in normal form is kept on the do-not-contact list."""
    return keyed_hash(kind, value, key=settings.SUPPRESSION_KEY)


def suppression_of(kind: str, value: str, at: datetime | None = None) -> Suppression | None:
    """The row that keeps a value on the do-not-contact list at a moment, by default now."""
    rows = Suppression.objects.filter(kind=kind, value_hash=value_hash(kind, value))
    if at is None:
        return rows.filter(lifted_at__isnull=True).first()
    return (rows.filter(added_at__lte=at).exclude(lifted_at__lte=at)).first()


def covers(row: Consent, act: Act) -> bool:
    """Whether a row speaks of the act. What was said on a line about recording covers that line, whatever else it names."""
    if row.purpose != act.purpose:
        return False
    if act.interaction_id is not None and row.interaction_id == act.interaction_id:
        return True
    return row.way in ("", act.way) and (row.value == "" or (row.kind, row.value) == (act.kind, act.value))


def names_as_much(yes: Consent, no: Consent) -> bool:
    """Whether the yes is as narrow as the no, or narrower."""
    return no.way in ("", yes.way) and (no.value == "" or (no.kind, no.value) == (yes.kind, yes.value))


def _is_request_for(row: Consent, act: Act) -> bool:
    return row.asked_for and row.purpose == act.purpose and (row.kind, row.value) == (act.kind, act.value)


def _is_shown(yes: Consent) -> bool:
    """A request typed in with somebody else's number asks for something, but takes nobody's no back."""
    return not yes.asked_for or yes.assurance != Assurance.CLAIMED
