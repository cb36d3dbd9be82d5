"""`manage.py evaluate` by its own door: a database of its own, and an exit code."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from conversations.models import Conversation, Customer
from tests.support.processes import child_environment


def test_the_command_grades_in_a_database_of_its_own(transactional_db: None) -> None:
    """Nothing of the company is read or touched, and too small a share ends with 1.

    As in production, where no static files were collected yet and no phone platform is set up.
    """
    options = ["--scenario", "agent_please", "--wanted", "1.1", "--json"]
    production = {"DEBUG": "false", "SECRET_KEY": "only-for-this-test-" + "0123456789" * 5, "ALLOWED_HOSTS": "localhost"}
    # In a process of its own: the threads of this one would keep connections to a database that is gone.
    ended = subprocess.run(
        [sys.executable, "manage.py", "evaluate", *options],
        cwd=settings.BASE_DIR,
        env=child_environment(**production),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    results = [(each["channel"], each["right"], each["do_nothing_right"], each["asked_again"]) for each in json.loads(ended.stdout)]
    assert results == [("chat", True, False, 0), ("phone", True, False, 0)]
    assert ended.returncode == 1
    assert not Customer.objects.exists()
    assert not Conversation.objects.exists()


def test_what_is_not_there_is_not_evaluated() -> None:
    with pytest.raises(CommandError, match="no scenario nobody_wrote_this"):
        call_command("evaluate", "--scenario", "nobody_wrote_this")
    with pytest.raises(CommandError, match="ANTHROPIC_API_KEY"):
        call_command("evaluate", "--brain", "claude")
