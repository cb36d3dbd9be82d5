"""What empties the database between tests empties all of it, rows that nobody may delete included."""

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection

from conversations.chat import visitor
from conversations.models import Entry
from tests.record import parties
from tests.support.emptying.management.commands.flush import KEPT

pytestmark = pytest.mark.django_db(transaction=True)


def flush() -> None:
    call_command("flush", interactive=False, verbosity=0, reset_sequences=False)


def filled() -> list[str]:
    """The tables that hold rows."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        return sorted(name for name in tables if cursor.execute(f"SELECT FROM {name} LIMIT 1").fetchone() is not None)


def test_nothing_is_left_but_what_django_makes_itself() -> None:
    parties.says(parties.chat(visitor.new()), "Hello")
    User.objects.create_user("somebody")
    assert Entry.objects.exists()
    assert len(filled()) > len(KEPT)
    flush()
    assert filled() == sorted(KEPT)


def test_what_a_test_did_to_permissions_is_undone() -> None:
    before = Permission.objects.count()
    kind = ContentType.objects.get_for_model(User)
    Permission.objects.create(codename="fly", name="Fly", content_type=kind)
    flush()
    assert (Permission.objects.count(), filled()) == (before, sorted(KEPT))
