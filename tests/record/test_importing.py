"""Importing customers from files: previewed, done as previewed, and repeated without effect."""

from __future__ import annotations

import codecs
import csv
import io
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from conversations.models import Customer, Identifier, MatchCandidate, SharedIdentifier
from conversations.services import importing
from conversations.services.import_files import UnreadableFile, open_file
from conversations.services.import_report import Report, add_up
from conversations.services.import_rows import Options
from routing.models import DeclaredFact, DeclaredFactValue
from tests.record import rows

pytestmark = pytest.mark.django_db
CRM = Options("crm", region="GB")
VOUCHED = Options("crm", region="GB", vouched=True)


def preview(text: str | bytes, options: Options = CRM) -> Report:
    return add_up(importing.preview(open_file(_raw(text)).rows, options))


def run(text: str | bytes, options: Options = CRM) -> Report:
    return add_up(importing.run(open_file(_raw(text)).rows, options))


def _raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def figures(report: Report) -> tuple[int, ...]:
    """Rows, created, linked, unchanged, refused, conflicts, problems."""
    return (report.rows, report.created, report.linked, report.unchanged, report.refused, report.conflicts, report.problems)


def sentences(report: Report) -> list[tuple[int, str, str]]:
    return [(each.line, each.column, each.sentence) for row in report.shown for each in (*row.problems, *row.conflicts)]


def everything() -> list[object]:
    """All that an import may write, without the moments."""
    return [
        list(Customer.objects.order_by("pk").values()),
        list(Identifier.objects.order_by("pk").values("customer", "kind", "value", "assurance", "shown_as", "source")),
        list(MatchCandidate.objects.order_by("pk").values("customer", "other", "state", "evidence")),
    ]


def known_by(customer: Customer, kind: str, value: str, assurance: str = "verified") -> None:
    Identifier.objects.create(
        customer=customer, original_customer=customer, kind=kind, value=value, assurance=assurance, shown_as=assurance, source="test"
    )


WHOLE = (
    "external_id,name,email,phone,date_of_birth,address,postcode,language,time_zone,tier,open_balance,attributes.Loyalty card\n"
    'A-1,"Price, Mary",Mary@Example.com,01632 960111,3 May 1980,"1 Mill Lane, Ashbridge",ls1 4ap,en,Europe/London,gold,"1,234.50",L-7\n'
)


def test_a_row_makes_a_customer_with_all_that_it_says() -> None:
    """The system's own id is verified; how to reach the customer is claimed."""
    assert figures(preview(WHOLE)) == (1, 1, 0, 0, 0, 0, 0)
    assert not Customer.objects.exists()
    assert figures(run(WHOLE)) == (1, 1, 0, 0, 0, 0, 0)
    mary = Customer.objects.get()
    assert (mary.name, str(mary.date_of_birth), mary.postcode) == ("Price, Mary", "1980-05-03", "LS14AP")
    assert mary.address == "1 Mill Lane, Ashbridge"
    assert (mary.tier, mary.open_balance, mary.time_zone) == ("gold", Decimal("1234.50"), "Europe/London")
    assert mary.attributes == {"Loyalty card": "L-7"}
    assert list(mary.identifiers.order_by("kind").values_list("kind", "value", "assurance", "source")) == [
        ("email", "mary@example.com", "claimed", "import from crm"),
        ("external", "crm:A-1", "verified", "import from crm"),
        ("phone", "+441632960111", "claimed", "import from crm"),
    ]


