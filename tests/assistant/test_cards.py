"""Cards of a reply: made from what tools answered, the same on chat and phone, and never more than may be said."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.utils.translation import override

from conversations.assistant.stand_in.scenes import Call, calls, says
from conversations.assistant.stand_in.server import StandIn
from conversations.models import Booking, Entry
from conversations.rendering import spoken
from conversations.selectors import access
from conversations.services import timeline
from tests.assistant.conftest import Line
from tests.assistant.test_errands import JANE, on, proves, texts  # noqa: F401  # the fixture is used by its name
from tests.assistant.test_wrap_up import off_loop

pytestmark = pytest.mark.usefixtures("monday")
BOOK = "I'm Sam Okafor, book a boiler service on Wednesday 10 to 12 at HB1 4QT, my number is 07700 900123"


def cards(line: Line) -> list[dict[str, Any]]:
    """The cards of the last answer."""
    return list(line.last.data.get("cards", []))


def shown(card: dict[str, Any]) -> dict[str, str]:
    """The rows of a card."""
    return {row["label"]: row["value"] for row in card["rows"]}


async def booked(line: Line) -> Booking:
    """A visit is booked on a line."""
    if line.channel == "voice":
        await line.begin()
    await line.say(BOOK)
    await line.say("yes")
    return await Booking.objects.aget()


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_visit_on_a_card_and_in_the_words_of_the_phone(channel: str) -> None:
    """What, when and where; and whatever the card shows is said by the voice, once."""
    line = Line(channel)
    visit = await booked(line)
    (card,) = cards(line)
    assert (card["kind"], card["key"], card["title"]) == ("visit", f"visit:{visit.reference}", "Visit booked")
    when = "Wednesday 25 November, 10:00 to 12:00"
    assert shown(card) == {"What": "Boiler service", "When": when, "Where": "HB1 4QT", "Reference": visit.reference}
    assert [button["label"] for button in card["buttons"]] == ["Move", "Cancel"]
    assert datetime.fromisoformat(card["until"]) == visit.window.lower
    said = spoken.words(line.last.body, line.last.data)
    assert "What:" not in said, "the words say it"
    assert said.count("Where: H B 1, 4 Q T.") == 1
    assert said.count(spoken.words(visit.reference)) == 1
    assert "Move" not in said


async def test_its_buttons_are_the_customers_own_words() -> None:
    """Each leads where the words alone would lead; what comes of it is a card about the same visit."""
    line = Line()
    visit = await booked(line)
    move, cancel = (button["value"] for button in cards(line)[0]["buttons"])
    asked = await line.say(move)
    assert f"Your visit {visit.reference} is on Wednesday 25 November" in asked
    assert "When would suit you better?" in asked
    assert len(line.choices) == 3
    assert cards(line) == [], "the reply offers times itself"
    await line.say("never mind")
    assert f"({visit.reference})?" in await line.say(cancel)
    await line.say("yes")
    (card,) = cards(line)
    assert (card["title"], card["over"], card["key"]) == ("Visit cancelled", True, f"visit:{visit.reference}")
    assert not {"buttons", "until"} & set(card)


async def test_in_the_customers_language() -> None:
    """Labels and what the buttons send are Spanish, and understood."""
    line = Line()
    await line.say("Hola, quiero hablar en español, por favor")
    await line.say("Soy Sam Okafor, quiero reservar una revisión de caldera el miércoles de 10 a 12 en HB1 4QT, mi número es 07700 900123")
    await line.say("sí")
    visit = await Booking.objects.aget()
    (card,) = cards(line)
    assert {"Qué", "Cuándo", "Dónde", "Referencia"} == set(shown(card))
    move, cancel = card["buttons"]
    assert (move["label"], cancel["label"]) == ("Cambiar", "Cancelar")
    assert visit.reference in await line.say(move["value"])
    await line.say("no importa")
    assert visit.reference in await line.say(cancel["value"])


async def test_prices_and_the_article_that_is_cited() -> None:
    """Only what the reply names has a line; an article has its title and its address."""
    line = Line()
    reply = await line.say("how much is a boiler service?")
    (card,) = [each for each in cards(line) if each["kind"] == "prices"]
    assert card["rows"]
    assert all(row["label"].lower() in reply.lower() for row in card["rows"])
    await line.say("what are your opening hours?")
    (card,) = cards(line)
    assert (card["kind"], card["url"]) == ("article", line.last.data["sources"][0]["url"])


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_orders_and_invoices_for_who_has_proven_to_be_the_customer(channel: str) -> None:
    """The code's card while it is waited for; then each order that is told, and what is left to pay in all."""
    line = await on(channel)
    await line.say("where is my order?")
    assert cards(line) == []
    told = await proves(line, JANE)
    sent = line.replies[-2]
    assert [each["kind"] for each in sent.data["cards"]] == ["code"]
    assert sent.data["cards"][0]["asks"] is True
    orders = [each for each in cards(line) if each["kind"] == "order"]
    assert orders
    assert all(shown(each)["Reference"] in told and each["total"]["value"].startswith("£") for each in orders)
    await line.say("how much is my bill?")
    (card,) = cards(line)
    assert (card["kind"], card["total"]["label"]) == ("invoices", "Left to pay")


async def test_a_models_reply_has_the_same_cards(model: StandIn) -> None:
    """They come from the tools, not from the model; a model cannot make one, and what its words do not tell has none."""
    line = Line()
    model.play(calls(Call("find_prices", {"query": "boiler service"})), says("A boiler service costs £85 per boiler."))
    await line.say("how much is a boiler service?")
    by_model = cards(line)
    assert "£85" in json.dumps(list(model.requests)[-1]["messages"], ensure_ascii=False), "a price is told to a model with its currency"
    model.play(calls(Call("find_prices", {"query": "boiler service"})), says("I can tell you what it costs. Shall I?"))
    await line.say("how much is a boiler service?")
    assert by_model[0]["kind"] == "prices"
    assert cards(line) == []


@pytest.mark.parametrize("name", ["Card 4111 1111 1111 1111", "See https://evil.example/", "<b>Pump</b>"])
async def test_a_card_that_may_not_leave_is_left_out(name: str) -> None:
    """What another system calls a thing is judged like words of the reply: these go, the card does not."""
    line = Line()
    visit = await booked(line)
    await Booking.objects.aupdate(service=name)
    await line.say(f"I would like to cancel my visit {visit.reference}.")
    assert "is cancelled" in await line.say("yes")
    assert cards(line) == []


async def test_a_customer_gets_the_cards_and_a_redaction_takes_them() -> None:
    """They are sent with the message to the screen, and are gone with its words."""
    line = Line()
    await booked(line)
    framed = access.party_frame({"data": line.last.data, "actor_kind": "assistant", "actor_name": ""})
    assert framed["data"]["cards"] == cards(line)
    await off_loop(timeline.redact)(line.last, reason="Asked for.")
    assert "cards" not in (await Entry.objects.aget(pk=line.last.pk)).data


def test_nothing_is_said_twice() -> None:
    """What the words say already is not said again, however it is written; a broken card says nothing."""
    rows = [{"label": "Cost", "value": "£89"}, {"label": "When", "value": "Mon"}]
    data = {"cards": [{"rows": rows, "total": {"label": "Total", "value": "£89"}}, 7]}
    with override("en"):
        assert spoken.words("It costs £ 89.", data).endswith("When: Monday.")
    assert spoken.words("Hello.", {"cards": "no"}) == "Hello."
