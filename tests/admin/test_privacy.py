"""The admin's pages about personal data: erasing, handing out, holding, keeping."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from conversations import tasks
from conversations.models import Booking, Conversation, Customer, DataExport, Entry, ErasureRequest, Interaction, LegalHold, RetentionRule
from conversations.services import holds, threads
from tests.reporting import cast

pytestmark = pytest.mark.django_db
CONFIRMED = {"ground": "asked", "case": "T-12", "word": "Erase "}


@pytest.fixture
def manager(client: Client) -> User:
    user: User = cast.manager()
    client.force_login(user)
    return user


@pytest.fixture
def mary() -> Customer:
    """A customer with a chat that is over and a visit to come."""
    customer: Customer = cast.customer("Mary Price", phone="+441632960111", email="mary@example.com")
    talk = cast.conversation(customer, timezone.now() - timedelta(hours=1))
    cast.chat(talk)
    cast.says(talk, "customer", "My boiler is cold", interaction=Interaction.objects.get(conversation=talk))
    Interaction.objects.update(state="ended", ended_at=timezone.now())
    coming = timezone.now() + timedelta(days=2)
    Booking.objects.filter(pk=cast.booking(talk).pk).update(window=(coming, coming + timedelta(hours=2)))
    return customer


def page_of(customer: Customer) -> str:
    return reverse("admin:conversations_customer_change", args=[customer.pk])


def start_of(customer: Customer) -> str:
    return reverse("admin:conversations_erasurerequest_start", args=[customer.pk])


def asked_and_done(client: Client, customer: Customer) -> str:
    """The erasure's page after it was asked for and a worker went on with what there was."""
    response: Any = client.post(start_of(customer), CONFIRMED)
    tasks.erase_people()
    return client.get(response.url).content.decode()


