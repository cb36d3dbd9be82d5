"""The visitor token changes hands only with its browser: planted, copied and stolen ones are worth nothing, as named attacks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import transaction
from django.test import override_settings

from conversations.chat import host_identity, visitor
from conversations.flows import signing_in, wrapping_up
from conversations.flows.inbound import CallStart, begin_call
from conversations.models import (
    ChatSessionRecord,
    Conversation,
    Customer,
    CustomerLink,
    Entry,
    EntryPoint,
    HostSiteKey,
    Identifier,
    Interaction,
    MatchCandidate,
    Proof,
    RetiredVisitor,
    SharedIdentifier,
)
from conversations.selectors import access
from conversations.services import joining, visitors
from conversations.services.parties import IdentifierClaim, Party
from tests.record import rows
from tests.support import host_site
from tests.support.host_site import token_of
from tests.support.sockets import Frame, Widget, open_widget

pytestmark = pytest.mark.django_db(transaction=True)
PRIVATE = "My new card ends in 1234"
NO_PUSHES = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.fixture(autouse=True)
def door() -> EntryPoint:
    """The company's web page and its number; every need goes to a person."""
    rows.everybody_to_people()
    rows.phone_line()
    return rows.entry_point()


@pytest.fixture
def key(door: EntryPoint) -> HostSiteKey:
    """A shared secret of the site."""
    return host_site.key_for(door)


async def sign_in(widget: Widget, token: str) -> Frame:
    """Signs in during a chat; returns the new welcome."""
    await widget.send(type="identify", jwt=token)
    return await widget.wait_for(lambda frame: frame["type"] == "welcome")


async def is_told_to_start_over(widget: Widget) -> None:
    await widget.wait_for(lambda frame: frame["type"] == "start_over")


async def sees_nothing_with(known: Frame, **more: Any) -> Frame:
    """Says hello with what a copy of a browser's storage holds: the token is somebody new, and reads nothing."""
    async with open_widget() as widget:
        welcome = await widget.hello(token=known["token"], session=known["session"], **more)
        await widget.send(type="resume", after=0)
        await widget.say("What is on my account?", client_id="thief")
        assert PRIVATE not in json.dumps(widget.frames)
        assert welcome["session"].split(".")[0] != known["session"].split(".")[0]
        assert welcome["identity"] is None
    return welcome


async def chats_of(person: str) -> set[str]:
    """What was said in the chats that are filed under a person's record."""
    said = Entry.objects.filter(actor_kind="customer", conversation__customer__identifiers__value=f"shop:{person}")
    return {entry.body async for entry in said}


async def test_a_token_planted_before_signing_in_opens_nothing(key: HostSiteKey) -> None:
    """Session fixation: the attacker's token is in the victim's browser when they sign in and write."""
    async with open_widget() as attacker, open_widget() as browser:
        planted = await attacker.hello()
        await attacker.say("Hello", client_id="attacker")
        await browser.hello(token=planted["token"], session=planted["session"], identity=token_of(key))
        await is_told_to_start_over(attacker)
        await browser.say(PRIVATE, client_id="victim")
        refused = await attacker.say("And here?", client_id="attacker-2")
        assert (refused["type"], refused["code"]) == ("refused", "no_hello")
        assert PRIVATE not in json.dumps(attacker.frames)
    await sees_nothing_with(planted)
    assert "What is on my account?" not in await chats_of("10042")


async def test_a_token_planted_before_signing_in_opens_nothing_when_nothing_was_proven(key: HostSiteKey) -> None:
    """The site's own id of the victim is one that too many have shown, as that of an office: it is no proof of a record."""
    await SharedIdentifier.objects.acreate(kind="external", value="shop:10042", customers=9, shown_as="verified")
    async with open_widget() as attacker, open_widget() as browser:
        planted = await attacker.hello()
        await attacker.say("Hello", client_id="attacker")
        welcome = await browser.hello(token=planted["token"], session=planted["session"], identity=token_of(key))
        assert welcome["identity"] is not None
        await is_told_to_start_over(attacker)
        await browser.say(PRIVATE, client_id="victim")
        assert PRIVATE not in json.dumps(attacker.frames)
    await sees_nothing_with(planted)
    assert not await Proof.objects.aexists()


