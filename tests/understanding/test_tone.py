"""How something was said: yes or no, urgency, the wish for a person."""

import pytest

from conversations.understanding.danger import read_urgency
from conversations.understanding.normalise import meaning, plain
from conversations.understanding.tone import read_answer, wants_person

YES = [
    "yes",
    "Yes please!",
    "yeah that's right",
    "um yeah",
    "ok",
    "sure, go ahead",
    "no problem",
    "that works",
    "yep book it",
    "Perfect, thanks",
    "I do",
    "absolutely",
    "yes, but can we do Thursday",
    "correct",
    "Sounds good to me",
]
NO = [
    "no",
    "No thanks",
    "nope",
    "no, Thursday",
    "no no no",
    "wrong",
    "that's not right",
    "I'd rather not",
    "not really",
    "no, that's wrong",
    "no sorry",
]
NEITHER = [
    "no heating",
    "no hot water since Monday",
    "not sure",
    "I don't know",
    "absolutely disgusted with your service",
    "I'm quite annoyed",
    "what",
    "maybe",
    "right, so my boiler is leaking",
    "",
    "I would like a quote",
    "Great. Another missed visit. Well done.",
]
PERSON = [
    "Can I speak to a real person please",
    "agent",
    "put me through to someone",
    "I want a human",
    "get me a manager",
    "operator please",
    "I'd like to talk to a human being",
    "um can i er talk to somebody",
    "I don't want to talk to a robot, give me a person",
    "is there anyone there I can talk to",
]
NO_PERSON = [
    "I don't want to talk to a person",
    "can someone come and fix my tap",
    "talk me through bleeding a radiator",
    "is your agent coming tomorrow",
    "my boiler is broken",
    "are you a real person",
    "am I talking to a robot",
]
EMERGENCIES = [
    "It's an emergency! Phone me now",
    "this is an emergency. Number 5, Mill Lane",
    "emergency! hours of water coming in",
    "how much longer, it is an emergency, visit us",
    "I smell gas",
    "there's a really strong smell of gas",
    "my carbon monoxide alarm is going off",
    "water is pouring through the ceiling",
    "water is coming through my ceiling!!",
    "there's water running down the wall",
    "a pipe has burst",
    "um there's a er gas leak",
    "sparks are coming out of the boiler",
]
CALM = ["it's not an emergency", "no smell of gas", "I'd like to book a service", "the tap drips"]
ASKED_ABOUT = ["is your emergency line open?", "what is the emergency number?", "how much is an emergency visit?"]


@pytest.mark.parametrize("text", YES)
def test_yes_is_understood(text: str) -> None:
    assert read_answer(plain(text)) is True


@pytest.mark.parametrize("text", NO)
def test_no_is_understood(text: str) -> None:
    assert read_answer(plain(text)) is False


@pytest.mark.parametrize("text", NEITHER)
def test_what_is_neither_yes_nor_no_is_not_taken_for_either(text: str) -> None:
    assert read_answer(plain(text)) is None


@pytest.mark.parametrize(("text", "wanted"), [(text, True) for text in PERSON] + [(text, False) for text in NO_PERSON])
def test_the_wish_for_a_person_is_understood(text: str, wanted: bool) -> None:
    assert wants_person(meaning(text)) is wanted


@pytest.mark.parametrize("text", EMERGENCIES)
def test_danger_is_an_emergency(text: str) -> None:
    assert read_urgency(meaning(text)) == "emergency"


@pytest.mark.parametrize("text", CALM + ASKED_ABOUT)
def test_what_is_not_dangerous_is_not_an_emergency(text: str) -> None:
    assert read_urgency(meaning(text)) == "normal"


def test_haste_is_high_urgency() -> None:
    assert read_urgency(meaning("It's urgent, we have a newborn baby and it's freezing")) == "high"
