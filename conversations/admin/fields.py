"""Form fields that stand where a manager would otherwise have to write JSON."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _


class LinesField(forms.CharField):
    """A list of texts, one on each line. Empty lines and repetitions are dropped."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(each) for each in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return list(dict.fromkeys(line.strip() for line in str(text or "").splitlines() if line.strip()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))


class TimeZoneField(forms.TypedChoiceField):
    """The name of a time zone, chosen from those the system knows."""

    def __init__(self, **options: Any) -> None:
        names = [name for name in sorted(available_timezones()) if "/" in name and not name.startswith("Etc/")]
        choices = [("", _("Not set"))] if options.get("required") is False else []
        super().__init__(choices=[*choices, ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)], **options)
