"""What the panes show."""

from collections.abc import Callable

import pytest
from django.urls import reverse

from conversations.flows import outbound, takeover
from conversations.models import Conversation, Customer, Identifier, Ticket
from conversations.reading.wording import linked, readable, unmarked
from conversations.services import facts, threads, timeline
from conversations.services.facts import LearnedFact
from conversations.services.timeline import NewEntry
from conversations.services.weaving import join_conversations
from routing.models import Reservation
from tests.inbox.conftest import Cast

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def page_of(cast: Cast, conversation: Conversation) -> str:
    return cast.client(cast.ann).get(reverse("inbox:conversation", args=[conversation.public_id])).content.decode()


def test_a_language_is_told_by_its_name(cast: Cast) -> None:
    """And by its code when nobody has a name for it."""
    conversation = cast.chat()
    assert "<dd>English</dd>" in page_of(cast, conversation)
    Customer.objects.filter(pk=conversation.customer_id).update(language="tlh")
    assert "<dd>tlh</dd>" in page_of(cast, conversation)


def test_script_in_a_message_a_name_a_note_and_a_fact_is_inert(cast: Cast) -> None:
    """Whatever people write is shown as text, in every pane and list."""
    conversation = cast.chat(name=SCRIPT, says=SCRIPT)
    facts.learn(conversation, [LearnedFact("order_number", SCRIPT)], interaction=None, from_seq=2)
    outbound.add_note(conversation, cast.ann, SCRIPT, client_id="a")
    cast.hands_over(conversation)
    timeline.append(
        conversation.pk,
        NewEntry(kind="tool.called", actor_kind="assistant", body=SCRIPT, data={SCRIPT: SCRIPT, "result": [SCRIPT]}),
    )
    browser = cast.client(cast.ann)
    for address in (
        reverse("inbox:conversation", args=[conversation.public_id]),
        reverse("inbox:lists") + "?tab=open",
        reverse("inbox:lists") + "?tab=waiting",
        reverse("inbox:find") + "?q=script",
        reverse("inbox:inserts", args=[conversation.public_id]) + "?q=" + SCRIPT,
    ):
        text = browser.get(address).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "See https://example.com/a?b=1&c=2 now",
            'See <a href="https://example.com/a?b=1&amp;c=2" target="_blank" rel="noopener nofollow">'
            "https://example.com/a?b=1&amp;c=2</a> now",
        ),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ('https://a.example/"onmouseover="x', None),
        ('<a href="x" rel="nofollow">', "&lt;a href=&quot;x&quot; rel=&quot;nofollow&quot;&gt;"),
    ],
)
def test_links_are_safe_and_nothing_else_becomes_markup(text: str, wanted: str | None) -> None:
    """Web addresses can be followed without a referrer to the opener; quotes cannot break out."""
    found = linked(text)
    assert wanted is None or found == wanted
    assert "<a href" not in found or 'rel="noopener nofollow"' in found
    assert '" onmouseover' not in found
    assert '"onmouseover' not in found


def test_one_history_across_channels(cast: Cast) -> None:
    """Chat and call stand in one column, in order, with a beginning each."""
    conversation = cast.chat(says="My boiler is cold.")
    call = cast.call(conversation)
    cast.says(conversation, "It is me again, on the phone.")
    with_end = threads.end_interaction(call, reason="hangup")
    page = page_of(cast, conversation)
    assert with_end
    places = [
        page.index(text) for text in ("Web chat · started", "My boiler is cold.", "Call · +441632960123", "on the phone.", "Call ended")
    ]
    assert places == sorted(places)
    assert "/harborhome" in page


def test_the_package_stands_in_place_and_on_top_until_the_first_answer(cast: Cast) -> None:
    """Whoever takes over reads it without scrolling; once they have answered it stays in its place only."""
    conversation = cast.chat()
    cast.hands_over(conversation)
    takeover.take_over(conversation, cast.ann)
    before = page_of(cast, conversation)
    assert before.count("Book a visit for today.") == 2
    assert "LS1 4AP" in before
    assert "Offered the reset guide" in before
    outbound.say_as_agent(conversation, cast.ann, "I am on it.", client_id="1")
    assert page_of(cast, conversation).count("Book a visit for today.") == 1


