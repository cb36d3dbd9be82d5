"""System checks: what depends on each other in the settings fits together."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.db import DatabaseError

MAKES_AND_READS_A_NEED = (
    "routing/need.py",
    "routing/rules/*.py",
    "routing/services/decide.py",
    "conversations/assistant/need_of.py",
)
"""The source in which nothing may name a channel."""
FORBIDS_CHANNELS = "routing/rules/channels.py"
"""The list of what is forbidden, which has to name it."""

LONGEST_REPLY_BUDGET = 2.5
"""Seconds: with those after which the platform takes a caller to have finished, nobody hears nothing for four."""


@checks.register()
def timeouts_are_ordered(**_arguments: Any) -> list[checks.CheckMessage]:
    """Whoever waits for something must wait longer than that something may take."""
    problems: list[checks.CheckMessage] = []
    budget = settings.VOICE_REPLY_BUDGET_MS / 1000
    if budget > LONGEST_REPLY_BUDGET:
        problems.append(
            checks.Error(
                f"VOICE_REPLY_BUDGET_MS ({settings.VOICE_REPLY_BUDGET_MS}) would let a caller hear nothing for four seconds.",
                hint="Set it to 2500 at most; 900 sounds natural.",
                id="cxhub.E001",
            )
        )
    longest = max(settings.MODEL_TIMEOUT_SECONDS, settings.VOICE_MODEL_TIMEOUT_SECONDS)
    if longest >= settings.TURN_LEASE_SECONDS:
        problems.append(
            checks.Error(
                f"MODEL_TIMEOUT_SECONDS or VOICE_MODEL_TIMEOUT_SECONDS ({longest}) is not less than TURN_LEASE_SECONDS "
                f"({settings.TURN_LEASE_SECONDS}): a turn still waiting for the model would be taken over.",
                hint="Make the lease at least twice the model's time-out.",
                id="cxhub.E002",
            )
        )
    if budget >= settings.VOICE_MODEL_TIMEOUT_SECONDS:
        problems.append(
            checks.Error(
                "VOICE_REPLY_BUDGET_MS is not less than VOICE_MODEL_TIMEOUT_SECONDS: the phone would wait longer than the model may.",
                id="cxhub.E003",
            )
        )
    if settings.VOICE_MODEL_TIMEOUT_SECONDS >= settings.VOICE_LONGEST_WAIT_SECONDS:
        problems.append(
            checks.Error(
                "VOICE_MODEL_TIMEOUT_SECONDS is not less than VOICE_LONGEST_WAIT_SECONDS: the phone would give up on an answer before the"
                " rules could give one.",
                id="cxhub.E005",
            )
        )
    return problems


@checks.register()
def routing_cannot_see_a_channel(**_arguments: Any) -> list[checks.CheckMessage]:
    """No field of a need, no fact and no output names a channel, nor does any source that makes or reads a need."""
    from routing.rules import channels

    root = settings.BASE_DIR
    paths = sorted(path for pattern in MAKES_AND_READS_A_NEED for path in root.glob(pattern) if path != root / FORBIDS_CHANNELS)
    hint = "The same need must go the same way however it came. Take the name out of what routing may know."
    found = [f"The fact or output “{name}” names a channel." for name in channels.names_of_the_schema()]
    found += [
        f"{each.path.relative_to(root)}, line {each.line}: “{each.name}” names a channel." for each in channels.names_in_source(paths)
    ]
    return [checks.Error(sentence, hint=hint, id="cxhub.E004") for sentence in found]


@checks.register(checks.Tags.database)
def tables_cannot_see_a_channel(*, databases: Any = None, **_arguments: Any) -> list[checks.CheckMessage]:
    """No published table or draft asks for a channel, and no two doors make different needs of the same words, but for declared exceptions.

    Only with `manage.py check --database default`. Before the tables are there, nothing is found.
    """
    from conversations.models import EntryPoint
    from routing.models import RuleSet
    from routing.rules import channels

    if not databases:
        return []
    try:
        declared = channels.declared_exceptions()
        kept = RuleSet.objects.exclude(status=RuleSet.Status.RETIRED).defer("compiled")
        found = [f"{rule_set}: {named}" for rule_set in kept for named in channels.undeclared(rule_set, declared)]
        doors = list(EntryPoint.objects.exclude(mode=EntryPoint.Mode.OFF))
    except DatabaseError:
        return []
    if "in_hours" not in declared and len({door.hours_id for door in doors}) > 1:
        found.append("Entry points have different opening hours, so “in hours” depends on how a customer comes.")
    if not {"assistant_answers", "asked_for_human"} & set(declared) and len({_share_of(door) for door in doors}) > 1:
        found.append("Only some entry points are live for everybody, so “the AI agent answers” depends on how a customer comes.")
    hint = "Make them alike, or declare the fact as a channel exception, with the reason, in the admin."
    return [checks.Warning(sentence, hint=hint, id="cxhub.W003") for sentence in found]


def _share_of(door: Any) -> tuple[object, ...]:
    """What of a door's customers the AI agent answers."""
    reasons = frozenset(door.reasons.values_list("pk", flat=True)) if door.live_reasons != door.LiveReasons.ALL else None
    return door.mode, door.live_share_percent, door.live_hours, door.live_reasons, reasons


@checks.register(deploy=True)
def ready_for_the_public(**_arguments: Any) -> list[checks.CheckMessage]:
    """What is fine on a laptop and not on the internet."""
    problems: list[checks.CheckMessage] = []
    if settings.EMBEDDED_DATABASE or settings.EMBEDDED_VALKEY:
        problems.append(
            checks.Warning(
                "The embedded servers are used; nobody backs them up.",
                hint="Set DATABASE_URL and VALKEY_URL.",
                id="cxhub.W001",
            )
        )
    if settings.VONAGE_GATEWAY == "simulator":
        problems.append(
            checks.Warning(
                "The phone simulator is open to everybody who reaches the site.",
                hint="Set VONAGE_GATEWAY to vonage or off.",
                id="cxhub.W002",
            )
        )
    return problems