def test_tier_and_language_are_values_that_the_company_declared() -> None:
    """In any case, by their label, or with a country; another is left out and said, since no row of a table would ever match it."""
    for name, values in (("tier", {"standard": "Ordinary", "gold": "Gold card"}), ("language", {"en": "English", "es": "Spanish"})):
        fact = DeclaredFact.objects.create(name=name)
        DeclaredFactValue.objects.bulk_create(
            DeclaredFactValue(fact=fact, value=value, meaning=meaning) for value, meaning in values.items()
        )
    report = run("external_id,tier,language\nA-1,GOLD,es-MX\nA-2,gold card,EN\nA-3,platinum,pl\n")
    told = dict(Customer.objects.order_by("pk").values_list("identifiers__value", "tier"))
    assert told == {"crm:A-1": "gold", "crm:A-2": "gold", "crm:A-3": "standard"}
    assert list(Customer.objects.order_by("pk").values_list("language", flat=True)) == ["es", "en", "en"]
    assert sorted(sentences(report)) == [
        (4, "language", "“pl” is not among the values that the company has declared. Use one of them: en, es."),
        (4, "tier", "“platinum” is not among the values that the company has declared. Use one of them: gold, standard."),
    ]


def test_what_the_system_has_verified_is_verified_and_says_so() -> None:
    """Only when whoever imports says that it has."""
    run(WHOLE, VOUCHED)
    assert set(Identifier.objects.values_list("assurance", "source")) == {("verified", "import from crm, verified there")}


def test_the_same_file_again_changes_nothing() -> None:
    """Also when it holds conflicts and bad cells, and rows without an id of the system."""
    other = rows.customer("Other")
    known_by(other, "email", "other@example.com")
    file = (
        "external_id,name,email,phone\nA-1,Mary,other@example.com,12\n,Nobody's id,nid@example.com,\n"
        ",,,01632960222\nA-2,Ola,,01632960222\n"
    )
    for options in (CRM, VOUCHED):
        run(file, options)
        before = everything()
        again = run(file, options)
        assert (again.created, again.linked, again.unchanged) == (0, 0, 4)
        assert everything() == before


def test_a_row_links_by_what_is_verified_and_fills_what_is_empty() -> None:
    """The preview names the customer, the identifier and its assurance."""
    mary = rows.customer("Mary Price")
    known_by(mary, "external", "crm:A-1")
    report = preview(WHOLE)
    assert [(row.action, row.customer, row.calls_by, row.by) for row in report.shown] == [
        ("linked", mary.pk, "Mary Price", "Other system crm:A-1 (Verified)")
    ]
    run(WHOLE)
    mary.refresh_from_db()
    assert (mary.name, mary.postcode, Customer.objects.count()) == ("Mary Price", "LS14AP", 1)


def test_an_address_that_is_only_claimed_links_nobody() -> None:
    """Neither when the file claims it nor when the record only does. People see both pairs."""
    mary, peter = rows.customer("Mary"), rows.customer("Peter")
    known_by(mary, "email", "mary@example.com")
    known_by(peter, "email", "peter@example.com", "claimed")
    run("external_id,email\nA-1,mary@example.com\n")
    run("external_id,email\nA-2,peter@example.com\n", VOUCHED)
    assert Customer.objects.count() == 4
    first, second = MatchCandidate.objects.order_by("pk")
    assert (first.customer.identifiers.get(kind="external").value, first.other) == ("crm:A-1", mary)
    assert (second.customer, second.other.identifiers.get(kind="external").value) == (peter, "crm:A-2")


def test_identifiers_of_two_customers_join_nobody() -> None:
    """The row is the customer's whose id it has; people see the pair; the address stays where it was."""
    mary, peter = rows.customer("Mary"), rows.customer("Peter")
    known_by(mary, "external", "crm:A-1")
    known_by(peter, "email", "peter@example.com")
    file = "external_id,email\nA-1,peter@example.com\n"
    assert [(line, column) for line, column, _text in sentences(preview(file, VOUCHED))] == [(2, "email")]
    assert "belongs to Peter" in sentences(run(file, VOUCHED))[0][2]
    assert MatchCandidate.objects.filter(customer=mary, other=peter, state="open").exists()
    assert Identifier.objects.get(customer=mary, kind="email").assurance == "claimed"
    assert not Customer.objects.filter(root__isnull=False).exists()


