"""Text messages and email: by the real SDK to the simulator, to the phone's page, and what happens when they do not leave."""

import json
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import httpx
import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from conversations.models import EntryPoint
from conversations.services import messengers
from conversations.services.messengers import NotSent
from tests.record import rows
from tests.support.http_server import listening
from tests.support.processes import WebProcess, running_web

SAM = "+447700900123"
SECRET = "Your code is 314159."


@pytest.fixture(scope="module")
def web(company: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    with django_db_blocker.unblock(), running_web(1) as processes:
        yield processes[0]


@pytest.fixture
def server(web: WebProcess, number: EntryPoint, settings: Any) -> WebProcess:
    """The web process, which this process's gateway reaches too."""
    settings.PORT, settings.PUBLIC_URL = web.port, web.url
    return web


def texts_of(server: WebProcess, number: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{server.url}/simulator/phone/texts/", params={"number": number}, trust_env=False)
    found: list[dict[str, Any]] = answer.json()["texts"]
    return found


class TestTexts:
    def test_a_text_reaches_the_phone_with_the_number_and_no_other(self, server: WebProcess, number: EntryPoint) -> None:
        messengers.send_text(to=SAM, entry_point=number, text=SECRET)
        (text,) = texts_of(server, "07700 900123")
        assert (text["from"], text["text"]) == ("441632960100", SECRET)
        assert texts_of(server, "+447700900124") == []

    def test_a_chat_s_texts_come_from_the_number_with_its_playbook(self, server: WebProcess, number: EntryPoint) -> None:
        chat = rows.entry_point("chat", "/texts", playbook_code=number.playbook_code)
        messengers.send_text(to=SAM, entry_point=chat, text="Hello.")
        assert [text["from"] for text in texts_of(server, SAM)] == ["441632960100"]

    def test_without_a_number_there_is_a_sentence(self, server: WebProcess) -> None:
        with pytest.raises(NotSent) as caught:
            messengers.send_text(to=SAM, entry_point=rows.entry_point("chat", "/alone", playbook_code="another"), text="Hello.")
        assert str(caught.value) == "There is no number to send text messages from."

    @pytest.mark.parametrize(("to", "text"), [("nobody", "Hello."), ("+", "Hello."), (SAM, ""), (SAM, "x" * 3_201)])
    def test_what_cannot_be_sent_is_refused(self, server: WebProcess, number: EntryPoint, to: str, text: str) -> None:
        with pytest.raises(NotSent):
            messengers.send_text(to=to, entry_point=number, text=text)
        assert texts_of(server, SAM) == []

    def test_nothing_is_sent_before_the_commit(self, server: WebProcess, number: EntryPoint) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            messengers.send_text(to=SAM, entry_point=number, text="Hello.")
        assert texts_of(server, SAM) == []

    def test_a_platform_that_is_away_is_told(self, number: EntryPoint, settings: Any) -> None:
        settings.PORT = 1
        with pytest.raises(NotSent):
            messengers.send_text(to=SAM, entry_point=number, text=SECRET)

    @pytest.mark.parametrize("status", [422, 401, 404, 429, 500, 503])
    def test_the_platform_s_refusal_is_told(
        self, number: EntryPoint, settings: Any, caplog: pytest.LogCaptureFixture, status: int
    ) -> None:
        """What was to be sent is in no log, whatever the platform answers."""
        caplog.set_level(logging.DEBUG)
        with answering(status) as port:
            settings.PORT = port
            with pytest.raises(NotSent):
                messengers.send_text(to=SAM, entry_point=number, text=SECRET)
        logged = " ".join(str(record.__dict__) for record in caplog.records)
        assert "text_not_sent" in logged
        assert "314159" not in logged


class TestEmail:
    def test_a_mail_leaves_by_django(self, number: EntryPoint) -> None:
        messengers.send_email(to="sam@example.com", subject="Your code", text=SECRET)
        (sent,) = mail.outbox
        assert (sent.to, sent.subject, sent.body) == (["sam@example.com"], "Your code", SECRET)

    @pytest.mark.parametrize("backend", ["RefusesTheAddress", "IsFull", "HangsUp", "IsNotThere"])
    def test_a_mail_server_s_refusal_is_told(
        self, number: EntryPoint, settings: Any, caplog: pytest.LogCaptureFixture, backend: str
    ) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.{backend}"
        with pytest.raises(NotSent):
            messengers.send_email(to="sam@example.com", subject="Your code", text=SECRET)
        assert "314159" not in " ".join(str(record.__dict__) for record in caplog.records)

    def test_a_subject_cannot_bring_headers_along(self, number: EntryPoint) -> None:
        with pytest.raises(NotSent):
            messengers.send_email(to="sam@example.com", subject="Hello\nBcc: all@example.com", text="Hello.")
        assert mail.outbox == []

    def test_simulated_mail_is_read_on_its_page(self, server: WebProcess, settings: Any) -> None:
        settings.EMAIL_BACKEND = "conversations.voice.simulator.mail.MailBackend"
        messengers.send_email(to="sam@example.com", subject="<b>Hello</b>", text="Open https://example.com/a?b=1&c=2. Thank you.")
        page = httpx.get(f"{server.url}/simulator/mail/", trust_env=False).text
        assert "&lt;b&gt;Hello&lt;/b&gt;" in page
        assert "To sam@example.com" in page
        assert '<a href="https://example.com/a?b=1&amp;c=2" rel="noopener">' in page


class MailServer(BaseEmailBackend):
    """A mail server with a bad day."""

    problem: Exception

    def send_messages(self, email_messages: Any) -> int:
        raise self.problem


class RefusesTheAddress(MailServer):
    problem = SMTPRecipientsRefused({"sam@example.com": (550, b"no such user")})


class IsFull(MailServer):
    problem = SMTPRecipientsRefused({"sam@example.com": (452, b"full")})


class HangsUp(MailServer):
    problem = SMTPServerDisconnected("bye")


class IsNotThere(MailServer):
    problem = ConnectionRefusedError("nobody home")


def answering(status: int) -> AbstractContextManager[int]:
    """A platform that gives every request the same status; its port, for the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            raw = json.dumps({"title": "No", "detail": "No."}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    return listening(Handler)
