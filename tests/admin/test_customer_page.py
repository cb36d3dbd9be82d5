"""The list of customers and a customer's page."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from conversations.admin.customer_list import EstimatingPaginator
from conversations.models import Customer, MatchCandidate, Proof, SalesAccount, SharedIdentifier
from conversations.services import merging
from tests.reporting import cast

pytestmark = pytest.mark.django_db
LIST = "admin:conversations_customer_changelist"


@pytest.fixture
def manager(client):
    user = cast.manager()
    client.force_login(user)
    return user


@pytest.fixture
def mary():
    mary = cast.customer("Mary Price", phone="+441632960111", email="mary@example.com")
    cast.chat(cast.conversation(mary, timezone.now() - timedelta(hours=1), facts={"postcode": {"value": "HB1 4QT", "seq": 1}}))
    return mary


def page_of(client, customer) -> str:
    return client.get(reverse("admin:conversations_customer_change", args=[customer.pk])).content.decode()


def listed(client, **asked) -> list[str]:
    return [str(row) for row in client.get(reverse(LIST), asked).context["cl"].result_list]


class TestThePage:
    def test_it_says_how_sure_we_are_of_each_identifier(self, client, manager, mary):
        """With where it came from, what it was shown as, and whether many share it."""
        mary.identifiers.filter(kind="phone").update(assurance="claimed", shown_as="network_hint", source="caller ID")
        SharedIdentifier.objects.create(kind="phone", value="+441632960111", customers=40, shown_as="network_hint")
        text = page_of(client, mary)
        for words in ("caller ID", "shown as: Caller ID", "Shared by many", "Verified", "Facts known", "HB1 4QT"):
            assert words in text
        SharedIdentifier.objects.update(allowed_by="manager", allowed_at=timezone.now())
        assert "Shared by many" not in page_of(client, mary)

    def test_it_says_what_was_proven_and_whether_that_still_counts(self, client, manager, mary):
        """On which line, when, by whom."""
        line = mary.conversations.get().interactions.get()
        proof = Proof.objects.create(
            interaction=line, customer=mary, original_customer=mary, method="agent", level="verified", made_by="Ann", note="Knew the code."
        )
        assert all(words in page_of(client, mary) for words in ("An agent attests", "Counts", "Ann", "Knew the code."))
        Proof.objects.filter(pk=proof.pk).update(withdrawn_at=timezone.now())
        text = page_of(client, mary)
        assert "Taken back" in text
        assert "Counts" not in text

    def test_a_joined_record_leads_to_the_one_it_is_joined_into(self, client, manager, mary):
        """And what it brought says so there."""
        other = cast.customer("M. Price", external="crm:A-1")
        merging.join_customers(other, mary, evidence={}, made_by="test")
        assert reverse("admin:conversations_customer_change", args=[mary.pk]) in page_of(client, other)
        assert f"from the joined record M. Price (record {other.pk}, since " in page_of(client, mary)

    def test_a_value_that_several_records_brought_stands_once_with_its_best_assurance(self, client, manager, mary):
        """The rows behind it are one click away."""
        for source in ("import", "web chat"):
            other = cast.customer(f"From {source}")
            other.identifiers.create(
                original_customer=other, kind="email", value="mary@example.com", assurance="claimed", source=source,
                first_seen_at=timezone.now() - timedelta(days=400),
            )  # fmt: skip
            merging.join_customers(other, mary, evidence={}, made_by="test")
        text = page_of(client, mary)
        known = text[text.index("Known by") : text.index("Joined records")]
        assert known.count("mary@example.com") == 1
        shown, behind = known[known.index("mary@example.com") :].split("<details", 1)
        assert "Verified" in shown
        assert ">Claimed<" not in shown
        assert all(source in shown for source in ("import", "web chat"))
        assert str((timezone.now() - timedelta(days=400)).year) in shown
        assert behind.count(">Claimed<") == 2
        assert "On 3 records" in behind

    def test_date_of_birth_address_and_postcode_are_put_right(self, client, manager, mary):
        """The postcode in the form that it is looked for in."""
        data = {"name": "Mary", "language": "en", "tier": "standard", "open_balance": "0", "date_of_birth": "1980-05-03"}
        address = reverse("admin:conversations_customer_change", args=[mary.pk])
        assert client.post(address, data | {"address": "1 Mill Lane", "postcode": "hb1 4qt"}).status_code == 302
        mary.refresh_from_db()
        assert (str(mary.date_of_birth), mary.address, mary.postcode) == ("1980-05-03", "1 Mill Lane", "HB14QT")
        assert "A postcode has letters" in client.post(address, data | {"postcode": "HB1/4QT"}).content.decode()

    def test_a_date_of_birth_is_a_day_on_which_somebody_may_have_been_born(self, client, manager, mary):
        """Since 1900, and not to come."""
        data = {"name": "Mary", "language": "en", "tier": "standard", "open_balance": "0"}
        address = reverse("admin:conversations_customer_change", args=[mary.pk])
        for born in (timezone.localdate() + timedelta(days=1), date(1, 1, 1)):
            assert "Nobody was born then" in client.post(address, data | {"date_of_birth": born.isoformat()}).content.decode()
        assert client.post(address, data | {"date_of_birth": timezone.localdate().isoformat()}).status_code == 302

    def test_two_windows_write_over_nothing_of_each_other(self, client, manager, mary):
        """Only what was changed in a window is written; where both changed the same, the second is told."""
        address = reverse("admin:conversations_customer_change", args=[mary.pk])
        one, other = form_of(client, address), form_of(client, address)
        assert client.post(address, one | {"name": "Mary Rose Price"}).status_code == 302
        assert client.post(address, other | {"address": "1 Quay"}).status_code == 302
        mary.refresh_from_db()
        assert (mary.name, mary.address) == ("Mary Rose Price", "1 Quay")
        refused = client.post(address, other | {"name": "Maria"}).content.decode()
        assert "Somebody has changed this since you opened the page. Now it is: Mary Rose Price" in refused
        mary.refresh_from_db()
        assert mary.name == "Mary Rose Price"


def form_of(client, address: str) -> dict[str, str]:
    """What a browser would send of the form of a customer's page, as it was opened."""
    form = client.get(address).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    values = {name: "" if value is None else str(value) for name, value in shown.items()}
    page = client.get(address).content.decode()
    return values | {f"initial-{name}": value for name, value in values.items() if f'name="initial-{name}"' in page}