HOUSEHOLD = (
    "external_id,email,phone,name,date_of_birth,postcode,open_balance\n"
    "30001,clara.roth@example.com,07700 900700,Clara Roth,1960-01-01,HB1 5AA,250.00\n"
    "30002,otto.mann@example.com,07700 900700,Otto Mann,1999-09-09,HB7 7ZZ,0\n"
)


def known_of(name: str) -> set[tuple[str, str, str]]:
    return set(Customer.objects.get(name=name).identifiers.values_list("kind", "value", "assurance"))


@pytest.mark.parametrize("take_theirs", [False, True])
def test_two_ids_of_one_system_are_two_customers_whatever_they_share(take_theirs: bool) -> None:
    """The number stays with whom it was; that it is shared is said before, and people see the pair."""
    options = Options("crm", region="GB", vouched=True, take_theirs=take_theirs)
    foreseen = preview(HOUSEHOLD, options)
    assert figures(foreseen) == figures(run(HOUSEHOLD, options)) == (2, 2, 0, 0, 0, 1, 0)
    assert [(line, column) for line, column, _text in sentences(foreseen)] == [(3, "phone")]
    assert "belongs to Clara Roth" in sentences(foreseen)[0][2]
    assert ("phone", "+447700900700", "verified") in known_of("Clara Roth")
    assert known_of("Otto Mann") == {
        ("external", "crm:30002", "verified"),
        ("email", "otto.mann@example.com", "verified"),
        ("phone", "+447700900700", "claimed"),
    }
    otto = Customer.objects.get(name="Otto Mann")
    assert (otto.open_balance, otto.postcode, str(otto.date_of_birth)) == (0, "HB77ZZ", "1999-09-09")
    pair = MatchCandidate.objects.get()
    assert (pair.evidence["same"], pair.evidence["value"]) == ("phone", "+447700900700")
    assert figures(run(HOUSEHOLD, options)) == (2, 0, 0, 2, 0, 0, 0)


def test_two_ids_are_two_customers_though_nothing_else_tells_them_apart() -> None:
    """The same name and the same address: the system says that they are two."""
    run("external_id,name,email\nA-1,Mary,mary@example.com\nA-2,Mary,mary@example.com\nA-3,,mary@example.com\n", VOUCHED)
    assert Customer.objects.count() == 3
    assert MatchCandidate.objects.count() == 2


def test_another_system_links_whom_it_names_alike_and_nobody_else() -> None:
    """By a proven address or number, unless the name or the date of birth is another one's."""
    run(HOUSEHOLD, VOUCHED)
    billing = Options("billing", region="GB", vouched=True)
    file = (
        "external_id,name,phone,email,date_of_birth\n"
        "B-2,Mann, 07700 900700,otto.mann@example.com,\n"
        "B-1,Roth C.,07700 900700,,1 Jan 1960\n"
        "B-3,Otto Roth,07700 900700,,\n"
        "B-4,C. Roth,07700 900700,,2001-01-01\n"
        "B-5,,07700 900700,,\n"
    )
    for _ in range(2):
        assert preview(file, billing).created == run(file, billing).created
    assert ("external", "billing:B-1", "verified") in known_of("Clara Roth")
    assert ("external", "billing:B-2", "verified") in known_of("Otto Mann")
    assert Customer.objects.count() == 5
    assert {each.evidence["value"] for each in MatchCandidate.objects.all()} == {"+447700900700"}


