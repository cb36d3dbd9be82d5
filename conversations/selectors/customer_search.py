"""Finding customers by anything that is known of them: identifiers, names with typos, details, what was said.

The searchers are staff; who may search is checked where a search comes in. What was redacted has no words left to be found by.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

import phonenumbers
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchQuery
from django.db import OperationalError, connection, transaction
from django.db.models import DateField, F, FloatField, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from psycopg.errors import QueryCanceled

from conversations.likeness import codes, folding, names, spelling
from conversations.models import Booking, Conversation, Customer, Entry, EntryPoint, Identifier
from conversations.models.entry import SAID_OR_NOTED
from conversations.models.folding import folded, folded_words
from conversations.models.identifier import number_in_system
from conversations.selectors import highlighting, naming, written_dates

LONGEST = 200
MOST_WORDS = 8
MOST_SIMILAR_WORDS = 5
SHORTEST_PART: Final = 3
FEWEST_DIGITS: Final = 4
STAGE_MILLISECONDS: Final = 200
"""So long may each statement of a search take; what it would have found is then left out."""
LOOKED_AT, LOOKED_AT_OF_EACH = 200, 20
"""So many names are compared, of each other spelling and together; with more that match, which ones is the database's choice."""
RESPELLED: Final = """
    SELECT coalesce(named.root_id, named.id), named.name
    FROM unnest(%s::text[]) AS spelling(word), LATERAL (
        SELECT id, root_id, name FROM conversations_customer
        WHERE to_tsvector('simple', coalesce(conversations_folded(name), '')) @@ spelling.word::tsquery
        LIMIT %s
    ) AS named
    LIMIT %s
"""
SIMILAR = 0.42
SIMILAR_WORD = 0.55
SAME_NAME: Final = 0.7
"""How like each word of a name must be to what was typed, by letters and by sound, when it is found by its sound or another spelling."""
SHORTEST_BEGINNING: Final = 4
BEGINNINGS_MILLISECONDS: Final = 60
"""So long may texts be looked for by how their words begin, where they do not have the words themselves."""
POSTCODE = re.compile(r"^(?=.*\d)[A-Z0-9]{3,10}$")
REFERENCE = re.compile(r"^(?:[A-Z]{1,4}-[A-Z0-9]{4,15}|(?=.*\d)[A-Z0-9-]{4,20})$")
"""Letters alone are a name, unless something like “HH-” stands before them."""
COUNTS_FOR: Final = Coalesce("root_id", "pk")
IDENTIFIED = ("customer_id", "kind", "value")
EXACT, BEST_NAME, PART, TEXT = 1.0, 0.9, 0.4, 0.2
BY_LABELS: Final = {
    "phone": _("Phone"),
    "email": _("Email"),
    "external": _("Other system"),
    "booking": _("Booking"),
    "order": _("Order"),
    "invoice": _("Invoice"),
    "ticket": _("Ticket"),
    "name": _("Name"),
    "postcode": _("Postcode"),
    "date_of_birth": _("Date of birth"),
    "text": _("History"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A customer, always the record that others are joined into, and what speaks for it.

    `by` is a key of BY_LABELS, `matched` the stored value or a piece of the text, `score` from 0 to 1: exact
    identifiers 1, names by similarity up to 0.9, parts of identifiers 0.4, text below 0.2, the newest first. `pieces` are
    `matched` cut into (text, whether it is what was looked for). `conversation_id` says where a text was said.
    """

    customer: Customer
    calls_by: str
    by: str
    matched: str
    score: float
    pieces: highlighting.Pieces
    conversation_id: int | None = None

    @property
    def by_label(self) -> str:
        """What matched, in a word."""
        return str(BY_LABELS[self.by])


@dataclass(frozen=True, slots=True)
class _Hit:
    root: int
    by: str
    matched: str
    score: float
    conversation_id: int | None = None


Stage = Callable[[str, int], Iterable[_Hit]]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What another system has under what was typed: `by` is a key of BY_LABELS, `matched` its reference there.

    Whose it is follows from what that system knows them as, (`email`, …) and the like, or from the public id of a record.
    """

    by: str
    matched: str
    known_as: tuple[tuple[str, str], ...] = ()
    customer: UUID | None = None


def search(text: str, *, limit: int = 20, elsewhere: Sequence[Elsewhere] = ()) -> list[Found]:
    """At most `limit` customers that `text` may mean, best first; none for less than two letters or digits.

    Understands phone numbers in any writing or four of their digits, email addresses or how they begin, other systems' ids with
    or without the system, booking references, names in any order and with typos, postcodes, dates of birth, and words of what
    was said or noted; and what other systems have under that number (`elsewhere`). When something fits exactly, nothing vaguer
    is looked for. A bounded number of statements, each cut off after `STAGE_MILLISECONDS`.
    """
    asked = clean(text)
    if len(highlighting.WORD.findall(asked)) == 0 or sum(each.isalnum() for each in asked) < 2:
        return []
    hits: dict[int, _Hit] = {}
    stages: list[Stage] = [_exact_identifiers, _details, _names, _parts_of_identifiers, _texts]
    if elsewhere:
        stages.insert(0, partial(_owners, elsewhere))
    for stage in stages:
        if len(hits) >= limit or any(hit.score == EXACT for hit in hits.values()):
            break
        for hit in _bounded(stage, asked, limit):
            if hit.root not in hits or hits[hit.root].score < hit.score:
                hits[hit.root] = hit
    return _read(sorted(hits.values(), key=lambda hit: -hit.score)[:limit], asked)


def clean(text: str) -> str:
    """What is looked for: one line of at most 200 characters, without null bytes, lone surrogates and control characters."""
    spaced = " ".join(text[: 2 * LONGEST].split())
    normal = unicodedata.normalize("NFKC", "".join(each for each in spaced if unicodedata.category(each)[0] != "C"))
    return normal[:LONGEST].strip()


def _bounded(stage: Stage, asked: str, limit: int) -> list[_Hit]:
    """What a stage finds in its time. Rolling back takes its settings back with it; it has read only."""
    try:
        with transaction.atomic():
            _set(statement_timeout=STAGE_MILLISECONDS)
            found = list(stage(asked, limit))
            transaction.set_rollback(True)
            return found
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return []
        raise


def _set(**settings: object) -> None:
    """Sets settings of the database until the end of the transaction; one statement."""
    calls = ", ".join(f"set_config('{name.replace('__', '.')}', %s, true)" for name in settings)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [str(value) for value in settings.values()])


def _owners(elsewhere: Sequence[Elsewhere], asked: str, limit: int) -> Iterator[_Hit]:
    """Whose records other systems mean. An address or a number that somebody only said is theirs makes nobody an owner."""
    for each in elsewhere:
        owners = Q(pk__in=[])
        for kind, value in each.known_as:
            owners |= Q(kind=kind, value=value)
        shown = Identifier.objects.filter(owners).exclude(assurance="claimed").order_by()
        yield from (_Hit(root, each.by, each.matched, EXACT) for root in shown.values_list("customer_id", flat=True)[:limit])
        if each.customer:
            opened_for = Customer.objects.filter(public_id=each.customer).values_list(COUNTS_FOR, flat=True)
            yield from (_Hit(root, each.by, each.matched, EXACT) for root in opened_for)


def _exact_identifiers(asked: str, limit: int) -> Iterator[_Hit]:
    """Whole phone numbers, addresses, other systems' ids with or without the system, and booking references."""
    token = asked.replace(" ", "")
    wanted = Q(kind="phone", value__in=_numbers_meant(asked))
    if "@" in token:
        wanted |= Q(kind="email", value=token.lower())
    elif any(each.isdigit() for each in token):
        wanted |= Q(kind="external", number_in_system=token.rpartition(":")[2])
    known = Identifier.objects.alias(number_in_system=number_in_system()).filter(wanted).order_by()
    system = token.rpartition(":")[0].lower()
    for customer, kind, value in known.values_list(*IDENTIFIED)[:limit]:
        if not (kind == "external" and system) or value.startswith(f"{system}:"):
            yield _Hit(customer, kind, value, EXACT)
    if REFERENCE.match(reference := token.upper()):
        booked = Booking.objects.filter(reference__in={reference, f"HH-{reference}"})
        for customer, value in booked.order_by().values_list("customer_id", "reference")[:limit]:
            yield _Hit(customer, "booking", value, EXACT)


def _details(asked: str, limit: int) -> Iterator[_Hit]:
    """Postcodes and dates of birth."""
    postcode = codes.typed(asked)
    dates = written_dates.meant_by(asked)
    if POSTCODE.match(postcode):
        for root, value in Customer.objects.filter(postcode=postcode).order_by().values_list(COUNTS_FOR, "postcode")[:limit]:
            yield _Hit(root, "postcode", value, EXACT)
    if dates:
        for root, born in Customer.objects.filter(date_of_birth__in=dates).order_by().values_list(COUNTS_FOR, "date_of_birth")[:limit]:
            yield _Hit(root, "date_of_birth", date_format(born, "j F Y"), EXACT)


def _names(asked: str, limit: int) -> Iterator[_Hit]:
    """Names that have all the words, or words that begin so, in any order; when there are none, those that sound or look like it."""
    words = highlighting.WORD.findall(asked)[:MOST_WORDS]
    if "@" in asked or not any(any(each.isalpha() for each in word) for word in words):
        return
    # The planner overrates words that it has not counted, and would rather read the whole table.
    _set(enable_seqscan="off", pg_trgm__similarity_threshold=SIMILAR, pg_trgm__word_similarity_threshold=SIMILAR_WORD)
    meant = folded(Value(asked))
    named = Customer.objects.alias(words=folded_words("name"), folded=folded("name"))
    named = named.annotate(likeness=Func(F("folded"), meant, function="SIMILARITY", output_field=FloatField()))
    tries: list[Callable[[], list[_Hit]]] = [partial(_compared, named.filter(words=_beginning_with(words)), limit)]
    if max(map(len, words)) >= SHORTEST_PART and 1 < len(words) <= MOST_SIMILAR_WORDS:
        # Most typos are not in the first letters, and these are found much faster than all that is alike.
        alike = named.filter(words=_beginning_with([word[:SHORTEST_PART] for word in words]), likeness__gte=SIMILAR)
        sounding = named.filter(search_keys__overlap=_keys_by_sound(asked)).order_by().values_list(COUNTS_FOR, "name")[:LOOKED_AT]
        tries += [partial(_compared, alike, limit), partial(_compared_by_word, sounding, words, limit)]
        tries += [partial(_compared, named.filter(folded__trigram_similar=meant), limit)]
    elif len(words) == 1 and len(words[0]) >= SHORTEST_PART:
        # In short words one letter changes most trigrams.
        tries += [lambda: _compared_by_word(_respelled(words[0]), words, limit)]
        tries += [partial(_compared, named.filter(folded__trigram_word_similar=meant), limit)]
    for one_try in tries:
        if found := one_try():
            yield from found
            return


def _beginning_with(words: Sequence[str]) -> SearchQuery:
    return SearchQuery(folded(Value(" & ".join(f"'{word}':*" for word in words))), config="simple", search_type="raw")


def _respelled(word: str) -> list[tuple[int, str]]:
    """Names with a word that may be meant by `word`, each with whom it counts for.

    Each spelling is looked up alone: together they would all be compared with every name that has one of them.
    """
    quoted = [f"'{each}'" for each in spelling.others(highlighting.fold(word))]
    with connection.cursor() as cursor:
        cursor.execute(RESPELLED, [quoted, LOOKED_AT_OF_EACH, LOOKED_AT])
        return [(root, name) for root, name in cursor.fetchall()]


def _keys_by_sound(name: str) -> Func:
    """The keys of `Customer.search_keys` of a name alone: two of its words each, by how they sound."""
    sounds = Func(Value(name), function="conversations_sounds", output_field=ArrayField(TextField()))
    nothing_else = (Cast(Value(None), DateField()), Value(""))
    return Func(sounds, *nothing_else, function="conversations_search_keys", output_field=ArrayField(TextField()))


def _compared_by_word(named: Iterable[tuple[int, str]], words: Sequence[str], limit: int) -> list[_Hit]:
    """The names in which each of the words is like one, best first."""
    typed = [part for word in words for part in folding.words(word)]
    like = []
    for root, name in named:
        of_each = names.likeness(typed, folding.words(name)).tolist()
        if of_each and min(of_each) >= SAME_NAME:
            like.append((sum(of_each) / len(of_each), root, name))
    best = sorted(like, key=lambda row: (-row[0], -row[1]))[:limit]
    return [_Hit(root, "name", name, PART + (BEST_NAME - PART) * likeness) for likeness, root, name in best]


def _compared(named: QuerySet[Customer], limit: int) -> list[_Hit]:
    looked_at = named.order_by().values_list(COUNTS_FOR, "name", "likeness")[:LOOKED_AT]
    best = sorted(looked_at, key=lambda row: (-row[2], -row[0]))[:limit]
    return [_Hit(root, "name", name, PART + (BEST_NAME - PART) * likeness) for root, name, likeness in best]


def _parts_of_identifiers(asked: str, limit: int) -> Iterator[_Hit]:
    """The last digits of a phone number, or else some of them, or how an address begins."""
    known = Identifier.objects.order_by()
    wanted: list[QuerySet[Identifier]] = []
    if not re.search(r"[^\W\d_]|@", asked) and len(re.sub(r"\D", "", asked)) >= FEWEST_DIGITS:
        digits = naming.digits_to_find(asked) or re.sub(r"\D", "", asked)
        wanted = [known.filter(kind="phone", value__endswith=digits), known.filter(kind="phone", value__contains=digits)]
    elif " " not in asked and len(asked) >= SHORTEST_PART:
        wanted = [known.filter(kind="email", value__startswith=asked.lower())]
    for part in wanted:
        if rows := list(part.values_list(*IDENTIFIED)[:limit]):
            yield from (_Hit(customer, kind, value, PART) for customer, kind, value in rows)
            return


def _texts(asked: str, limit: int) -> Iterator[_Hit]:
    """Conversations in which all the words were said or noted, or else words that begin so, the newest first."""
    if sum(each.isalnum() for each in asked) < SHORTEST_PART:
        return
    said = Entry.objects.filter(kind__in=SAID_OR_NOTED).alias(words=folded_words("body")).order_by("-pk")
    newest = _newest(said.filter(words=SearchQuery(folded(Value(asked)), config="simple")), 2 * limit)
    if not newest and (begun := _begun(asked)):
        _set(enable_indexscan="off", statement_timeout=BEGINNINGS_MILLISECONDS)
        newest = list(said.filter(words=begun).only("body", "conversation_id")[: 2 * limit])
    customers = dict(Conversation.objects.filter(pk__in={each.conversation_id for each in newest}).values_list("pk", "customer_id"))
    for place, entry in enumerate(newest):
        shown = highlighting.snippet(entry.body, asked)
        yield _Hit(customers[entry.conversation_id], "text", shown, TEXT - place / 10_000, entry.conversation_id)


def _begun(asked: str) -> SearchQuery | None:
    """Texts with all the words, or words that begin so; None when no word may be a beginning: short ones and numbers begin too many."""
    words = highlighting.WORD.findall(asked)[:MOST_WORDS]
    may_begin = {word for word in words if len(word) >= SHORTEST_BEGINNING and word.isalpha()}
    query = " & ".join(f"'{word}':*" if word in may_begin else f"'{word}'" for word in words)
    return SearchQuery(folded(Value(query)), config="simple", search_type="raw") if may_begin else None


def _newest(matching: QuerySet[Entry], count: int) -> list[Entry]:
    """The newest of the matching entries.

    Rare words are looked up and then sorted. Words that are too common for that stand in some of the last entries, which are
    read backwards. The planner tells the two apart badly.
    """
    wanted = matching.only("body", "conversation_id")[:count]
    try:
        with transaction.atomic():
            _set(enable_indexscan="off")
            return list(wanted.all())
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
    _set(enable_bitmapscan="off")
    return list(wanted.all())


def _numbers_meant(asked: str) -> Sequence[str]:
    """The phone numbers that a text may be, in normal form, wherever the company has a door."""
    if not naming.PHONE_LIKE.match(asked):
        return []
    regions = EntryPoint.objects.order_by().values_list("default_region", flat=True).distinct()
    numbers: dict[str, None] = {}
    for region in [*regions, "GB"]:
        try:
            parsed = phonenumbers.parse(asked, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(parsed):
            numbers[phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)] = None
    return list(numbers)


def _read(hits: Sequence[_Hit], asked: str) -> list[Found]:
    """The hits with their customers; one statement."""
    named = Customer.objects.filter(pk__in=[hit.root for hit in hits]).annotate(reachable_at=naming.reachable_at("pk"))
    customers: dict[int, Any] = {each.pk: each for each in named}
    return [
        Found(
            customer=customers[hit.root],
            calls_by=naming.calls_by(customers[hit.root], customers[hit.root].reachable_at),
            by=hit.by,
            matched=hit.matched,
            score=round(hit.score, 4),
            pieces=_pieces(hit, asked),
            conversation_id=hit.conversation_id,
        )
        for hit in hits
        if hit.root in customers
    ]


def _pieces(hit: _Hit, asked: str) -> highlighting.Pieces:
    match hit.by:
        case "name" | "text":
            return highlighting.words_marked(hit.matched, asked)
        case "phone":
            return highlighting.part_marked(hit.matched, naming.digits_to_find(asked) or re.sub(r"\D", "", asked))
        case _:
            return highlighting.part_marked(hit.matched, asked)
