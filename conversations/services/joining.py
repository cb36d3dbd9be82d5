"""Carrying a conversation from one channel into another: a short code, or a question answered with yes."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Conversation, Identifier, Interaction, JoinCode
from conversations.services import merging, timeline
from conversations.services.timeline import NewEntry

CODE_DIGITS = 6
CODE_LIFETIME = timedelta(minutes=15)
CLAIM_LIFETIME = timedelta(hours=24)
MAX_ATTEMPTS = 5


class TooManyAttempts(Exception):
    """This call has tried too many codes."""


def issue_code(interaction: Interaction) -> tuple[str, JoinCode]:
    """A six-digit code that carries this interaction's conversation into a call, good for 15 minutes and one use.

    Earlier unused codes of the interaction end. The code is returned once; only its keyed hash is kept.
    """
    with transaction.atomic():
        JoinCode.objects.filter(interaction=interaction, used_at__isnull=True).delete()
        JoinCode.objects.filter(used_at__isnull=True, expires_at__lt=timezone.now()).delete()
        while True:
            code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
            if not JoinCode.objects.filter(code_hash=_hash(code), used_at__isnull=True).exists():
                break
        row = JoinCode.objects.create(interaction=interaction, code_hash=_hash(code), expires_at=timezone.now() + CODE_LIFETIME)
    return code, row


def redeem_code(code: str, interaction: Interaction) -> Conversation | None:
    """Carries the code's conversation into this interaction; None when the code is wrong, used or too old.

    The party held both lines, so the interaction's assurance becomes verified. Raises TooManyAttempts
    after five tries in one call; the count is kept before the code is looked at.
    """
    with transaction.atomic():
        row = Interaction.objects.select_for_update(no_key=True).get(pk=interaction.pk)
        attempts = int(row.data.get("code_attempts", 0)) + 1
        row.data["code_attempts"] = attempts
        row.save(update_fields=["data"])
    if attempts > MAX_ATTEMPTS:
        raise TooManyAttempts
    with transaction.atomic():
        found = (
            JoinCode.objects.select_for_update(no_key=True)
            .filter(code_hash=_hash(code), used_at__isnull=True, expires_at__gt=timezone.now())
            .first()
        )
        if not found or found.interaction_id == interaction.pk:
            return None
        JoinCode.objects.filter(pk=found.pk).update(used_at=Now(), used_by=interaction)
        Interaction.objects.filter(pk=interaction.pk).update(assurance="verified")
        sentence = _("The code from the web chat was entered on the call.")
        target = join(interaction, found.interaction.conversation, method="code", sentence=sentence)
        timeline.append(
            target.pk,
            NewEntry(
                kind="identity.proven",
                actor_kind="system",
                audience="staff",
                interaction=Interaction.objects.get(pk=interaction.pk),
                body=sentence,
                data={"method": "code"},
            ),
        )
    return target


def claimed_recently(phone: str, *, besides: Conversation) -> Conversation | None:
    """The open conversation in which this number was typed within a day, if there is exactly one such customer."""
    claims = Identifier.objects.filter(kind="phone", value=phone, last_seen_at__gte=timezone.now() - CLAIM_LIFETIME).exclude(
        customer=besides.customer_id
    )
    customers = set(claims.values_list("customer_id", flat=True)[:2])
    if len(customers) != 1:
        return None
    return Conversation.objects.filter(customer_id__in=customers, status="open", joined_into__isnull=True).first()


def join(interaction: Interaction, target: Conversation, *, method: str, sentence: str) -> Conversation:
    """Joins the interaction's conversation, and its customer, with another; returns the one that goes on.

    Must run in a transaction. The older customer record becomes the root.
    """
    current = Interaction.objects.select_related("conversation__customer").get(pk=interaction.pk).conversation
    target = Conversation.objects.select_related("customer").get(pk=target.pk)
    if current == target:
        return target
    evidence = {"method": method, "interaction": str(interaction.public_id), "sentence": sentence}
    merging.join_conversations(current, target, evidence=evidence, made_by="assistant", sentence=sentence)
    if current.customer_id != target.customer_id:
        older, newer = sorted([current.customer, target.customer], key=lambda each: each.pk)
        merging.join_customers(newer, older, evidence=evidence, made_by="assistant")
    return Conversation.objects.get(pk=target.pk)


def _hash(code: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), f"join-code:{code}".encode(), sha256).hexdigest()
