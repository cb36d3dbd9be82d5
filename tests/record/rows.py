"""The least rows a record test needs, with names from the demo's world."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.contrib.auth import get_user_model

from conversations.models import Conversation, Customer, EntryPoint, Interaction, Playbook
from routing.models import AgentProfile, Decision, Queue, RoutingProfile, RoutingProfileWork, Rule, RuleSet, ServiceLevel
from routing.rules.publish import publish

_numbers = count(1)


def customer(name: str = "Sam Okafor", **changes: Any) -> Customer:
    return Customer.objects.create(name=name, **changes)


def conversation(of: Customer | None = None, **changes: Any) -> Conversation:
    owner = of or customer()
    created = Conversation.objects.create(customer=owner, original_customer=owner, **changes)
    created.refresh_from_db()
    return created


def playbook() -> Playbook:
    found, _ = Playbook.objects.get_or_create(
        code="harbor",
        status="published",
        defaults={
            "name": "Harbor",
            "persona": "Friendly.",
            "disclosure": "I am Harbor's AI assistant.",
            "languages": ["en"],
        },
    )
    return found


def entry_point(channel: str = "chat", address: str = "/harborhome", **changes: Any) -> EntryPoint:
    playbook()
    found, _ = EntryPoint.objects.get_or_create(
        channel=channel,
        address=address,
        defaults={"name": address, "company_name": "Harbor Home Services", "playbook_code": "harbor", **changes},
    )
    return found


def phone_line(**changes: Any) -> EntryPoint:
    return entry_point("voice", "+441632960100", **changes)


def interaction(of: Conversation | None = None, *, door: EntryPoint | None = None, **changes: Any) -> Interaction:
    inside = of or conversation()
    at = door or entry_point()
    return Interaction.objects.create(
        **{
            "conversation": inside,
            "original_conversation": inside,
            "entry_point": at,
            "channel": at.channel,
            "provider_id": f"session-{next(_numbers)}",
            "party": "visitor",
            **changes,
        }
    )


def service_level() -> ServiceLevel:
    found, _ = ServiceLevel.objects.get_or_create(code="standard", defaults={"name": "Standard", "answer_within_seconds": 120})
    return found


def queue(code: str = "service") -> Queue:
    found, _ = Queue.objects.get_or_create(code=code, defaults={"name": code.title(), "service_level": service_level()})
    return found


def agent(name: str = "Ann", *, available: bool = False, **changes: Any) -> AgentProfile:
    """An agent who serves the queue `service` with messaging (2) and live calls (6) of a capacity of 6."""
    profile, created = RoutingProfile.objects.get_or_create(name="Everything")
    if created:
        profile.queue_rows.create(queue=queue())
        RoutingProfileWork.objects.create(profile=profile, kind="messaging", weight=2, max_at_once=3)
        RoutingProfileWork.objects.create(profile=profile, kind="live_voice", weight=6, max_at_once=1)
    number = next(_numbers)
    user = get_user_model().objects.create_user(f"agent{number}", password=None)
    created_agent = AgentProfile.objects.create(user=user, display_name=name, routing_profile=profile, **changes)
    if available:
        from routing.services import presence

        presence.set_state(created_agent, "available")
    return created_agent


def decision(**changes: Any) -> Decision:
    """A decision for a person in the queue `service`, by a one-row draft table."""
    rules, _ = RuleSet.objects.get_or_create(kind="routing", version=1)
    rule, _ = Rule.objects.get_or_create(rule_set=rules, position=1, defaults={"description": "Everything else"})
    return Decision.objects.create(
        **{
            "subject": "subject",
            "need": {},
            "rule_set": rules,
            "rule": rule,
            "handler": "human",
            "queue": queue(),
            "sentence": "Because the table says so.",
            **changes,
        }
    )


def everybody_to_people() -> RuleSet:
    """A published routing table of one row: every need goes to a person in the queue `service`."""
    queue()
    rules = RuleSet.objects.create(kind="routing", version=1)
    rules.rules.create(position=1, description="Everything else", outputs={"handler": "human", "queue": "service", "priority_class": 3})
    rules.cases.create(name="Anything", need={}, expected={"handler": "human"})
    return publish(rules, by="tests", note="For tests.")