async def test_an_id_that_many_show_writes_nothing_on_the_record_that_had_it_first(key: HostSiteKey) -> None:
    """Whoever signs in with it again brings an address and a name along: they are theirs, not the first one's."""
    async with open_widget() as first, open_widget() as other:
        await first.hello(identity=token_of(key))
        await first.say(PRIVATE, client_id="first")
        await SharedIdentifier.objects.acreate(kind="external", value="shop:10042", customers=9, shown_as="verified")
        more = {"email": "other@example.org", "email_verified": True, "name": "Somebody Else"}
        await other.hello(identity=token_of(key, **more))
        await other.say("Hello", client_id="other")
        await other.send(type="identify", jwt=token_of(key, minutes=40, **more))
        await other.wait_for(lambda frame: frame["type"] == "identity")
    holder = await Customer.objects.aget(identifiers__value="shop:10042", identifiers__assurance="verified")
    assert (holder.name, await holder.identifiers.filter(kind="email").aexists()) == ("", False)


async def test_an_unused_token_planted_before_signing_in_opens_nothing(key: HostSiteKey) -> None:
    """The same before a word was said under it."""
    async with open_widget() as attacker, open_widget() as browser:
        planted = await attacker.hello()
        await browser.hello(token=planted["token"], session=planted["session"], identity=token_of(key))
        await browser.say(PRIVATE, client_id="victim")
        await attacker.say("Hello", client_id="attacker")
        await attacker.send(type="resume", after=0)
        await attacker.wait_for(lambda frame: frame["type"] == "entries")
        assert PRIVATE not in json.dumps(attacker.frames)
    assert "Hello" not in await chats_of("10042")


async def test_a_call_tied_to_a_planted_chat_proves_nothing(key: HostSiteKey) -> None:
    """The attacker has keyed the chat's code into a call, and holds another unused one, when the victim signs in."""
    async with open_widget() as attacker, open_widget() as browser:
        planted = await attacker.hello()
        await attacker.say("Hello", client_id="attacker")
        await attacker.send(type="continue_by_phone")
        code = (await attacker.wait_for(lambda frame: frame["type"] == "phone_code"))["code"]
        call = await database_sync_to_async(_call)("tied", code)
        await attacker.send(type="continue_by_phone")
        unused = (await attacker.wait_for(lambda frame: frame["type"] == "phone_code"))["code"]
        await browser.hello(token=planted["token"], session=planted["session"], identity=token_of(key))
        await browser.say(PRIVATE, client_id="victim")
        later = await database_sync_to_async(_call)("later", unused)
    for line in (call, later):
        assert await database_sync_to_async(_proven_and_seen)(line) == ("", False)


def _call(name: str, code: str) -> Interaction:
    """A call from a number of the attacker's, in which the code is keyed."""
    number = f"+4477009001{len(name):02}"
    start = CallStart(rows.phone_line().pk, f"call-{name}", Party((IdentifierClaim("phone", number, "network_hint"),), number))
    line = Interaction.objects.get(pk=begin_call(start).interaction_id)
    joining.redeem_code(code, line)
    return line


def _proven_and_seen(line: Interaction) -> tuple[str, bool]:
    line.refresh_from_db()
    return access.proven_level(line), access.seen_by_party(line).filter(body=PRIVATE).exists()


async def test_a_copied_token_follows_nobody_who_signs_in(key: HostSiteKey) -> None:
    """Copied before the rise, it reads neither what comes after nor what was said before."""
    async with open_widget() as widget:
        copied = await widget.hello()
        await widget.say(PRIVATE, client_id="one")
        risen = await sign_in(widget, token_of(key))
        await widget.say("And more", client_id="two")
    await sees_nothing_with(copied, identity="forged")
    async with open_widget() as widget:
        await widget.hello(token=risen["token"], session=risen["session"])
        assert {PRIVATE, "And more"} <= {entry["body"] for entry in widget.entries}


async def test_a_socket_that_misses_the_push_is_found_out(key: HostSiteKey, door: EntryPoint) -> None:
    """Whatever it asks for next is refused from the database: reading, a code for the phone, writing into the chat."""
    for number, question in enumerate(({"type": "resume", "after": 0}, {"type": "continue_by_phone"})):
        async with open_widget() as thief:
            known = await thief.hello()
            await thief.say(PRIVATE, client_id=f"before-{number}")
            await thief.wait_for_entry(lambda entry: entry["body"] == PRIVATE)
            await database_sync_to_async(_sign_in_unheard)(known, token_of(key, f"person-{number}"), door)
            thief.frames.clear()
            await thief.send(**question)
            await is_told_to_start_over(thief)
            assert not thief.entries
    async with open_widget() as thief:
        known = await thief.hello()
        await thief.say("Hello", client_id="before")
        await database_sync_to_async(_sign_in_unheard)(known, token_of(key, "writer"), door)
        await thief.say("I am still here", client_id="after")
    assert await chats_of("writer") == {"Hello"}
    sessions = {session async for session in ChatSessionRecord.objects.values_list("session_id", flat=True)}
    assert sessions == {line async for line in Interaction.objects.values_list("provider_id", flat=True)}