@pytest.mark.parametrize("options", [CRM, VOUCHED])
def test_rows_without_an_id_are_one_customer_only_as_far_as_nothing_contradicts(options: Options) -> None:
    """The number that stands for the id does not make two people one; said again they are known again."""
    file = (
        "name,phone,date_of_birth,open_balance\n"
        "Clara Roth,07700 900700,1960-01-01,250\n"
        "Otto Mann,07700 900700,,\n"
        "clara roth,07700 900700,,\n"
        ",07700 900700,2 Feb 2002,\n"
    )
    foreseen = preview(file, options)
    assert figures(foreseen) == figures(run(file, options)) == (4, 3, 0, 1, 0, 2, 0)
    assert [(line, "Clara Roth" in text) for line, _column, text in sentences(foreseen)] == [(3, True), (5, True)]
    assert list(Customer.objects.order_by("pk").values_list("name", "open_balance")) == [("Clara Roth", 250), ("Otto Mann", 0), ("", 0)]
    assert MatchCandidate.objects.count() == (2 if options.vouched else 0)
    before = everything()
    assert figures(run(file, options))[:5] == (4, 0, 0, 4, 0)
    assert everything() == before


def test_an_id_that_comes_later_is_added_to_the_customer_of_the_same_address() -> None:
    """An earlier file had no ids, so the address stood for one."""
    run("name,email\nMary Price,mary@example.com\n", VOUCHED)
    run("external_id,name,email\nA-1,Mary Price,mary@example.com\n", VOUCHED)
    assert ("external", "crm:A-1", "verified") in known_of("Mary Price")


@pytest.mark.parametrize(("take_theirs", "name"), [(False, "Mary Price"), (True, "Mary Jones")])
def test_where_file_and_record_differ_the_chosen_one_is_kept(take_theirs: bool, name: str) -> None:
    """The record's, which is said as a conflict, or the file's, which is said as a change. An empty cell erases nothing."""
    mary = rows.customer("Mary Price", postcode="LS14AP")
    known_by(mary, "external", "crm:A-1")
    options = Options("crm", take_theirs=take_theirs)
    file = "external_id,name,postcode\nA-1,Mary Jones,\n"
    report = preview(file, options)
    assert (report.conflicts, report.linked) == ((0, 1) if take_theirs else (1, 0))
    run(file, options)
    mary.refresh_from_db()
    assert (mary.name, mary.postcode) == (name, "LS14AP")


def test_bad_cells_are_said_by_line_and_column_and_the_rest_counts() -> None:
    """With what to do; a quoted line break does not put the numbers out."""
    file = (
        'external_id,name,email,phone,date_of_birth,language,time_zone,open_balance,tier\n'
        'A-1,"Two\nlines",mary,12,31.02.1980,English,Mars/Base,much,gold\n'
        "\n"
        "A-2,,a@example.com,,2999-01-01,,,,\n"
        ",No id,,,,,,,\n"
        f"A-4,{'x' * 201},,,,,,,,,\n"
        "A-5,,,,,,,,,surplus\n"
    )
    report = preview(file)
    assert [(line, column) for line, column, _text in sentences(report)] == [
        (2, "email"), (2, "phone"), (2, "date_of_birth"), (2, "language"), (2, "time_zone"), (2, "open_balance"),
        (5, "date_of_birth"), (6, ""), (7, "name"), (8, ""),
    ]  # fmt: skip
    assert figures(report) == figures(run(file)) == (5, 4, 0, 0, 1, 0, 10)
    assert Customer.objects.get(identifiers__value="crm:A-1").name == "Two lines"


@pytest.mark.parametrize(
    "raw",
    [
        codecs.BOM_UTF8 + "name;email\nZoë Müller;zoe@example.com\n".encode(),
        "Name\tE-mail\tEmail\nZoë Müller\tx\tzoe@example.com\n".encode("utf-16"),
        "name|email\r\nZoë Müller|zoe@example.com\r\n".encode("cp1252"),
        "\n\n NAME , EMAIL \n\"Zoë Müller\", 'zoe@example.com\n".replace("'", "").encode(),
        "email,name\rzoe@example.com,Zoë Müller\r".encode(),
    ],
)  # fmt: skip
def test_files_of_any_program_are_read(raw: bytes) -> None:
    """With a byte order mark or without, with any of four delimiters, in UTF-8, UTF-16 or Windows' own encoding."""
    assert run(raw).created == 1
    assert Customer.objects.get().name == "Zoë Müller"


