"""May we? One place answers it, from what the customer has said; the same place keeps what they say.

A yes or a no is one row and is never changed. How rows make an answer is in `selectors.consent`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from conversations.models import Consent, ContactPreference, Customer, EntryPoint, Identifier, Interaction
from conversations.models.consent import Purpose
from conversations.models.identifier import PROVEN, Assurance
from conversations.selectors import access
from conversations.selectors.consent import DEFAULTS, PURPOSE_OF_WAY, Act, Ledger, ledger_of, suppression_of, value_hash
from conversations.services import consent_texts, delivery, records, timeline
from conversations.services.timeline import NewEntry

NOES = frozenset({"suppressed", "no_contact", "refused", "revoked", "not_recorded", "special"})

Address = tuple[str, str]
"""A kind of identifier and a value in normal form."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether we may; a word for programs, a sentence for staff, and the row that says so, when one does.

    Codes that allow: `given`, `asked_for`, `announced`, `nothing_against_it`. Codes that do not: `suppressed` (the
    do-not-contact list), `no_contact` (the customer wants none), `refused`, `revoked`, `ended`, `not_asked`, `not_recorded`, `special` (see
    `numbers.is_ordinary`).
    """

    allowed: bool
    code: str
    sentence: str
    because: Consent | None = None

    @property
    def is_no(self) -> bool:
        """Whether somebody has said no, or nobody calls such a number, and not merely nobody has said yes."""
        return self.code in NOES


class NotShown(ValueError):
    """The party has not shown that it may agree for this; the message says what would do, and nothing about the record."""


@dataclass(frozen=True, slots=True)
class Said:
    """Where a yes or a no comes from: who gave it, how, how sure that was, and who wrote it down.

    `interaction` is the line it was said on, `conversation_id` the history that tells of it when it was not on one.
    `source_id` makes a repetition write nothing.
    """

    given_by: str
    how: str
    recorded_by: str
    assurance: str
    interaction: Interaction | None = None
    conversation_id: int | None = None
    language: str = ""
    note: str = ""
    source_id: str | None = None


def may_we(
    customer: Customer,
    purpose: str,
    *,
    way: str = "",
    identifier: Address | None = None,
    interaction: Interaction | None = None,
    at: datetime | None = None,
    by_request: bool = True,
) -> Answer:
    """Whether we may do this, by what the customer and those joined into the record have said up to `at`, by default now.

    `way` is how offers would be sent, `identifier` where to, `interaction` the call that would be recorded. The
    do-not-contact list comes first, then a wish not to be contacted, then a no, then a yes; without any of them the purpose's
    default holds. A call back or a text message that the customer asked for, from a number they have shown to be theirs, is
    let through by the request itself until it ends, unless `by_request` says that it is not for what was asked for. Locks nothing:
    ask again at the moment of doing it.

    Raises ValueError when a recording is asked about without its call.
    """
    if purpose == Purpose.RECORDING:
        if interaction is None:
            raise ValueError("Whether a call may be recorded depends on the call.")
        return _may_record(customer, interaction, at)
    kind, value = identifier or ("", "")
    act = Act(purpose, way, kind, value)
    ledger = ledger_of(customer, at)
    no = _no_contact(ledger, act, at, by_request) or _standing_no(ledger, act, by_request)
    if no:
        return no
    if yes := ledger.yes(act, requests=by_request):
        return _yes(yes)
    if DEFAULTS[purpose]:
        return Answer(True, "nothing_against_it", _("They have nothing against it."))
    if (ended := ledger.ended_yes(act)) and (by_request or not ended.asked_for):
        return Answer(False, "ended", _("What they agreed to has ended."), ended)
    return Answer(False, "not_asked", _("They have not agreed to it yet."))


def record(
    customer: Customer,
    *,
    purpose: str,
    decision: str,
    said: Said,
    way: str = "",
    identifier: Address | None = None,
    wording: str = "",
    asked_for: bool = False,
    expires_at: Any = None,
) -> Consent:
    """Keeps one yes or no, and tells of it in the history for staff; a request is told by whoever notes what was asked for.

    `wording` are the words agreed to; `expires_at` is a moment or a database expression of one. The row belongs to the record
    that brought the number, else to the one the line began on, and counts for whatever that is joined into. One transaction;
    locks the customer, then the conversation.
    Raises IntegrityError for what no row may say, such as a yes without the words.
    """
    with transaction.atomic():
        root = records.lock_root(customer)
        if said.source_id and (known := Consent.objects.filter(source_id=said.source_id).first()):
            return known
        kind, value = identifier or ("", "")
        line = _fresh(said.interaction)
        row = Consent.objects.create(
            customer=root,
            original_customer_id=_record_of(root, kind, value, line),
            purpose=purpose,
            way=way,
            kind=kind,
            value=value,
            decision=decision,
            asked_for=asked_for,
            wording=wording,
            language=said.language or (line.entry_point.language if line else ""),
            interaction=line,
            entry_point=line.entry_point if line else None,
            given_by=said.given_by,
            assurance=said.assurance,
            how=said.how,
            recorded_by=said.recorded_by[:200],
            note=timeline.storable(said.note),
            source_id=said.source_id,
            expires_at=expires_at,
        )
        row.refresh_from_db()
        conversation_id = line.conversation_id if line else said.conversation_id
        if conversation_id and not asked_for:
            _tell(row, conversation_id)
        if purpose == Purpose.RECORDING and decision != Consent.Decision.GIVEN:
            _look_after_recordings(root)
    return row


def revoke(customer: Customer, purpose: str, *, said: Said, way: str = "", identifier: Address | None = None) -> Consent:
    """Takes a yes back, or forbids what was never agreed to; see `record`."""
    return record(customer, purpose=purpose, decision=Consent.Decision.REVOKED, said=said, way=way, identifier=identifier)


def keep_request(
    interaction: Interaction,
    purpose: str,
    number: str,
    *,
    wording: str,
    lasts: timedelta,
    recorded_by: str,
    given_by: str = Consent.GivenBy.CUSTOMER,
    source_id: str | None = None,
) -> Consent:
    """Keeps that the party of a line asked to be called back, or to be sent a text message, on a number; good for so long.

    `wording` is what the party was shown or told about it, without the number: that stands in the row, and an erasure takes it
    out there. `given_by` says whether they said so here, or somebody of ours notes it for them. `source_id` makes a repetition write
    nothing. Locks the customer. Raises ValueError without a wording.
    """
    if not wording.strip():
        raise ValueError("A request keeps the words that the customer was shown or told.")
    line = _fresh(interaction)
    customer = line.conversation.customer
    said = Said(
        given_by=given_by,
        how=how_on(line),
        recorded_by=recorded_by,
        assurance=assurance_for(line, ("phone", number)),
        interaction=line,
        source_id=source_id,
    )
    return record(
        customer,
        purpose=purpose,
        decision=Consent.Decision.GIVEN,
        said=said,
        identifier=("phone", number),
        wording=wording,
        asked_for=True,
        expires_at=Now() + lasts,
    )


def ask_for(interaction: Interaction, purpose: str, number: str, *, wording: str, lasts: timedelta, recorded_by: str) -> Answer:
    """Keeps that the party of a line asked for a call or a text message now, and says whether that lets it through.

    A number on the do-not-contact list is not rung or written to because somebody else typed it. Locks the customer.
    """
    kept = keep_request(interaction, purpose, number, wording=wording, lasts=lasts, recorded_by=recorded_by)
    return may_we(kept.customer, purpose, identifier=("phone", number))


def prefer(customer: Customer, *, way: str, times: str, language: str, updated_by: str) -> ContactPreference:
    """Keeps how the customer likes to be reached, in place of what was kept before. Locks the customer."""
    with transaction.atomic():
        root = records.lock_root(customer)
        changes = {"way": way, "times": timeline.storable(times), "language": language, "updated_by": updated_by[:200], "updated_at": Now()}
        row, _created = ContactPreference.objects.update_or_create(
            original_customer=root, defaults=changes, create_defaults={**changes, "customer": root}
        )
    return row


def erase_of(customer: Customer) -> int:
    """Replaces the numbers and addresses in a customer's consents by their keyed hashes and drops the notes; says how many.

    So does what a repetition would be known by, which may hold the number.
    What was agreed to, when and how has to be kept for years and stays; so does the do-not-contact list. Locks the customer.
    """
    with transaction.atomic():
        root = records.lock_root(customer)
        rows = list(Consent.objects.filter(customer=root, erased_at__isnull=True))
        for row in rows:
            hashed = value_hash(row.kind, row.value) if row.value else ""
            Consent.objects.filter(pk=row.pk).update(value=hashed, note="", source_id=None, erased_at=Now())
    return len(rows)


def how_on(line: Interaction) -> str:
    """How something is said on a line."""
    return Consent.How.SAID if line.channel == "voice" else Consent.How.TYPED


def assurance_for(line: Interaction, identifier: Address | None = None) -> str:
    """How sure it is that what the party of a line says about a number, or about the whole record, is the customer's to say.

    Proof of being the customer reaches the numbers that the record has itself shown; a number shows itself on its own call.
    """
    proven = access.is_the_customer(line)
    if identifier is None:
        return Assurance.VERIFIED if proven else access.assurance_of(line)
    if proven and _owns(line.conversation.customer_id, identifier):
        return Assurance.VERIFIED
    return Assurance.NETWORK_HINT if own_number(line) == identifier and _was_shown(line) else Assurance.CLAIMED


def own_number(line: Interaction) -> Address | None:
    """The number that a call or text messages came from; None for a chat and for a withheld number."""
    return ("phone", line.party) if line.channel in ("voice", "sms") and line.party.startswith("+") else None


def _was_shown(line: Interaction) -> bool:
    return line.assurance != Assurance.CLAIMED


def _owns(customer_id: int, identifier: Address) -> bool:
    kind, value = identifier
    return Identifier.objects.filter(customer_id=customer_id, kind=kind, value=value, assurance__in=PROVEN).exists()


def _look_after_recordings(root: Customer) -> None:
    """Has every live call of the record looked at: whether it may still be recorded."""
    live = Interaction.objects.filter(conversation__customer=root, channel="voice").exclude(state=Interaction.State.ENDED)
    for number in live.values_list("pk", flat=True):
        transaction.on_commit(partial(delivery.look_after_recording, number, "voice"), robust=True)


def _fresh(interaction: Interaction | None) -> Any:
    if interaction is None:
        return None
    lines = Interaction.objects.select_related("conversation__customer", "original_conversation", "entry_point")
    return lines.get(pk=interaction.pk)


def _record_of(root: Customer, kind: str, value: str, line: Interaction | None) -> int:
    records_of_root = Customer.objects.filter(pk=root.pk) | Customer.objects.filter(root=root)
    if value:
        # By chance the words of assurance sort as they rank: verified, network_hint, claimed.
        owners = Identifier.objects.filter(customer=root, kind=kind, value=value).order_by(F("assurance").desc(), "pk")
        if (owner := owners.values_list("original_customer_id", flat=True).first()) is not None:
            return int(owner)
    began_on = line.original_conversation.original_customer_id if line else root.pk
    return began_on if records_of_root.filter(pk=began_on).exists() else root.pk


def _tell(row: Consent, conversation_id: int) -> None:
    by_agent = row.given_by == Consent.GivenBy.AGENT
    data = {"purpose": row.purpose, "way": row.way, "kind": row.kind, "value": row.value, "wording": row.wording}
    timeline.append(
        conversation_id,
        NewEntry(
            kind=f"consent.{row.decision}",
            actor_kind="agent" if by_agent else "system",
            actor_name=row.recorded_by,
            audience="staff",
            body=consent_texts.line_of_history(row),
            interaction=row.interaction,
            data={**data, "assurance": row.assurance},
        ),
    )


def _no_contact(ledger: Ledger, act: Act, at: datetime | None, by_request: bool) -> Answer | None:
    suppression = suppression_of(act.kind, act.value, at) if act.value else None
    if suppression and not (by_request and ledger.request_since(act, suppression.added_at)):
        return Answer(False, "suppressed", _("It is on the do-not-contact list: %(reason)s") % {"reason": suppression.reason})
    no = ledger.standing_contact_no(act, requests=by_request)
    if no is None:
        return None
    return Answer(False, "no_contact", _("They said on %(day)s that they want no contact.") % {"day": consent_texts.day(no)}, no)


def _standing_no(ledger: Ledger, act: Act, by_request: bool) -> Answer | None:
    """A no to the purpose itself, or to the way in which it would be done: who asks for a call back wants no offers on it."""
    no = ledger.standing_no(act, requests=by_request)
    if no is None and act.way in PURPOSE_OF_WAY:
        no = ledger.standing_no(Act(PURPOSE_OF_WAY[act.way], kind=act.kind, value=act.value), requests=False)
    return _no(no) if no else None


def _no(row: Consent) -> Answer:
    if row.decision == Consent.Decision.REFUSED:
        return Answer(False, "refused", _("They refused it on %(day)s.") % {"day": consent_texts.day(row)}, row)
    return Answer(False, "revoked", _("They took it back on %(day)s.") % {"day": consent_texts.day(row)}, row)


def _yes(row: Consent) -> Answer:
    if row.asked_for:
        return Answer(True, "asked_for", _("They asked for it themselves on %(day)s.") % {"day": consent_texts.day(row)}, row)
    return Answer(True, "given", _("They agreed to it on %(day)s.") % {"day": consent_texts.day(row)}, row)


def _may_record(customer: Customer, interaction: Interaction, at: datetime | None) -> Answer:
    policy = interaction.entry_point.recording_policy
    if policy == EntryPoint.RecordingPolicy.NOT_RECORDED:
        return Answer(False, "not_recorded", _("Calls are not recorded here."))
    kind, value = own_number(interaction) or ("", "")
    act = Act(Purpose.RECORDING, kind=kind, value=value, interaction_id=interaction.pk)
    ledger = ledger_of(customer, at)
    if no := ledger.standing_no(act):
        return _no(no)
    if policy == EntryPoint.RecordingPolicy.ANNOUNCE:
        return Answer(True, "announced", _("It is announced at the beginning, and they have not objected."), ledger.yes(act))
    if yes := ledger.yes_on_its_line(act):
        return _yes(yes)
    return Answer(False, "not_asked", _("They have to be asked on this call first."))
