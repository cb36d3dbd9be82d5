"""From a call into the chat by a link in a text message: who may open it, how often, and what it opens."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync, sync_to_async
from django.core import signing
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from conversations.chat import tickets, visitor
from conversations.models import ChatLink, Customer, Entry, EntryPoint, Interaction, Proof
from conversations.selectors import access
from conversations.services import chat_links, facts, identity, joining, threads
from conversations.services.chat_links import NoLink
from conversations.services.facts import LearnedFact
from conversations.services.parties import IdentifierClaim
from tests.record import parties, rows
from tests.support.locks import meanwhile
from tests.support.sockets import open_widget
from tests.voice.rest_side import Platform, serving

pytestmark = pytest.mark.django_db(transaction=True)
SAM = "+447700900123"
SPOKEN = "My boiler lost its pressure in Hollow Lane"


@pytest.fixture
def platform(transactional_db: None, settings: Any) -> Iterator[Platform]:
    with serving() as (platform, port):
        settings.PORT = port
        yield platform


@pytest.fixture
def door(platform: Platform) -> EntryPoint:
    """The web chat with the playbook of the number."""
    return rows.entry_point()


@pytest.fixture
def call(door: EntryPoint) -> Interaction:
    """A call on which something was said."""
    rows.phone_line()
    line = parties.call(SAM)
    seq = parties.says(line, SPOKEN)
    facts.learn(line.conversation, [LearnedFact("postcode", "HB1 4QT")], interaction=line, from_seq=seq)
    return line


def path_of(platform: Platform, which: int = -1) -> str:
    """The address in a text message, without the site."""
    found = re.search(r"https?://[^/]+(/c/\S+)", platform.texts()[which]["text"])
    assert found
    return found[1]


@pytest.fixture
def path(call: Interaction, platform: Platform) -> str:
    chat_links.send(call, made_by="tests")
    return path_of(platform)


def opens(path: str, token: str = "") -> Any:
    """Presses the page's button in a browser that has this visitor token."""
    browser = Client(enforce_csrf_checks=True)
    page = browser.get(path)
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    return browser.post(path, {"visitor": token, "csrfmiddlewaretoken": found[1]}) if found else page


def ticket_of(response: Any) -> str:
    assert response.status_code == 302, response.content.decode()
    address, _, ticket = response["Location"].partition("#cx-chat=")
    assert address == "/harborhome"
    return str(ticket)


