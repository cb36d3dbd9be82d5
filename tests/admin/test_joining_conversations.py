"""Joining two conversations in the admin while their records stay apart, and keeping them apart again."""

import pytest
from django.urls import reverse

from conversations.models import Conversation, ConversationLink, CustomerLink, Entry, MatchCandidate
from conversations.services import merging, threads, weaving
from tests.reporting import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client):
    user = cast.manager()
    client.force_login(user)
    return user


@pytest.fixture
def pair():
    """A chat and a call of two records that may be one person."""
    one, other = cast.conversation(cast.customer("Mary Price")), cast.conversation(cast.customer("M. Price"))
    MatchCandidate.objects.create(customer=one.customer, other=other.customer)
    return one, other


def page(name: str, *args: object) -> str:
    return reverse(f"admin:conversations_{name}", args=args)


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def join(client, one, other, reason="Both are about the boiler."):
    return client.post(page("conversation_join", one.pk), {"into": other.pk, "reason": reason}, follow=True)


def test_open_conversations_of_a_pair_are_joined_with_a_reason_and_kept_apart_again(client, manager, pair):
    one, other = pair
    assert "May be about the same need" in text_of(client.get(page("conversation_change", one.pk)))
    assert "Say why" in text_of(join(client, one, other, reason=" "))
    assert "go on here as one" in text_of(join(client, one, other))
    link = ConversationLink.objects.get()
    assert (link.joined, link.into, link.made_by) == (one, other, "manager")
    assert not CustomerLink.objects.exists()
    for place in pair:
        text = text_of(client.get(page("conversation_change", place.pk)))
        assert "Both are about the boiler." in text
        assert "Keep them apart again" in text
    assert "kept apart again" in text_of(client.post(page("conversationlink_separate", link.pk), follow=True))
    assert not Conversation.objects.filter(joined_into__isnull=False).exists()
    assert Entry.objects.filter(kind="conversation.separated").count() == 2
    assert "taken back by manager" in text_of(client.get(page("conversation_change", one.pk)))
    assert "taken this joining back already" in text_of(client.post(page("conversationlink_separate", link.pk), follow=True))


def test_what_was_closed_or_settled_meanwhile_is_refused_kindly(client, manager, pair):
    one, other = pair
    stranger = cast.conversation(cast.customer("Somebody Else"))
    for into in (stranger, one):
        assert "settled meanwhile" in text_of(join(client, one, into))
    threads.close(other, actor_kind="system", actor_name="", disposition=None)
    assert "settled meanwhile" in text_of(join(client, one, other))
    with pytest.raises(weaving.NotJoinable, match="is closed or goes on"):
        weaving.join_by_hand(one, other, reason="x", made_by="Maya")
    with pytest.raises(weaving.NotJoinable, match="one conversation already"):
        weaving.join_by_hand(one, one, reason="x", made_by="Maya")
    assert not ConversationLink.objects.exists()


def test_one_customer_does_not_get_two_open_conversations(client, manager, pair):
    """After their records were joined, only taking that back parts them."""
    one, other = pair
    join(client, one, other)
    merging.join_customers(one.customer, other.customer, evidence={}, made_by="Ann")
    link = ConversationLink.objects.get()
    assert "A customer has one open conversation" in text_of(client.post(page("conversationlink_separate", link.pk), follow=True))
    merging.separate_customers(CustomerLink.objects.get(), undone_by="Ann")
    assert "kept apart again" in text_of(client.post(page("conversationlink_separate", link.pk), follow=True))


def test_only_by_posting_and_only_by_those_who_may(client, manager, pair):
    one, other = pair
    weaving.join_by_hand(one, other, reason="x", made_by="Maya")
    addresses = [page("conversation_join", one.pk), page("conversationlink_separate", ConversationLink.objects.get().pk)]
    for address in addresses:
        assert client.get(address).status_code == 405
    type(manager).objects.update(is_superuser=False)
    for address in addresses:
        assert client.post(address, {"into": other.pk, "reason": "x"}).status_code == 403
    assert ConversationLink.objects.filter(active=True).count() == 1
