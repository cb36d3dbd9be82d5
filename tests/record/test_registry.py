"""No table that refers to a customer or a conversation is forgotten when records are joined."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from conversations.models import Conversation, Customer, Identifier, registry


def test_nothing_that_refers_to_a_customer_or_a_conversation_is_forgotten() -> None:
    """A new foreign key fails here until it follows joined records or says why it does not."""
    assert registry.undeclared() == []


def test_no_declaration_outlives_its_reference() -> None:
    """What was taken out of the models is taken out of the lists."""
    assert set(registry.CUSTOMER_REFERENCES_THAT_STAY) <= set(registry.references_to(Customer))
    assert set(registry.CONVERSATION_REFERENCES) <= set(registry.references_to(Conversation))
    assert set(registry.GENERIC_REFERENCES) <= set(registry.generic_references())


@pytest.fixture
def new_model() -> Iterator[type[models.Model]]:
    """A model that refers to customers and conversations in every way and that nobody declared, in another app."""

    class Keepsake(models.Model):  # noqa: DJ008
        owner = models.ForeignKey(Customer, models.CASCADE, related_name="+")
        twin = models.OneToOneField(Customer, models.CASCADE, related_name="+")
        friends = models.ManyToManyField(Customer, related_name="+")
        talk = models.ForeignKey(Conversation, models.CASCADE, related_name="+")
        kind = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
        number = models.PositiveIntegerField()
        anything = GenericForeignKey("kind", "number")

        class Meta:
            app_label = "reporting"

    yield Keepsake
    for name in ("keepsake", "keepsake_friends"):
        del apps.all_models["reporting"][name]
    apps.clear_cache()


def test_a_new_table_is_found(new_model: type[models.Model]) -> None:
    """By foreign key, one-to-one, many-to-many and generic relation, whichever app it is in."""
    found = [sentence.split()[0] for sentence in registry.undeclared()]
    assert found == [
        "reporting.Keepsake.owner",
        "reporting.Keepsake.twin",
        "reporting.Keepsake_friends.customer",
        "reporting.Keepsake.talk",
        "reporting.Keepsake.kind",
    ]


def test_a_table_with_half_a_pair_is_found() -> None:
    """`customer` alone would point to a record that counts for another one after a joining."""

    class Half(models.Model):  # noqa: DJ008
        customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")

        class Meta:
            app_label = "reporting"

    try:
        assert [sentence.split()[0] for sentence in registry.undeclared()] == ["reporting.Half.customer"]
        assert Half not in registry.re_rooted_models()
        assert Identifier in registry.re_rooted_models()
    finally:
        del apps.all_models["reporting"]["half"]
        apps.clear_cache()
