"""Keeps card numbers out of everything that is stored."""

import re

_CARD = re.compile(r"(?<![\d])(?:\d[ \t\r\n.\-]{0,2}){12,18}\d(?![\d])")
_SECURITY_CODE = re.compile(r"(?i)\b(cvv2?|cvc2?|security code|card code)(\W{0,3}(?:is|:|=)?\W{0,3})(\d{3,4})\b")


def mask(text: str) -> str:
    """The text with card numbers cut to their last four digits and security codes removed.

    A run of 13 to 19 digits, however spaced, counts as a card number when its Luhn digit is right
    (ISO/IEC 7812). PCI DSS 3.3.1 forbids storing security codes at all.
    """
    masked = _CARD.sub(_mask_card, text)
    return _SECURITY_CODE.sub(r"\1\2•••", masked)


def _mask_card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match.group())
    if not _luhn_is_right(digits):
        return match.group()
    return f"•••• •••• •••• {digits[-4:]}"


def _luhn_is_right(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0
