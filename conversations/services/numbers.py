"""What kind of phone number it is, by its country's numbering plan: whether it may be rung, whether it takes texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import phonenumbers
from django.conf import settings
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult

ORDINARY: Final = frozenset(
    {PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.VOIP}
)
TAKES_TEXTS: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.UNKNOWN})


def is_ordinary(number: str) -> bool:
    """Whether an E.164 number is a person's or an office's: fixed, mobile or over the internet. Others cost whoever rings them."""
    parsed = phonenumbers.parse(number)
    if phonenumbers.is_valid_number(parsed):
        return phonenumbers.number_type(parsed) in ORDINARY
    return _is_made_up(parsed)


def costs_who_rings(number: str) -> bool:
    """Whether an E.164 number is by its plan one that costs whoever rings it, or nobody's own; one that the plan does not know is not."""
    parsed = phonenumbers.parse(number)
    return phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) not in ORDINARY


def is_emergency(written: str, region: str) -> bool:
    """Whether dialling a number as it was written could reach an emergency service of the region."""
    return bool(phonenumbers.connects_to_emergency_number(written.strip(), region))


def is_in(number: str, regions: Iterable[str]) -> bool:
    """Whether an E.164 number belongs to one of these countries (ISO 3166, such as GB)."""
    parsed = phonenumbers.parse(number)
    allowed = set(regions)
    if phonenumbers.is_valid_number(parsed):
        return phonenumbers.region_code_for_number(parsed) in allowed
    return not allowed.isdisjoint(phonenumbers.region_codes_for_country_code(parsed.country_code or 0))


def is_whole(number: str) -> bool:
    """Whether an E.164 number can be dialled from anywhere; not one that lacks its area code or is a part of one."""
    return phonenumbers.is_possible_number_with_reason(phonenumbers.parse(number)) == ValidationResult.IS_POSSIBLE


def takes_texts(number: str) -> bool:
    """Whether an E.164 number can get text messages: a mobile one, or one of which the plan does not say what it is."""
    return phonenumbers.number_type(phonenumbers.parse(number)) in TAKES_TEXTS


def may_take_texts(number: str) -> bool:
    """Whether a number of ours can get text messages: any but those that cost whoever writes to them, if the platform has it so."""
    return is_ordinary(number) or takes_texts(number)


def ending(number: str) -> str:
    """The last three digits, by which whoever gave a number knows it again and nobody else learns it."""
    return number[-3:]


def _is_made_up(number: PhoneNumber) -> bool:
    """Whether the number is in nobody's plan, as those kept for films, and only the simulator would ring it."""
    return settings.VONAGE_GATEWAY == "simulator" and phonenumbers.is_possible_number(number)
