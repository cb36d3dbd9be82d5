"""In which language a conversation goes on: chosen by what the customer writes or asks for, written down once it changes."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.models import Conversation, Customer, Interaction
from conversations.models.playbook import Playbook
from conversations.selectors import own_record
from conversations.services import timeline
from conversations.services.timeline import NewEntry


def choose(conversation: Conversation, language: str, *, interaction: Interaction, named: str) -> None:
    """Has a conversation go on in a language (two letters; `named` is its own name).

    The record speaks it, too, when it is the party's own. Locks the conversation's row.
    """
    with transaction.atomic():
        Conversation.objects.filter(pk=conversation.pk).update(language=language)
        conversation.language = language
        if own_record.is_own(conversation.customer, interaction):
            Customer.objects.filter(pk=conversation.customer_id).update(language=language)
            conversation.customer.language = language
        timeline.append(
            conversation.pk,
            NewEntry(
                kind="language.chosen",
                actor_kind="system",
                audience="staff",
                body=_("The conversation goes on in: %(language)s.") % {"language": named},
                interaction=interaction,
                data={"language": language},
            ),
        )


def disclose(interaction: Interaction, playbook: Playbook, language: str, *, company: str) -> None:
    """Writes, once for a line and language, that an AI answers. Locks the conversation's row."""
    usual = interaction.entry_point.language.partition("-")[0]
    suffix = "" if language in ("", usual) else f":{language}"
    timeline.append(
        interaction.conversation_id,
        NewEntry(
            kind="disclosure.shown",
            actor_kind="assistant",
            actor_name=company,
            body=playbook.disclosure_in(language or usual),
            data={"language": language or usual},
            interaction=interaction,
            source_id=f"disclosure:{interaction.provider_id}{suffix}",
        ),
    )
