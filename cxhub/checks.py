"""System checks: what depends on each other in the settings fits together."""

from typing import Any

from django.conf import settings
from django.core import checks

WEBHOOK_SECONDS = 5
"""How long Vonage waits for the answer to a webhook that must return an NCCO (its `socket_timeout`, at most)."""


@checks.register()
def timeouts_are_ordered(**_arguments: Any) -> list[checks.CheckMessage]:
    """Whoever waits for something must wait longer than that something may take."""
    problems: list[checks.CheckMessage] = []
    budget = settings.VOICE_REPLY_BUDGET_MS / 1000
    if budget >= WEBHOOK_SECONDS - 1:
        problems.append(
            checks.Error(
                f"VOICE_REPLY_BUDGET_MS ({settings.VOICE_REPLY_BUDGET_MS}) leaves less than a second of the "
                f"{WEBHOOK_SECONDS} s that Vonage waits for a webhook.",
                hint="Set it under 4000; 900 sounds natural.",
                id="cxhub.E001",
            )
        )
    if settings.MODEL_TIMEOUT_SECONDS >= settings.TURN_LEASE_SECONDS:
        problems.append(
            checks.Error(
                f"MODEL_TIMEOUT_SECONDS ({settings.MODEL_TIMEOUT_SECONDS}) is not less than TURN_LEASE_SECONDS "
                f"({settings.TURN_LEASE_SECONDS}): a turn still waiting for the model would be taken over.",
                hint="Make the lease at least twice the model's time-out.",
                id="cxhub.E002",
            )
        )
    if budget >= settings.MODEL_TIMEOUT_SECONDS:
        problems.append(
            checks.Error(
                "VOICE_REPLY_BUDGET_MS is not less than MODEL_TIMEOUT_SECONDS: the phone would wait longer than the model may.",
                id="cxhub.E003",
            )
        )
    return problems


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
