"""Erasing a person: every record that counts as them, step by step, until nothing names them and everything still counts.

Each step is one transaction or several, is noted when it is done, and does no harm when it is done again, so a process that
dies leaves a request that the sweep goes on with. What is decided here is explained in docs/decisions/erasure.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from conversations.models import (
    Conversation,
    Customer,
    ErasedIdentifier,
    ErasureRequest,
    ErasureStep,
    Identifier,
    Interaction,
    LegalHold,
)
from conversations.models.identifier import PROVEN
from conversations.services import connector_requests, holds, identity, personal_data, records, stored_files, threads, traces
from conversations.services.erasers import ERASERS, Erased
from conversations.services.parties import IdentifierClaim
from conversations.services.personal_data import Scope

logger = logging.getLogger(__name__)
State = ErasureRequest.State
MOST_TRIES = 5
ELSEWHERE, CONNECTORS, FILES, HASHES = "elsewhere", "connectors", "files", "hashes"


class _DoneByAnother(Exception):
    """Another worker is at a step just now."""


class AlreadyRequested(ValueError):
    """The person is being erased, or was; the message is a sentence for people."""


def request(
    customer: Customer, *, ground: str, by: str, case: str = "", interaction: Interaction | None = None
) -> ErasureRequest:
    """Notes that a person is to be erased with every record that counts as them; `run` does it.

    `case` is the number of a ticket or letter. Locks the root. Raises AlreadyRequested.
    """
    with transaction.atomic():
        root = records.lock_root(customer)
        if root.erased_at:
            raise AlreadyRequested(_("This customer has been erased already."))
        try:
            with transaction.atomic():
                return ErasureRequest.objects.create(
                    customer=root,
                    records=personal_data.records_of(root),
                    ground=ground,
                    case=case,
                    interaction=interaction,
                    requested_by=by[:200],
                )
        except IntegrityError as error:
            if "customer_has_one_unfinished_erasure" not in str(error):
                raise
            raise AlreadyRequested(_("This customer is being erased already.")) from error


def run(number: int, *, connectors: Sequence[str]) -> str:
    """Does what is left of a request and returns its state then: `waiting`, `held`, `running`, `failed` or `done`.

    `connectors` are the names of the outside systems to ask. It is `running` while one of them has not answered. May be called
    at any time by anybody, also by several at once: a step is done under its row's lock, and who finds it locked leaves the
    rest to the one who is at it.
    """
    row = _begin(number)
    if row.state != State.RUNNING:
        return str(row.state)
    scope = personal_data.scope_of(row.records, mark=_mark(row))
    for step in row.steps.exclude(state=ErasureStep.State.DONE):
        if _holds_on(scope).exists():
            return _set_state(row, State.HELD)
        try:
            if not _done(step, row, scope, connectors):
                return _set_state(row, State.FAILED)
        except _DoneByAnother:
            return str(State.RUNNING)
    return _finish(row)


def due() -> list[int]:
    """The requests that the sweep should go on with: all that are not done, but for steps that failed too often."""
    hopeless = ErasureStep.objects.filter(state=ErasureStep.State.FAILED, tries__gte=MOST_TRIES).values("request")
    unfinished = ErasureRequest.objects.exclude(state=State.DONE).exclude(pk__in=hopeless)
    given_up = Q(state=State.FAILED, connector_requests__state="failed")
    return list(unfinished.exclude(given_up).order_by("pk").values_list("pk", flat=True))


def try_again(row: ErasureRequest) -> None:
    """Has steps and outside systems that were given up tried anew by the next `run`."""
    row.steps.filter(state=ErasureStep.State.FAILED).update(state=ErasureStep.State.WAITING, tries=0)
    connector_requests.ask_again(row)


def erased_among(values: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of some identifiers, as (kind, value in normal form), that belonged to somebody who was erased; one statement.

    Imports ask, and bring nobody back by themselves.
    """
    by_hash = {personal_data.erased_hash(kind, value): (kind, value) for kind, value in values}
    found = ErasedIdentifier.objects.filter(value_hash__in=by_hash).values_list("value_hash", flat=True)
    return {by_hash[digest] for digest in found}


def holds_against(record_numbers: Iterable[int]) -> QuerySet[LegalHold]:
    """The legal holds that stand against erasing these records: theirs, and those of others into whose history they reach."""
    return _holds_on(personal_data.scope_of(record_numbers))


def is_tried_again(row: ErasureRequest) -> bool:
    """Whether the sweep goes on with a request by itself, or leaves it to people."""
    return row.pk in due()


def lines_going_on(record_numbers: Iterable[int]) -> list[Interaction]:
    """The calls and chats of these records that have not ended."""
    scope = personal_data.scope_of(record_numbers)
    return list(Interaction.objects.filter(pk__in=scope.lines).exclude(state=Interaction.State.ENDED).order_by("pk"))


def _holds_on(scope: Scope) -> QuerySet[LegalHold]:
    return holds.in_force(personal_data.touched_by(scope))


def _begin(number: int) -> ErasureRequest:
    """Closes the records to new contacts and notes the steps, unless a hold or a line that goes on stands against it.

    Locks the request, then in the order of everybody: the identifiers' advisory locks, the root, work and conversations.
    """
    with transaction.atomic():
        row = ErasureRequest.objects.select_for_update().get(pk=number)
        if row.state == State.DONE:
            return row
        identity.lock(_identifiers_that_find(row.records))
        root = records.lock_root(row.customer)
        if row.started_at is None:
            row.records = personal_data.records_of(root)
        if holds_against(row.records).exists():
            row.state = State.HELD
        elif row.started_at is None and lines_going_on(row.records):
            row.state = State.WAITING
        else:
            _close_to_contacts(row)
        row.save(update_fields=["state", "records", "started_at"])
    row.refresh_from_db()
    return row


