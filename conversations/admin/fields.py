"""Form fields that stand where a manager would otherwise have to write JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from zoneinfo import available_timezones

import yaml
from django import forms
from django.utils.translation import gettext_lazy as _

LONGEST_OUTLINE: Final = 20_000
CODE: Final = re.compile(r"[a-z0-9_]{1,40}")


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


class LinksField(LinesField):
    """Links of the company, one on each line as code, label and https address with bars between them."""

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(" | ".join(str(each.get(part, "")) for part in ("code", "label", "address")) for each in value)

    def to_python(self, value: Any) -> Any:
        found = []
        for line in super().to_python(value):
            parts = [part.strip() for part in line.split("|")]
            if len(parts) != 3 or not all(parts) or not CODE.fullmatch(parts[0]):
                raise forms.ValidationError(_("Write each link as “code | label | address”, such as “pay | Pay online | https://…”."))
            if not parts[2].startswith("https://"):
                raise forms.ValidationError(_("The address of a link begins with https://."))
            found.append(dict(zip(("code", "label", "address"), parts, strict=True)))
        if len({each["code"] for each in found}) < len(found):
            raise forms.ValidationError(_("Each code stands once."))
        return found


class OptionsField(LinesField):
    """Names with a text each, one on each line with an equals sign between them."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{name} = {text}" for name, text in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        found: dict[str, str] = {}
        for line in super().to_python(value):
            name, equals, text = (part.strip() for part in line.partition("="))
            if not name or not equals or not text:
                raise forms.ValidationError(_("Write each as “name = value”, one on each line."))
            found[name] = text
        return found


class LimitsField(LinesField):
    """How often something may be done, one on each line as name and number; only names that are known."""

    def __init__(self, *, names: Iterable[str], **options: Any) -> None:
        self.names = frozenset(names)
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{name}: {most}" for name, most in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        found = {}
        for line in super().to_python(value):
            name, _colon, most = (part.strip() for part in line.partition(":"))
            if name not in self.names or not most.isdecimal() or len(most) > 4:
                raise forms.ValidationError(_("Write each limit as “tool: number”, such as “open_ticket: 3”."))
            found[name] = int(most)
        return found


class OutlineField(forms.CharField):
    """Names with texts or further names under them, each on its line as “name: text”, what belongs to a name indented below it."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={"rows": 12}))
        super().__init__(**options, max_length=LONGEST_OUTLINE)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=120) if value else ""

    def to_python(self, value: Any) -> Any:
        text = str(super().to_python(value) or "")
        try:
            # Anchors could make a short text a huge one.
            found = None if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)) else yaml.safe_load(text) or {}
        except yaml.YAMLError as problem:
            mark = getattr(problem, "problem_mark", None)
            sentence = _("Line %(line)s cannot be read: write “name: text”, and indent what belongs to it.")
            raise forms.ValidationError(sentence, params={"line": mark.line + 1 if mark else "?"}) from None
        if not isinstance(found, dict):
            raise forms.ValidationError(_("Write “name: text” on each line, and indent what belongs to it."))
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))


class TimeZoneField(forms.TypedChoiceField):
    """The name of a time zone, chosen from those the system knows."""

    def __init__(self, **options: Any) -> None:
        names = [name for name in sorted(available_timezones()) if "/" in name and not name.startswith("Etc/")]
        choices = [("", _("Not set"))] if options.get("required") is False else []
        super().__init__(choices=[*choices, ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)], **options)
