"""What is said in Spanish is taken as it is meant, and what is wished of languages; with what turned out the same in English."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from conversations.models import Booking, Consent, Handoff
from conversations.understanding.gloss import DATA, FILES
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


@BOTH
@pytest.mark.parametrize(
    "words",
    ["no quiero que me llamen más", "no quiero más llamadas de ustedes", "por favor bórrenme de su lista de llamadas",
     "I want to stop receiving calls from you"],
)  # fmt: skip
async def test_a_no_to_calls_is_noted_and_bothers_nobody(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert "anotado" in said or "I have noted" in said
    assert await Consent.objects.filter(purpose="outbound_call", decision="refused").aexists()
    assert not await Handoff.objects.aexists()


@BOTH
@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("sale humo del enchufe junto a la caldera", "salgan de casa"), ("hay chispas en la caldera", "salgan de casa"),
        ("mi caldera está ardiendo", "salgan de casa"), ("la caldera huele a humo", "salgan de casa"),
        ("hay fuego en la cocina", "salgan de casa"),
        ("mi vecino ha tenido un accidente con el agua hirviendo de la caldera", "ambulancia"),
        ("smoke is coming from the socket next to the boiler", "leave the house"), ("there is a fire", "leave the house"),
        ("I smell smoke", "leave the house"),
        ("sparks are coming out of my boiler", "leave the house"), ("my son has scalded himself", "an ambulance"),
    ],
)  # fmt: skip
async def test_fire_and_harm_go_to_people_with_no_reason_that_is_none(
    monday: datetime, record: None, channel: str, words: str, advice: str
) -> None:
    """What smokes is no gas, and sparks are no cold radiator: whoever takes it is not told so."""
    line = await on(channel)
    said = await line.say(words)
    assert advice in said
    conversation = await line.conversation()
    assert (conversation.urgency, conversation.reason_id) == ("emergency", None)
    assert await Handoff.objects.aexists()


@pytest.mark.parametrize(
    ("words", "urgency"),
    [
        ("no hay humo, pero no funciona la caldera", "high"), ("el agua sale ardiendo", "high"),
        ("¿instalan detectores de humo?", "normal"),
        ("i have no heating and sparks come from the socket", "emergency"), ("there is no smoke but the boiler does not start", "high"),
    ],
)  # fmt: skip
async def test_what_only_sounds_like_fire_is_none(monday: datetime, record: None, chat: Line, words: str, urgency: str) -> None:
    """And “no heating” denies nothing that comes after it."""
    await chat.say(words)
    assert (await chat.conversation()).urgency == urgency


@BOTH
@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("no puedo cerrar la llave de paso y sale mucha agua", "llave de paso"),
        ("water is everywhere and there is no hot water", "stop tap"),
        ("I can't turn the hot water off, it keeps running", "stop tap"),
    ],
)  # fmt: skip
async def test_water_that_nobody_can_stop_is_a_leak_in_whatever_words(
    monday: datetime, record: None, channel: str, words: str, advice: str
) -> None:
    line = await on(channel)
    said = await line.say(words)
    conversation = await line.conversation()
    assert (conversation.urgency, conversation.reason and conversation.reason.code) == ("emergency", "leak")
    assert advice in said


@BOTH
@pytest.mark.parametrize(
    ("first", "words", "said"),
    [
        ("Necesito una revisión de la caldera", "actually I prefer English", "All right, we go on in English. What is the postcode"),
        ("Necesito un fontanero", "I don't speak Spanish, English please", "All right, we go on in English. What is the postcode"),
        ("hola, buenos días", "sorry, I don't understand Spanish", "All right, we go on in English. What can I do for you?"),
        ("I need a plumber", "Perdón, ¿habla español?", "De acuerdo, seguimos en español. ¿Cuál es el código postal"),
        ("I need a plumber", "no hablo inglés", "De acuerdo, seguimos en español. ¿Cuál es el código postal"),
        ("I need a plumber", "prefiero español", "De acuerdo, seguimos en español. ¿Cuál es el código postal"),
    ],
)  # fmt: skip
async def test_a_wish_for_a_language_is_followed_and_is_no_miss(
    monday: datetime, record: None, channel: str, first: str, words: str, said: str
) -> None:
    line = await on(channel)
    await line.say(first)
    assert (await line.say(words)).startswith(said)
    conversation = await line.conversation()
    assert (conversation.failed_turns, conversation.form_state.get("misses", 0)) == (0, 0)


@BOTH
async def test_a_need_told_once_more_is_not_misunderstood(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I need a plumber")
    assert (await line.say("Necesito un fontanero, gotea el grifo")).startswith("¿Cuál es el código postal")
    assert (await line.say("quisiera pedir un fontanero")).startswith("¿Cuál es el código postal")


@BOTH
async def test_a_time_is_named_in_the_language_that_is_spoken_by_then(monday: datetime, record: None, channel: str) -> None:
    """Whichever it was offered in: taken, repeated and asked for once more."""
    line = await on(channel)
    await line.say("I need a boiler service, HB2 4QT")
    said = await line.say("¿puede repetir las horas?")
    assert "lunes 23 de noviembre, de 14:00 a 16:00" in said
    assert "Monday" not in said
    said = await line.say("in English please")
    assert "Monday 23 November, 14:00 to 16:00" in said
    said = await line.say("la segunda por favor")
    assert said == "Tomo nota: lunes 23 de noviembre, de 14:00 a 16:00. ¿A qué nombre pongo la visita?"


@BOTH
@pytest.mark.parametrize("words", ["repita", "perdón, ¿qué?", "no lo entiendo, repita por favor", "¿me lo puede repetir?"])
async def test_what_was_said_is_repeated(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    asked = await line.say("Necesito una revisión de la caldera")
    assert await line.say(words) == asked
    offer = await line.say("HB2 4QT")
    assert await line.say(words) == offer
    assert (await line.conversation()).form_state.get("misses", 0) == 0


@BOTH
async def test_times_are_repeated_after_something_in_between(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "Monday 23 November" in await line.say("I need a boiler service, HB2 4QT")
    assert "Monday 23 November" not in await line.say("what pressure should my boiler have?")
    assert "Monday 23 November, 14:00 to 16:00" in await line.say("sorry, can you repeat the times please?")
    assert "Monday 23 November, 14:00 to 16:00" in await line.say("can you repeat?")


@BOTH
@pytest.mark.parametrize(
    ("need", "correction", "name"),
    [
        ("Necesito una revisión de la caldera en HB2 4QT el martes a las diez", "no, el nombre es José Núñez", "José Núñez"),
        ("I need a boiler service in HB2 4QT on Tuesday at ten", "no, the name is Joe Nunez", "Joe Nunez"),
    ],
)  # fmt: skip
async def test_no_before_a_name_is_a_correction_and_no_no(
    monday: datetime, record: None, channel: str, need: str, correction: str, name: str
) -> None:
    line = await on(channel)
    await line.say(need)
    said = await line.say(correction)
    assert name in said
    assert "10:00" in said
    if channel == "chat":
        await line.say("sí" if "José" in name else "yes")
        await line.say("07700 900123")
    else:
        await line.say("sí" if "José" in name else "yes")
    assert (await Booking.objects.aget()).name == name


@BOTH
async def test_how_much_is_it_is_about_the_visit_also_after_a_correction(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    for words in ("Necesito una revisión de la caldera en HB2 4QT", "la primera", "José Núñez", "07700 900444"):
        await line.say(words)
    assert "07700 900555" in await line.say("no, mi número es el 07700 900555")
    assert "£85" in await line.say("¿cuánto me va a costar?")


@BOTH
@pytest.mark.parametrize("words", ["¿trabajan ustedes en HB6?", "¿vienen ustedes a HB6?"])
async def test_whether_a_place_is_served_is_told_of_that_place(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert (await line.say(words)).startswith("Sí, vamos a HB6")


@BOTH
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("hola, ¿debo algo?", "Puedo ayudarle con eso en cuanto sepa que es usted"),
        ("hello, do I owe anything?", "I can help with that once I know that it is you"),
        ("quiero ver mis facturas", "Puedo ayudarle con eso en cuanto sepa que es usted"),
    ],
)
async def test_what_is_owed_is_told_to_who_it_is(monday: datetime, record: None, channel: str, words: str, said: str) -> None:
    line = await on(channel)
    assert (await line.say(words)).startswith(said)


@pytest.mark.parametrize(
    ("need", "words", "said"),
    [
        ("Necesito una revisión de la caldera", "pagaré el 10 de diciembre", "en cuanto sepa que es usted"),
        ("I need a boiler service", "I will pay £40 on 10 December", "once I know that it is you"),
    ],
)
async def test_a_payment_is_promised_in_the_middle_of_a_booking(
    monday: datetime, record: None, chat: Line, need: str, words: str, said: str
) -> None:
    """And is no question about a bill."""
    await chat.say(need)
    assert said in await chat.say(words)


@BOTH
@pytest.mark.parametrize(
    ("need", "words", "address"),
    [
        ("quiero un presupuesto para una caldera nueva", "juan arroba ejemplo punto com", "juan@ejemplo.com"),
        ("quiero un presupuesto para una caldera nueva", "es juan guion bajo pérez arroba ejemplo punto es", "juan_perez@ejemplo.es"),
        ("I want a quote for a new boiler", "john at example dot com", "john@example.com"),
    ],
)
async def test_an_address_is_heard_as_it_is_said(
    monday: datetime, record: None, channel: str, need: str, words: str, address: str
) -> None:
    line = await on(channel)
    for said in (need, "HB2 4QT", "Juan Pérez", *(["07700 900123"] if channel == "chat" else [])):
        await line.say(said)
    await line.say(words)
    assert (await line.conversation()).facts["email"]["value"] == address


@BOTH
@pytest.mark.parametrize(
    ("need", "words", "name"),
    [("quiero un presupuesto para una caldera nueva", "mixta", "Juan Pérez"), ("I want a quote for a new boiler", "combi", "Rose")],
)
async def test_what_a_need_is_told_in_is_no_name(
    monday: datetime, record: None, channel: str, need: str, words: str, name: str
) -> None:
    line = await on(channel)
    await line.say(need)
    await line.say("HB2 4QT")
    await line.say(words)
    assert "name" not in (await line.conversation()).facts
    await line.say(name)
    assert (await line.conversation()).facts["name"]["value"] == name


def test_no_english_words_stand_twice_in_the_gloss() -> None:
    """The second would silently put away what the first means."""
    lines = (DATA / FILES["es"]).read_text(encoding="utf-8").splitlines()
    keys = [found[1] for line in lines if (found := re.match(r'"?([^\s#"][^":]*)"?:', line))]
    assert len(keys) > 100
    assert [key for key in keys if keys.count(key) > 1] == []


@pytest.mark.parametrize("said", ["el vater se desborda", "se me está desbordando el inodoro", "el inodoro rebosa"])
async def test_a_toilet_that_overflows_is_a_blocked_one(monday: datetime, record: None, said: str) -> None:
    line = Line()
    assert "código postal" in await line.say(said)
    reason = (await line.conversation()).reason
    assert reason is not None
    assert reason.code == "blocked_drain"
