"""One-time codes: sent where the party says, tried a few times at most, worth nothing elsewhere."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core import mail
from django.db import close_old_connections, connection, transaction

from conversations.chat import visitor
from conversations.models import Entry, Interaction, OneTimeCode
from conversations.selectors import access
from conversations.services import messengers, verifying
from conversations.services.parties import IdentifierClaim
from tests.record import rows
from tests.record.parties import call, chat

pytestmark = [pytest.mark.django_db(transaction=True)]
JANE = IdentifierClaim("email", "jane@example.org", "verified")
TEXTED: list[dict[str, Any]] = []


class Phone:
    """Stands in for the company that carries text messages."""

    def __call__(self, *, to: str, sender: str, text: str, reference: str) -> str:
        TEXTED.append({"to": to, "sender": sender, "text": text})
        return f"m-{reference}"


@pytest.fixture(autouse=True)
def harbor(transactional_db: None) -> None:
    rows.phone_line()
    rows.entry_point()
    TEXTED.clear()
    before = list(messengers._text_senders)
    messengers.register_text(Phone())
    yield
    messengers._text_senders[:] = before


def sent_code(text: str) -> str:
    found = re.search(r"\b\d{6}\b", text)
    assert found
    return found[0]


def send(line: Interaction, claim: IdentifierClaim = JANE) -> str:
    verifying.send(line, claim, made_by="tests")
    return sent_code(TEXTED[-1]["text"] if claim.kind == "phone" else mail.outbox[-1].body)


def is_customer(line: Interaction) -> bool:
    return access.is_the_customer(Interaction.objects.get(pk=line.pk))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_the_right_code_on_its_line_proves_the_address() -> None:
    """Spaces and dashes in it do not matter; the address is never written to the log or shown in the entry's text."""
    line = chat(visitor.new())
    code = send(line)
    assert verifying.check(line, f"{code[:3]} - {code[3:]}", made_by="tests").is_right
    assert is_customer(line)
    assert mail.outbox[0].to == ["jane@example.org"]
    assert not any("jane@" in body or code in body for body in Entry.objects.values_list("body", flat=True))


def test_a_text_message_proves_the_number_that_calls() -> None:
    """From the company's number to the caller's."""
    line = call("+447700900321")
    code = send(line, IdentifierClaim("phone", "+447700900321", "verified"))
    assert verifying.check(line, code, made_by="tests").is_right
    assert is_customer(line)
    assert (TEXTED[0]["to"], TEXTED[0]["sender"]) == ("+447700900321", "+441632960100")


def test_the_code_itself_is_nowhere_in_the_database() -> None:
    """Only a keyed hash is kept."""
    code = send(chat(visitor.new()))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(c)::text FROM conversations_onetimecode c UNION SELECT row_to_json(e)::text FROM conversations_entry e"
        )
        assert not any(code in row for (row,) in cursor.fetchall())


def test_five_wrong_tries_end_a_code() -> None:
    """Then even the right one is worth nothing."""
    line = chat(visitor.new())
    code = send(line)
    left = [verifying.check(line, wrong(code), made_by="tests").tries_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(verifying.NoLiveCode):
        verifying.check(line, code, made_by="tests")
    assert not is_customer(line)


def test_a_hundred_guesses_at_once_are_five() -> None:
    """Parallel guesses share the same five tries."""
    line = chat(visitor.new())
    code = send(line)

    def guess(number: int) -> str:
        try:
            return str(verifying.check(line, f"{(int(code) + 1 + number) % 10**6:06d}", made_by="tests").is_right)
        except verifying.NoLiveCode:
            return "none"
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(guess, range(100)))
    assert outcomes.count("False") == 5
    assert outcomes.count("none") == 95


def test_the_right_code_counts_once_however_often_it_comes_at_once() -> None:
    """Ten at the same instant: one proof."""
    line = chat(visitor.new())
    code = send(line)

    def give(_number: int) -> bool:
        try:
            return verifying.check(line, code, made_by="tests").is_right
        except verifying.NoLiveCode:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(give, range(10))).count(True) == 1
    assert line.proofs.count() == 1


