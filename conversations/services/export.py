"""Everything that is kept of a person, as one file: for them to read, and for another system.

A ZIP with `customer.json`, `customer.html` and the files of the customer under `files/`. What is in it and what is not, and
why, is in docs/decisions/erasure.md. Joined records come as one person, each row with the record that it was made for.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import IO, Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import F, Field, ForeignKey, Model, Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from conversations.models import Conversation, Customer, DataExport, Entry, Identifier, Interaction, Suppression
from conversations.models.identifier import PROVEN
from conversations.selectors.consent import value_hash
from conversations.services import personal_data, records, stored_files
from conversations.services.erasers import ERASERS
from conversations.services.kinds import KINDS
from conversations.services.personal_data import Scope, rows_of

TOLD_APART = frozenset({"Customer", "Conversation", "Entry", "Interaction"})
"""Tables that have a place of their own in the file."""
LEFT_OUT = frozenset(
    {
        "MatchCandidate", "JoinCode", "OneTimeCode", "WebhookRecord", "ChatSessionRecord", "LogEntry", "SharedIdentifier", "Decision",
        "LegalHold", "KnowledgeCheck", "TurnTrace",
    }
)  # fmt: skip
"""Tables about other people too, or that repeat what the history says; see the decision."""
UNSAID_COLUMNS = frozenset(
    {
        "id", "customer", "idempotency_key", "code_hash", "token_hash", "value_hash", "number_hash", "source_id", "embedding",
        "url", "transcript_url", "storage_name", "sha256",
    }
)  # fmt: skip
UNSAID_KEYS = frozenset({"handoff", "decision", "idempotency_key", "client_id", "fence", "agent", "from_seq", "proof", "owed"})


def write(customer: Customer, target: IO[bytes], *, made_by: str) -> DataExport:
    """Writes the file of the person to whom a record counts, and notes that it was made. Returns the note.

    Conversations are read and written one after the other, so a long history takes no more memory than its longest
    conversation. What happens while it is written may be in one of the two readings and not in the other.
    """
    with transaction.atomic():
        root = records.root_of(customer)
        scope = personal_data.scope_of(personal_data.records_of(root))
        counts: Counter[str] = Counter()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open("customer.json", "w") as file:
                _write_json(file, scope, counts)
            with archive.open("customer.html", "w") as file:
                _write_html(file, root, scope)
            counts["files"] = _write_files(archive, scope)
        made = DataExport.objects.create(customer=root, made_by=made_by[:200], counts=dict(counts))
    made.refresh_from_db()
    return made


def _write_json(file: IO[bytes], scope: Scope, counts: Counter[str]) -> None:
    head = {"made_at": timezone.now(), "records": list(_records(scope)), **dict(_tables(scope, counts))}
    text = json.dumps(head, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
    file.write(text.removesuffix("\n}").encode() + b',\n "conversations": [')
    for number, conversation in enumerate(_conversations(scope)):
        counts["conversations"] += 1
        counts["entries"] += len(conversation["entries"])
        file.write((b",\n" if number else b"\n") + json.dumps(conversation, cls=DjangoJSONEncoder, ensure_ascii=False).encode())
    file.write(b"\n]}\n")


def _write_html(file: IO[bytes], root: Customer, scope: Scope) -> None:
    """The same to be read, in UTC like everything in the file."""
    with timezone.override("UTC"):
        tables = [(name, list(map(_read, rows))) for name, rows in _tables(scope, Counter()) if rows]
        context = {"customer": root, "made_at": timezone.now(), "records": list(map(_read, _records(scope))), "tables": tables}
        file.write(render_to_string("privacy/export_head.html", context).encode())
        for conversation in _conversations(scope):
            file.write(render_to_string("privacy/export_conversation.html", {"conversation": _to_be_read(conversation)}).encode())
        file.write(render_to_string("privacy/export_foot.html").encode())


def _to_be_read(conversation: Mapping[str, Any]) -> dict[str, Any]:
    """A conversation with what is known and what lies behind each entry in words."""
    entries = [{**entry, "details": _read(entry["details"])} for entry in conversation["entries"]]
    return {**conversation, "known": _read(conversation["known"]), "entries": entries}


def _write_files(archive: zipfile.ZipFile, scope: Scope) -> int:
    found = [each for public_id in personal_data.public_ids(scope) for each in stored_files.files_of(public_id)]
    for storage, name in found:
        with storage.open(name) as stored, archive.open(f"files/{name.split('/', 2)[2]}", "w") as file:
            for chunk in stored.chunks():
                file.write(chunk)
    return len(found)


def _records(scope: Scope) -> Iterator[dict[str, Any]]:
    for record in Customer.objects.filter(pk__in=scope.records).order_by(F("root").asc(nulls_first=True), "pk"):
        yield {"record": record.pk, **_columns(record, without={"root", "erased_at"})}


def _tables(scope: Scope, counts: Counter[str]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every other table that says something about the person, found like the rows that an erasure reaches, but for others' rows."""
    own = _own(scope)
    for label in ERASERS:
        model = apps.get_model(label)
        if model.__name__ in TOLD_APART | LEFT_OUT:
            continue
        found = _suppressions(own) if model is Suppression else _own_rows(model, own)
        rows = [_columns(row) for row in found.order_by("pk").iterator()]
        counts[model._meta.model_name or label] = len(rows)
        yield str(model._meta.verbose_name_plural), rows


def _own(scope: Scope) -> Scope:
    """The scope without conversations and lines that were filed under other records: those may be other people's."""
    conversations = Conversation.objects.filter(pk__in=scope.conversations, original_customer__in=scope.records)
    lines = Interaction.objects.filter(pk__in=scope.lines, original_conversation__in=conversations)
    return Scope(
        scope.records, frozenset(conversations.values_list("pk", flat=True)), frozenset(lines.values_list("pk", flat=True))
    )


