"""What a row of an import says of a customer, in normal form, and what is wrong with it: which line, which column, what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, Final
from zoneinfo import available_timezones

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.likeness import codes, folding
from conversations.models import Customer
from conversations.models.identifier import Assurance
from conversations.selectors import written_dates
from conversations.services import identity
from conversations.services.import_files import ATTRIBUTE, FIELDS, SourceRow
from conversations.services.parties import IdentifierClaim
from conversations.services.redaction import mask

SYSTEM: Final = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,39}$")
LANGUAGE: Final = re.compile(r"^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,6})?$")
MONTH_FIRST: Final = frozenset({"US"})
OLDEST: Final = date(1900, 1, 1)
LONGEST_TEXT: Final = 500
LENGTH_OF_MARK: Final = 12
MOST_OWED: Final = Decimal(10) ** 10
MOST_VALUES_NAMED: Final = 12
NOTHING_DECLARED: Final[Mapping[str, Mapping[str, str]]] = {}


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is read.

    `system` is the short name of the system that wrote it. `region` is the country (ISO 3166) of phone numbers without a country
    code. `vouched`: the system has verified its email addresses and phone numbers itself. `take_theirs`: where the file differs
    from what is known, the file is right.
    """

    system: str
    region: str = ""
    vouched: bool = False
    take_theirs: bool = False

    @property
    def source(self) -> str:
        """Where identifiers of this import came from, as text."""
        if self.vouched:
            return str(_("import from %(system)s, verified there") % {"system": self.system})
        return str(_("import from %(system)s") % {"system": self.system})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one cell, or in the row when `column` is empty, as a sentence that says what to do."""

    line: int
    column: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Row:
    """What a row says: identifiers in normal form, the system's own first; values of fields; attributes; what could not be used.

    `apart` is for a row in which an email address or a phone number stands for the system's own id: the id that it has when
    that address or number stands for somebody else already.
    """

    line: int
    claims: tuple[IdentifierClaim, ...]
    fields: dict[str, Any]
    attributes: dict[str, str]
    problems: tuple[Problem, ...]
    apart: IdentifierClaim | None = None

    @property
    def every_claim(self) -> tuple[IdentifierClaim, ...]:
        """All identifiers that the row may have."""
        return (*self.claims, self.apart) if self.apart else self.claims


class _Unusable(ValueError):
    """A cell that cannot be used; the message says what to do."""


def parse(source: SourceRow, options: Options, declared: Mapping[str, Mapping[str, str]] = NOTHING_DECLARED) -> Row:
    """Reads a row. A cell that cannot be used is left out and is a problem; the rest of the row counts.

    `declared` are the values that the company has declared for a column, with their labels: it has no others then. Without a
    usable `external_id` its email address stands for it in that system, or else its phone number.
    """
    problems: list[Problem] = []
    if source.too_long:
        problems.append(Problem(source.line, "", _("There are more cells than columns. Put texts with a delimiter in quotation marks.")))

    def read(column: str, reader: Callable[[str], Any]) -> Any:
        cell = source.cells.get(column, "")
        try:
            return reader(cell) if cell else None
        except (_Unusable, identity.InvalidIdentifier) as error:
            problems.append(Problem(source.line, column, str(error)))
            return None

    email = read("email", lambda cell: identity.normalise("email", cell))
    phone = read("phone", lambda cell: identity.normalise("phone", cell, options.region))
    own = read_own(number, options, problems, source.line) if (number := source.cells.get("external_id")) else None
    stand_in = None if own or not (email or phone) else read_own(email or phone, options, problems, source.line)
    assurance = Assurance.VERIFIED if options.vouched else Assurance.CLAIMED
    claims = [IdentifierClaim("external", each, Assurance.VERIFIED) for each in (own, stand_in) if each]
    claims += [IdentifierClaim(kind, value, assurance) for kind, value in (("email", email), ("phone", phone)) if value]
    readers = _readers(options)
    readers |= {name: _one_of(values, readers[name]) for name, values in declared.items() if values}
    fields = {name: value for name in FIELDS if (value := read(name, readers[name])) is not None}
    attributes = {}
    for column in source.cells:
        if column.startswith(ATTRIBUTE) and (value := read(column, _words(LONGEST_TEXT))):
            attributes[column[len(ATTRIBUTE) :]] = value
    if not claims:
        problems.append(Problem(source.line, "", _("Nothing tells whom this row is about. Give it an external_id, an email or a phone.")))
    apart = IdentifierClaim("external", f"{stand_in}#{_mark_of(fields)}", Assurance.VERIFIED) if stand_in else None
    return Row(source.line, tuple(claims), fields, attributes, tuple(problems), apart)


def _mark_of(fields: dict[str, Any]) -> str:
    """What tells people apart who share an address or a number: a short mark of the name, in any order, and the date of birth."""
    who = f"{' '.join(sorted(folding.words(fields.get('name', ''))))}|{fields.get('date_of_birth', '')}"
    return sha256(who.encode()).hexdigest()[:LENGTH_OF_MARK]


def read_own(number: str, options: Options, problems: list[Problem], line: int) -> str | None:
    """The identifier of a customer in the importing system; what is wrong with it is added to `problems`."""
    prefix = f"{options.system}:"
    bare = number[len(prefix) :] if number.lower().startswith(prefix) else number
    try:
        return identity.normalise("external", prefix + _text(200)(bare))
    except (_Unusable, identity.InvalidIdentifier) as error:
        problems.append(Problem(line, "external_id", str(error)))
        return None


def _readers(options: Options) -> dict[str, Callable[[str], Any]]:
    return {
        "name": _words(Customer._meta.get_field("name").max_length or 0),
        "date_of_birth": lambda cell: _date(cell, month_first=options.region in MONTH_FIRST),
        "address": _words(Customer._meta.get_field("address").max_length or 0),
        "postcode": _postcode,
        "language": _language,
        "time_zone": _time_zone,
        "tier": _words(Customer._meta.get_field("tier").max_length or 0),
        "open_balance": _amount,
    }


def _text(longest: int) -> Callable[[str], str]:
    def read(cell: str) -> str:
        line = " ".join("".join(each if each.isprintable() else " " for each in cell).split())
        if len(line) > longest:
            raise _Unusable(_("The text has %(length)d characters; %(most)d fit. Shorten it.") % {"length": len(line), "most": longest})
        return line

    return read


def _words(longest: int) -> Callable[[str], str]:
    """Reads a text in which no card's number may stand: it is not kept, and whoever sent the file is told."""
    line_of = _text(longest)

    def read(cell: str) -> str:
        line = line_of(cell)
        if mask(line) != line:
            raise _Unusable(_("There is the number of a payment card or its security code, which is not kept. Take it out of the file."))
        return line

    return read


