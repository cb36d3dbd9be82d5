"""What a customer tells in passing: name, phone, email, postcode, address, date, time window, order number, amount."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from conversations.models.identifier import E164
from conversations.understanding.dates import find_date
from conversations.understanding.identifiers import EMAIL, ORDER_NUMBER, OTHER_NUMBER, PHONE, is_reference
from conversations.understanding.names import find_name
from conversations.understanding.normalise import clean
from conversations.understanding.postcodes import find_postcode, without_postcodes
from conversations.understanding.spoken import to_typed
from conversations.understanding.times import find_window

NAMES: Final = ("name", "phone", "email", "postcode", "address", "date", "time_window", "order_number", "amount")
MAX_CANDIDATES: Final = 10
LONGEST_ANSWER: Final = 500

# Every quantifier below is bounded, and what it matches starts with a fixed class of characters, so none can backtrack far.
USUAL_KINDS: Final = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
AMOUNT: Final = re.compile(
    r"(?:(£|€|\$|\b(?:gbp|eur|usd))\s?)?(?<![\w.,/:-])([0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,9})(?:\.([0-9]{1,2}))?(?![0-9])"
    r"(?:\s?(pounds?|quid|gbp|euros?|eur|dollars?|usd|p(?:ence)?\b)(?:\s(?:and\s)?([0-9]{2})\b)?)?",
    re.IGNORECASE,
)
CURRENCIES: Final = {
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP", "p": "GBP", "pence": "GBP",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD",
}  # fmt: skip
IS_PAID: Final = re.compile(r"\bpay(?:ing)?(?: (?:only|just|you|them|back|up to))*\s$", re.IGNORECASE)
PAID_ON: Final = re.compile(
    r"\s*(?:$|[.,;!?]|(?:on|by|now|next|this|today|tomorrow|tonight|then|of|off|and|at|until|till|before)\b)", re.IGNORECASE
)
"""“I'll pay 60 on Friday”: a number that is paid, and neither a day nor a number of invoices."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing learned: `value` in its normal form, `text` the words it came from, confidence 0 to 1.

    Normal forms: phone E.164; email in small letters; postcode “HB1 4QT” (or only “HB1” when one was asked for and no
    more was said); date ISO; time_window "HH:MM-HH:MM" in the customer's day; order_number "HH-4F7K2Q" (or another number with
    letters before it, “HR-4458”, when one was asked for); amount "85.50 GBP".
    """

    name: str
    value: str
    text: str
    confidence: float


def extract(text: str, *, now: datetime, default_region: str = "GB", expecting: str | None = None) -> list[Fact]:
    """The facts in `text`, typed or spoken, each name at most once.

    `now` is aware and in the zone in which “tomorrow” is meant; `default_region` (two letters) is how numbers
    without a country are read; `expecting` is the fact just asked for: a bare answer is then taken for it
    (“Sam Okafor”, “10 to 12”), and for a fact of no known form the answer itself is the value. Never raises on any
    text; takes time in proportion to its length (at most 10,000 characters are read).

    Raises ValueError when `now` is naive.
    """
    written = to_typed(clean(text))
    region = default_region.upper()
    phone = _phone(written, region, expecting)
    found = [
        _email(written),
        _order_number(written, expecting),
        phone,
        _postcode(written, region, expecting),
        *_when(without_postcodes(written, region=region), now, region, expecting),
        _amount(written.replace(phone.text, " ") if phone else written, expecting),
        _name(written, expecting),
    ]
    facts = list(without_days_in_name(fact for fact in found if fact is not None))
    if expecting and expecting not in NAMES and written:
        facts.append(Fact(expecting, written[:LONGEST_ANSWER], written[:LONGEST_ANSWER], 0.5))
    return facts


def without_days_in_name(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The facts without a day that is part of a name among them: “Monday Jones”."""
    every = tuple(facts)
    named = " ".join(fact.text.lower() for fact in every if fact.name == "name").split()
    return tuple(fact for fact in every if fact.name != "date" or fact.text.lower() not in named)


