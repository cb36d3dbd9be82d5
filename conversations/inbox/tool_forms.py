"""A form for any tool, made from the schema that a model is shown and every call is checked against."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Json, Tool, ToolContext
from conversations.services import identity

LONG_TEXT: Final = 300
DATE_TIME: Final = "%Y-%m-%dT%H:%M"
SAME_AS_FACT: Final = ("name", "phone", "postcode", "email")
"""Arguments that begin with what the customer has told, where they are needed; what may be left out changes nothing when it is empty."""
WHERE_IT_DOES_NOT_FIT: Final[Mapping[str, str | Promise]] = {
    "amount": gettext_lazy("Write an amount such as 85 or 85.50."),
    "date": gettext_lazy("Choose a day."),
    "date-time": gettext_lazy("Choose a day and a time."),
}
"""What is said of a value that does not fit, by the format that it should have."""


class PhoneField(forms.CharField):
    """A phone number however it is written, in the normal form of the company's country."""

    def __init__(self, *, region: str, **options: Any) -> None:
        super().__init__(**options)
        self.region = region

    def clean(self, value: Any) -> str:
        """As E.164."""
        text = super().clean(value)
        if not text:
            return ""
        try:
            return identity.normalise("phone", text, self.region)
        except identity.InvalidIdentifier:
            words = _("That is not a phone number that can be called. Write it with its area code, or with + and the country code.")
            raise ValidationError(words) from None


class ToolForm(forms.Form):
    """One call of a tool. `client_id` makes sending it again harmless."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, tool: Tool, context: ToolContext, *, region: str, data: Any = None) -> None:
        required = tool.schema.get("required", [])
        initial = {name: context.facts[name] for name in SAME_AS_FACT if name in context.facts and name in required}
        super().__init__(data, initial={**initial, "client_id": uuid.uuid4()})
        self.tool = tool
        for name, schema in tool.schema["properties"].items():
            choices = tool.choices[name](context) if name in tool.choices else None
            field = _field(schema, choices, region=region, required=name in required)
            field.label = str(tool.labels.get(name) or name.replace("_", " ").capitalize())
            self.fields[name] = field

    def arguments(self) -> Json:
        """What was filled in, as a call of the tool has it."""
        return {
            name: _plain(value)
            for name, value in self.cleaned_data.items()
            if name != "client_id" and value not in (None, "")
        }

    @property
    def client_key(self) -> str:
        """By which a repetition is recognised."""
        key: uuid.UUID = self.cleaned_data["client_id"]
        return key.hex


def _field(schema: Mapping[str, Any], choices: list[tuple[str, str]] | None, *, region: str, required: bool) -> forms.Field:
    """The field for one property of a schema."""
    kind = str(schema.get("format") or schema.get("type"))
    misfit = str(WHERE_IT_DOES_NOT_FIT.get(kind) or _("That does not fit here."))
    errors = {"required": _("Fill this in."), **({"invalid": misfit} if kind in WHERE_IT_DOES_NOT_FIT else {})}
    options: dict[str, Any] = {"required": required, "error_messages": errors}
    if choices is None and "enum" in schema:
        choices = [(str(each), str(each).replace("_", " ").capitalize()) for each in schema["enum"]]
    if choices is not None:
        return forms.ChoiceField(choices=[("", _("Choose") if choices else _("There is none to choose from")), *choices], **options)
    match kind:
        case "date":
            return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), **options)
        case "date-time":
            widget = forms.DateTimeInput(format=DATE_TIME, attrs={"type": "datetime-local"})
            return forms.DateTimeField(widget=widget, input_formats=[DATE_TIME], **options)
        case "phone":
            return PhoneField(region=region, widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}), **options)
        case "boolean":
            return forms.BooleanField(required=False)
        case "integer":
            return forms.IntegerField(min_value=schema.get("minimum"), max_value=schema.get("maximum"), **options)
    longest = schema.get("maxLength")
    rows = forms.Textarea(attrs={"rows": 4}) if longest and longest > LONG_TEXT else forms.TextInput(attrs={"autocomplete": "off"})
    field = forms.CharField(max_length=longest, widget=rows, **options)
    if "pattern" in schema:
        field.validators.append(RegexValidator(str(schema["pattern"]), message=misfit))
    return field


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value
