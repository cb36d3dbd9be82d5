"""A phone number that a manager types: kept in E.164, and none that nobody could or should ring."""

from __future__ import annotations

from typing import Any, Final

import phonenumbers
from django import forms
from django.utils.translation import gettext_lazy as _
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult

LONGEST_WRITTEN: Final = 40
OF_NO_COUNTRY: Final = "001"
"""The region of satellite and other numbers that belong to no country."""
FREE_EVERYWHERE: Final = 800


class PhoneNumberField(forms.CharField):
    """A number with its country code, however it is spaced; what comes out is E.164, or empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": LONGEST_WRITTEN, **options})

    def clean(self, value: Any) -> str:
        """Raises forms.ValidationError for what is no number, not a whole one, or costs whoever rings it."""
        written = str(super().clean(value) or "")
        if not written:
            return ""
        try:
            number = phonenumbers.parse(written)
        except phonenumbers.NumberParseException:
            raise forms.ValidationError(_("Write the number with its country code, such as +441632960111.")) from None
        if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
            raise forms.ValidationError(_("That is no whole number of its country: digits are missing, or there are too many."))
        if _costs(number):
            raise forms.ValidationError(_("That number costs whoever rings it, so it is not rung. Choose another one."))
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _costs(number: PhoneNumber) -> bool:
    """Whether it is a premium-rate number, or one of no country, such as a satellite phone's."""
    is_of_no_country = phonenumbers.region_code_for_country_code(number.country_code or 0) == OF_NO_COUNTRY
    is_premium = phonenumbers.number_type(number) == PhoneNumberType.PREMIUM_RATE
    return is_premium or (is_of_no_country and number.country_code != FREE_EVERYWHERE)
