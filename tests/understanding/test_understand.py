"""The whole of understanding, with the demo company's reasons in the database."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml

from conversations.demo import policy, source
from conversations.understanding import Understanding, reasons, understand
from conversations.understanding.classify import ReasonClassifier
from conversations.understanding.embed import DIMENSIONS, embed
from conversations.understanding.normalise import meaning
from routing.models import ReasonCode, ReasonPhrase

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=ZoneInfo("Europe/London"))
NEEDS = yaml.safe_load((Path(__file__).parent / "needs.yaml").read_text(encoding="utf-8"))
NO_REASON = [
    "hello",
    "thanks, bye",
    "my laptop screen is cracked",
    "who won the football",
    "I'd like to order a pizza",
    "asdf qwer",
    "what is the weather like",
]


@pytest.fixture
def harbor_reasons(db: None) -> None:
    policy.add_reasons(source.reasons())


def read(text: str, *, spoken: bool = False, expecting: str | None = None) -> Understanding:
    return understand(text, spoken=spoken, now=NOW, default_region="GB", expecting=expecting)


@pytest.mark.usefixtures("harbor_reasons")
def test_the_same_need_typed_and_said_is_understood_alike_and_rightly() -> None:
    """48 needs that the classifier has never seen: the same reason both ways, and at least 46 right."""
    learned = {meaning(text) for text in ReasonPhrase.objects.values_list("text", flat=True)}
    right = 0
    for need in NEEDS:
        typed, said = read(need["typed"]), read(need["said"], spoken=True)
        assert meaning(need["typed"]) not in learned
        assert (typed.reason, typed.urgency, typed.asked_for_human) == (said.reason, said.urgency, said.asked_for_human), need
        right += typed.reason == need["reason"]
    assert len(NEEDS) >= 40
    assert right >= len(NEEDS) - 2


@pytest.mark.usefixtures("harbor_reasons")
@pytest.mark.parametrize("text", NO_REASON)
def test_what_is_no_need_has_no_reason(text: str) -> None:
    assert read(text).reason is None


@pytest.mark.usefixtures("harbor_reasons")
def test_a_reason_brings_its_own_urgency() -> None:
    assert read("there's an odd rotten egg smell round the cooker").urgency == "emergency"
    assert read("no hot water in the house").urgency == "high"
    assert read("what are your prices").urgency == "normal"


@pytest.mark.usefixtures("harbor_reasons")
def test_anger_is_heard_and_a_plain_fault_is_not_anger() -> None:
    for angry in ("This is the third time I have called and nobody fixed it!", "absolutely disgusted, you people are useless"):
        assert read(angry).sentiment <= -0.6
    for plain in ("my boiler isn't working", "I smell gas", "can I speak to a person", "what are your prices", "HB1 4QT"):
        assert -0.35 < read(plain).sentiment < 0.5
    assert read("thank you so much, that was brilliant").sentiment > 0.4


@pytest.mark.usefixtures("harbor_reasons")
def test_a_bare_answer_to_a_question_starts_no_new_need() -> None:
    answer = read("Sam Booker", expecting="name")
    assert answer.reason is None
    assert [(fact.name, fact.value) for fact in answer.facts] == [("name", "Sam Booker")]
    assert read("my postcode is HB1 4QT").reason is None
    assert read("sam okafor, 07700 900123", expecting="name").reason is None
    assert read("I want to cancel my appointment", expecting="name").reason == "cancel_booking"
    assert read("do you cover HB1 4QT", expecting="postcode").reason == "service_area"


@pytest.mark.usefixtures("harbor_reasons")
def test_one_sentence_gives_reason_and_facts() -> None:
    found = read("um hi it's er sam here i'd like to book a boiler service tomorrow morning at h b one four q t", spoken=True)
    assert found.reason == "boiler_service_booking"
    assert {fact.name: fact.value for fact in found.facts} == {"postcode": "HB1 4QT", "date": "2026-11-26", "time_window": "08:00-12:00"}


@pytest.mark.usefixtures("harbor_reasons")
@pytest.mark.parametrize(
    ("words", "owners"),
    [
        ("what is the name and phone number on booking {}?", ["HH-PH5A8X", "HH-XNG75H", "hh 8qd322", "HH-MATJDA"]),
        ("I cannot read the mail you sent to {}", ["cancel@example.com", "sam.okafor@example.co.uk", "refund.invoice@emergency.example"]),
        ("did somebody ring {} this morning", ["07700 900123", "+44 7700 900999", "+44 (0)20 7946 0000"]),
    ],
)
def test_whose_reference_address_or_number_it_is_says_nothing_of_the_need(words: str, owners: list[str]) -> None:
    found = [read(words.format(owner)) for owner in owners]
    assert len({(each.reason, each.confidence, each.alternatives, each.sentiment) for each in found}) == 1


@pytest.mark.usefixtures("harbor_reasons")
def test_a_changed_phrase_is_learned_at_once() -> None:
    before = read("the parrot wants its lunch")
    reason = ReasonCode.objects.create(code="parrot_care", name="Parrots", urgency="high")
    ReasonPhrase.objects.bulk_create(
        ReasonPhrase(reason=reason, text=text)
        for text in (
            "feed my parrot",
            "the parrot is hungry",
            "my parrot needs food",
            "parrot lunch please",
            "give the bird seeds",
            "parrot wants to eat",
        )
    )
    after = read("the parrot wants its lunch")
    reason.active = False
    reason.save()
    assert (before.reason, after.reason, after.urgency) == (None, "parrot_care", "high")
    assert read("the parrot wants its lunch").reason is None


@pytest.mark.django_db
def test_without_phrases_nothing_is_known() -> None:
    assert read("I smell gas").reason is None
    assert read("I smell gas").urgency == "emergency"


@pytest.mark.django_db
def test_one_reason_alone_can_be_told_from_small_talk() -> None:
    reason = ReasonCode.objects.create(code="leak", name="Leak")
    ReasonPhrase.objects.bulk_create(
        ReasonPhrase(reason=reason, text=text) for text in ("water is leaking", "a pipe leaks", "there is a leak", "burst pipe")
    )
    assert read("my pipe is leaking").reason == "leak"
    assert read("tell me a joke").reason is None


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "   ", "\u200b\x00", "🚽💥", "؟؟", "a" * 10000])
def test_odd_texts_are_understood_as_nothing(text: str) -> None:
    assert read(text).reason is None


@pytest.mark.usefixtures("harbor_reasons")
def test_a_stored_classifier_is_the_same_classifier() -> None:
    trained = reasons.current().classifier
    copy = ReasonClassifier.from_bytes(trained.to_bytes())
    vector = embed(["my radiator leaks"])[0]
    assert copy.classify(vector) == trained.classify(vector)
    with pytest.raises(ValueError, match="Not stored"):
        ReasonClassifier.from_bytes(b"something else")


def test_embeddings_are_unit_vectors_that_do_not_depend_on_their_company() -> None:
    alone = embed(["a leaking pipe"])
    together = embed(["a much longer text about something else entirely", "a leaking pipe", ""])
    assert together.shape == (3, DIMENSIONS)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(alone[0], together[1], atol=1e-5)
    assert embed([]).shape == (0, DIMENSIONS)


@pytest.mark.usefixtures("harbor_reasons")
@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("i want to cancle my apointment", "cancel_booking"),
        ("bok a biler servise", "boiler_service_booking"),
        ("tehre is a strong smel of gas in teh kichen", "gas_smell"),
        ("i need too chnage my apointment", "reschedule_booking"),
        ("my boyler is brokken", "no_heating"),
    ],
)
def test_slips_of_the_keyboard_hide_no_need(typed: str, reason: str) -> None:
    assert read(typed).reason == reason


@pytest.mark.usefixtures("harbor_reasons")
def test_slips_hide_no_day_and_change_no_name() -> None:
    found = read("my name is Jon Kancelo, can you chnage my apointment to friady")
    facts = {fact.name: fact.value for fact in found.facts}
    assert facts["name"] == "Jon Kancelo"
    assert "date" in facts
    assert read("smel of gas!").urgency == "emergency"