def test_the_package_on_top_has_what_was_added_while_the_customer_waited(cast: Cast) -> None:
    """Its place in the history keeps what was handed over then."""
    conversation = cast.chat()
    cast.hands_over(conversation)
    cast.hands_over(conversation, summary="By now water comes through the ceiling.")
    text = page_of(cast, conversation)
    assert text.count("Boiler cold since this morning") == text.count("By now water comes through the ceiling.") == 1
    assert text.index("By now water") < text.index("Boiler cold since")


def test_the_button_says_what_it_does(cast: Cast) -> None:
    """Chat goes to chat, a live call is spoken into, and when nobody is there it says that, too."""
    conversation = cast.chat()
    takeover.take_over(conversation, cast.ann)
    assert "Send to web chat" in page_of(cast, conversation)
    call = cast.call(conversation)
    assert "Say on the call" in page_of(cast, conversation)
    assert "Connect my phone" in page_of(cast, conversation)
    threads.end_interaction(call, reason="hangup")
    assert "Send to web chat" in page_of(cast, conversation)


def test_words_of_a_joined_conversation_are_in_the_history_once(cast: Cast) -> None:
    """What was said before two conversations were joined is read in place, on whichever page it falls."""
    first, second = cast.chat(says="Typed before"), cast.chat(name="Caller", says="Said later")
    for number in range(70):
        cast.says(first, f"More words {number}")
    from django.db import transaction

    with transaction.atomic():
        join_conversations(second, first, evidence={}, made_by="tests", sentence="The caller said yes.")
    newest = page_of(cast, first)
    older = cast.client(cast.ann).get(reverse("inbox:entries", args=[first.public_id]), {"before": "14"}).content.decode()
    assert newest.count("Said later") + older.count("Said later") == 1
    assert "The caller said yes." in newest


def test_newer_entries_say_where_they_end_and_follow_on(cast: Cast) -> None:
    """Asking after a seq answers what is missing, without the day that is already shown."""
    conversation = cast.chat()
    appended = cast.says(conversation, "And it makes a noise.")
    answer = cast.client(cast.ann).get(reverse("inbox:entries", args=[conversation.public_id]), {"after": str(appended.seq - 1)})
    assert answer["X-Upto"] == str(appended.seq)
    assert "And it makes a noise." in answer.content.decode()
    assert 'class="day"' not in answer.content.decode()
    assert "My boiler is cold." not in answer.content.decode()
    bad = cast.client(cast.ann).get(reverse("inbox:entries", args=[conversation.public_id]), {"after": "-1"})
    assert bad.status_code == 404


def test_lists_hold_what_their_tab_says(live_cast: Cast, offered: Callable[..., tuple[Conversation, Reservation]]) -> None:
    """An offer is pinned, counted as waiting, and becomes my work when it is taken."""
    conversation, reservation = offered(live_cast.ann, name="Waiting Wendy")
    browser = live_cast.client(live_cast.ann)
    lists = browser.get(reverse("inbox:lists"), {"tab": "mine"}).content.decode()
    assert f'id="offer-{reservation.pk}"' in lists
    assert "The customer asked for a person." in lists
    assert "Nothing is with you" in lists
    assert "Waiting Wendy" in browser.get(reverse("inbox:lists"), {"tab": "waiting"}).content.decode()
    takeover.accept(reservation.pk, live_cast.ann)
    lists = browser.get(reverse("inbox:lists"), {"tab": "mine"}).content.decode()
    assert f"row-{conversation.public_id.hex}" in lists
    assert "data-offer" not in lists
    assert "Nobody waits" in browser.get(reverse("inbox:lists"), {"tab": "waiting"}).content.decode()


def test_lists_need_few_statements(cast: Cast, django_assert_max_num_queries: Callable[..., object]) -> None:
    """The number of statements does not grow with the rows."""
    for number in range(12):
        cast.hands_over(cast.chat(name=f"Customer {number}"))
    browser = cast.client(cast.ann)
    for tab in ("mine", "waiting", "open"):
        with django_assert_max_num_queries(14):  # type: ignore[attr-defined]
            browser.get(reverse("inbox:lists"), {"tab": tab})