def _own_rows(model: type[Model], own: Scope) -> QuerySet[Any]:
    """The rows of a table that were made for the person's records, else those that are of their conversations and lines alone."""
    rows = rows_of(model, own)
    names = {column.name for column in model._meta.concrete_fields}
    if "original_customer" in names:
        return rows.filter(original_customer__in=own.records)
    for column in model._meta.concrete_fields:
        if column.related_model in (Conversation, Interaction):
            numbers = own.conversations if column.related_model is Conversation else own.lines
            rows = rows.filter(Q(**{f"{column.name}__isnull": True}) | Q(**{f"{column.name}__in": numbers}))
    return rows


def _suppressions(own: Scope) -> QuerySet[Any]:
    """What stands on the do-not-contact list of the numbers and addresses that are shown to be the person's."""
    shown = Identifier.objects.filter(original_customer__in=own.records, assurance__in=PROVEN)
    hashes = [value_hash(kind, value) for kind, value in shown.values_list("kind", "value")]
    return Suppression.objects.filter(value_hash__in=hashes)


def _conversations(scope: Scope) -> Iterator[dict[str, Any]]:
    """Each with what is the person's in it; one that was filed under another record only when a line of theirs went on in it."""
    own = _own(scope)
    gone_on_in = Interaction.objects.filter(pk__in=own.lines).values("conversation")
    rows = Conversation.objects.filter(Q(pk__in=scope.conversations) | Q(pk__in=gone_on_in)).select_related("reason", "disposition")
    for conversation in rows.order_by("opened_at", "pk"):
        is_own = conversation.original_customer_id in scope.records
        entries = list(_entries(conversation, own))
        if not is_own and not entries:
            continue
        known = _known(conversation, own) if is_own else {}
        yield {
            "conversation": conversation.public_id,
            "record": conversation.original_customer_id if is_own else None,
            "opened_at": conversation.opened_at,
            "closed_at": conversation.closed_at,
            "reason": str(conversation.reason or "") if is_own else "",
            "outcome": str(conversation.disposition or "") if is_own else "",
            "known": known,
            "lines": [
                {"channel": line.channel, "party": line.party, "started_at": line.started_at, "ended_at": line.ended_at}
                for line in conversation.original_interactions.filter(pk__in=own.lines)
            ],
            "entries": entries,
        }


def _known(conversation: Conversation, own: Scope) -> dict[str, Any]:
    """What was learned of the person there; what a line or conversation of another record brought along is not theirs."""
    learned = Entry.objects.filter(_of_the_person(own), conversation=conversation, kind="fact.learned", data__has_key="value")
    return dict(learned.order_by("recorded_at", "pk").values_list("data__name", "data__value"))


def _of_the_person(own: Scope) -> Q:
    """For entries: those of the person's own lines, and those without a line in the person's own conversations."""
    return Q(interaction__in=own.lines) | Q(interaction__isnull=True, conversation__in=own.conversations)


def _entries(conversation: Conversation, own: Scope) -> Iterator[dict[str, Any]]:
    """What was said and done, but for lines of other records: those may be somebody else's words."""
    rows = Entry.objects.filter(_of_the_person(own), conversation=conversation).select_related("interaction")
    for entry in rows.order_by("seq").iterator():
        kind = KINDS.get(entry.kind)
        yield {
            "number": entry.seq,
            "at": entry.occurred_at,
            "kind": entry.kind,
            "what": str(kind.label) if kind else entry.kind,
            "by": _by(entry),
            "channel": entry.interaction.channel if entry.interaction else "",
            "text": _("Erased") if entry.redacted_at else entry.body,
            "details": {key: value for key, value in entry.data.items() if key not in UNSAID_KEYS and value not in (None, "", [], {})},
        }


def _by(entry: Entry) -> str:
    """Who, as the person knew them: staff by name where they were met, otherwise as staff."""
    if entry.actor_kind == Entry.Actor.AGENT and entry.audience == Entry.Audience.STAFF:
        return _("Our staff")
    return entry.actor_name or str(entry.get_actor_kind_display())


def _columns(row: Model, without: frozenset[str] | set[str] = frozenset()) -> dict[str, Any]:
    """A row's columns by name; numbers of other rows only where they say for which record it was made."""
    told: dict[str, Any] = {}
    for column in row._meta.concrete_fields:
        if column.name in UNSAID_COLUMNS | without or column.generated or _is_of_staff(column):
            continue
        if isinstance(column, ForeignKey):
            if column.name == "original_customer":
                told["record"] = getattr(row, column.attname)
            continue
        value = getattr(row, column.attname)
        told[column.name] = [value.lower, value.upper] if hasattr(value, "lower_inc") else value
    return told


def _read(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its columns' names as headings and its values in words, without what is empty."""
    return {capfirst(name.replace("_", " ")): _in_words(value) for name, value in row.items() if value not in (None, "", [], {})}


def _in_words(value: Any) -> str:
    """A value as people read it; moments in the active time zone."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "j F Y, H:i")
    if isinstance(value, date):
        return date_format(value, "j F Y")
    if isinstance(value, Mapping):
        told = {str(key).replace("_", " "): _in_words(each) for key, each in value.items() if each not in (None, "", [], {})}
        return "; ".join(f"{name}: {text}" for name, text in told.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_in_words(each) for each in value if each not in (None, ""))
    return str(value)


def _is_of_staff(column: Field[Any, Any]) -> bool:
    """Whether a column names somebody of the staff; who gave a consent is a word such as customer."""
    return column.name.endswith("_by") and column.name != "given_by"

