"""Why two records, or two conversations, are one person’s or may be: the stored evidence, as a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from conversations.models.identifier import Assurance, Identifier
from conversations.reading.waterfall import KEY
from conversations.reading.wording import fact_value


def told(evidence: Mapping[str, Any]) -> str:
    """The sentences of what was noted: by a rule, by a person, by a value that both show, by a comparison. Empty when nothing was."""
    return " ".join(_sentences(evidence))


def _sentences(evidence: Mapping[str, Any]) -> Iterator[str]:
    for noted in ("sentence", "reason"):
        if evidence.get(noted):
            yield str(evidence[noted])
    if evidence.get("value"):
        yield _same_value(str(evidence.get("same", "")), str(evidence["value"]), str(evidence.get("said_as", "")))
    if evidence.get(KEY):
        yield _("What is known of the two was compared and is alike.")


def _same_value(kind: str, value: str, said_as: str) -> str:
    label = str(Identifier.Kind(kind).label) if kind in Identifier.Kind.values else kind
    how = str(Assurance(said_as).label).lower() if said_as in Assurance.values else said_as
    sentence = _("Both show the same %(kind)s: %(value)s (%(how)s)") if how else _("Both show the same %(kind)s: %(value)s")
    return sentence % {"kind": label.lower(), "value": fact_value(value, kind), "how": how}