def _sign_in_unheard(known: Frame, token: str, door: EntryPoint) -> None:
    browser = visitor.read(known["token"])
    assert browser is not None
    with override_settings(CHANNEL_LAYERS=NO_PUSHES):
        signing_in.sign_in(browser.browser, known["session"], host_identity.read(token, door), entry_point=door)


async def test_a_stolen_token_is_worth_nothing_after_signing_out(key: HostSiteKey) -> None:
    """The thief's socket is cut off at once, the copy is somebody new, and neither the chat nor the record is found by it."""
    async with open_widget() as widget, open_widget() as thief:
        welcome = await widget.hello(identity=token_of(key))
        await widget.say("Hello", client_id="one")
        await thief.hello(token=welcome["token"], session=welcome["session"])
        await widget.send(type="sign_out")
        after = await widget.wait_for(lambda frame: frame["type"] == "welcome")
        assert (await widget.wait_for(lambda frame: frame["type"] == "entries"))["entries"] == []
        await is_told_to_start_over(thief)
        assert (after["identity"], after["token"] != welcome["token"]) == (None, True)
        await widget.say("Somebody else sits here now", client_id="two")
    await sees_nothing_with(welcome)
    assert await chats_of("10042") == {"Hello"}
    line = await Interaction.objects.order_by("pk").afirst()
    assert line is not None
    assert (line.state, line.end_reason) == ("ended", "signed_out")
    assert not await Proof.objects.filter(withdrawn_at__isnull=True).aexists()


async def test_a_host_sites_token_is_not_believed_again_after_signing_out(key: HostSiteKey) -> None:
    """Replayed with the stolen visitor token, with none, and in the browser that signed out."""
    token = token_of(key)
    async with open_widget() as widget:
        welcome = await widget.hello(identity=token)
        await widget.say(PRIVATE, client_id="one")
        await widget.send(type="sign_out")
        after = await widget.wait_for(lambda frame: frame["type"] == "welcome")
        await widget.send(type="identify", jwt=token)
        assert (await widget.wait_for(lambda frame: frame["type"] == "error"))["code"] == "identity_used"
    for known in ({}, {"token": welcome["token"], "session": welcome["session"]}, {"token": after["token"]}):
        async with open_widget() as thief:
            await thief.hello(**known, identity=token)
            assert thief.frames[0]["code"] == "identity_used"
            await thief.say("What is on my account?", client_id=f"thief-{len(known)}")
            assert PRIVATE not in json.dumps(thief.frames)


async def test_a_host_sites_token_counts_in_one_browser_only(key: HostSiteKey) -> None:
    """Read along and shown elsewhere while the customer is signed in, whatever is done to its signature's spelling."""
    token = token_of(key)
    async with open_widget() as widget:
        await widget.hello(identity=token)
        await widget.say(PRIVATE, client_id="one")
    respelled = [f"{token}=", token[:-1] + _next(token[-1])]
    for shown in (token, *respelled):
        async with open_widget() as thief:
            await thief.hello(identity=shown)
            assert thief.frames[0]["code"] in ("identity_used", "identity_refused")