class TestTheList:
    def test_its_search_finds_by_the_number_of_an_order(self, client, manager, mary):
        """Whose it is, the sales system knows by an address of theirs."""
        email = mary.identifiers.get(kind="email").value
        account = SalesAccount.objects.create(number="shop:1", email=email)
        account.orders.create(reference="HH-R7T2KD", what="Valves", ordered_on=date(2026, 11, 1), total=1)
        assert listed(client, q="HH-R7T2KD") == listed(client, q="r7t2kd") == [str(mary)]

    def test_its_search_forgives_typos_and_reads_the_history(self, client, manager, mary):
        """The best comes first; the same search as everywhere."""
        cast.customer("Peter")
        cast.says(mary.conversations.get(), "customer", "My boiler is cold")
        for text in ("mary prcie", "price mary", "960111", "boiler cold"):
            assert listed(client, q=text) == ["Mary Price"]
        assert listed(client, q="zz-nobody") == []

    def test_it_is_filtered(self, client, manager, mary):
        """By what a manager looks for."""
        peter, joined = cast.customer("Peter"), cast.customer("Joined")
        for name in ("open", "verified"):
            assert listed(client, **{name: "yes"}) == ["Mary Price"]
            assert listed(client, **{name: "no"}) == ["Joined", "Peter"]
        MatchCandidate.objects.create(customer=mary, other=peter)
        assert listed(client, candidates="yes") == ["Peter", "Mary Price"]
        merging.join_customers(joined, peter, evidence={}, made_by="test")
        assert listed(client, joined="yes") == ["Peter"]
        assert listed(client) == ["Peter", "Mary Price"]

    def test_it_shows_the_last_contact_and_what_is_open(self, client, manager, mary):
        """For each customer of the page, in a number of statements that does not grow."""

        def statements() -> int:
            with CaptureQueriesContext(connection) as captured:
                client.get(reverse(LIST))
            return len(captured)

        before = statements()
        row = client.get(reverse(LIST)).context["cl"].result_list[0]
        assert (row.open_ones, row.last_at) == (1, mary.conversations.get().last_entry_at)
        for number in range(20):
            cast.conversation(cast.customer(f"Customer {number}", email=f"c{number}@example.com"))
        assert statements() <= before

    def test_many_are_estimated_and_few_are_counted(self):
        """Nobody waits for a count of a million."""
        Customer.objects.bulk_create(Customer(name=f"Customer {number}") for number in range(1_200))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE conversations_customer")
        every = EstimatingPaginator(Customer.objects.order_by("-pk"), 50)
        few = EstimatingPaginator(Customer.objects.filter(name__startswith="Customer 11"), 50)
        assert every.is_estimate
        assert 1_001 <= every.count <= 1_300
        assert (few.is_estimate, few.count) == (False, 111)
        with CaptureQueriesContext(connection) as captured:
            assert EstimatingPaginator(Customer.objects.order_by("-pk"), 50).count
        assert "LIMIT 1001" in captured[0]["sql"]

    def test_only_staff_with_the_permission_see_it(self, client, mary):
        """A search finds nothing for anybody else."""
        client.force_login(User.objects.create_user("clerk", is_staff=True))
        assert client.get(reverse(LIST), {"q": "mary"}).status_code == 403
        client.force_login(User.objects.create_user("stranger"))
        assert client.get(reverse(LIST), {"q": "mary"}).status_code == 302


class TestSharedIdentifiers:
    def test_a_manager_decides_that_one_identifies_all_the_same(self, client, manager):
        """And may take that back; only by posting, and only who may change customers."""
        shared = SharedIdentifier.objects.create(kind="phone", value="+441632960111", customers=40, shown_as="network_hint")
        page = reverse("admin:conversations_sharedidentifier_change", args=[shared.pk])
        settle = reverse("admin:conversations_sharedidentifier_settle", args=[shared.pk])
        assert "let it identify again" in client.get(page).content.decode()
        assert "It identifies again" in client.post(settle, {"decision": "allow"}, follow=True).content.decode()
        shared.refresh_from_db()
        assert shared.allowed_by == "manager"
        client.post(settle, {"decision": "forbid"})
        shared.refresh_from_db()
        assert (shared.allowed_by, shared.allowed_at) == ("", None)
        assert client.get(settle).status_code == 405
        User.objects.update(is_superuser=False)
        assert client.post(settle, {"decision": "allow"}).status_code == 403