def _close_to_contacts(row: ErasureRequest) -> None:
    """From here on nobody's next contact is filed under these records: no identifier finds them."""
    row.state = State.RUNNING
    if row.started_at is not None:
        return
    row.started_at = Now()
    for conversation in Conversation.objects.filter(customer__in=row.records, status="open", joined_into__isnull=True):
        threads.close(conversation, actor_kind="system", actor_name="", disposition=None)
    Identifier.objects.filter(original_customer__in=row.records).update(assurance="claimed")
    Customer.objects.filter(pk__in=row.records).update(erased_at=Now())
    names = [ELSEWHERE, CONNECTORS, FILES, HASHES, *ERASERS]
    steps = [ErasureStep(request=row, position=position, name=name) for position, name in enumerate(names, start=1)]
    ErasureStep.objects.bulk_create(steps, ignore_conflicts=True)


def _identifiers_that_find(record_numbers: Iterable[int]) -> list[IdentifierClaim]:
    proven = Identifier.objects.filter(original_customer__in=record_numbers, assurance__in=PROVEN)
    return [IdentifierClaim(each.kind, each.value, each.assurance) for each in proven]


def _done(step: ErasureStep, row: ErasureRequest, scope: Scope, connectors: Sequence[str]) -> bool:
    """Does one step to its end; says whether it could. Its error's text may quote the person, so only its kind is kept."""
    try:
        while _pass(step.pk, row, scope, connectors):
            pass
    except _DoneByAnother:
        raise
    except Exception as error:
        kind = type(error).__name__
        ErasureStep.objects.filter(pk=step.pk).update(state=ErasureStep.State.FAILED, tries=F("tries") + 1, error=kind[:80])
        logger.error("erasure_step_failed", extra={"request": row.pk, "step": step.name, "error": kind})
        return False
    return True


def _pass(number: int, row: ErasureRequest, scope: Scope, connectors: Sequence[str]) -> bool:
    """One transaction of a step under its row's lock; says whether there is more to do. Raises _DoneByAnother."""
    with transaction.atomic():
        step = ErasureStep.objects.select_for_update(skip_locked=True).filter(pk=number).first()
        if step is None:
            raise _DoneByAnother
        if step.state == ErasureStep.State.DONE:
            return False
        erased = _work(step.name, row, scope, connectors)
        step.count += erased.count
        step.detail = {**step.detail, **erased.detail}
        if not erased.more:
            step.state, step.done_at, step.error = ErasureStep.State.DONE, Now(), ""
        step.save()
    return erased.more


def _work(name: str, row: ErasureRequest, scope: Scope, connectors: Sequence[str]) -> Erased:
    if name == ELSEWHERE:
        found = traces.elsewhere(scope)
        return Erased(sum(map(len, found.values())), found)
    if name == CONNECTORS:
        return Erased(_ask_connectors(row, scope, connectors))
    if name == FILES:
        return Erased(sum(stored_files.remove_all(public_id) for public_id in personal_data.public_ids(scope)))
    if name == HASHES:
        return Erased(_keep_hashes(row, scope))
    return ERASERS[name](scope)


def _ask_connectors(row: ErasureRequest, scope: Scope, connectors: Sequence[str]) -> int:
    customers = [str(public_id) for public_id in personal_data.public_ids(scope)]
    references = sorted(personal_data.known_elsewhere_as(scope))
    return connector_requests.queue(row, connectors, customers=customers, references=references)


def _keep_hashes(row: ErasureRequest, scope: Scope) -> int:
    hashes = [
        ErasedIdentifier(kind=kind, value_hash=personal_data.erased_hash(kind, value), request=row)
        for kind, value in sorted(personal_data.identifiers_of(scope))
    ]
    ErasedIdentifier.objects.bulk_create(hashes, ignore_conflicts=True)
    return len(hashes)


def _finish(row: ErasureRequest) -> str:
    """Done when every outside system has confirmed; given up when one of them was."""
    asked = row.connector_requests
    if asked.filter(state="failed").exists():
        return _set_state(row, State.FAILED)
    if asked.exclude(state="done").exists():
        return str(State.RUNNING)
    report = _report(row)
    ErasureRequest.objects.filter(pk=row.pk).exclude(state=State.DONE).update(state=State.DONE, finished_at=Now(), report=report)
    return str(State.DONE)


def _mark(row: ErasureRequest) -> str:
    """What every erased entry says: that the person was erased, when it began and by whom."""
    began = date_format(row.started_at, "j F Y") if row.started_at else ""
    return (_("erased on %(day)s by %(name)s") % {"day": began, "name": row.requested_by})[:200]


def _report(row: ErasureRequest) -> Mapping[str, Any]:
    steps = {step.name: step for step in row.steps.all()}
    return {
        "erased": {name: step.count for name, step in steps.items() if name != ELSEWHERE and step.count},
        "outside": dict(row.connector_requests.values_list("connector", "count")),
        "look_at": steps[ELSEWHERE].detail,
    }


def _set_state(row: ErasureRequest, state: str) -> str:
    ErasureRequest.objects.filter(pk=row.pk).exclude(state=State.DONE).update(state=state)
    return str(state)