def _next(letter: str) -> str:
    """Another letter of base64 that differs in the bits which a 32-byte signature leaves unused."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(letter) ^ 1]


async def test_a_second_tab_goes_on_with_the_new_token(key: HostSiteKey) -> None:
    """It is told to say hello anew, and with the token that the browser keeps now it has everything."""
    async with open_widget() as first, open_widget() as second:
        known = await first.hello()
        await first.say("From the first tab", client_id="one")
        await second.hello(token=known["token"], session=known["session"])
        risen = await sign_in(first, token_of(key))
        await is_told_to_start_over(second)
        await second.hello(token=risen["token"], session=risen["session"], identity=token_of(key))
        await second.wait_for_entry(lambda entry: entry["body"] == "From the first tab")
        await second.say("From the second tab", client_id="two")
        await first.wait_for_entry(lambda entry: entry["body"] == "From the second tab")
    assert await Interaction.objects.acount() == 1
    assert await Interaction.objects.filter(entries__kind="identity.proven").distinct().acount() == 1


async def test_a_message_sent_again_after_signing_in_is_stored_once(key: HostSiteKey) -> None:
    """Its acknowledgement was lost, and the browser repeats it under its new token."""
    async with open_widget() as widget:
        await widget.hello()
        first = await widget.say("My boiler is cold", client_id="one")
        await sign_in(widget, token_of(key))
        again = await widget.say("My boiler is cold", client_id="one")
    assert again["seq"] == first["seq"]
    assert await Entry.objects.filter(body="My boiler is cold").acount() == 1


async def test_another_person_in_the_same_browser_begins_afresh(key: HostSiteKey) -> None:
    """The first one is signed out; nothing of theirs is shown, and the two records have nothing to do with each other."""
    async with open_widget() as widget:
        first = await widget.hello(identity=token_of(key, "first"))
        await widget.say(PRIVATE, client_id="one")
        widget.frames.clear()
        await sign_in(widget, token_of(key, "second"))
        await widget.say("I am somebody else", client_id="two")
        assert PRIVATE not in json.dumps(widget.frames)
    await sees_nothing_with(first)
    assert (await chats_of("first"), await chats_of("second")) == ({PRIVATE}, {"I am somebody else"})
    assert not await MatchCandidate.objects.aexists()
    assert not await CustomerLink.objects.aexists()


async def test_a_shops_tablet_joins_nobody(key: HostSiteKey) -> None:
    """Its record belongs to somebody verified: the line alone goes to who signs in, the rest is nobody's to open any more."""
    async with open_widget() as widget:
        tablet = await widget.hello()
        await widget.say(PRIVATE, client_id="one")
        await database_sync_to_async(_is_known_as)("owner@example.com")
        await database_sync_to_async(_end_chats)()
        await widget.say("I would like to ask something", client_id="two")
        widget.frames.clear()
        risen = await sign_in(widget, token_of(key, "visitor"))
        await widget.say("It is me", client_id="three")
        assert PRIVATE not in json.dumps(widget.frames)
    async with open_widget() as widget:
        await widget.hello(token=risen["token"], session=risen["session"])
        assert PRIVATE not in json.dumps(widget.frames)
    await sees_nothing_with(tablet)
    assert PRIVATE not in await chats_of("visitor")
    assert not await MatchCandidate.objects.aexists()
    assert not await CustomerLink.objects.aexists()


def _is_known_as(email: str) -> None:
    customer = Customer.objects.get()
    Identifier.objects.create(
        customer=customer, original_customer=customer, kind="email", value=email, assurance="verified", shown_as="verified", source="tests"
    )


def _end_chats() -> None:
    for line in Interaction.objects.exclude(state="ended"):
        wrapping_up.end(line, reason="silence")


async def test_the_tab_in_which_a_code_was_said_goes_on_and_no_other(door: EntryPoint) -> None:
    """A proof that is made in a message: the socket that said it gets the new token, a thief who reads along does not."""
    async with open_widget() as browser, open_widget() as thief:
        known = await browser.hello()
        await browser.say("Hello", client_id="one")
        await thief.hello(token=known["token"], session=known["session"])
        await browser.say("482913", client_id="the-code")
        await thief.wait_for_entry(lambda entry: entry["body"] == "482913")
        await thief.say("482913", client_id="me-too")
        await database_sync_to_async(_raise_by_email)("jane@example.com", heir="the-code")
        await is_told_to_start_over(thief)
        risen = await browser.wait_for(lambda frame: frame["type"] == "welcome" and frame["token"] != known["token"])
        await browser.say(PRIVATE, client_id="two")
    await sees_nothing_with(known)
    async with open_widget() as browser:
        await browser.hello(token=risen["token"], session=risen["session"])
        await browser.wait_for_entry(lambda entry: entry["body"] == PRIVATE)


def _raise_by_email(email: str, heir: str) -> None:
    line = Interaction.objects.select_related("conversation__customer").get()
    claim = IdentifierClaim("email", email, "verified")
    with transaction.atomic():
        visitors.raise_browser(line, claim, method="one_time_code", made_by="tests", sentence="The code was given.", heir=heir)


async def test_raw_sessions_and_lines_still_meet_after_a_rise(key: HostSiteKey) -> None:
    """Every raw session has its one line, whatever they are called now."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Hello", client_id="one")
        await sign_in(widget, token_of(key))
        await widget.say("Hello again", client_id="two")
    sessions = [session async for session in ChatSessionRecord.objects.values_list("session_id", flat=True)]
    lines = [line async for line in Interaction.objects.values_list("provider_id", flat=True)]
    assert sessions == lines
    assert await RetiredVisitor.objects.acount() == 1


async def test_signing_out_before_anything_was_said_is_no_error(key: HostSiteKey) -> None:
    """The browser is somebody new, that is all."""
    async with open_widget() as widget:
        before = await widget.hello()
        await widget.send(type="sign_out")
        after = await widget.wait_for(lambda frame: frame["type"] == "welcome")
        assert after["token"] != before["token"]
        assert (await widget.say("Hello", client_id="one"))["type"] == "ack"
    assert await Customer.objects.acount() == await Conversation.objects.acount() == 1