def _date(cell: str, *, month_first: bool) -> date:
    meant = written_dates.meant_by(cell)
    past = [each for each in meant if OLDEST <= each <= timezone.now().date()]
    if not past:
        raise _Unusable(_("“%(cell)s” is no date of birth. Write it as 1980-05-03.") % {"cell": cell[:40]})
    return past[-1 if month_first else 0]


def _postcode(cell: str) -> str:
    normal = codes.typed(cell)
    if not re.fullmatch(r"[A-Z0-9]{2,16}", normal):
        raise _Unusable(_("“%(cell)s” is no postcode. Use letters, digits and spaces, 16 at most.") % {"cell": cell[:40]})
    return normal


def _language(cell: str) -> str:
    if not LANGUAGE.match(cell):
        raise _Unusable(_("“%(cell)s” is no language. Use its two letters, such as en or pl.") % {"cell": cell[:40]})
    return cell


def _one_of(values: Mapping[str, str], reader: Callable[[str], str]) -> Callable[[str], str]:
    """Reads one of the values, written in any case, or as its label, or as the language of a country; tables know no other."""
    meant = {label.casefold(): value for value, label in values.items()} | {value.casefold(): value for value in values}

    def read(cell: str) -> str:
        said = reader(cell).casefold()
        value = meant.get(said) or meant.get(said.partition("-")[0])
        if value is None:
            known = ", ".join([*values][:MOST_VALUES_NAMED])
            sentence = _("“%(cell)s” is not among the values that the company has declared. Use one of them: %(known)s.")
            raise _Unusable(sentence % {"cell": cell[:40], "known": f"{known}, …" if len(values) > MOST_VALUES_NAMED else known})
        return value

    return read


def _time_zone(cell: str) -> str:
    if cell not in available_timezones():
        raise _Unusable(_("“%(cell)s” is no time zone. Use a name such as Europe/London.") % {"cell": cell[:40]})
    return cell


def _amount(cell: str) -> Decimal:
    """An amount with a point or a comma before its cents; thousands may be set apart by the other one."""
    bare = re.sub(r"[\s£€$']", "", cell)
    if re.fullmatch(r"-?[\d.,]+", bare):
        point = max(bare.rfind("."), bare.rfind(","))
        cents = len(bare) - point - 1 if point >= 0 else 0
        whole = re.sub(r"[.,]", "", bare)
        bare = f"{whole[:-cents]}.{whole[-cents:]}" if 0 < cents <= 2 else whole
    try:
        amount = Decimal(bare).quantize(Decimal("0.01"))
    except InvalidOperation:
        amount = MOST_OWED
    if not abs(amount) < MOST_OWED:
        raise _Unusable(_("“%(cell)s” is no amount. Write it as 12.50.") % {"cell": cell[:40]})
    return amount