async def arrives(
    ticket: str, token: str | None = None, *, until: str = ""
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """The page's widget says hello with the ticket: its welcome, the entries it is shown, and what it is told is wrong.

    With `until` what follows is read up to the entry with those words.
    """
    async with open_widget() as widget:
        await widget.send(type="hello", token=token, session=None, conversation=None, after=0, ticket=ticket)
        welcome = await widget.wait_for(lambda frame: frame["type"] == "welcome")
        await widget.wait_for(lambda frame: frame["type"] == "entries")
        if until:
            await widget.wait_for_entry(lambda entry: entry["body"] == until)
        return welcome, widget.entries, [frame for frame in widget.frames if frame["type"] == "error"]


def chats() -> list[Interaction]:
    return list(Interaction.objects.filter(channel="chat").select_related("conversation"))


class TestSending:
    def test_the_link_goes_to_the_call_s_own_number_and_says_nothing(self, call: Interaction, platform: Platform) -> None:
        """Not who is meant, not what it is about; what is kept is a keyed hash."""
        chat_links.send(call, made_by="tests")
        (text,) = platform.texts()
        assert (text["to"], text["from"]) == ("447700900123", "441632960100")
        assert text["text"].startswith("Harbor Home Services: carry on your call in our web chat: http")
        assert not [word for word in ("boiler", "HB1", "Hollow", "7700", str(call.public_id)) if word in text["text"]]
        token = path_of(platform).removeprefix("/c/")
        assert len(token) < 80
        stored = ChatLink.objects.get()
        assert token not in f"{stored.token_hash}{Entry.objects.values_list('body', 'data')}"
        entry = Entry.objects.get(kind="link.sent")
        assert (entry.audience, entry.body) == ("staff", "A link to the chat was sent by text message to the number ending in 123.")

    @pytest.mark.parametrize(
        ("party", "code"),
        [("Withheld number", "no_number"), ("", "no_number"), ("+442079460123", "no_texts"), ("+448001111111", "no_texts")],
    )
    def test_only_a_number_that_is_shown_and_takes_texts(self, call: Interaction, platform: Platform, party: str, code: str) -> None:
        Interaction.objects.filter(pk=call.pk).update(party=party)
        with pytest.raises(NoLink) as caught:
            chat_links.send(Interaction.objects.get(pk=call.pk), made_by="tests")
        assert caught.value.code == code
        assert platform.requests == []

    def test_a_number_gets_three_in_an_hour_whoever_calls_from_it(self, call: Interaction, platform: Platform) -> None:
        """Attack: somebody shows a victim's number in call after call, at the same instant."""
        calls = [parties.call(SAM) for _ in range(8)]

        def ask(line: Interaction) -> str:
            try:
                chat_links.send(line, made_by="tests")
            except NoLink as problem:
                return problem.code
            else:
                return "sent"
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            became = sorted(pool.map(ask, calls))
        assert became == ["sent"] * 3 + ["too_many"] * 5
        assert len(platform.texts()) == 3

    @pytest.mark.parametrize("code", [401, 422, 429, 503])
    def test_a_text_that_does_not_leave_opens_nothing(self, call: Interaction, platform: Platform, code: int) -> None:
        platform.code = code
        with pytest.raises(NoLink) as caught:
            chat_links.send(call, made_by="tests")
        assert caught.value.sentence == "The text message could not be sent."
        assert opens(path_of(platform)).status_code == 410
        assert not Entry.objects.filter(kind="link.sent").exists()

    def test_a_new_link_ends_the_one_before(self, call: Interaction, platform: Platform) -> None:
        for _ in range(2):
            chat_links.send(call, made_by="tests")
        assert opens(path_of(platform, 0)).status_code == 410
        assert opens(path_of(platform, 1)).status_code == 302

    def test_without_a_chat_there_is_no_link(self, call: Interaction, door: EntryPoint, platform: Platform) -> None:
        EntryPoint.objects.filter(pk=door.pk).update(mode="off")
        with pytest.raises(NoLink) as caught:
            chat_links.send(call, made_by="tests")
        assert caught.value.code == "no_chat"


class TestOpening:
    def test_looking_at_it_uses_nothing_up(self, path: str) -> None:
        """Programs follow links before people do."""
        for method in ("get", "head", "get"):
            response = getattr(Client(), method)(path)
            assert response.status_code == 200
            assert response["Referrer-Policy"] == "same-origin"
            assert "no-store" in response["Cache-Control"]
        assert ChatLink.objects.get().used_at is None
        assert chats() == []
        assert opens(path).status_code == 302

    def test_the_chat_goes_on_where_the_call_is(self, path: str, call: Interaction) -> None:
        """The party has shown that it holds the number, so it sees the call and is the customer of the number's record."""
        response = opens(path)
        (chat,) = chats()
        assert chat.conversation == parties.place_of(call)
        proof = Proof.objects.get()
        assert (proof.method, proof.kind, proof.value, proof.interaction_id) == ("text_link", "phone", SAM, chat.pk)
        assert access.is_the_customer(chat)
        greeting = "Here you can go on in writing. What was said on the phone is known here."
        welcome, entries, errors = async_to_sync(arrives)(ticket_of(response), until=greeting)
        assert errors == []
        assert welcome["session"] == chat.provider_id
        assert [entry["body"] for entry in entries if entry["body"] in (SPOKEN, greeting)] == [SPOKEN, greeting]

    async def test_what_is_written_there_is_said_in_the_same_conversation(self, path: str, call: Interaction) -> None:
        ticket = ticket_of(await sync_to_async(opens)(path))
        async with open_widget() as widget:
            await widget.send(type="hello", token=None, session=None, conversation=None, after=0, ticket=ticket)
            await widget.wait_for(lambda frame: frame["type"] == "entries")
            assert (await widget.say("The photo shows 0.3 bar", client_id="1"))["type"] == "ack"
        written = await Entry.objects.aget(body="The photo shows 0.3 bar")
        assert written.conversation_id == (await sync_to_async(parties.place_of)(call)).pk

    def test_a_second_time_it_opens_nothing(self, path: str) -> None:
        assert opens(path).status_code == 302
        again = opens(path)
        assert again.status_code == 410
        assert "This link was opened already" in again.content.decode()
        assert len(chats()) == 1

    def test_at_the_same_instant_it_opens_once(self, path: str) -> None:
        def press(_which: int) -> int:
            try:
                return int(opens(path).status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            statuses = sorted(pool.map(press, range(6)))
        assert statuses == [302, 410, 410, 410, 410, 410]
        assert len(chats()) == Proof.objects.count() == 1

    def test_after_a_quarter_of_an_hour_it_opens_nothing(self, path: str) -> None:
        ChatLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        response = opens(path)
        assert response.status_code == 410
        assert "too old" in response.content.decode()
        assert chats() == []

    def test_an_altered_or_forged_link_opens_nothing(self, path: str) -> None:
        token = path.removeprefix("/c/")
        number, _, signature = token.partition(".")
        forged = [
            token[:-1], token + "A", number, f"{number[::-1]}.{signature}", f"{number}.{signature.swapcase()}", "x", "%00", "a" * 3_000,
            signing_with_another_salt(number),
        ]  # fmt: skip
        for each in forged:
            assert Client().get(f"/c/{each}").status_code == 404
            assert Client().post(f"/c/{each}").status_code == 404
        assert ChatLink.objects.get().used_at is None

    def test_another_site_cannot_press_the_button(self, path: str) -> None:
        """It would make somebody's browser a chat of the attacker's call."""
        assert Client(enforce_csrf_checks=True).post(path, {}).status_code == 403
        assert ChatLink.objects.get().used_at is None

    def test_a_closed_conversation_is_not_opened_again(self, path: str, call: Interaction) -> None:
        threads.close(parties.place_of(call), actor_kind="system", actor_name="", disposition=None)
        response = opens(path)
        assert response.status_code == 410
        assert "closed by now" in response.content.decode()

    def test_a_page_on_another_site_is_reached_by_a_link(self, path: str, door: EntryPoint) -> None:
        """A form of ours may lead nowhere else."""
        EntryPoint.objects.filter(pk=door.pk).update(address="/boilers", allowed_origins=["https://harbor.example"])
        page = opens(path).content.decode()
        assert re.search(r'href="https://harbor\.example/boilers#cx-chat=[\w.:-]+"', page)

    def test_after_the_call_it_still_opens(self, path: str, call: Interaction) -> None:
        threads.end_interaction(call, reason="completed")
        assert opens(path).status_code == 302


class TestWhoSeesWhat:
    def test_the_call_s_party_does_not_see_the_chat(self, path: str, call: Interaction) -> None:
        """Attack: a caller shows the victim's number and has a link sent there; the victim opens it and writes."""
        opens(path)
        (chat,) = chats()
        parties.says(chat, "My secret")
        assert not access.seen_by_party(call).filter(body="My secret").exists()
        assert not access.is_the_customer(call)
        assert access.seen_by_party(chat).filter(body=SPOKEN).exists()

    def test_a_record_that_is_not_the_number_s_stays_closed(self, call: Interaction, platform: Platform) -> None:
        """The call was carried into another customer's chat by its code: the link's party sees the call, and no more."""
        anothers = parties.chat(visitor.new())
        parties.says(anothers, "Only for the chat's party")
        code, _row = joining.issue_code(anothers)
        earlier = parties.call(SAM)
        parties.says(earlier, "Said before, from the same number")
        joining.redeem_code(code, call)
        chat_links.send(Interaction.objects.get(pk=call.pk), made_by="tests")
        opens(path_of(platform))
        chat = Interaction.objects.get(channel="chat", proofs__isnull=False)
        seen = set(access.seen_by_party(chat).values_list("body", flat=True))
        assert "Only for the chat's party" not in seen

    def test_another_visitor_s_open_chat_is_not_mixed_up_with_it(self, path: str) -> None:
        """The link stays good, to be opened elsewhere."""
        other = visitor.new()
        parties.says(parties.chat(other), "Hello")
        response = opens(path, other.token)
        assert response.status_code == 409
        assert "Another chat with us is open in this browser" in response.content.decode()
        assert ChatLink.objects.get().used_at is None
        assert opens(path).status_code == 302

    def test_the_chat_of_the_same_party_simply_opens(self, call: Interaction, platform: Platform) -> None:
        """The chat whose code was keyed into the call is in this browser already."""
        own = visitor.new()
        chat = parties.chat(own)
        code, _row = joining.issue_code(chat)
        joining.redeem_code(code, call)
        chat_links.send(Interaction.objects.get(pk=call.pk), made_by="tests")
        response = opens(path_of(platform), own.token)
        assert (response.status_code, response["Location"]) == (302, "/harborhome")
        assert len(chats()) == 1
        assert Proof.objects.count() == 0, "an id that may have been planted proves nothing more"

    def test_an_id_that_the_browser_had_opens_nothing_of_it(self, path: str, call: Interaction) -> None:
        """Attack: a token of the attacker's was planted in the victim's browser before; the link makes a new one."""
        planted = visitor.new()
        ticket = ticket_of(opens(path, planted.token))
        welcome, _entries, _errors = async_to_sync(arrives)(ticket, planted.token)
        assert welcome["token"] != planted.token
        assert access.lines_of_party(chats()[0]).filter(party=planted.id).count() == 0

    def test_a_ticket_is_good_for_two_minutes(self, path: str) -> None:
        ticket = ticket_of(opens(path))
        with time_machine.travel(timezone.now() + timedelta(seconds=tickets.MAX_AGE_SECONDS + 2), tick=True):
            welcome, entries, errors = async_to_sync(arrives)(ticket)
        assert [error["code"] for error in errors] == ["ticket_too_old"]
        assert entries == []
        assert not Interaction.objects.filter(provider_id=welcome["session"]).exists()

    def test_a_ticket_does_not_replace_another_open_chat(self, path: str) -> None:
        """On a page of another site only the widget knows whose chat it holds."""
        ticket = ticket_of(opens(path))
        other = visitor.new()
        parties.says(parties.chat(other), "Hello")
        _welcome, entries, errors = async_to_sync(arrives)(ticket, other.token)
        assert [error["code"] for error in errors] == ["other_chat"]
        assert [entry["body"] for entry in entries if entry["kind"] == "message"] == ["Hello"]

    @pytest.mark.parametrize("ticket", ["", "x", "a:b:c", "x" * 3_000])
    def test_a_made_up_ticket_counts_for_nothing(self, door: EntryPoint, ticket: str) -> None:
        welcome, entries, errors = async_to_sync(arrives)(ticket)
        assert welcome["token"]
        assert entries == []
        assert len(errors) == (1 if ticket else 0)

    def test_two_records_of_one_number_become_one(self, path: str, call: Interaction) -> None:
        opens(path)
        assert parties.place_of(call).customer == chats()[0].conversation.customer
        assert Customer.objects.filter(root=None, conversations__isnull=False).distinct().count() == 1


def signing_with_another_salt(number: str) -> str:
    return signing.Signer(sep=chat_links.SEPARATOR, salt="chat.visitor").sign(number)


def test_a_link_is_opened_while_another_one_is_sent(call: Interaction, path: str) -> None:
    """Both need the number's lock and the link's row, in the same order: the opening waits, and finds that the link ended."""
    with meanwhile(lambda: opens(path), "pg_advisory_xact_lock") as opening:
        identity.lock([IdentifierClaim("phone", SAM, "network_hint")])
        opening.begins()
        ChatLink.objects.filter(interaction=call).update(expires_at=Now())
    (came,) = opening.came
    assert came.status_code == 410
    assert not Interaction.objects.filter(channel="chat").exists()
