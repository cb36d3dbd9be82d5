"""The database itself refuses a saved reply that could not be found or that says nothing."""

from typing import Any

import pytest

from conversations.models import SavedReply
from tests.record.test_constraints import refused

pytestmark = pytest.mark.django_db


def reply(**changes: Any) -> SavedReply:
    return SavedReply.objects.create(**{"title": "Say hello", "shortcut": "hello", "body": "Hello.", **changes})


def test_a_shortcut_names_one_reply() -> None:
    """A second reply with the same shortcut is refused, an inactive one too."""
    reply()
    refused("saved_reply_shortcut_is_unique", lambda: reply(title="Another", active=False))
    reply(shortcut="hello-again")


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("saved_reply_shortcut_is_one_short_word", {"shortcut": ""}),
        ("saved_reply_shortcut_is_one_short_word", {"shortcut": "two words"}),
        ("saved_reply_shortcut_is_one_short_word", {"shortcut": "Hello"}),
        ("saved_reply_shortcut_is_one_short_word", {"shortcut": "/hello"}),
        ("saved_reply_has_a_title", {"title": "  "}),
        ("saved_reply_says_something", {"body": " \n"}),
        ("saved_reply_language_is_a_code", {"language": "English"}),
    ],
)
def test_saved_reply_rules(constraint: str, changes: dict[str, Any]) -> None:
    """A reply has a word to find it by, a title, something to say, and a language that is one."""
    refused(constraint, lambda: reply(**changes))