def _email(text: str) -> Fact | None:
    for match in _few(EMAIL, text):
        candidate = match[0].rstrip(".-'")
        try:
            address = validate_email(candidate, check_deliverability=False, test_environment=True)
        except EmailNotValidError:
            continue
        return Fact("email", address.normalized.lower(), candidate, 0.95)
    return None


def _order_number(text: str, expecting: str | None) -> Fact | None:
    for match in _few(ORDER_NUMBER, text):
        if is_reference(match):
            return Fact("order_number", f"HH-{match[3].upper()}", match[0], 0.95)
    # Whoever is asked for a reference may have that of an invoice or a refund.
    other = OTHER_NUMBER.search(text) if expecting == "order_number" else None
    return Fact("order_number", f"{other[1].upper()}-{other[2].replace(' ', '')}", other[0], 0.7) if other else None


def _phone(text: str, region: str, expecting: str | None) -> Fact | None:
    chosen: Fact | None = None
    for match in _few(PHONE, text):
        try:
            number = phonenumbers.parse(match[0], region)
        except phonenumbers.NumberParseException:
            continue
        value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if not _is_whole(number) or not re.fullmatch(E164, value):
            continue
        looks_like_one = match[0].lstrip("(")[0] in "+0" or phonenumbers.is_valid_number(number)
        if not looks_like_one and expecting != "phone":
            continue
        chosen = Fact("phone", value, match[0], 0.95 if looks_like_one else 0.7)
    return chosen


def _is_whole(number: phonenumbers.PhoneNumber) -> bool:
    """Whether a number is valid, or as long as the country's numbers usually are.

    Numbers reserved for drama are not valid, and demonstrations and tests live on them.
    """
    if phonenumbers.is_valid_number(number):
        return True
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    usual = [phonenumbers.example_number_for_type(region, kind) for kind in USUAL_KINDS]
    return len(str(number.national_number)) in {len(str(each.national_number)) for each in usual if each}


def _postcode(text: str, region: str, expecting: str | None) -> Fact | None:
    # Half of an order number looks like a postcode.
    found = find_postcode(ORDER_NUMBER.sub(" ", text), region=region, expected=expecting == "postcode")
    return Fact("postcode", *found) if found else None


def _when(text: str, now: datetime, region: str, expecting: str | None) -> Iterator[Fact]:
    expected = expecting in {"date", "time_window"}
    day = find_date(text, now=now, day_first=region != "US", expected=expected)
    if day is not None:
        yield Fact("date", day.day.isoformat(), day.text, day.confidence)
    window = find_window(text, day=day, expected=expected and (day is None or expecting == "time_window"))
    if window is not None:
        yield Fact("time_window", window.window, window.text, window.confidence)


def _amount(text: str, expecting: str | None) -> Fact | None:
    for match in _few(AMOUNT, text, limit=50):
        sign, whole, cents, unit, said_cents = match.groups()
        marked = sign or unit
        is_paid = IS_PAID.search(text[: match.start()][-30:]) and PAID_ON.match(text[match.end() :][:12])
        if not marked and not is_paid and not (expecting == "amount" and len(whole) <= 6):
            continue
        currency = CURRENCIES[marked.lower()] if marked else "GBP"
        value = f"{int(whole.replace(',', ''))}.{(cents or said_cents or '').ljust(2, '0')}"
        if unit and unit.lower() in {"p", "pence"} and not sign:
            value = f"{int(whole.replace(',', '')) / 100:.2f}"
        return Fact("amount", f"{value} {currency}", match[0].strip(), 0.9 if marked else 0.6)
    return None


def _name(text: str, expecting: str | None) -> Fact | None:
    found = find_name(text, expected=expecting == "name")
    return Fact("name", *found) if found else None


def _few(pattern: re.Pattern[str], text: str, limit: int = MAX_CANDIDATES) -> Iterator[re.Match[str]]:
    """The first matches only: a text of a thousand numbers tells nothing more."""
    for count, match in enumerate(pattern.finditer(text)):
        if count >= limit:
            return
        yield match