def test_a_code_is_worth_nothing_on_another_line_after_its_time_or_after_the_next_one() -> None:
    """Bound to its line, ten minutes, and ended by a new one."""
    line, other = chat(visitor.new()), chat(visitor.new())
    code = send(line)
    with pytest.raises(verifying.NoLiveCode):
        verifying.check(other, code, made_by="tests")
    second = send(line)
    assert code == second or not verifying.check(line, code, made_by="tests").is_right
    OneTimeCode.objects.filter(used_at=None, ended_at=None).update(expires_at="2020-01-01T00:00:00Z")
    with pytest.raises(verifying.NoLiveCode):
        verifying.check(line, second, made_by="tests")
    assert not is_customer(line)
    assert not is_customer(other)


def test_a_used_code_is_worth_nothing() -> None:
    """Replaying it is refused."""
    line = chat(visitor.new())
    code = send(line)
    verifying.check(line, code, made_by="tests")
    with pytest.raises(verifying.NoLiveCode):
        verifying.check(line, code, made_by="tests")


def test_codes_are_sent_a_few_times_at_most() -> None:
    """On one line, by one browser, and to one address, even when many ask at the same instant."""
    line = chat(visitor.new())
    for _ in range(verifying.MAX_SENT_ON_A_LINE):
        send(line)
    with pytest.raises(verifying.TooManyCodes):
        send(line)
    lines = [chat(visitor.new()) for _ in range(12)]

    def ask(each: Interaction) -> bool:
        try:
            verifying.send(each, JANE, made_by="tests")
        except verifying.TooManyCodes:
            return False
        else:
            return True
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(ask, lines)).count(True)
    assert sent == verifying.MAX_SENT_TO_ONE_IN_AN_HOUR - verifying.MAX_SENT_ON_A_LINE
    assert len(mail.outbox) == verifying.MAX_SENT_TO_ONE_IN_AN_HOUR


def test_one_browser_does_not_send_codes_to_many() -> None:
    """Session after session of the same token is one party."""
    browser = visitor.new()
    for number in range(verifying.MAX_SENT_BY_A_PARTY_IN_AN_HOUR):
        verifying.send(chat(browser), IdentifierClaim("email", f"person{number}@example.org", "verified"), made_by="tests")
    with pytest.raises(verifying.TooManyCodes):
        send(chat(browser))


def test_a_code_that_could_not_be_sent_is_no_code() -> None:
    """The failure is told, and nothing is left to be guessed."""

    class Down:
        def __call__(self, *, to: str, sender: str, text: str, reference: str) -> str:
            raise messengers.NotSent("Down.")

    messengers.register_text(Down())
    line = call("+447700900322")
    with pytest.raises(messengers.NotSent):
        verifying.send(line, IdentifierClaim("phone", "+447700900322", "verified"), made_by="tests")
    assert verifying.live_code(line) is None


def test_it_is_the_same_for_an_address_that_nobody_has() -> None:
    """A known and an unknown address take the same statements to send to, so that time tells nothing."""
    known = chat(visitor.new())
    verifying.check(known, send(known), made_by="tests")
    counts = []
    for claim in (JANE, IdentifierClaim("email", "nobody@example.org", "verified")):
        line = chat(visitor.new())
        with transaction.atomic():
            pass
        with CountsStatements() as counted:
            verifying.send(line, claim, made_by="tests")
        counts.append(counted.number)
    assert counts[0] == counts[1]


class CountsStatements:
    """Counts what is sent to the database."""

    number = 0

    def __enter__(self) -> CountsStatements:
        self._wrapper = connection.execute_wrapper(self._count)
        self._wrapper.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._wrapper.__exit__(*exception)

    def _count(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.number += 1
        return execute(sql, params, many, context)
