"""How amounts read in a reply."""

import pytest

from conversations.assistant.wording import money


@pytest.mark.parametrize(
    ("language", "read"), [("en-GB", "£85.50"), ("en-US", "$85.50"), ("de-DE", "€85.50"), ("en", "85.50"), ("en-ZA", "85.50")]
)
def test_an_amount_has_the_sign_of_its_country(language: str, read: str) -> None:
    """And none where nobody has said which it is."""
    assert money("85.50", language) == read