class TestErasing:
    def test_the_page_says_what_will_happen(self, client: Client, manager: User, mary: Customer) -> None:
        """Reached from the customer's page; looking at it erases nothing."""
        assert start_of(mary) in client.get(page_of(mary)).content.decode()
        text = client.get(start_of(mary)).content.decode()
        for words in ("1 record is erased", "1 conversation goes", "1 open conversation is closed", "is cancelled", "Type the word erase"):
            assert words in text, words
        assert not ErasureRequest.objects.exists()

    def test_it_is_done_once_it_is_confirmed_and_the_page_says_what_was_done(self, client: Client, manager: User, mary: Customer) -> None:
        text = asked_and_done(client, mary)
        row = ErasureRequest.objects.get()
        assert (row.state, row.ground, row.case, row.requested_by) == ("done", "asked", "T-12", "manager")
        for words in ("Erased. The report below", "Local schedule", "Confirmed", "Entries"):
            assert words in text, words
        assert "Mary" not in text
        customer_page = client.get(page_of(mary)).content.decode()
        assert "Erased by manager" in customer_page
        assert start_of(mary) not in customer_page
        assert "Mary" not in customer_page
        assert "has been erased already" in client.get(start_of(mary), follow=True).content.decode()

    def test_a_worker_is_told_of_it_and_the_page_says_that_it_is_under_way(
        self, client: Client, manager: User, mary: Customer, django_capture_on_commit_callbacks: Any
    ) -> None:
        """The request for the page erases nothing itself: that reads the whole history."""
        with django_capture_on_commit_callbacks(execute=True):
            text = client.post(start_of(mary), CONFIRMED, follow=True).content.decode()
        row = ErasureRequest.objects.get()
        assert row.state == "waiting"
        for words in ("Under way. This page says how far it has come.", "It is about to begin.", "Look again"):
            assert words in text, words
        with Redis.from_url(settings.VALKEY_URL) as broker:
            queued = [json.loads(each)["headers"] for each in broker.lrange("celery", 0, -1)]
        assert [(each["task"], each["argsrepr"]) for each in queued] == [("conversations.tasks.erase_person", f"({row.pk},)")]
        assert tasks.erase_person(row.pk) == "done"
        page = client.get(reverse("admin:conversations_erasurerequest_change", args=[row.pk])).content.decode()
        assert "Erased. The report below" in page
        assert "Look again" not in page

    def test_without_a_broker_it_is_noted_and_the_sweep_does_it(
        self,
        client: Client,
        manager: User,
        mary: Customer,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        """Nobody is shown an error for what is stored already."""
        app = tasks.erase_person.app
        monkeypatch.setattr(app.amqp, "_producer_pool", None)
        monkeypatch.setitem(app.conf.changes, "broker_write_url", "redis://127.0.0.1:1/0")
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post(start_of(mary), CONFIRMED).status_code == 302
        with Redis.from_url(settings.VALKEY_URL) as broker:
            assert broker.llen("celery") == 0
        assert tasks.erase_people() == 1
        assert ErasureRequest.objects.get().state == "done"

    @pytest.mark.parametrize(("tries", "said"), [(1, "it is tried again by itself"), (5, "is not tried again by itself")])
    def test_what_failed_says_whether_it_is_tried_again(
        self, client: Client, manager: User, mary: Customer, tries: int, said: str
    ) -> None:
        row = ErasureRequest.objects.create(customer=mary, records=[mary.pk], ground="asked", requested_by="x", state="failed")
        row.steps.create(position=1, name="files", state="failed", tries=tries)
        assert said in client.get(reverse("admin:conversations_erasurerequest_change", args=[row.pk])).content.decode()

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"word": "yes"}, "Nothing has been erased"),
            ({"word": ""}, "This field is required"),
            ({"ground": "spring"}, "Select a valid choice"),
            ({"case": "Mary Price"}, "must not name the person"),
            ({"interaction": "999999"}, "Select a valid choice"),
        ],
    )
    def test_what_is_not_confirmed_or_wrong_erases_nothing(
        self, client: Client, manager: User, mary: Customer, changes: dict[str, str], said: str
    ) -> None:
        response = client.post(start_of(mary), CONFIRMED | changes)
        assert response.status_code == 400
        assert said in response.content.decode()
        assert not ErasureRequest.objects.exists()
        assert Entry.objects.filter(body="My boiler is cold").exists()

    def test_only_by_those_who_may(self, client: Client, mary: Customer) -> None:
        """Staff without the permission see no way to it and are refused at the door; looking at customers is not enough."""
        user = User.objects.create_user("carol", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_customer"))
        client.force_login(user)
        text = client.get(page_of(mary)).content.decode()
        assert "Erase this customer" not in text
        assert "Export everything" not in text
        row = ErasureRequest.objects.create(customer=mary, ground="asked", requested_by="x")
        hold = holds.place(mary, reason="Dispute", by="x")
        for name, number in (
            ("erasurerequest_start", mary.pk),
            ("erasurerequest_run", row.pk),
            ("dataexport_make", mary.pk),
            ("legalhold_place", mary.pk),
            ("legalhold_lift", hold.pk),
        ):
            assert client.post(reverse(f"admin:conversations_{name}", args=[number]), CONFIRMED).status_code == 403, name
        assert not DataExport.objects.exists()

    def test_what_is_not_there_is_not_found(self, client: Client, manager: User) -> None:
        for name in ("erasurerequest_start", "erasurerequest_run", "dataexport_make", "legalhold_place", "legalhold_lift"):
            assert client.post(reverse(f"admin:conversations_{name}", args=[999_999])).status_code == 404, name

    def test_a_call_makes_it_wait_and_the_page_says_for_what(self, client: Client, manager: User, mary: Customer) -> None:
        call = Interaction.objects.get(conversation__customer=mary)
        Interaction.objects.update(state="active", ended_at=None)
        assert "is going on" in client.get(start_of(mary)).content.decode()
        text = asked_and_done(client, mary)
        assert "It waits until this is over" in text
        assert "It begins by itself when that is over" in text
        threads.end_interaction(call, reason="left")
        row = ErasureRequest.objects.get()
        assert client.post(reverse("admin:conversations_erasurerequest_run", args=[row.pk])).status_code == 302
        tasks.erase_person(row.pk)
        text = client.get(reverse("admin:conversations_erasurerequest_change", args=[row.pk])).content.decode()
        assert "Erased. The report below" in text
        assert "Run again" not in text

    def test_a_hold_stops_it_with_its_reason(self, client: Client, manager: User, mary: Customer) -> None:
        holds.place(mary, reason="Dispute 12", by="ann")
        assert "A legal hold by ann stands against it: Dispute 12" in client.get(start_of(mary)).content.decode()
        text = asked_and_done(client, mary)
        assert "Dispute 12" in text
        assert "It goes on by itself when the hold ends or is lifted." in text
        assert ErasureRequest.objects.get().state == "held"
        again = client.post(start_of(mary), CONFIRMED, follow=True).content.decode()
        assert "is being erased already" in again

    def test_where_to_look_is_linked_by_number_alone(self, client: Client, manager: User, mary: Customer) -> None:
        other = cast.conversation(cast.customer("Ben Stone"), timezone.now())
        cast.says(other, "customer", "mary@example.com is my sister")
        text = asked_and_done(client, mary)
        assert f"Conversation {other.pk}" in text
        assert "Ben Stone" not in text

    def test_the_inbox_says_who_erased_it(self, client: Client, manager: User, mary: Customer) -> None:
        asked_and_done(client, mary)
        talk = Conversation.objects.get(customer=mary)
        text = client.get(reverse("inbox:conversation", args=[talk.public_id])).content.decode()
        assert "Removed: erased on" in text
        assert "by manager" in text
        assert "My boiler is cold" not in text


class TestHandingOut:
    def test_one_press_gives_the_file_and_is_kept(self, client: Client, manager: User, mary: Customer) -> None:
        response = client.post(reverse("admin:conversations_dataexport_make", args=[mary.pk]))
        assert f"customer-{mary.pk}-" in response.headers["Content-Disposition"]
        archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))  # type: ignore[arg-type]
        assert "My boiler is cold" in archive.read("customer.html").decode()
        assert DataExport.objects.get().made_by == "manager"
        assert "Exported by manager" in client.get(page_of(mary)).content.decode()

    def test_looking_at_the_address_gives_nothing(self, client: Client, manager: User, mary: Customer) -> None:
        assert client.get(reverse("admin:conversations_dataexport_make", args=[mary.pk])).status_code == 405
        assert not DataExport.objects.exists()


