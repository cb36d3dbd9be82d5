"""A small company and its customers, for figures with known answers. Rows are written as they would stand in the record."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from conversations.models import (
    Booking,
    ChatSessionRecord,
    Conversation,
    Customer,
    EntryPoint,
    Handoff,
    Identifier,
    Interaction,
    Playbook,
    Technician,
    WebhookRecord,
)
from conversations.services import timeline
from conversations.services.timeline import NewEntry
from routing.models import (
    AgentProfile,
    Decision,
    DispositionCode,
    Queue,
    ReasonCode,
    RoutingProfile,
    Rule,
    RuleSet,
    RuleSetCase,
    ServiceLevel,
    WorkItem,
)
from routing.need import Need
from routing.rules.publish import publish
from routing.services.decide import decide

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
"""Wednesday noon: when the tests take place."""
NUMBERS = itertools.count(1)


def manager(**options: Any) -> User:
    return User.objects.create_superuser("manager", "manager@example.com", "only-for-tests", **options)


def agent(name: str = "Ann") -> AgentProfile:
    profile, _created = RoutingProfile.objects.get_or_create(name="Everything")
    user = User.objects.create_user(name.lower(), f"{name.lower()}@example.com", "only-for-tests")
    return AgentProfile.objects.create(user=user, display_name=name, routing_profile=profile)


def chat_door() -> EntryPoint:
    return _door("chat", "/harborhome")


def phone_door() -> EntryPoint:
    return _door("voice", "+441632960100")


def _door(channel: str, address: str) -> EntryPoint:
    door, _created = EntryPoint.objects.get_or_create(
        channel=channel,
        address=address,
        defaults={"name": f"Harbor {channel}", "company_name": "Harbor Home Services", "playbook_code": "home", "time_zone": "UTC"},
    )
    return door


def playbook(**options: Any) -> Playbook:
    values = {"code": "home", "name": "Harbor", "persona": "Helpful.", "disclosure": "I am an AI.", "tools": ["book"], "languages": ["en"]}
    return Playbook.objects.create(**values | options)


def reason(code: str = "boiler_repair") -> ReasonCode:
    found, _created = ReasonCode.objects.get_or_create(code=code, defaults={"name": code.replace("_", " ").capitalize()})
    return found


def customer(name: str = "Mary Price", **identifiers: str) -> Customer:
    made = Customer.objects.create(name=name)
    for kind, value in identifiers.items():
        Identifier.objects.create(
            customer=made, original_customer=made, kind=kind, value=value, assurance="verified", source="test"
        )
    return made


def conversation(of: Customer, at: datetime = NOON, *, closed_after: timedelta | None = None, **values: Any) -> Conversation:
    ending = {"status": "closed", "closed_at": at + closed_after} if closed_after is not None else {}
    return Conversation.objects.create(
        **{"customer": of, "original_customer": of, "opened_at": at, "last_entry_at": at} | ending | values
    )


def chat(within: Conversation, at: datetime | None = None, *, raw: bool = True, recorded: bool = True, **values: Any) -> str:
    """A chat session, on both sides or on one; its id."""
    session_id = f"session-{next(NUMBERS)}"
    at = at or within.opened_at
    if raw:
        ChatSessionRecord.objects.create(
            session_id=session_id, entry_point_address="/harborhome", visitor="visitor", started_at=at, last_seen_at=at
        )
    if recorded:
        _interaction(within, chat_door(), session_id, at, **values)
    return session_id


def call(
    within: Conversation,
    at: datetime | None = None,
    *,
    seconds: int | None = 60,
    raw: bool = True,
    recorded: bool = True,
    status: str = "completed",
    **values: Any,
) -> str:
    """A call answered at `at` that lasted `seconds` (None: it is still up), on both sides or on one; its id."""
    call_id = f"call-{next(NUMBERS)}"
    at = at or within.opened_at
    if raw:
        webhook(call_id, "answer", at, {"uuid": call_id, "from": "441632960001", "to": "441632960100"})
        common = {"uuid": call_id, "direction": "inbound", "start_time": at.isoformat()}
        webhook(call_id, "event", at, common | {"status": "answered"})
        if seconds is not None:
            webhook(call_id, "event", at, common | {"status": status, "duration": str(seconds)})
    if recorded:
        ending = {"state": "ended", "ended_at": at + timedelta(seconds=seconds), "end_reason": status} if seconds is not None else {}
        _interaction(within, phone_door(), call_id, at, **{"answered_at": at} | ending | values)
    return call_id


def webhook(provider_id: str, kind: str, at: datetime, body: dict[str, Any]) -> WebhookRecord:
    number = next(NUMBERS)
    return WebhookRecord.objects.create(
        token_id=f"token-{number}", body_hash=f"{number:064d}", kind=kind, provider_id=provider_id, body=body, received_at=at
    )


def _interaction(within: Conversation, door: EntryPoint, provider_id: str, at: datetime, **values: Any) -> Interaction:
    return Interaction.objects.create(
        **{
            "conversation": within,
            "original_conversation": within,
            "entry_point": door,
            "channel": door.channel,
            "provider_id": provider_id,
            "started_at": at,
            "state": "active",
        }
        | values
    )


def says(within: Conversation, who: str, text: str, at: datetime | None = None, **values: Any) -> None:
    timeline.append(
        within.pk, NewEntry(**{"kind": "message", "actor_kind": who, "body": text, "occurred_at": at or within.opened_at} | values)
    )


def queue(code: str = "service") -> Queue:
    level, _created = ServiceLevel.objects.get_or_create(code="quick", defaults={"name": "Quick", "answer_within_seconds": 60})
    found, _created = Queue.objects.get_or_create(code=code, defaults={"name": code.capitalize(), "service_level": level})
    return found


def handoff(
    within: Conversation, at: datetime = NOON, *, accepted_after: int | None = None, canceled_after: int | None = None, **work: Any
) -> Handoff:
    """Asked for at `at` with a deadline a minute later."""
    ended = {"state": "canceled", "ended_at": at + timedelta(seconds=canceled_after)} if canceled_after is not None else {}
    item = WorkItem.objects.create(
        **{
            "subject": within.public_id.hex,
            "kind": "messaging",
            "queue": queue(),
            "created_at": at,
            "enqueued_at": at,
            "deadline": at + timedelta(seconds=60),
        }
        | ended
        | work
    )
    return Handoff.objects.create(
        conversation=within,
        work_item=item,
        why="Asked for a person",
        summary="The boiler is cold.",
        requested_at=at,
        accepted_at=at + timedelta(seconds=accepted_after) if accepted_after is not None else None,
    )


def booking(within: Conversation, at: datetime = NOON) -> Booking:
    technician, _created = Technician.objects.get_or_create(name="Tom Baker")
    number = next(NUMBERS)
    start = at + timedelta(days=number)
    return Booking.objects.create(
        reference=f"HH-{number:06d}",
        customer=within.customer,
        original_customer=within.original_customer,
        conversation=within,
        technician=technician,
        service="Boiler repair",
        name=within.customer.name,
        phone="+441632960001",
        postcode="SW1A",
        window=(start, start + timedelta(hours=2)),
        idempotency_key=f"key-{number}",
        created_at=at,
    )


def outcome(code: str, *, resolved: bool = True) -> DispositionCode:
    found, _created = DispositionCode.objects.get_or_create(code=code, defaults={"name": code.capitalize(), "resolved": resolved})
    return found


def rules(*extra: tuple[str, dict[str, str], dict[str, Any]]) -> RuleSet:
    """A published routing table: emergencies to people, `extra` rows, the rest to the AI agent."""
    queue()
    rule_set = RuleSet.objects.create(kind="routing", version=RuleSet.objects.count() + 1)
    to_people = {"handler": "human", "queue": "service", "priority_class": 1}
    rows = [("Emergency", {"urgency": '"emergency"'}, to_people), *extra, ("Everything else", {}, {"handler": "assistant"})]
    for position, (description, conditions, outputs) in enumerate(rows, 1):
        Rule.objects.create(rule_set=rule_set, position=position, description=description, conditions=conditions, outputs=outputs)
    RuleSetCase.objects.create(rule_set=rule_set, name="An emergency", need={"urgency": "emergency"}, expected={"handler": "human"})
    return publish(rule_set, by="test")


def decision(**need: Any) -> Decision:
    return decide(Need(**need), subject="subject")
