"""What the guard lets tools do, what a dead process leaves to be finished, and what a filled form comes to on both channels."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from conversations.assistant import guard
from conversations.assistant.guard import Standing
from conversations.assistant.playbooks import behaviour_of
from conversations.assistant.tools import TOOLS
from conversations.flows import keeping_promises
from conversations.models import Conversation, Customer, EntryPoint, PaymentPromise, Qualification, Ticket
from tests.assistant.conftest import Line
from tests.assistant.test_errands import JANE, proves

pytestmark = pytest.mark.usefixtures("monday")
FACTS = {"date": "2026-11-27", "amount": "50.00 GBP", "phone": "+447700900321", "email": "sam@example.org", "time_window": "10:00-12:00"}
PROVEN, NOBODY = "verified", ""
CALL = {"phone": "+447700900321", "at": "2026-11-27T10:00:00+00:00"}


def standing(**changes: Any) -> Standing:
    """A party of the demo company's chat that has told these facts."""
    behaviour = behaviour_of(EntryPoint.objects.get(channel="chat"))
    reachable = frozenset({FACTS["phone"], FACTS["email"]})
    return replace(Standing(behaviour, live=True, reachable=reachable, facts=FACTS), **changes)


VERDICTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("find_orders", {}, NOBODY, "not_proven"),
    ("find_orders", {}, "knowledge", "not_proven"),
    ("find_orders", {}, PROVEN, ""),
    ("find_orders", {"customer": "somebody else"}, PROVEN, "bad_arguments"),
    ("find_invoices", {}, NOBODY, "not_proven"),
    ("promise_to_pay", {"invoice": "HH-A", "pay_by": "2026-11-27"}, NOBODY, "not_proven"),
    ("promise_to_pay", {"invoice": "HH-A", "pay_by": "2026-11-27"}, PROVEN, ""),
    ("promise_to_pay", {"invoice": "HH-A", "pay_by": "2026-11-27", "amount": "50.00"}, PROVEN, ""),
    ("promise_to_pay", {"invoice": "HH-A", "pay_by": "2026-11-27", "amount": "5.00"}, PROVEN, "not_what_was_given"),
    ("promise_to_pay", {"invoice": "HH-A", "pay_by": "2026-12-27"}, PROVEN, "not_what_was_given"),
    ("promise_to_pay", {"invoice": "HH-A", "pay_by": "2026-11-31"}, PROVEN, "bad_arguments"),
    ("schedule_callback", CALL, NOBODY, ""),
    ("schedule_callback", {**CALL, "phone": "+447700900999"}, NOBODY, "not_what_was_given"),
    ("schedule_callback", {**CALL, "at": "2026-11-27T15:00:00+00:00"}, NOBODY, "not_what_was_given"),
    ("schedule_callback", {**CALL, "at": "2026-11-28T10:00:00+00:00"}, NOBODY, "not_what_was_given"),
    ("schedule_callback", {**CALL, "at": "2026-11-27T12:00:00+02:00"}, NOBODY, ""),
    ("schedule_callback", {**CALL, "at": "2026-11-27T10:00:00-08:00"}, NOBODY, "not_what_was_given"),
    ("schedule_callback", {**CALL, "at": "2026-11-31T10:00:00+00:00"}, NOBODY, "bad_arguments"),
    ("change_callback", {"call": "x", "change": "call_off"}, NOBODY, ""),
    ("change_callback", {"call": "x", "change": "move", **CALL}, NOBODY, ""),
    ("change_callback", {"call": "x", "change": "move", **CALL, "phone": "+447700900999"}, NOBODY, "not_what_was_given"),
    ("change_callback", {"call": "x", "change": "move", "phone": CALL["phone"]}, NOBODY, ""),
    ("change_callback", {"call": "x", "change": "move", "phone": "+447700900999"}, NOBODY, "not_what_was_given"),
    ("change_callback", {"call": "x", "change": "move", "at": CALL["at"]}, NOBODY, "bad_arguments"),
    ("find_callbacks", {}, NOBODY, ""),
    ("send_link", {"link": "payment", "to": "sam@example.org"}, NOBODY, ""),
    ("send_link", {"link": "payment", "to": "mallory@example.org"}, NOBODY, "not_what_was_given"),
    ("send_link", {"link": "https://evil.example", "to": "sam@example.org"}, NOBODY, "not_in_playbook"),
    ("update_fact", {"fact": "phone", "value": "+447700900321"}, NOBODY, "not_proven"),
    ("update_fact", {"fact": "phone", "value": "+447700900321"}, PROVEN, ""),
    ("update_fact", {"fact": "phone", "value": "+447700900999"}, PROVEN, "not_what_was_given"),
    ("update_fact", {"fact": "tier", "value": "gold"}, PROVEN, "bad_arguments"),
    ("open_ticket", {"subject": "x"}, NOBODY, ""),
    ("set_reason", {"reason": "leak"}, NOBODY, ""),
    ("add_action_item", {"title": "x", "due_at": "tomorrow"}, NOBODY, "bad_arguments"),
]


