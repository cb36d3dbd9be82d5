"""Who is signed in on the host site, or has proven it by a code: what the account says is used, and what is told reaches the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from conversations.chat.demo_site import CUSTOMERS
from conversations.models import ActionItem, Booking, Customer, Entry, Identifier, PaymentPromise
from conversations.services import threads
from conversations.services.parties import IdentifierClaim, Party
from tests.assistant.conftest import Line
from tests.assistant.test_errands import JANE, on, proves

pytestmark = pytest.mark.usefixtures("monday")
NEW_NUMBER, NEW_ADDRESS = "07700 900555", "14 Mill Lane, Harbor"


@pytest.fixture(autouse=True)
def _no_promise_is_left() -> Iterator[None]:
    yield
    PaymentPromise.objects.all().delete()


@dataclass
class SignedIn(Line):
    """A chat of a customer for whom the company's site vouches, as it does on its pages."""

    who: str = "Jane Whitfield"

    @property
    def _party(self) -> Party:
        known = next(each for each in CUSTOMERS if each.name == self.who)
        until = timezone.now() + timedelta(minutes=30)
        claims = (
            IdentifierClaim("visitor", self.party, "verified"),
            IdentifierClaim("external", f"harborhome:{known.id}", "verified", until),
            IdentifierClaim("email", known.email, "verified", until),
            IdentifierClaim("phone", known.phone, "claimed"),
        )
        return Party(claims, self.party, known.name, "en")

    async def anew(self) -> SignedIn:
        """The same customer, who comes again when this conversation is over."""
        conversation = await self.conversation()
        await database_sync_to_async(threads.close)(conversation, actor_kind="system", actor_name="", disposition=None)
        return SignedIn(who=self.who)


async def proven(channel: str) -> Line:
    """Jane, signed in on the site, or on the phone with a code."""
    if channel == "chat":
        return SignedIn()
    line = await on("voice")
    await line.say("where is my order?")
    await proves(line, JANE)
    return line


async def changed() -> dict[str, str]:
    """What was changed on records, by the fact."""
    return {entry.data["name"]: entry.data["value"] async for entry in Entry.objects.filter(kind="record.changed")}


async def test_the_number_that_was_put_right_is_the_one_that_counts() -> None:
    """Also in the next conversation, for which the site tells the old one once more; and when the old one is put back."""
    line = SignedIn()
    for words in (f"my new number is {NEW_NUMBER}", "yes"):
        told = await line.say(words)
    assert NEW_NUMBER in told
    line = await line.anew()
    told = await line.say("there is a mistake on my bill")
    assert NEW_NUMBER in told
    assert "07700 900301" not in told
    line = await line.anew()
    for words in ("my new number is 07700 900301", "yes"):
        await line.say(words)
    line = await line.anew()
    told = await line.say("there is a mistake on my bill")
    assert "07700 900301" in told
    before = [entry.data["replaces"] async for entry in Entry.objects.filter(kind="record.changed").order_by("pk")]
    assert before == ["+447700900301", "+447700900555"]
    sources = {row.value: row.source async for row in Identifier.objects.filter(kind="phone")}
    assert sources == {"+447700900301": "put right", "+447700900555": "put right before"}


async def test_a_number_that_was_only_told_for_something_is_not_the_record_s() -> None:
    line = SignedIn()
    await line.say(f"there is a mistake on my bill, my number is {NEW_NUMBER}")
    line = await line.anew()
    assert "07700 900301" in await line.say("there is a mistake on my bill")


@pytest.mark.parametrize(("wish", "asked"), [
    ("can you book me a boiler service", "What is the postcode"),
    ("¿puede reservarme una revisión de caldera?", "Cuál es el código postal"),
])  # fmt: skip
async def test_a_visit_is_where_the_account_says(wish: str, asked: str) -> None:
    """Said before it is booked; the street is noted for whoever goes there."""
    line = SignedIn()
    for words in (f"my new address is {NEW_ADDRESS}, HB3 2XY", "yes"):
        await line.say(words)
    line = await line.anew()
    told = await line.say(wish)
    assert asked not in told
    assert "HB3 2XY" in told
    assert NEW_ADDRESS in told
    await line.say("tomorrow" if asked.startswith("What") else "mañana")
    await line.say("the first one" if asked.startswith("What") else "la primera")
    booked = await Booking.objects.aget()
    assert (booked.postcode, booked.name, booked.phone) == ("HB3 2XY", "Jane Whitfield", "+447700900301")
    item = await ActionItem.objects.aget()
    assert NEW_ADDRESS in item.title


async def test_a_visit_elsewhere_has_nothing_of_the_address_of_the_account() -> None:
    line = SignedIn()
    for words in (f"my new address is {NEW_ADDRESS}, HB3 2XY", "yes"):
        await line.say(words)
    line = await line.anew()
    told = await line.say("can you book a boiler service at HB1 4QT")
    assert "HB3 2XY" not in told
    for words in ("tomorrow", "the first one"):
        told = await line.say(words)
    assert (await Booking.objects.aget()).postcode == "HB1 4QT"
    assert NEW_ADDRESS not in told
    assert not await ActionItem.objects.aexists()


async def test_a_visit_that_the_account_placed_is_moved_elsewhere() -> None:
    line = SignedIn()
    for words in (f"my new address is {NEW_ADDRESS}, HB3 2XY", "yes"):
        await line.say(words)
    line = await line.anew()
    await line.say("can you book me a boiler service")
    await line.say("no, it is at HB1 4QT")
    for words in ("tomorrow", "the first one"):
        await line.say(words)
    assert (await Booking.objects.aget()).postcode == "HB1 4QT"


async def test_who_has_proven_nothing_gets_no_place_of_an_account() -> None:
    line = SignedIn()
    for words in (f"my new address is {NEW_ADDRESS}, HB3 2XY", "yes"):
        await line.say(words)
    await line.anew()
    stranger = Line()
    await stranger.say(f"my email is {JANE}")
    told = await stranger.say("can you book me a boiler service")
    assert "What is the postcode" in told
    assert "HB3" not in told
    assert await Customer.objects.filter(postcode="HB32XY").acount() == 1
