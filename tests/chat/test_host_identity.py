"""Whom a host site says that a visitor is: what is believed, and each way of being believed wrongly, as a named attack."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from conversations.models import (
    Conversation,
    Customer,
    EntryPoint,
    HostSiteKey,
    HostSiteToken,
    Identifier,
    Interaction,
    MatchCandidate,
    Proof,
    RetiredVisitor,
)
from conversations.selectors import access
from conversations.services import host_sites, timeline
from conversations.services.timeline import NewEntry
from tests.record import rows
from tests.support import host_site
from tests.support.host_site import by_hand, claims_of, private_key, public_pem, signing_key, token_of
from tests.support.sockets import Frame, open_widget

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "The spare key is under the third flower pot."
ALGORITHMS = ["HS256", "RS256", "ES256", "EdDSA"]


@pytest.fixture(autouse=True)
def door() -> EntryPoint:
    """The company's web page; every need goes to a person."""
    rows.everybody_to_people()
    return rows.entry_point()


@pytest.fixture
def key(door: EntryPoint) -> HostSiteKey:
    """A shared secret of the site."""
    return host_site.key_for(door)


def victim(door: EntryPoint) -> Customer:
    """The customer whom the site knows as 10042, with an open conversation that holds something private."""
    customer = rows.customer("Jane Victim")
    for kind, value in (("external", "shop:10042"), ("email", "jane@example.com"), ("phone", "+447700900123")):
        Identifier.objects.create(
            customer=customer, original_customer=customer, kind=kind, value=value, assurance="verified", shown_as="verified", source="tests"
        )
    line = rows.interaction(rows.conversation(customer), door=door, party="another browser")
    timeline.append(line.conversation_id, NewEntry(kind="message", actor_kind="customer", body=SECRET, interaction=line))
    return customer


# ---- Tokens that are not to be believed

Forgery = Callable[[HostSiteKey], str]


def _without_signature(key: HostSiteKey) -> str:
    return by_hand({"alg": "none", "kid": key.kid, "typ": "JWT"}, claims_of("10042", key.entry_point))


def _none_with_a_signature(key: HostSiteKey) -> str:
    return by_hand({"alg": "nOnE", "kid": key.kid}, claims_of("10042", key.entry_point), b"x" * 32)


def _signed_by_somebody_else(key: HostSiteKey) -> str:
    return jwt.encode(claims_of("10042", key.entry_point), "k" * 43, algorithm="HS256", headers={"kid": key.kid})


def _altered(key: HostSiteKey) -> str:
    head, _body, signature = token_of(key, "1").split(".")
    return f"{head}.{token_of(key, '10042').split('.')[1]}.{signature}"


def _key_in_its_own_header(key: HostSiteKey) -> str:
    own = private_key("RS256", 1)
    header = {"kid": key.kid, "jwk": json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(own.public_key())), "jku": "https://evil.example/keys"}
    return jwt.encode(claims_of("10042", key.entry_point), own, algorithm="RS256", headers=header)


def _public_key_as_a_secret(key: HostSiteKey) -> str:
    rsa = host_site.key_for(key.entry_point, "RS256")
    header, body = {"alg": "HS256", "kid": rsa.kid, "typ": "JWT"}, claims_of("10042", key.entry_point)
    signed = by_hand(header, body).rpartition(".")[0]
    pem = public_pem(private_key("RS256"))
    return by_hand(header, body, hmac.new(pem.strip().encode(), signed.encode(), hashlib.sha256).digest())


def _another_entry_points_key(key: HostSiteKey) -> str:
    other = host_site.key_for(rows.entry_point(address="/other"))
    return token_of(other, aud=key.entry_point.address)


def _another_entry_points_kid(key: HostSiteKey) -> str:
    other = host_site.key_for(rows.entry_point(address="/other"), kid="theirs")
    return jwt.encode(claims_of("10042", key.entry_point), signing_key(key), algorithm="HS256", headers={"kid": other.kid})


def _revoked(key: HostSiteKey) -> str:
    host_sites.revoke(key, revoked_by="tests")
    return token_of(key)


def _retired_yesterday(key: HostSiteKey) -> str:
    host_sites.rotate(key, overlap=timedelta(hours=4), made_by="tests")
    HostSiteKey.objects.filter(pk=key.pk).update(accepted_until=timezone.now() - timedelta(days=1))
    return token_of(key)


