"""What customers are told has a Spanish translation, and what is compiled is what is written."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from conversations.demo import source
from conversations.models import SalesOrder
from conversations.understanding.gloss import gloss

FOLDER = Path(settings.BASE_DIR) / "locale" / "es" / "LC_MESSAGES"
FOR_CUSTOMERS = (
    "conversations/assistant/rules/**/*.py", "conversations/assistant/tools/*.py", "conversations/assistant/outgoing/*.py",
    "conversations/assistant/acknowledging.py",
    "conversations/assistant/cards.py", "conversations/assistant/finishing.py", "conversations/assistant/guard.py",
    "conversations/assistant/handing_over.py", "conversations/assistant/toolbox.py",
    "conversations/assistant/wording.py", "conversations/rendering/**/*.py",
    "conversations/connectors/**/*.py", "conversations/chat/consumers.py", "conversations/chat/protocol.py",
    "conversations/chat/tickets.py", "conversations/chat/widget_texts.py", "conversations/voice/*.py",
    "conversations/flows/calling_back.py", "conversations/flows/calling_customers.py",
    "conversations/flows/going_on_in_chat.py", "conversations/flows/overflowing.py",
    "conversations/flows/waiting.py",
    "conversations/services/chat_links.py", "conversations/services/company_links.py", "conversations/services/consent_on_lines.py",
    "conversations/services/consent_texts.py", "conversations/services/details.py", "conversations/services/facts.py",
    "conversations/services/openings.py", "conversations/services/verifying.py",
)  # fmt: skip
PAGES_FOR_CUSTOMERS = "templates/chat/*.html"
FOR_STAFF = re.compile(
    # What the history says of tools that only look, and of what became of replies.
    r"Looked |Checked |Asked for a person|Asks questions|Noted for|Sent a one-time code|The one-time code was|The answers |"
    r"A reply was held back|A draft changes|This customer has no|"
    # What the preview of an import says.
    r"It says %\(said\)s|"
    # What it says of links, codes, consent and details.
    r"A link (?:to the chat )?was sent|%\(label\)s on the record|A (?:wrong )?one-time code|The one-time code sent|Not proven who|"
    r"The caller asked for it|Offered by|on that line only|on a number or address|"
    r"%\(what\)s: %\(decision\)s|by %\(way\)s|on %\(value\)s|at %\(value\)s|"
    # Why a phone was not rung, and what happened to a call or to waiting work.
    r"what was typed is|the number |there is no number|"
    r"the conversation is closed|a call of this conversation|this browser had|whoever has the|"
    r"the holder of|too many calls were|"
    r"the phone could not|Not called|They do not want|Whoever picked up says|Asked in the chat|The link sent by|Nobody became free|"
    # What people of the company hear and read who are to take a call.
    r"The phone platform|Connected|a customer’s call|%\(company\)s: %\(about\)s. The caller|The caller has hung|"
    r"The call is not|Your phone did not|"
    r"Calling the customer now|The customer did not answer|The call was not made|%\(company\)s: a call to a customer|"
    r"Your profile has no|No phone number of the customer|A call with the customer|There is no number of ours|Call back: |"
    r"Call %\(number\)s back again|They were written to|The phone platform (?:did|refused)|"
    r"Ringing|A phone is being|The call was not placed|Whoever has the number is|%\(name\)s’s phone|"
    # What the history says of recordings and of who picked up.
    r"A recording of|The recording|An answering machine|The call is recorded|They did not say that|Its address is|Nothing was said|"
    r"The file is larger|%\(name\)s paused|%\(name\)s went on recording"
)
"""How texts of these modules begin that no customer is told."""
CALLS = {"_", "_lazy", "gettext", "gettext_noop", "ngettext", "pgettext"}
PLURALS = ("minutes", "more tries.")
"""How the second of two forms ends; it is found by the first."""
TRANSLATED = re.compile(r"""{% translate "([^"]+)" %}""")
TRANSLATED_BLOCK = re.compile(r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate %}", re.DOTALL)
PLACE_ON_A_PAGE = re.compile(r"{{ (\w+) }}")
PLACES = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def said_to_customers() -> Iterator[tuple[str, str]]:
    """Every text of the modules and pages that speak to customers, with its file, and the states of their orders."""
    for pattern in FOR_CUSTOMERS:
        for path in sorted(Path(settings.BASE_DIR).glob(pattern)):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
                    texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
                    yield from ((path.name, text) for text in texts if node.func.id != "pgettext" and not FOR_STAFF.match(text))
    for path in sorted(Path(settings.BASE_DIR).glob(PAGES_FOR_CUSTOMERS)):
        page = path.read_text(encoding="utf-8")
        yield from ((path.name, text) for text in TRANSLATED.findall(page))
        yield from ((path.name, PLACE_ON_A_PAGE.sub(r"%(\1)s", text)) for text in TRANSLATED_BLOCK.findall(page))
    yield from (("sales.py", str(state)) for state in SalesOrder.State.labels)


def written() -> dict[str, list[str]]:
    """The translations of the .po file by their text."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (FOLDER / "django.po").read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r'(msgid|msgid_plural|msgstr(?:\[\d\])?) "(.*)"', line)
        if match and match[1].startswith("msgid"):
            current = [*current, _plain(match[2])] if match[1] == "msgid_plural" else [_plain(match[2])]
        elif match:
            for text in current:
                found.setdefault(text, []).append(_plain(match[2]))
    return found


def _plain(text: str) -> str:
    return text.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")


def test_everything_said_to_customers_is_translated() -> None:
    known = written()
    missing = [(name, text) for name, text in said_to_customers() if not any(known.get(text, []))]
    assert not missing


def test_translations_fill_in_the_same_places() -> None:
    wrong = [
        (text, each)
        for text, translations in written().items()
        for each in translations
        if text and each and set(PLACES.findall(each)) - set(PLACES.findall(text)) | set(PLACES.findall(text)) - set(PLACES.findall(each))
    ]
    assert not wrong


def test_what_is_compiled_is_what_is_written() -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for text, translations in written().items():
        if text and "l j F" not in text and not text.endswith(PLURALS):
            assert compiled.gettext(text) in translations, f"Compile anew: msgfmt -o django.mo django.po ({text})"


def test_the_demo_company_says_everything_in_spanish() -> None:
    """Every question of every form, every reason and every service."""
    playbook = source.playbook()
    spanish = playbook["translations"]["es"]
    asked = {(form["code"], field["fact"]) for form in playbook["forms"] for field in form["fields"]}
    assert asked == {(code, fact) for code, form in spanish["forms"].items() for fact in form["fields"]}
    named = {row["name"] for row in source.reasons()} | {row["name"] for row in source.company()["prices"]}
    assert named <= spanish["names"].keys()


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("sí, la primera", "yes, the first one"),
        ("el jueves a las diez de la mañana", "thursday at ten am"),
        ("entre las diez y las doce", "between ten and twelve"),
        ("Me llamo Julio Domingo y vivo en HB1 4QT", "my name is Julio Domingo and i live in HB1 4QT"),
        ("h b tres cinco a b", "h b three five a b"),
        ("no huele a gas", "no smell of gas"),
    ],
)
def test_spanish_is_read_as_the_recognisers_know_it(said: str, read: str) -> None:
    assert gloss(said, "es") == read
    assert gloss(said, "en") == said