@sync_to_async
def judged(tool: str, arguments: dict[str, Any], **changes: Any) -> str:
    return guard.judge(TOOLS[tool], arguments, standing(**changes)).code


async def test_what_the_guard_lets_through() -> None:
    """Proof as each tool needs it, arguments as the customer gave them, links as the playbook lists them; in drafts nothing."""
    for tool, arguments, level, code in VERDICTS:
        assert await judged(tool, arguments, level=level) == code, (tool, arguments)
        if TOOLS[tool].changes and not code:
            assert await judged(tool, arguments, level=level, live=False) == "draft_only"


async def test_nothing_is_used_without_end() -> None:
    """Each tool as often as the playbook says, all together as often as it says; a person and a no are always there."""
    for used, code in (({"open_ticket": 2}, ""), ({"open_ticket": 3}, "too_often"), ({"search_knowledge": 250}, "too_often")):
        assert await judged("open_ticket", {"subject": "x"}, used=used) == code
    assert await judged("hand_off", {"reason": "x"}, used={"hand_off": 999}) == ""
    line = Line()
    for number in range(4):
        await line.say("please open a ticket")
        await line.say(f"problem number {number} with my radiator in the hall")
        if "number or email" in line.last.body:
            await line.say("07700 900321")
        await line.say("yes")
    assert "as often as it may be" in line.last.body
    assert await Ticket.objects.acount() == 3
    await Ticket.objects.all().adelete()
    assert [each.data["error"] for each in await line.entries("tool.called") if not each.data["allowed"]] == ["too_often"]


async def leave_running(line: Line, tool: str, arguments: dict[str, Any], key: str) -> None:
    """What a process that died in the middle of a tool leaves."""
    left = {"tool": tool, "arguments": arguments, "key": key, "seq": 0, "line": line.interaction_id}
    state = {"running": left, "line": line.interaction_id}
    await Conversation.objects.filter(pk=line.conversation_id).aupdate(form_state=state)


async def test_what_a_dead_process_began_is_finished_once() -> None:
    """Whether it died before or after the effect, however often: one ticket, one promise, and the customer is told."""
    line = Line()
    await line.say("where is my order?")
    await proves(line, JANE)
    ticket = {"subject": "The van blocked the drive", "details": "For two hours."}
    for _time in range(2):
        await leave_running(line, "open_ticket", ticket, "key-of-the-ticket")
        told = await line.say("hello?")
        row = await Ticket.objects.aget()
        assert row.reference in told
    for _time in range(2):
        await leave_running(line, "promise_to_pay", {"invoice": "HH-Q3W8NF", "pay_by": "2026-11-27"}, "key-of-the-promise")
        assert "you pay £85" in await line.say("hello?")
        assert (await PaymentPromise.objects.aget()).amount == Decimal(85)
    assert len(await line.entries("ticket.opened", "payment.promised", "action.added")) == 3
    await Ticket.objects.all().adelete()
    await PaymentPromise.objects.all().adelete()


QUOTE = {
    "chat": ["I'd like a quote for a new boiler please, mine is fifteen years old", "HB1 4QT", "Sam Okafor", "07700 900777", "skip"],
    "voice": ["i'd like a quote for a new boiler please mine is fifteen years old", "h b one four q t", "sam okafor", "skip"],
}


async def qualified_on(channel: str) -> tuple[Qualification, Line]:
    """Fills the form for a quote on a channel."""
    line = Line(channel, party="+447700900777" if channel == "voice" else "")
    if channel == "voice":
        await line.begin()
    for words in QUOTE[channel]:
        await line.say(words)
    return await Qualification.objects.select_related("conversation").aget(conversation=line.conversation_id), line


async def test_a_lead_is_worth_the_same_by_chat_and_by_phone(monday: datetime) -> None:
    """The same score, the same answers in the record, the same fact, and the same lead at the help desk, sent once."""
    found = []
    for channel in ("chat", "voice"):
        row, line = await qualified_on(channel)
        entry = (await line.entries("qualified"))[-1]
        assert (entry.data["score"], entry.data["answers"]) == (row.score, row.answers)
        known = (await line.conversation()).facts["quote_score"]["value"]
        answers = {name: value.lower() for name, value in row.answers.items() if name != "details"}
        found.append((row.form, row.score, known, answers))
        assert "boiler" in row.answers["details"]
        assert await sync_to_async(keeping_promises.send_leads)() == 1
        assert await sync_to_async(keeping_promises.send_leads)() == 0
        await row.arefresh_from_db()
        lead = await Ticket.objects.aget(reference=row.reference)
        assert (row.state, lead.kind, lead.score, lead.contact["phone"]) == ("done", "lead", row.score, "+447700900777")
        await lead.adelete()
        await Customer.objects.filter(conversations=line.conversation_id).aupdate(name="")
    assert found[0] == found[1]
    assert found[0][:3] == ("quote", 60, "60")
