"""The rows of legs, made of what the platform reported, and the calls that follow their customers' legs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from conversations.models import CallLeg, Interaction
from conversations.selectors import call_reports
from conversations.selectors.call_reports import Reported
from conversations.services import call_state
from routing.compiled import CompiledOnce, Given

CALL_STATES = {
    CallLeg.State.STARTED: Interaction.State.STARTED,
    CallLeg.State.RINGING: Interaction.State.RINGING,
    CallLeg.State.ANSWERED: Interaction.State.ACTIVE,
    CallLeg.State.ENDED: Interaction.State.ENDED,
}
LOCKED: Final = CompiledOnce(lambda: CallLeg.objects.filter(leg_id=Given("leg")).order_by().select_for_update(no_key=True))
CALL_LOCKED: Final = CompiledOnce(
    lambda: Interaction.objects.filter(pk=Given("call")).order_by().select_for_update(no_key=True, of=("self",))
)
OF_THE_CUSTOMER: Final = CompiledOnce(
    lambda: CallLeg.objects.filter(interaction=Given("call"), role=CallLeg.Role.CUSTOMER)[:1]
)


def take_in(leg_id: str, *, call: Interaction | None = None, role: str = CallLeg.Role.UNKNOWN) -> CallLeg:
    """Makes the leg's row what the raw webhooks say of it now, and returns it; with `call`, says whose leg on it it is.

    The raw webhook that brought the news must be committed before: whoever holds the row's lock last has then read all of them.
    Locks the leg's row, in a transaction of its own.
    """
    with transaction.atomic():
        CallLeg.objects.get_or_create(leg_id=leg_id)
        leg = LOCKED.get(leg=leg_id)
        before = {field.attname: getattr(leg, field.attname) for field in CallLeg._meta.concrete_fields}
        for name, value in call_reports.leg_state(leg_id).columns().items():
            setattr(leg, name, value)
        if call is not None and leg.interaction_id is None:
            leg.interaction, leg.role = call, role
        if any(getattr(leg, name) != value for name, value in before.items()):
            leg.save()
    return leg


def follow(call_id: int) -> CallLeg | None:
    """Moves a call to where its customer's leg is, and returns the leg; its end is left to whoever ends what hangs on it.

    The platform's word on when the call began, was answered and ended, and how, wins over what was assumed without it, such as the
    end of a call that was given up for lost. Locks the call's row. None when nothing was reported about the call yet.
    """
    with transaction.atomic():
        row = CALL_LOCKED.get(call=call_id)
        leg = OF_THE_CUSTOMER.first(call=call_id)
        if leg is None:
            return None
        before = (row.state, row.started_at, row.answered_at, row.ended_at, row.end_reason)
        if row.direction == Interaction.Direction.INBOUND:
            row.started_at = leg.started_at or row.started_at
        row.answered_at = leg.answered_at or leg.asked_at or row.answered_at
        if row.state == Interaction.State.ENDED:
            row.ended_at, row.end_reason = (leg.ended_at, leg.end_status) if leg.ended_at else (row.ended_at, row.end_reason)
        elif leg.state != CallLeg.State.ENDED:
            reached = CALL_STATES[CallLeg.State(leg.state)]
            row.state = max(row.state, reached, key=call_state.STATE_ORDER.__getitem__)
        if before != (row.state, row.started_at, row.answered_at, row.ended_at, row.end_reason):
            row.save(update_fields=["state", "started_at", "answered_at", "ended_at", "end_reason"])
    return leg


def talked_for(leg: CallLeg) -> int | None:
    """How many seconds a leg that ended was talked on, by the platform's word; None when it said too little."""
    if leg.end_status != "completed":
        return 0
    if leg.duration_seconds is not None:
        return leg.duration_seconds
    return _seconds(leg.answered_at, leg.ended_at)


def rewrite(leg_ids: Sequence[str]) -> int:
    """Makes the rows of many legs what the raw webhooks say, those that are missing too; returns how many were not so.

    Whose legs they are is found by the ids of calls, and by the calls that the webhooks' addresses named. Locks the rows that there
    are, by their ids, in a transaction of its own, and reads the raw webhooks under these locks.
    """
    with transaction.atomic():
        found = CallLeg.objects.select_for_update(no_key=True).filter(leg_id__in=leg_ids).order_by("leg_id")
        rows = {leg.leg_id: leg for leg in found}
        reported = call_reports.reported(leg_ids)
        owners = _owners([each for each in reported if each.leg_id not in rows or rows[each.leg_id].interaction_id is None])
        missing, changed = [], []
        for each in reported:
            leg = rows.get(each.leg_id) or CallLeg(leg_id=each.leg_id)
            wrong, owner = call_reports.differs(leg, each.state), owners.get(each.leg_id)
            for name, value in each.state.columns().items():
                setattr(leg, name, value)
            if owner:
                leg.interaction_id, leg.role = owner
            if each.leg_id not in rows:
                missing.append(leg)
            elif wrong or owner:
                changed.append(leg)
        CallLeg.objects.bulk_create(missing, batch_size=1_000, ignore_conflicts=True)
        CallLeg.objects.bulk_update(changed, [*call_reports.LegState().columns(), "interaction", "role"], batch_size=1_000)
    return len(missing) + len(changed)


def _owners(legs: list[Reported]) -> dict[str, tuple[int, str]]:
    """The call and role of each leg that is on a call."""
    calls = Interaction.objects.filter(channel="voice")
    own = dict(calls.filter(provider_id__in=[each.leg_id for each in legs]).values_list("provider_id", "pk"))
    named = {str(each.named_call) for each in legs if each.is_agents and each.named_call}
    theirs = {str(public_id): pk for public_id, pk in calls.filter(public_id__in=named).values_list("public_id", "pk")}
    found: dict[str, tuple[int, str]] = {leg_id: (pk, CallLeg.Role.CUSTOMER) for leg_id, pk in own.items()}
    for each in legs:
        if each.leg_id not in found and each.is_agents and each.named_call in theirs:
            found[each.leg_id] = (theirs[each.named_call], CallLeg.Role.AGENT)
    return found


def _seconds(since: datetime | None, until: datetime | None) -> int | None:
    return max(0, round((until - since).total_seconds())) if since and until else None
