"""What a reply says was done: it leaves when it was done in this conversation, and not before, whatever a brain writes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

import pytest
from django.core import mail
from pytest_django import Settings

from conversations.assistant.brain import BrainEvent, Reply, ToolBox, TurnContext
from conversations.assistant.recording import TurnRecord
from conversations.models import Entry, PaymentPromise, Ticket
from tests.assistant.conftest import Line
from tests.assistant.test_errands import JANE, proves

pytestmark = pytest.mark.usefixtures("monday")
LIAR = "tests.assistant.test_claims.Liar"
ASKED = [
    "what are your opening hours", "how do I bleed a radiator", "how long does a service take", "where is your office",
    "do you repair taps", "what does the care plan cover", "how old may a boiler be", "which towns do you come to",
    "is parking needed for the van", "do you work on Saturdays", "what is a power flush", "can I watch the engineer",
]  # fmt: skip
TOLD: list[str] = []
"""What the brain of these tests says next."""


class Liar:
    """A brain that does nothing and says whatever the test wants."""

    async def answer(self, context: TurnContext, tools: ToolBox, record: TurnRecord) -> AsyncGenerator[BrainEvent, None]:
        """See `brain.Brain`."""
        yield Reply(TOLD[-1], form_state=dict(context.form_state))


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    mail.outbox.clear()
    yield
    PaymentPromise.objects.all().delete()
    Ticket.objects.all().delete()


CLAIMS = {
    "book": ["I have booked your visit.", "I've just booked you in for Tuesday.", "Don't worry, your visit is booked.",
             "He reservado su visita.", "Su visita está reservada."],
    "cancel": ["I have now cancelled your visit.", "No problem, it's cancelled.", "Hemos cancelado su cita.", "La visita ha sido anulada."],
    "reschedule": ["We've moved your visit to Friday.", "I have changed the time of your visit.", "He aplazado la visita.",
                   "He cambiado la hora de su visita."],
    "promise_to_pay": ["I have noted your promise to pay.", "Your promise to pay has been recorded.", "He anotado su promesa de pago.",
                       "Su compromiso de pago queda registrado."],
    "open_ticket": ["I have opened a ticket for you.", "A ticket has been created.", "He abierto una incidencia.",
                    "La incidencia queda abierta."],
    "schedule_callback": ["I have scheduled a call for tomorrow.", "I've booked you a call back.", "Your call back is arranged.",
                          "He programado una llamada.", "La llamada queda concertada."],
    "send_link": ["I have sent you the link.", "The payment link has been sent.", "I just emailed you.", "Le he enviado el enlace.",
                  "Ya hemos enviado un correo."],
    "verify_identity": ["I have sent you a code.", "I have verified your identity.", "Thank you, you are verified.",
                        "He comprobado su identidad.", "Su identidad ha sido verificada."],
    "update_fact": ["I have updated your email address.", "The phone number on your record has been changed.",
                    "He actualizado su correo.", "Su dirección ha sido modificada."],
    "set_consent": ["I have taken you off our list.", "You have been unsubscribed.", "Le he dado de baja."],
    "hand_off": ["I have passed this on to the team.", "I have informed my colleague.", "He avisado a un compañero."],
    "nothing": ["I have refunded you.", "I've already processed your payment.", "Your invoice is settled.", "He cobrado su tarjeta.",
                "La factura está pagada."],
}  # fmt: skip
"""By the tool that would have had to work."""
NONE = [
    "I have not booked anything.", "Nothing was booked or changed.", "Once your visit is booked, you get a reference.",
    "If you have changed your phone number, tell me.", "I can open a ticket for you.", "Shall I send you the link?",
    "We will note your promise when you say yes.", "No he reservado nada.", "Si la visita está cancelada, no se paga nada.",
    "Your order is on its way.", "I have noted: Tuesday.", "Puedo abrir una incidencia.",
]  # fmt: skip
"""Sentences with the same words that claim nothing."""


@pytest.mark.parametrize("tool", CLAIMS)
async def test_what_was_not_done_is_not_said(tool: str, settings: Settings) -> None:
    assert [claim for claim in CLAIMS[tool] if await says(Line(), settings, claim)] == []
    assert await Entry.objects.filter(kind="reply.refused", data__reason="promise").acount() == len(CLAIMS[tool])


async def test_what_claims_nothing_is_said(settings: Settings) -> None:
    assert [text for text in NONE if not await says(Line(), settings, text)] == []


async def says(line: Line, settings: Settings, *claims: str) -> list[str]:
    """Those of the claims that leave on a line."""
    settings.ASSISTANT_BRAIN = LIAR
    said = []
    for asked, claim in zip(ASKED, claims, strict=False):
        TOLD.append(claim)
        said += [claim] if await line.say(asked) == claim else []
    settings.ASSISTANT_BRAIN = ""
    return said


async def test_what_was_done_may_be_said_and_nothing_else(settings: Settings) -> None:
    """A ticket, a call back and a link: each may be told from then on, in either language, on its line and on no other."""
    line = Line()
    for words in ("please open a ticket", "the van blocked my drive for two hours", "07700 900321", "yes"):
        await line.say(words)
    ticket, call, link = CLAIMS["open_ticket"], CLAIMS["schedule_callback"], CLAIMS["send_link"][:2]
    assert await says(line, settings, call[0], *ticket) == ticket
    for words in ("please call me back tomorrow at 3 pm", "yes"):
        await line.say(words)
    assert await says(line, settings, link[0], *call) == call
    line = Line()
    await line.say("my email is sam@example.org")
    await line.say("can you email me the payment link")
    assert await says(line, settings, CLAIMS["cancel"][0], *link) == link
    for claim in (ticket[0], call[0], link[0]):
        assert await says(Line(), settings, claim) == []


async def test_what_a_proven_customer_had_done_may_be_said(settings: Settings) -> None:
    """Who they are, a detail and a promise to pay; a code that was sent proves nobody."""
    code, *proof = CLAIMS["verify_identity"]
    detail, promise = CLAIMS["update_fact"], CLAIMS["promise_to_pay"]
    line = Line()
    await line.say("I will pay 85 pounds on Friday")
    await line.say(JANE)
    assert await says(line, settings, proof[0], code) == [code]
    line = Line()
    await line.say("I will pay 85 pounds on Friday")
    await proves(line, JANE)
    await line.say("yes")
    assert await PaymentPromise.objects.acount() == 1
    assert await says(line, settings, detail[0], *proof, *promise) == [*proof, *promise]
    for words in ("my new email is jane.new@example.org", "yes"):
        await line.say(words)
    assert await says(line, settings, CLAIMS["open_ticket"][0], *detail) == detail
