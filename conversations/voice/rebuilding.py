"""The state of every call made anew from the raw webhooks: what differs is told, and repaired when that is wanted."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from conversations.models import CallLeg, EntryPoint, Interaction, WebhookRecord
from conversations.selectors import call_reports
from conversations.selectors.call_reports import Reported
from conversations.services import call_legs
from conversations.voice import call_events
from conversations.voice.protocol import MalformedWebhook, parse_event


@dataclass(frozen=True, slots=True)
class Difference:
    """One leg whose row, or, with `is_call`, whose call, is not what the raw webhooks make."""

    leg_id: str
    sentence: str
    is_call: bool = False


def rebuild(*, repair: bool) -> Iterator[tuple[int, list[Difference]]]:
    """Goes through every leg that anything was ever reported about, some at a time; yields how many those were, and what differs.

    With `repair`, rows of legs are rewritten, calls follow them, and calls that should have begun or ended do; what hangs on the end
    of a call (the history, a person's work) comes with it. What is written is read anew under the rows' locks, so webhooks may come
    meanwhile.
    """
    for batch in call_reports.reported_legs():
        found = list(_differences(batch))
        if repair and found:
            _repair(found)
        yield len(batch), found


def _differences(batch: list[Reported]) -> Iterator[Difference]:
    ids = [each.leg_id for each in batch]
    rows = {leg.leg_id: leg for leg in CallLeg.objects.filter(leg_id__in=ids)}
    calls = {call.provider_id: call for call in Interaction.objects.filter(provider_id__in=ids, channel="voice")}
    missing = _should_have_begun([each for each in batch if each.leg_id not in calls])
    for each in batch:
        leg, call = rows.get(each.leg_id), calls.get(each.leg_id)
        wrong = call_reports.differs(leg, each.state) if leg else []
        if leg is None:
            yield Difference(each.leg_id, "The leg has no row.")
        elif wrong:
            yield Difference(each.leg_id, f"The leg's row differs: {', '.join(wrong)}.")
        if each.leg_id in missing:
            yield Difference(each.leg_id, "There is no such call, although it reached one of our numbers.", is_call=True)
        elif call is not None and (why := _is_not_as_reported(call, each)):
            yield Difference(each.leg_id, why, is_call=True)


def _is_not_as_reported(call: Interaction, reported: Reported) -> str:
    state = reported.state
    if state.ended_at is None:
        return ""
    if call.state != Interaction.State.ENDED:
        return f"The call is still live, and was over at {state.ended_at:%Y-%m-%d %H:%M:%S} UTC."
    if (call.end_reason, call.ended_at) != (state.end_status, state.ended_at):
        return f"The call ended as {call.end_reason}, and was reported as {state.end_status}."
    return ""


def _should_have_begun(unknown: list[Reported]) -> set[str]:
    """Those of these legs that were over, came in, and reached a number of ours: each is a call that nobody filed."""
    over = [each.leg_id for each in unknown if each.state.ended_at and each.state.direction == "inbound" and not each.is_agents]
    if not over:
        return set()
    numbers = {number.removeprefix("+") for number in EntryPoint.objects.filter(channel="voice").values_list("address", flat=True)}
    reached = WebhookRecord.objects.filter(provider_id__in=over, body__to__in=sorted(numbers))
    return set(reached.values_list("provider_id", flat=True))


def _repair(found: list[Difference]) -> None:
    call_legs.rewrite(sorted({each.leg_id for each in found}))
    for leg_id in sorted({each.leg_id for each in found if each.is_call}):
        call = call_events.find(leg_id)
        if call is not None:
            call_events.follow(call)
        else:
            _begin(leg_id)


def _begin(leg_id: str) -> None:
    """Takes the last words on a leg in once more, which begin its call when it is one."""
    said = WebhookRecord.objects.filter(provider_id=leg_id, kind__in=["event", "fallback", call_reports.RECORD])
    for record in said.filter(body__status__in=call_reports.TERMINAL_STATUSES).order_by("pk"):
        with suppress(MalformedWebhook):
            call_events.note_event(parse_event(record.body))
