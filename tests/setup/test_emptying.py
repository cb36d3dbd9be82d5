"""What empties the database between tests empties all of it, rows that nobody may delete included."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection

from conversations.chat import visitor
from conversations.models import Entry
from routing.models import Configuration
from tests.record import parties
from tests.support.emptying.management.commands.flush import KEPT
from tests.support.emptying.rows import empty
from tests.support.locks import other_connection, until, waits_for_lock

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


def test_it_is_tried_again_when_somebody_at_work_waits_for_it_and_it_for_them() -> None:
    """A process that a test has left running takes its locks in an order of its own."""
    parties.says(parties.chat(visitor.new()), "Hello")
    is_at_work = Event()

    def works() -> None:
        with other_connection() as other:
            other.execute("SET deadlock_timeout = '60s'")
            other.execute("LOCK TABLE conversations_entry IN ROW EXCLUSIVE MODE")
            is_at_work.set()
            until(lambda: waits_for_lock("conversations_entry"))
            other.execute("LOCK TABLE conversations_conversation IN ROW EXCLUSIVE MODE")

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(works)
        assert is_at_work.wait(30)
        empty("conversations_customer")
        working.result(30)
    assert not Entry.objects.exists()


def test_what_a_test_did_to_permissions_is_undone() -> None:
    before = Permission.objects.count()
    kind = ContentType.objects.get_for_model(User)
    Permission.objects.create(codename="fly", name="Fly", content_type=kind)
    flush()
    # Django truncates its tables then, and what was set up has another stamp.
    assert (Permission.objects.count(), filled()) == (before, sorted([*KEPT, Configuration._meta.db_table]))
