"""What services cost."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import ListPrices, Price

MOST = 4
NAME_WEIGHT = 3
COMMON = frozenset(
    {
        "a", "an", "and", "are", "at", "book", "can", "charge", "cost", "costs", "do", "does", "for", "how", "i", "in", "is",
        "it", "me", "much", "my", "of", "on", "or", "our", "price", "prices", "pay", "something", "somebody", "the", "there",
        "to", "visit", "want", "what", "whats", "will", "with", "you", "your", "per", "first", "this", "that", "one", "please",
        "now", "then", "before", "so", "ok", "okay", "about", "would", "be", "someone", "come", "hour", "hourly", "rate", "after",
    }
)  # fmt: skip

ENDING = re.compile(r"(?<=\w{5})ings?$|(?<=\w{3})ed$|(?<=[sxzh])es$|(?<=[^s])s$")
WHEN_WEIGHT = 6
WHEN = frozenset({"saturday", "sunday", "weekend", "evening", "night"})
"""The hour is what the price depends on, whoever comes."""
WEEKDAYS = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday"})
WEEKDAY = "weekday"
REPAIR = "repair"
REPAIRS = frozenset({"fix", "mend", "fixe", "repair"})
"""That something is repaired is what the price depends on, whatever it is; but not the price of a plan."""
BY_THE_MONTH = "per month"
SAYS_LITTLE = frozenset({"new", "free", "quote", "get", "exact", "same", "place", "further", "give", "system"})
"""Words of the list that no price is about: a new bathroom is no new boiler, and a solar system no heating one."""


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `prices` that share words with the query, best first, each with its currency, and `others`, the names of the rest."""
    wanted = _words(arguments["query"])
    every = schedule().list_prices(ListPrices())
    ranked = sorted(((-_shared(each, wanted), _place(each, wanted), each.name, each) for each in every), key=lambda row: row[:3])
    best = -ranked[0][0] if ranked else 0
    fitting = [each for points, _place, _name, each in ranked if best and -points * 2 > best][:MOST]
    result = {
        "prices": [_price_json(each, context.currency) for each in fitting],
        "others": [each.name for each in every if each not in fitting],
    }
    return ToolOutcome(result, _("Looked up prices.") if fitting else _("Looked up prices: nothing like that is on the price list."))


def _price_json(price: Price, currency: str) -> dict[str, str]:
    amount = f"{price.price:.2f}".removesuffix(".00")
    return {"name": price.name, "description": price.description, "price": f"{currency}{amount}", "unit": price.unit}


def _shared(price: Price, wanted: set[str]) -> int:
    if not _words(f"{price.name} {price.description}") & wanted - SAYS_LITTLE:
        return 0
    weighty = WHEN if price.unit == BY_THE_MONTH else WHEN | {REPAIR}
    when = WHEN_WEIGHT * len(_words(f"{price.name} {price.description}") & wanted & weighty)
    return NAME_WEIGHT * len(_words(price.name) & wanted) + len(_words(price.description) & wanted) + when


def _place(price: Price, wanted: set[str]) -> int:
    """How late the first of the words is said: what is named first is what a price is for, and not what is among it."""
    said = _in_order(f"{price.name} {price.description}")
    return next((index for index, word in enumerate(said) if word in wanted), len(said))


def _words(words: str) -> set[str]:
    return set(_in_order(words))


def _in_order(words: str) -> list[str]:
    """Without common words and the endings that part “boiler” from “boilers” and “repair” from “repairing”; “heating” is no heat."""
    plain = re.findall(r"[a-z]+", words.lower()[:2000])
    stems = (re.sub(ENDING, "", word) if len(word) > 3 else word for word in plain if word not in COMMON)
    return [REPAIR if word in REPAIRS else WEEKDAY if word in WEEKDAYS else word for word in stems]


TOOL = Tool(
    "find_prices",
    "Looks up prices on the price list for what the customer asks about.",
    arguments_schema(["query"], query=text("What the price is wanted for.", 4000)),
    run,
    recorded=False,
    title=gettext_lazy("Look up prices"),
    labels={
        "query": gettext_lazy("What for"),
    },
)
