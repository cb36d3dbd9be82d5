"""Every table that refers to a customer or a conversation, found by introspection, and what a joining means for it.

A reference to a customer either moves (its row keeps `original_customer` beside `customer`) or stands in
`CUSTOMER_REFERENCES_THAT_STAY` with the reason why it stays. A reference to a conversation stands in
`CONVERSATION_REFERENCES`. A new one that does neither is found by `undeclared`, and a test fails.
"""

from collections.abc import Iterator, Mapping

from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from conversations.models.conversation import Conversation
from conversations.models.customer import Customer

CUSTOMER_REFERENCES_THAT_STAY: Mapping[str, str] = {
    "conversations.Customer.root": "It is what joining and separating write.",
    "conversations.CustomerLink.joined": "A link says which two records were joined; it is never rewritten.",
    "conversations.CustomerLink.into": "A link says which two records were joined; it is never rewritten.",
    "conversations.MatchCandidate.customer": "A pair is about the two records that look alike, whatever they are joined into.",
    "conversations.MatchCandidate.other": "A pair is about the two records that look alike, whatever they are joined into.",
    "conversations.ErasureRequest.customer": "It says which record was to be erased, as the report of that erasure.",
    "conversations.DataExport.customer": "It says of which record a file was made.",
    "conversations.FieldConflict.written_to": "It names the record whose field was written, so that exactly that is taken back.",
}
"""References to a customer that joining and separating leave alone: `app.Model.field`, and why."""

CONVERSATION_REFERENCES: Mapping[str, str] = {
    "conversations.Conversation.joined_into": "It is what joining and separating write.",
    "conversations.ConversationLink.joined": "A link says which two conversations were joined; it is never rewritten.",
    "conversations.ConversationLink.into": "A link says which two conversations were joined; it is never rewritten.",
    "conversations.InteractionLink.origin": "A link says from where a line was moved; it is never rewritten.",
    "conversations.InteractionLink.into": "A link says where a line was moved to; it is never rewritten.",
    "conversations.Interaction.conversation": "A live line goes on where its conversation goes on, and home when that is taken back.",
    "conversations.Interaction.original_conversation": "It says where a line began, which is its home.",
    "conversations.Entry.conversation": "Entries stay where they were written, with their numbers.",
    "conversations.Handoff.conversation": "A package stays where it was asked for; the work that waits gets a copy of it.",
    "conversations.Booking.conversation": "A visit stays where it was arranged.",
    "conversations.ActionItem.conversation": "What is to be done stays where it was promised.",
    "conversations.Qualification.conversation": "A form stays where it was filled.",
    "conversations.TurnTrace.conversation": "A trace stays beside the entry that it is of.",
    "conversations.UnansweredQuestion.conversation": "A question stays where it was asked.",
}
"""References to a conversation: `app.Model.field`, and what joining and separating do to it."""

GENERIC_REFERENCES: Mapping[str, str] = {
    "admin.LogEntry.content_type": "What somebody did in the admin stays with the record that they did it to.",
    "auth.Permission.content_type": "A permission is about a kind of record, never about one.",
}
"""References to whatever kind of row there is, a customer or a conversation among them: `app.Model.field`, and why they stay."""


def re_rooted_models() -> Iterator[type[models.Model]]:
    """Every model that keeps both the record a row was made for and the record it counts for."""
    for model in _tables():
        names = {field.name for field in model._meta.local_fields if field.remote_field and field.related_model is Customer}
        if {"customer", "original_customer"} <= names:
            yield model


def references_to(target: type[models.Model]) -> Iterator[str]:
    """Every foreign key, one-to-one and many-to-many relation of any app to a model, as `app.Model.field`."""
    for model in _tables():
        for field in model._meta.local_fields:
            if field.remote_field and field.related_model is target:
                yield f"{model._meta.label}.{field.name}"


def generic_references() -> Iterator[str]:
    """Every relation of any app to whatever kind of row there is, as `app.Model.field`."""
    for model in _tables():
        generic = {field.ct_field for field in model._meta.private_fields if isinstance(field, GenericForeignKey)}
        for field in model._meta.local_fields:
            if field.name in generic or (field.remote_field and field.related_model is ContentType):
                yield f"{model._meta.label}.{field.name}"


def undeclared() -> list[str]:
    """A sentence for every reference that nobody has said what a joining means for."""
    moved = {f"{model._meta.label}.{name}" for model in re_rooted_models() for name in ("customer", "original_customer")}
    to_customers = set(references_to(Customer)) - moved - set(CUSTOMER_REFERENCES_THAT_STAY)
    to_conversations = set(references_to(Conversation)) - set(CONVERSATION_REFERENCES)
    to_anything = set(generic_references()) - set(GENERIC_REFERENCES)
    return [
        *(
            f"{each} refers to a customer. Name it `customer` with an `original_customer` beside it, so that its rows follow joined"
            " records, or say in CUSTOMER_REFERENCES_THAT_STAY why they stay."
            for each in sorted(to_customers)
        ),
        *(
            f"{each} refers to a conversation. Say in CONVERSATION_REFERENCES what joining two conversations does to it."
            for each in sorted(to_conversations)
        ),
        *(
            f"{each} can refer to any row, a customer's too. Say in GENERIC_REFERENCES why it stays where it is."
            for each in sorted(to_anything)
        ),
    ]


def _tables() -> Iterator[type[models.Model]]:
    """Every model with a table of its own, those of many-to-many relations too; not the past versions that triggers keep."""
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.proxy and not hasattr(model, "pgh_tracked_model"):
            yield model
