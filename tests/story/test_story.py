"""The whole story in a real browser: widget, phone, inbox, admin and report, on real processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from playwright.sync_api import Page

from tests.story.plot import tell
from tests.story.script import PASSWORD
from tests.support.processes import WebProcess, WorkerProcess

pytestmark = pytest.mark.browser


def test_a_customer_chats_phones_meets_a_person_and_a_manager_sees_one_journey(
    web_processes: Callable[..., list[WebProcess]],
    worker_processes: Callable[..., list[WorkerProcess]],
    open_page: Callable[..., Page],
) -> None:
    """Each step waits for what its person must see; a page that raises or breaks its policy fails the test."""
    password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    get_user_model().objects.filter(username__in=["ann", "maya"]).update(password=password)
    (web,) = web_processes(1, DEBUG="true")
    worker_processes(1, beat=True)
    tell(lambda: open_page(web.url))
