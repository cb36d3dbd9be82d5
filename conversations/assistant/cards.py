"""The cards of a reply, made from what tools answered in the same turn, whichever brain wrote the words.

A card is only of what the reply tells: a visit, an order or an invoice by its reference, a price by its name and amount, an
article that is cited, a code that is on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from conversations.assistant import wording
from conversations.assistant.brain import Reply, ToolResult, TurnContext
from conversations.rendering.cards import Button, Card, Row

MOST_CARDS: Final = 4
Found = Mapping[str, Any]
UNDECIDED: Final = frozenset({"choose", "confirm", "which"})
"""Steps in which the reply offers choices of its own about a visit."""


def cards_of(reply: Reply, results: Sequence[ToolResult], context: TurnContext) -> tuple[Card, ...]:
    """The cards of a reply; of two about the same the later one."""
    made: dict[str, Card] = {}
    for result in results:
        maker = MAKERS.get(result.tool)
        if maker and result.worked:
            for card in maker(result.result, reply, context):
                made.pop(card.key, None)
                made[card.key] = card
    articles = [Card("article", f"article:{each.url}", each.title, url=each.url) for each in reply.sources if each.url]
    return (*made.values(), *articles)[:MOST_CARDS]


def _booked(visit: Found, reply: Reply, context: TurnContext) -> Iterator[Card]:
    yield from _visit(_("Visit booked"), visit, reply, context)


def _changed(visit: Found, reply: Reply, context: TurnContext) -> Iterator[Card]:
    yield from _visit(_("Visit changed"), visit, reply, context)


def _cancelled(visit: Found, reply: Reply, context: TurnContext) -> Iterator[Card]:
    yield from _visit(_("Visit cancelled"), visit, reply, context, over=True)


def _known(found: Found, reply: Reply, context: TurnContext) -> Iterator[Card]:
    """Visits that were looked up, when the reply tells of them and asks nothing about them itself."""
    if reply.form_state.get("step") not in UNDECIDED:
        for visit in found.get("visits", []):
            yield from _visit(_("Your visit"), visit, reply, context)


def _visit(title: str, visit: Found, reply: Reply, context: TurnContext, *, over: bool = False) -> Iterator[Card]:
    reference, tools = str(visit["reference"]), context.behaviour.tools
    if reference not in reply.body:
        return
    start, end = datetime.fromisoformat(str(visit["start"])), datetime.fromisoformat(str(visit["end"]))
    buttons = [
        Button(label, value % {"reference": reference})
        for tool, label, value in (
            ("reschedule", _("Move"), _("I would like to move my visit %(reference)s.")),
            ("cancel", _("Cancel"), _("I would like to cancel my visit %(reference)s.")),
        )
        if tool in tools and not over
    ]
    yield Card(
        "visit",
        f"visit:{reference}",
        title,
        rows=(
            Row(_("What"), context.behaviour.named(str(visit["service"]))),
            Row(_("When"), wording.window(start, end, context.now, plain=True)),
            *([Row(_("Where"), str(visit["postcode"]))] if visit.get("postcode") else []),
            Row(_("Reference"), reference),
        ),
        buttons=tuple(buttons),
        until="" if over else start.isoformat(),
        over=over,
    )


def _prices(found: Found, reply: Reply, context: TurnContext) -> Iterator[Card]:
    lines = []
    for price in found.get("prices", []):
        amount = str(price["price"])
        name = context.behaviour.named(str(price["name"]))
        if amount in reply.body and name.casefold() in reply.body.casefold():
            lines.append(Row(name, _cost(amount, context.behaviour.named(str(price["unit"])), is_least=price["unit"] == "from")))
    if not lines:
        return
    books = context.behaviour.form_for_tool("book") and reply.form_state.get("step") not in ("collect", *UNDECIDED)
    wish = Button(_("Book a visit"), _("I would like to book a visit."))
    yield Card("prices", "prices", _("What it costs"), rows=tuple(lines), buttons=(wish,) if books and not reply.quick_replies else ())


def _cost(amount: str, unit: str, *, is_least: bool) -> str:
    if is_least:
        return _("from %(amount)s") % {"amount": amount}
    return f"{amount} ({unit})" if unit else amount


def _orders(found: Found, reply: Reply, context: TurnContext) -> Iterator[Card]:
    for order in found.get("orders", []):
        reference = str(order["reference"])
        if reference not in reply.body:
            continue
        expected = [Row(_("Expected"), _day(order["expected_on"]))] if order.get("expected_on") else []
        yield Card(
            "order",
            f"order:{reference}",
            str(order["what"]),
            rows=(Row(_("State"), str(order["state_name"])), *expected, Row(_("Reference"), reference)),
            total=Row(_("Total"), wording.money(str(order["total"]), context.language)),
        )


def _invoices(found: Found, reply: Reply, context: TurnContext) -> Iterator[Card]:
    told = [each for each in found.get("invoices", []) if str(each["reference"]) in reply.body]
    if not told:
        return
    everything = len(told) == len([each for each in found["invoices"] if each["left_to_pay"] != "0.00"] or found["invoices"])
    left = wording.money(str(found["left_to_pay"]), context.language)
    yield Card(
        "invoices",
        "invoices",
        _("Your invoices"),
        rows=tuple(_invoice(each, context) for each in told),
        total=Row(_("Left to pay"), left) if everything else None,
    )


def _invoice(invoice: Found, context: TurnContext) -> Row:
    total = wording.money(str(invoice["total"]), context.language)
    return Row(f"{invoice['what']} ({invoice['reference']})", total)


def _code(found: Found, reply: Reply, context: TurnContext) -> Iterator[Card]:
    if found.get("to") and reply.form_state.get("step") == "code":
        again = Button(_("New code"), _("Please send a new code."))
        yield Card("code", "code", _("Show us who you are"), buttons=(again,), asks=True)


def _day(written: object) -> str:
    return date_format(date.fromisoformat(str(written)), pgettext("format of a date, as in Django", "l j F"))


Maker = Callable[[Found, Reply, TurnContext], Iterable[Card]]
MAKERS: Final[Mapping[str, Maker]] = {
    "book": _booked,
    "reschedule": _changed,
    "correct": _changed,
    "cancel": _cancelled,
    "find_visits": _known,
    "show_account": _known,
    "find_prices": _prices,
    "find_orders": _orders,
    "find_invoices": _invoices,
    "verify_identity": _code,
}
"""By the tool whose answer they are made from."""
