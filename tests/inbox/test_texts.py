"""The words that the inbox's script shows come from the server."""

import re

from django.conf import settings

from conversations.inbox.page_texts import page_texts
from tests.inbox.conftest import Cast

SCRIPTS = sorted((settings.BASE_DIR / "static" / "inbox").glob("*.js"))


def test_the_script_shows_no_words_of_its_own() -> None:
    """Every text it names is sent and every text sent is named; nothing is written out with a literal sentence."""
    code = {path.name: re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.S) for path in SCRIPTS}
    named = {name for text in code.values() for name in re.findall(r"\btexts\.(\w+)", text)}
    assert named == set(page_texts())
    sentences = {name: re.findall(r"""["'`](?:\$\{\w+\} )?[A-Z][a-z’]+ [^"'`]*["'`]""", text) for name, text in code.items()}
    assert {name: found for name, found in sentences.items() if found} == {}


def test_the_page_carries_them(cast: Cast) -> None:
    """They come with the page, as JSON that no markup can leave."""
    page = cast.client(cast.ann).get("/inbox/").content.decode()
    assert '<script id="inbox-texts" type="application/json">' in page
    assert "Waits for the connection" in page
