"""`manage.py evaluate` by its own door: a database of its own, and an exit code."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from conversations.models import Conversation, Customer


def test_the_command_grades_in_a_database_of_its_own(transactional_db: None) -> None:
    """Nothing of the company is read or touched, and too small a share ends with 1."""
    company = connection.settings_dict["NAME"]
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("evaluate", "--scenario", "agent_please", "--channel", "chat", "--wanted", "1.1", "--json", stdout=out)
    (result,) = json.loads(out.getvalue())
    assert (result["right"], result["do_nothing_right"], result["asked_again"]) == (True, False, 0)
    assert connection.settings_dict["NAME"] == company
    assert not Customer.objects.exists()
    assert not Conversation.objects.exists()


def test_what_is_not_there_is_not_evaluated() -> None:
    with pytest.raises(CommandError, match="no scenario nobody_wrote_this"):
        call_command("evaluate", "--scenario", "nobody_wrote_this")
    with pytest.raises(CommandError, match="ANTHROPIC_API_KEY"):
        call_command("evaluate", "--brain", "claude")