def _with_header(**header: Any) -> Forgery:
    return lambda key: jwt.encode(claims_of("10042", key.entry_point), signing_key(key), algorithm="HS256", headers=header)


def _with(**claims: Any) -> Forgery:
    return lambda key: token_of(key, **claims)


FORGERIES: dict[str, tuple[Forgery, str]] = {
    "nothing": (lambda key: "", "identity_refused"),
    "no token": (lambda key: "a.b.c", "identity_refused"),
    "null bytes": (lambda key: "\x00.\x00.\x00", "identity_refused"),
    "algorithm none": (_without_signature, "identity_refused"),
    "algorithm none with a signature": (_none_with_a_signature, "identity_refused"),
    "wrong key": (_signed_by_somebody_else, "identity_refused"),
    "altered after signing": (_altered, "identity_refused"),
    "brings its own key": (_key_in_its_own_header, "identity_refused"),
    "the public key as a secret": (_public_key_as_a_secret, "identity_refused"),
    "ends before it begins": (_with(minutes=-0.5), "identity_refused"),
    "expired long ago": (lambda key: token_of(key, at=timezone.now() - timedelta(hours=2)), "identity_expired"),
    "expired two minutes ago": (lambda key: token_of(key, at=timezone.now() - timedelta(minutes=32)), "identity_expired"),
    "good for two hours": (_with(minutes=120), "identity_refused"),
    "good for ever": (_with(exp=...), "identity_refused"),
    "issued at no time": (_with(iat=...), "identity_refused"),
    "issued tomorrow": (lambda key: token_of(key, at=timezone.now() + timedelta(days=1)), "identity_refused"),
    "times as texts": (_with(iat="1", exp="99999999999"), "identity_refused"),
    "for nobody": (_with(sub=...), "identity_refused"),
    "for a number": (_with(sub=10042), "identity_refused"),
    "for an empty text": (_with(sub=""), "identity_refused"),
    "for another one by spaces": (_with(sub=" 10042"), "identity_refused"),
    "for a text with a null byte": (_with(sub="10042\x00"), "identity_refused"),
    "for half a character": (_with(sub="\ud800"), "identity_refused"),
    "for a very long text": (_with(sub="1" * 201), "identity_refused"),
    "for a name that is no text": (_with(name={"first": "Jane"}), "identity_refused"),
    "for no site": (_with(aud=...), "identity_refused"),
    "for another site": (_with(aud="/other"), "identity_refused"),
    "for several sites": (lambda key: token_of(key, aud=["/other", key.entry_point.address]), "identity_refused"),
    "another site's key": (_another_entry_points_key, "identity_refused"),
    "another site's key id": (_another_entry_points_kid, "identity_refused"),
    "unknown key": (_with_header(kid="nobody's"), "identity_refused"),
    "no key": (_with_header(), "identity_refused"),
    "a key id that is a path": (_with_header(kid="../../dev/null"), "identity_refused"),
    "revoked key": (_revoked, "identity_refused"),
    "key retired yesterday": (_retired_yesterday, "identity_refused"),
    "huge": (_with(filler="x" * 5000), "identity_refused"),
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forgery_leaves_the_visitor_unverified(door: EntryPoint, key: HostSiteKey, name: str) -> None:
    """The chat goes on as an anonymous one; nothing else is written or read, and it looks the same whoever is known."""
    forge, code = FORGERIES[name]
    token = await database_sync_to_async(forge)(key)
    unknown = await _attempt(token)
    customer = await database_sync_to_async(victim)(door)
    known = await _attempt(token)
    assert unknown[0] == known[0] == ("error", code)
    assert [kind for kind, _detail in unknown] == ["error", "welcome", "entries", "ack"]
    assert unknown == known
    await database_sync_to_async(_only_anonymous_chats)(besides=customer)


async def _attempt(token: str) -> list[tuple[str, Any]]:
    """Says hello with a token and writes a message; returns what came up to the ack, without what differs each time."""
    async with open_widget() as widget:
        await widget.hello(identity=token)
        greeted = list(widget.frames)
        ack = await widget.say("What is on my account?", client_id="one")
        assert SECRET not in json.dumps(widget.frames)
        assert "Jane" not in json.dumps(widget.frames)
        return [_outline(frame) for frame in (*greeted, ack)]


def _outline(frame: Frame) -> tuple[str, Any]:
    details = {
        "error": lambda: frame["code"],
        "welcome": lambda: (sorted(frame), frame["identity"], frame["state"]),
        "entries": lambda: len(frame["entries"]),
        "ack": lambda: None,
    }
    return frame["type"], details[frame["type"]]()


def _only_anonymous_chats(besides: Customer) -> None:
    others = Customer.objects.exclude(pk=besides.pk)
    assert others.count() == 2
    assert set(Identifier.objects.filter(customer__in=others).values_list("kind", flat=True)) == {"visitor"}
    assert not Interaction.objects.filter(conversation__customer=besides).exclude(party="another browser").exists()
    for nothing in (Proof, MatchCandidate, HostSiteToken, RetiredVisitor):
        assert not nothing._default_manager.exists()


async def test_a_token_larger_than_a_frame_is_refused_and_the_chat_lives(key: HostSiteKey) -> None:
    """The frame is not read at all."""
    async with open_widget() as widget:
        await widget.send(type="hello", token=None, session=None, after=0, identity="x" * 100_000)
        assert (await widget.wait_for(lambda frame: frame["type"] == "error"))["code"] == "too_long"
        await widget.hello()
        assert (await widget.say("Hello", client_id="one"))["type"] == "ack"


@pytest.mark.parametrize("token", [5, {"a": 1}, ["x"], True])
async def test_an_identity_that_is_no_text_is_refused(key: HostSiteKey, token: Any) -> None:
    """In the hello and later."""
    async with open_widget() as widget:
        await widget.hello(identity=token)
        await widget.send(type="identify", jwt=token)
        await widget.wait_for(lambda frame: frame["type"] == "identity")
    assert [frame["code"] for frame in widget.frames if frame["type"] == "error"] == ["identity_refused"] * 2


# ---- Tokens that are believed


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_in_order_opens_what_is_the_persons(door: EntryPoint, algorithm: str) -> None:
    """Whichever way the site signs: the first message goes to the person's record, and they see their conversation."""
    key = await database_sync_to_async(host_site.key_for)(door, algorithm)
    customer = await database_sync_to_async(victim)(door)
    async with open_widget() as widget:
        welcome = await widget.hello(identity=token_of(key, name="Jane\u202e"))
        assert (welcome["identity"]["name"], [frame["type"] for frame in widget.frames]) == ("Jane", ["welcome", "entries"])
        await widget.say("Hello again", client_id="one")
        await widget.wait_for_entry(lambda entry: entry["body"] == SECRET)
    assert await database_sync_to_async(_customers_of_chats)() == {customer.pk}
    proof = await Proof.objects.aget()
    assert (proof.method, proof.kind, proof.value, proof.customer_id) == ("signed_visitor", "external", "shop:10042", customer.pk)


def _customers_of_chats() -> set[int]:
    return set(Interaction.objects.values_list("conversation__customer", flat=True))


async def test_a_person_whom_nobody_knew_gets_a_record(key: HostSiteKey) -> None:
    """With the site's id, what it has checked as proven, what it has not as claimed, the name and the language."""
    token = token_of(key, "7", name="Ada Byron", locale="fr-FR", email="Ada@Example.com", email_verified=True, phone="+447700900456")
    async with open_widget() as widget:
        await widget.hello(identity=token)
        await widget.say("Hello", client_id="one")
    customer = await Customer.objects.aget()
    assert (customer.name, customer.language) == ("Ada Byron", "fr")
    known = {(each.kind, each.value, each.assurance) async for each in Identifier.objects.exclude(kind="visitor")}
    assert known == {
        ("external", "shop:7", "verified"), ("email", "ada@example.com", "verified"), ("phone", "+447700900456", "claimed")
    }  # fmt: skip


@pytest.mark.parametrize("checked", [False, None, "true", 1])
async def test_an_address_that_the_site_has_not_checked_opens_nothing(door: EntryPoint, key: HostSiteKey, checked: Any) -> None:
    """It is a claim like a typed one: people see a candidate, the party sees nothing."""
    customer = await database_sync_to_async(victim)(door)
    async with open_widget() as widget:
        await widget.hello(identity=token_of(key, "7", email="jane@example.com", email_verified=checked))
        await widget.say("What is on my account?", client_id="one")
        await widget.send(type="resume", after=0)
        await widget.wait_for(lambda frame: frame["type"] == "entries" and len(frame["entries"]) > 1)
        assert SECRET not in json.dumps(widget.frames)
    assert [proof.value async for proof in Proof.objects.all()] == ["shop:7"]
    assert await MatchCandidate.objects.filter(other=customer).acount() == 1


async def test_a_key_that_retires_is_believed_until_its_date(key: HostSiteKey) -> None:
    """So is the new one from the beginning."""
    new = await database_sync_to_async(host_sites.rotate)(key, overlap=timedelta(hours=4), made_by="tests")
    for signed in (key, new):
        async with open_widget() as widget:
            assert (await widget.hello(identity=token_of(signed)))["identity"]


async def test_clocks_may_differ_by_a_minute(key: HostSiteKey) -> None:
    """Fifty seconds after its end, and fifty before its beginning, a token is believed."""
    for at in (timezone.now() - timedelta(minutes=30, seconds=50), timezone.now() + timedelta(seconds=50)):
        async with open_widget() as widget:
            assert (await widget.hello(identity=token_of(key, at=at)))["identity"]


async def test_what_was_said_before_signing_in_goes_along(door: EntryPoint, key: HostSiteKey) -> None:
    """The visitor's record was nobody else's: it is joined into the person's, and the chat goes on with what was said."""
    customer = await database_sync_to_async(victim)(door)
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("My boiler is cold", client_id="one")
        await widget.send(type="identify", jwt=token_of(key))
        await widget.wait_for(lambda frame: frame["type"] == "welcome")
        await widget.wait_for(lambda frame: "My boiler is cold" in json.dumps(frame))
        await widget.say("It is me", client_id="two")
    assert await database_sync_to_async(_level_of_chat)() == "verified"
    assert await Conversation.objects.filter(customer=customer).acount() == await Conversation.objects.acount() == 2
    assert not await MatchCandidate.objects.filter(state="open").aexists()


async def test_who_has_no_record_yet_keeps_the_visitors(key: HostSiteKey) -> None:
    """The anonymous record becomes theirs."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("My boiler is cold", client_id="one")
        await widget.send(type="identify", jwt=token_of(key, name="Jane"))
        await widget.wait_for(lambda frame: frame["type"] == "welcome")
        await widget.wait_for_entry(lambda entry: entry["body"] == "My boiler is cold")
    customer = await Customer.objects.aget()
    assert customer.name == "Jane"
    assert await Identifier.objects.filter(customer=customer, value="shop:10042", assurance="verified").aexists()


def _level_of_chat() -> str:
    return access.proven_level(Interaction.objects.exclude(party="another browser").get())


async def test_vouching_again_changes_nothing_but_until_when(door: EntryPoint, key: HostSiteKey) -> None:
    """A page is loaded anew with a fresh token: the visitor stays the same, and the history does not say it twice."""
    async with open_widget() as widget:
        first = await widget.hello(identity=token_of(key, minutes=5))
        await widget.say("Hello", client_id="one")
    before = await Proof.objects.aget()
    async with open_widget() as widget:
        again = await widget.hello(token=first["token"], session=first["session"], identity=token_of(key, minutes=50))
        await widget.send(type="identify", jwt=token_of(key, minutes=40))
        await widget.wait_for(lambda frame: frame["type"] == "identity")
    after = await Proof.objects.aget()
    assert (again["session"], again["token"].split(":")[0]) == (first["session"], first["token"].split(":")[0])
    assert before.expires_at
    assert after.expires_at
    assert after.expires_at - before.expires_at > timedelta(minutes=44)


async def test_what_was_proven_ends_with_the_token(door: EntryPoint, key: HostSiteKey) -> None:
    """Once the site vouches no longer, the browser sees what it said and was told, and nothing else."""
    await database_sync_to_async(victim)(door)
    async with open_widget() as widget:
        welcome = await widget.hello(identity=token_of(key))
        await widget.say("Hello", client_id="one")
    await Proof.objects.aupdate(expires_at=timezone.now() - timedelta(seconds=1))
    async with open_widget() as widget:
        again = await widget.hello(token=welcome["token"], session=welcome["session"])
        bodies = [entry["body"] for entry in widget.entries]
    assert "Hello" in bodies
    assert SECRET not in bodies
    assert again["identity"] == {"name": "", "until": None}