def test_a_manager_without_a_profile_reads_everything_open(cast: Cast) -> None:
    """They have no work of their own, so the first list is all that is open."""
    cast.chat(name="Open Olga")
    lists = cast.client(cast.manager).get(reverse("inbox:lists")).content.decode()
    assert "Open Olga" in lists
    assert "My work" not in lists


def test_finding_by_name_and_number(cast: Cast) -> None:
    """The palette finds a customer by a part of either, by a name with a typo, and by what was said."""
    conversation = cast.chat(name="Priya Nair")
    facts.learn(conversation, [LearnedFact("phone", "+441632960555")], interaction=None, from_seq=2)
    browser = cast.client(cast.ann)
    for text in ("priya", "960555", "01632 960555", "+44 1632 960 555", "(01632) 960555"):
        assert "Priya Nair" in browser.get(reverse("inbox:find"), {"q": text}).content.decode()
    for text in ("prya nair", "boiler cold"):
        assert "Priya Nair" in browser.get(reverse("inbox:find"), {"q": text}).content.decode()
    whose = {"customer": conversation.customer.public_id, "conversation": conversation.public_id}
    Ticket.objects.create(reference="HH-T5C7GH", subject="Cold", idempotency_key="1", **whose)
    assert "Priya Nair" in browser.get(reverse("inbox:find"), {"q": "t5c7gh"}).content.decode()
    assert browser.get(reverse("inbox:find"), {"q": "zz-nobody"}).content.decode().strip() == ""


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("## First\n\n1. **Turn it off.** Then [ask us](/help/).", "First\n\n1. Turn it off. Then ask us."),
        ("* one\n* `F22`", "* one\n* F22"),
        ("| code | meaning |\n|---|:--|\n| F22 | low water |", "code · meaning\nF22 · low water"),
        ("2 * 3 costs £6", "2 * 3 costs £6"),
    ],
)
def test_knowledge_is_put_in_without_its_marks(markdown: str, wanted: str) -> None:
    """Customers read plain text, in the lines it was written in."""
    assert unmarked(markdown) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"text": "Tuesday morning", "start": "x"}, "Tuesday morning"),
        (["a", "", "b"], "a; b"),
        (True, "yes"),
        (None, ""),
        ("asked_for_human", "asked for human"),
        ({"tool_name": 1}, "Tool name 1"),
        ("2026-13-99T99:99", "2026-13-99T99:99"),
    ],
)
def test_stored_values_read_as_words(value: object, wanted: str) -> None:
    """No braces and no nulls reach a person; what only looks like a moment stays as it is."""
    assert readable(value) == wanted


def test_a_null_byte_in_a_search_finds_what_is_around_it(cast: Cast) -> None:
    """PostgreSQL refuses null bytes, so they are left out before anything is looked up."""
    cast.chat(name="Priya Nair")
    answer = cast.client(cast.ann).get(reverse("inbox:find"), {"q": "pri\x00ya"})
    assert answer.status_code == 200
    assert "Priya Nair" in answer.content.decode()


def test_one_party_has_one_name_everywhere(cast: Cast) -> None:
    """Row, header, pane and title call one party one thing: the number before the address, the one seen last."""
    conversation = cast.chat(name="")
    kinds = [("email", "sam@example.com"), ("phone", "+441632960123")]
    for kind, value in kinds:
        Identifier.objects.create(
            customer=conversation.customer,
            original_customer=conversation.customer,
            kind=kind,
            value=value,
            assurance="claimed",
            source="said",
        )
    browser = cast.client(cast.ann)
    page = browser.get(reverse("inbox:conversation", args=[conversation.public_id]) + "?tab=open").content.decode()
    assert "<h1>+441632960123</h1>" in page
    assert "<h2>+441632960123</h2>" in page
    assert '<span class="row-name clip">+441632960123</span>' in page
    assert "<title>+441632960123 ·" in page
    assert f"Customer {conversation.customer.pk}" not in page