@pytest.mark.parametrize(
    "raw", [b"", b"\n\n", b"colour,size\nred,1\n", b"name,name\na,b\n", b"\x00\x01\x02", b'name,email\n"' + b"x" * 200_000]
)
def test_what_is_no_table_of_customers_is_refused(raw: bytes) -> None:
    """With a sentence that says what to do."""
    with pytest.raises(UnreadableFile, match=r"[A-Z].*\."):
        run(raw)


def test_a_file_that_we_exported_can_be_read() -> None:
    """The apostrophe that keeps a spreadsheet from running a number is no part of it."""
    run("external_id,phone,name\nA-1,'+441632960111,'=SUM(A1)\nA-2,,'＝SUM(A1)\nA-3,,'t Hooft\n")
    assert Identifier.objects.filter(kind="phone", value="+441632960111").exists()
    assert list(Customer.objects.order_by("pk").values_list("name", flat=True)) == ["=SUM(A1)", "＝SUM(A1)", "'t Hooft"]


def test_a_shared_line_identifies_nobody(settings: Any) -> None:
    """What so many have shown links no row, also when the system has verified it."""
    settings.IDENTIFIER_SHARED_ABOVE = 1
    known_by(rows.customer("Office"), "phone", "+441632960111")
    SharedIdentifier.objects.create(kind="phone", value="+441632960111", customers=30, shown_as="verified")
    report = run("external_id,phone\nA-1,01632960111\n", VOUCHED)
    assert (report.created, report.conflicts) == (1, 0)
    assert not MatchCandidate.objects.exists()


def test_more_rows_than_one_batch_and_repetitions_within_the_file() -> None:
    """A later row of the same customer links to what an earlier one has made, in the preview too."""
    lines = [f"A-{number % 450},Name {number % 450}" for number in range(900)]
    file = "external_id,name\n" + "\n".join(lines)
    assert figures(preview(file)) == figures(run(file)) == (900, 450, 0, 450, 0, 0, 0)


CELL = st.sampled_from(
    ["", "A-1", "A-2", "crm:A-1", "Mary", "mary@example.com", "ola@example.com", "01632960111", "+441632960222", "3/4/1980", "12.50", "en",
     "=1+1", "gold", "LS1 4AP", "x" * 400]
) | st.text(max_size=12)  # fmt: skip
COLUMN = st.sampled_from(
    ["external_id", "name", "email", "phone", "date_of_birth", "postcode", "open_balance", "tier", "attributes.x", "odd"]
)


class RandomFiles(TestCase):
    """Files that hypothesis makes."""

    @given(
        header=st.lists(COLUMN, min_size=1, max_size=6, unique=True),
        cells=st.lists(st.lists(CELL, max_size=7), max_size=8),
        vouched=st.booleans(),
        take_theirs=st.booleans(),
    )
    @examples(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def test_a_preview_is_what_is_done_and_twice_is_once(self, header, cells, vouched, take_theirs) -> None:
        """No file raises anything but UnreadableFile; the figures add up; the second time nothing changes."""
        text = io.StringIO()
        csv.writer(text).writerows([header, *cells])
        options = Options("crm", region="GB", vouched=vouched, take_theirs=take_theirs)
        try:
            foreseen = preview(text.getvalue().encode("utf-8", "replace"), options)
        except UnreadableFile:
            return
        done = run(text.getvalue().encode("utf-8", "replace"), options)
        assert figures(done) == figures(foreseen)
        assert done.rows == done.created + done.linked + done.unchanged + done.refused
        assert done.created == Customer.objects.count()
        if not take_theirs:
            before = everything()
            run(text.getvalue().encode("utf-8", "replace"), options)
            assert everything() == before

    @given(raw=st.binary(max_size=200))
    @examples(max_examples=100, deadline=None)
    def test_bytes_of_any_kind_are_no_error(self, raw: bytes) -> None:
        """They are a file of customers, or it is said that they are none."""
        with suppress(UnreadableFile):
            preview(raw)
