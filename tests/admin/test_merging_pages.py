"""Joining two records in the admin: side by side, with what differs, by those who may, and back again."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from conversations.models import Conversation, Customer, CustomerLink, FieldConflict, Interaction, MatchCandidate
from conversations.services import erasure, merging
from tests.reporting import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client):
    user = cast.manager()
    client.force_login(user)
    return user


@pytest.fixture
def mary():
    made = cast.customer("Mary Price", phone="+441632960111", email="mary@example.com")
    talk = cast.conversation(made)
    cast.says(talk, "customer", "My boiler is cold")
    cast.booking(talk)
    return made


@pytest.fixture
def unknown():
    made = cast.customer("M. Price")
    Customer.objects.filter(pk=made.pk).update(address="1 Quay", tier="gold")
    made.identifiers.create(original_customer=made, kind="phone", value="+441632960111", assurance="claimed", source="test")
    cast.conversation(made)
    return made


@pytest.fixture
def pair(mary, unknown):
    return MatchCandidate.objects.create(
        customer=mary, other=unknown, score=0.83, evidence={"same": "phone", "value": "+441632960111"}
    )


def page(name: str, *args: object) -> str:
    return reverse(f"admin:conversations_{name}", args=args)


def called(customer: Customer) -> str:
    """What a record is called beside another one, which may have the same name."""
    since = date_format(timezone.localtime(customer.created_at), "j M Y")
    return f"{customer.name} (record {customer.pk}, since {since})"


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


class TestAPair:
    def test_it_is_shown_side_by_side_with_what_joining_would_do(self, client, manager, pair):
        text = text_of(client.get(page("matchcandidate_change", pair.pk)))
        for words in (
            "Mary Price", "M. Price", "mary@example.com", "83 %", "Bookings: 1", "Both are known by", "become one", "is filled in: 1 Quay",
            'name="choice.name" value="joined"', "Decide later", "Claimed",
        ):  # fmt: skip
            assert words in text

    def test_what_is_chosen_is_settled_at_that_moment_and_the_rest_kept(self, client, manager, pair, mary):
        answer = {"decision": "join", "into": mary.pk, "choice.name": "root", "choice.tier": "", "choice.nothing": "joined"}
        text = text_of(client.post(page("matchcandidate_settle", pair.pk), answer, follow=True))
        assert "count as one customer now" in text
        assert dict(FieldConflict.objects.values_list("field", "state")) == {"name": "settled", "tier": "open", "address": "filled"}
        assert FieldConflict.objects.get(field="name").settled_by == "manager"
        assert Customer.objects.get(pk=mary.pk).name == "Mary Price"

    def test_the_other_record_can_be_kept_instead(self, client, manager, pair, mary, unknown):
        text = text_of(client.get(page("matchcandidate_change", pair.pk), {"into": unknown.pk}))
        assert f"Everything of {called(mary)} is found under {called(unknown)}." in text
        client.post(page("matchcandidate_settle", pair.pk), {"decision": "join", "into": unknown.pk})
        assert CustomerLink.objects.get().into == unknown

    def test_a_value_that_joined_records_brought_stands_once_on_each_side(self, client, manager, pair, mary):
        other = cast.customer("M. P.")
        other.identifiers.create(original_customer=other, kind="email", value="mary@example.com", assurance="claimed", source="test")
        merging.join_customers(other, mary, evidence={}, made_by="Ann")
        text = text_of(client.get(page("matchcandidate_change", pair.pk)))
        assert text.count("mary@example.com") == 1
        assert 'mary@example.com</span> <span class="badge badge-ok">Verified' in text

    def test_two_of_one_name_are_told_apart_on_every_page(self, client, manager, pair, mary, unknown):
        """By their numbers and since when they are there, before, while and after they are joined."""
        Customer.objects.update(name="John Smythe")
        mary.refresh_from_db()
        unknown.refresh_from_db()
        both = (called(mary), called(unknown))
        before = [page("matchcandidate_change", pair.pk), page("matchcandidate_changelist"), page("customerlink_join", mary.pk, unknown.pk)]
        for address in (*before, reverse("reporting:attention", args=["candidates"])):
            assert all(each in text_of(client.get(address)) for each in both), address
        assert called(unknown) in text_of(client.get(page("customer_change", mary.pk)))
        found = text_of(client.get(page("customerlink_choose", mary.pk), {"q": "Smythe"}))
        assert all(each in found for each in both)
        link = merging.join_customers(unknown, mary, evidence={}, made_by="Ann")
        for name, number in (("customerlink_change", link.pk), ("customer_change", mary.pk), ("matchcandidate_change", pair.pk)):
            assert all(each in text_of(client.get(page(name, number))) for each in both), name

    def test_a_pair_that_was_settled_meanwhile_is_refused_kindly(self, client, manager, pair, mary, unknown):
        merging.join_customers(unknown, mary, evidence={}, made_by="Ann")
        text = text_of(client.post(page("matchcandidate_settle", pair.pk), {"decision": "join"}, follow=True))
        assert "settled this pair already: Joined" in text
        assert "This pair is settled" in text_of(client.get(page("matchcandidate_change", pair.pk)))

    def test_a_long_story_takes_no_more_statements(self, client, manager, pair, mary):
        client.get(page("matchcandidate_change", pair.pk))
        with CaptureQueriesContext(connection) as few:
            client.get(page("matchcandidate_change", pair.pk))
        for number in range(8):
            talk = cast.conversation(mary, cast.NOON + timedelta(days=number + 1), closed_after=timedelta(minutes=1))
            cast.says(talk, "customer", "Hello")
            mary.identifiers.create(original_customer=mary, kind="email", value=f"{number}@example.com", assurance="claimed", source="test")
        with CaptureQueriesContext(connection) as many:
            client.get(page("matchcandidate_change", pair.pk))
        assert len(many) <= len(few)


class TestAnErasedRecord:
    @pytest.fixture
    def erased(self, unknown):
        erasure.run(erasure.request(unknown, ground="asked", by="maya").pk, connectors=[])
        return unknown

    def test_it_offers_no_joining_and_is_offered_to_none(self, client, manager, mary, erased):
        assert page("customerlink_choose", mary.pk) in text_of(client.get(page("customer_change", mary.pk)))
        assert page("customerlink_choose", erased.pk) not in text_of(client.get(page("customer_change", erased.pk)))

    def test_joining_it_all_the_same_is_refused_kindly(self, client, manager, pair, mary, erased):
        for one, other in ((mary, erased), (erased, mary)):
            text = text_of(client.post(page("customerlink_join", one.pk, other.pk), {"reason": "x"}, follow=True))
            assert "One of the two was erased" in text
        again = MatchCandidate.objects.create(customer=mary, other=erased, score=0.8)
        text = text_of(client.post(page("matchcandidate_settle", again.pk), {"decision": "join"}, follow=True))
        assert "One of the two was erased" in text
        assert not CustomerLink.objects.exists()


class TestByHand:
    def test_many_that_are_found_take_no_more_statements(self, client, manager, mary, unknown):
        client.get(page("customerlink_choose", mary.pk), {"q": "Price"})
        with CaptureQueriesContext(connection) as few:
            client.get(page("customerlink_choose", mary.pk), {"q": "Price"})
        for number in range(5):
            cast.customer(f"N. Price {number}", email=f"n{number}@example.com")
        with CaptureQueriesContext(connection) as many:
            text = text_of(client.get(page("customerlink_choose", mary.pk), {"q": "Price"}))
        assert "n4@example.com" in text
        assert len(many) <= len(few)

    @pytest.mark.parametrize("term", ["M. Pri", "01632 960111"])
    def test_the_other_customer_is_found_by_name_or_number(self, client, manager, mary, unknown, term):
        text = text_of(client.get(page("customerlink_choose", mary.pk), {"q": term}))
        assert page("customerlink_join", mary.pk, unknown.pk) in text
        assert page("customerlink_join", mary.pk, mary.pk) not in text

    def test_they_are_joined_with_a_reason(self, client, manager, mary, unknown):
        address = page("customerlink_join", mary.pk, unknown.pk)
        assert "This record stays" in text_of(client.get(address))
        assert "Say why" in text_of(client.post(address, {"reason": "  "}))
        assert not CustomerLink.objects.exists()
        client.post(address, {"reason": "She gave the order number.", "choice.tier": "joined"})
        link = CustomerLink.objects.get()
        assert (link.joined, link.into, link.made_by) == (unknown, mary, "manager")
        assert link.evidence == {"method": "by_hand", "reason": "She gave the order number."}
        assert Customer.objects.get(pk=mary.pk).tier == "gold"
        assert Conversation.objects.filter(customer=mary, status="open", joined_into__isnull=True).count() == 1

    def test_a_record_is_not_joined_with_itself_nor_round_a_circle(self, client, manager, mary, unknown):
        assert "one record already" in text_of(client.post(page("customerlink_join", mary.pk, mary.pk), {"reason": "x"}, follow=True))
        merging.join_customers(unknown, mary, evidence={}, made_by="Ann")
        for one, other in ((mary, unknown), (unknown, mary)):
            text = text_of(client.post(page("customerlink_join", one.pk, other.pk), {"reason": "x"}, follow=True))
            assert "one record already" in text
        assert CustomerLink.objects.count() == 1


class TestTheTrail:
    @pytest.fixture
    def link(self, mary, unknown):
        return merging.join_customers(unknown, mary, evidence={"reason": "Same number"}, made_by="Ann")

    def test_the_customer_page_says_who_joined_what_and_why_and_what_is_to_be_settled(self, client, manager, link, mary):
        text = text_of(client.get(page("customer_change", mary.pk)))
        joined = f"{called(link.joined)} into {called(link.into)}"
        for words in (joined, "by Ann", "Same number", "To be settled", "Keep standard", "Take gold"):
            assert words in text

    def test_a_difference_is_settled_once(self, client, manager, link, mary):
        address = page("customerlink_settle", link.conflicts.get(field="tier").pk)
        assert "Choose one" in text_of(client.post(address, {"choice": "both"}, follow=True))
        assert "Tier is settled" in text_of(client.post(address, {"choice": "joined"}, follow=True))
        assert Customer.objects.get(pk=mary.pk).tier == "gold"
        assert "settled meanwhile" in text_of(client.post(address, {"choice": "root"}, follow=True))

    def test_the_home_page_counts_what_is_to_be_settled(self, client, manager, link):
        assert "Joined records that say different things" in text_of(client.get(reverse("admin:index")))
        rows = text_of(client.get(reverse("reporting:attention", args=["conflicts"])))
        assert "Mary Price" in rows
        assert "Tier" in rows

    def test_taking_it_back_says_before_what_it_does(self, client, manager, link, mary, unknown):
        Customer.objects.filter(pk=mary.pk).update(address="2 Quay")
        text = text_of(client.get(page("customerlink_change", link.pk)))
        assert f"{called(unknown)}</a> stands for itself again" in text
        assert "1 goes back" in text
        apart = text.partition("go on apart again")[2].partition("</li>")[0]
        assert called(unknown) in apart
        assert called(mary) in apart
        assert f"was changed since and stays on {called(mary)}" in text
        assert "each with its own history" in text_of(client.post(page("customerlink_separate", link.pk), follow=True))
        assert "taken back by manager" in text_of(client.get(page("customer_change", mary.pk)))
        assert "Changed since, so it stayed" in text_of(client.get(page("customerlink_change", link.pk)))
        assert "took this joining back already" in text_of(client.post(page("customerlink_separate", link.pk), follow=True))

    def test_what_is_joined_while_a_page_is_open_stays_joined_when_it_is_saved(self, client, manager, mary, unknown):
        merging.join_customers(mary, unknown, evidence={}, made_by="Ann")
        data = {"name": "Mary P.", "language": "en", "time_zone": "", "tier": "standard", "open_balance": "0"}
        client.post(page("customer_change", mary.pk), data)
        mary.refresh_from_db()
        assert (mary.name, mary.root) == ("Mary P.", unknown)


def test_only_by_posting_only_from_our_pages_and_only_by_those_who_may(client, manager, mary, unknown, pair):
    merging.join_customers(unknown, mary, evidence={}, made_by="Ann")
    conflict = FieldConflict.objects.filter(state="open").first()
    third = cast.customer("Third")
    posts = [
        page("customerlink_settle", conflict.pk),
        page("customerlink_separate", CustomerLink.objects.get().pk),
        page("matchcandidate_settle", pair.pk),
    ]
    asks = [page("customerlink_choose", mary.pk), page("customerlink_join", mary.pk, third.pk)]
    for address in posts:
        assert client.get(address).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(manager)
    for address in [*posts, asks[1]]:
        assert careful.post(address, {"choice": "root", "reason": "x"}).status_code == 403
    type(manager).objects.update(is_superuser=False)
    for address in posts:
        assert client.post(address, {"choice": "root"}).status_code == 403
    for address in asks:
        assert client.get(address).status_code == 403
    client.logout()
    for address in asks:
        assert client.get(address).status_code == 302
    assert CustomerLink.objects.filter(active=True).count() == 1
    assert FieldConflict.objects.get(pk=conflict.pk).state == "open"


def test_managers_compare_a_pair_from_the_inbox(client, manager, mary, pair):
    """An agent sees that there may be another record, and no way to join it."""
    pane = reverse("inbox:customer", args=[mary.conversations.get().public_id])
    assert page("matchcandidate_change", pair.pk) in text_of(client.get(pane))
    client.force_login(cast.agent().user)
    text = text_of(client.get(pane))
    assert "M. Price" in text
    assert page("matchcandidate_change", pair.pk) not in text


def test_who_spoke_while_two_records_were_joined_is_named_after_they_are_apart(client, manager):
    """Their words stand in the other one's conversation for good, where they are not that one's."""
    ann, ben = cast.customer("Ann Lark"), cast.customer("Ben Wren")
    places = [cast.conversation(each) for each in (ann, ben)]
    line = Interaction.objects.get(provider_id=cast.chat(places[1]))
    link = merging.join_customers(ben, ann, evidence={}, made_by="tests")
    cast.says(places[0], "customer", "My key is under the gnu", interaction=line, actor_name="Ann Lark")
    merging.separate_customers(link, undone_by="tests")
    for address in (page("conversation_change", places[0].pk), reverse("inbox:conversation", args=[places[0].public_id])):
        bubble = client.get(address).content.decode().rpartition("My key is under the gnu")[0][-900:]
        assert "Ben Wren" in bubble
        assert "Ann Lark" not in bubble
    assert "My key is under the gnu" in client.get(reverse("inbox:conversation", args=[places[1].public_id])).content.decode()
    assert "My key is under the gnu" not in client.get(page("customer_change", ann.pk)).content.decode()
    assert "My key is under the gnu" in client.get(page("customer_change", ben.pk)).content.decode()


def test_how_alike_two_records_are_is_read_in_whole_percent(client, manager, pair):
    """And what is nearly sure is not called sure, neither in the list nor on the page."""
    MatchCandidate.objects.filter(pk=pair.pk).update(score=0.9999999821541962)
    for address in (page("matchcandidate_changelist"), page("matchcandidate_change", pair.pk)):
        text = client.get(address).content.decode()
        assert "99 %" in text
        assert "100 %" not in text
        assert "0.9999" not in text


def test_a_pair_is_settled_by_a_choice_and_by_nothing_else(client, manager, pair):
    """A request that says neither settles nothing."""
    told = client.post(page("matchcandidate_settle", pair.pk), {"decision": "later"}, follow=True).content.decode()
    assert "Choose one of the ways" in told
    pair.refresh_from_db()
    assert pair.state == "open"
