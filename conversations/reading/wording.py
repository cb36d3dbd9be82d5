"""How stored values read on a screen."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from conversations.services import facts
from conversations.services.facts import FACT_LABELS

DAY = re.compile(r"^\d{4}-\d\d-\d\d$")
MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d")
CODE = re.compile(r"^[a-z]+(_[a-z]+)+$")
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
MARKS = re.compile(r"(?m)^#{1,6} +|[*`]{1,3}(?=\S)|(?<=\S)[*`]{1,3}")
TABLE_RULE = re.compile(r"(?m)^\|[-:| ]+\|\n?")
TABLE_ROW = re.compile(r"(?m)^\|(.+)\|[ ]*$")


def fact_label(name: str) -> str:
    """The label of a fact by its name."""
    return str(FACT_LABELS.get(name) or words(name))


def fact_value(value: Any, name: str) -> str:
    """A fact's value, by its name, in its own spelling."""
    return facts.written(name, value)


def linked(text: str) -> SafeString:
    """Text, escaped, whose web and mail addresses can be followed without telling or trusting the other side."""
    # urlize has escaped the text, so this closing of a tag can only be its own.
    escaped = urlize(text, nofollow=True, autoescape=True)
    return mark_safe(escaped.replace(' rel="nofollow">', ' target="_blank" rel="noopener nofollow">'))  # noqa: S308


def unmarked(markdown: str) -> str:
    """Markdown as one writes it into a chat: without its marks for links, headings, emphasis and tables, in the same lines."""
    rows = TABLE_ROW.sub(lambda row: " · ".join(cell.strip() for cell in row[1].split("|")), TABLE_RULE.sub("", markdown))
    return MARKS.sub("", LINK.sub(r"\1", rows))


def lasting(since: datetime, until: datetime) -> str:
    """How long something lasts, as roughly as matters: 42 s, 12 min, 1 h 12 min."""
    seconds = max(0, int((until - since).total_seconds()))
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min") % {"minutes": minutes} if minutes else _("%(seconds)d s") % {"seconds": seconds}


def duration(seconds: float) -> str:
    """A length of time as people say it: 3 min 12 s."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)d s") % {"seconds": rest}


def readable(value: Any) -> str:
    """A JSON value as people read it; moments in the active time zone."""
    match value:
        case None | "":
            return ""
        case bool():
            return _("yes") if value else _("no")
        case str() if MOMENT.match(value):
            at = _moment_in(value)
            return moment(at) if at else value
        case str() if DAY.match(value):
            return _day(value)
        case str() if CODE.match(value):
            return value.replace("_", " ")
        case float():
            return f"{value:.2f}".rstrip("0").rstrip(".")
        case Mapping():
            text = value.get("text")
            return str(text) if text else ", ".join(f"{words(key)} {readable(each)}" for key, each in value.items())
        case list() | tuple():
            return "; ".join(filter(None, map(readable, value)))
        case _:
            return str(value)


def pairs(data: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, str]]:
    """Nested JSON as flat labels and texts, so that nobody has to read JSON: (“Arguments › Postcode”, “HB1 4QT”).

    What is empty is left out. `under` is the label that all of it stands under.
    """
    for key, value in data.items():
        yield from _pairs_of(" › ".join(filter(None, [under, words(key)])), value)


def _pairs_of(label: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield from pairs(value, label)
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for number, each in enumerate(value, 1):
            yield from _pairs_of(f"{label} {number}", each)
    elif text := readable(value):
        yield label, text


def moment(at: datetime) -> str:
    """A date and time in the active time zone."""
    return format_date(timezone.localtime(at) if timezone.is_aware(at) else at, "D j M, H:i")


def words(key: str) -> str:
    """A key of stored data as a label: `escalation_reason` → “Escalation reason”."""
    return key.replace("_", " ").replace(".", " ").strip().capitalize()


def _day(text: str) -> str:
    """An ISO date in words; anything that only looks like one as it is."""
    try:
        return format_date(date.fromisoformat(text), "j F Y")
    except ValueError:
        return text


def _moment_in(text: str) -> datetime | None:
    """The moment an ISO text means, or None when it only looks like one."""
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def language_name(code: str) -> str:
    """A language by its name in the reader's language, `code` itself when Django does not know it."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code