class TestHolding:
    def place(self, client: Client, mary: Customer, **changes: str) -> str:
        data = {"reason": "Dispute 12", "ends_at_0": "", "ends_at_1": "", **changes}
        return client.post(reverse("admin:conversations_legalhold_place", args=[mary.pk]), data, follow=True).content.decode()

    def test_it_is_placed_shown_and_lifted(self, client: Client, manager: User, mary: Customer) -> None:
        assert "until the hold ends" in self.place(client, mary)
        hold = LegalHold.objects.get()
        assert (hold.placed_by, hold.reason, hold.ends_at) == ("manager", "Dispute 12", None)
        assert "Dispute 12" in client.get(page_of(mary)).content.decode()
        lift = reverse("admin:conversations_legalhold_lift", args=[hold.pk])
        assert "The hold is lifted" in client.post(lift, follow=True).content.decode()
        assert "was lifted before" in client.post(lift, follow=True).content.decode()
        assert "Dispute 12" not in client.get(page_of(mary)).content.decode()

    @pytest.mark.parametrize(
        "changes",
        [
            {"reason": ""},
            {"reason": "   "},
            {"ends_at_0": "tomorrow", "ends_at_1": "x"},
            {"ends_at_0": "2020-01-01", "ends_at_1": "00:00"},
        ],
    )
    def test_what_is_missing_is_said(self, client: Client, manager: User, mary: Customer, changes: dict[str, str]) -> None:
        assert "errorlist" in self.place(client, mary, **changes)
        assert not LegalHold.objects.exists()


class TestKeeping:
    def test_days_are_set_and_the_change_is_kept(self, client: Client, manager: User) -> None:
        RetentionRule.objects.all().delete()
        add = reverse("admin:conversations_retentionrule_add")
        assert client.post(add, {"kind": "webhooks", "keep_days": "90", "note": "Contract"}).status_code == 302
        assert "There is a rule for this kind already" in client.post(add, {"kind": "webhooks", "keep_days": "9"}).content.decode()
        kept = RetentionRule.objects.get()
        assert "greater than or equal to 1" in client.post(add, {"kind": "codes", "keep_days": "0"}).content.decode()
        change = reverse("admin:conversations_retentionrule_change", args=[kept.pk])
        assert client.post(change, {"keep_days": "30", "note": ""}).status_code == 302
        text = client.get(reverse("admin:conversations_retentionrule_history", args=[kept.pk])).content.decode()
        assert "<del>90</del>" in text
        assert "<ins>30</ins>" in text


def test_times_are_in_the_zone_of_whoever_reads_them(client: Client, manager: User, mary: Customer) -> None:
    """Also those that are typed in: a hold that ends at midnight ends at the reader's."""
    client.cookies["cxhub_zone"] = "America/New_York"
    place = reverse("admin:conversations_legalhold_place", args=[mary.pk])
    client.post(place, {"reason": "Dispute 7", "ends_at_0": "2031-07-01", "ends_at_1": "00:00"})
    hold = LegalHold.objects.get()
    assert hold.ends_at == datetime(2031, 7, 1, 4, tzinfo=UTC)
    assert "1 Jul 2031, 00:00" in client.get(reverse("admin:conversations_legalhold_change", args=[hold.pk])).content.decode()
