"""What customers say about being called, texted, sent offers and recorded, typed and said; and what only sounds like it."""

from __future__ import annotations

import pytest

from conversations.understanding.consent import read_wishes
from conversations.understanding.gloss import gloss

WISHES = {
    "no contact": [
        "do not contact me",
        "Please don't contact me again.",
        "stop contacting me",
        "I don't want to be contacted any more",
        "never contact me again!",
        "remove my number from your list",
        "don't call this number again",
    ],
    "no outbound_call": [
        "stop calling me",
        "Stop calling me!!",
        "um please stop calling me",
        "please do not call me again",
        "don't call me any more",
        "never call me again",
        "I told you to stop ringing me",
        "no more calls please",
        "can you stop calling me",
        "could you please stop phoning my mother",
        "I do not want to be called any more",
        "take me off your calling list",
        "i want you to stop calling me every day",
        "stop calling",
        "don't call me, text me",
    ],
    "no sms": ["stop texting me", "no more texts", "please don't send me any text messages", "stop sending me texts", "do not text me"],
    "no marketing by email": ["stop emailing me", "stop sending me emails", "no more e-mails"],
    "no marketing": [
        "no marketing please",
        "unsubscribe",
        "Unsubscribe me",
        "please unsubscribe me from your newsletter",
        "I don't want any more marketing",
        "stop sending me adverts",
        "no more spam",
        "take me off your mailing list",
        "opt out",
        "i would like to opt out of all marketing",
        "please do not send me promotional emails",
    ],
    "no recording": [
        "don't record this",
        "please do not record me",
        "i do not want this call to be recorded",
        "I don't want to be recorded",
        "stop recording",
        "stop recording this call please",
        "i do not agree to being recorded",
        "turn off the recording",
    ],
    "yes outbound_call": [
        "you may call me", "You can call me again", "yes you may call me any time", "you can ring me on this number",
        "You may call me on this number about my boiler service", "you can phone me on this number about the leak in the kitchen",
        "you have my permission to call me about my new boiler quote",
    ],
    "yes sms": ["you may text me", "you can send me text messages", "yes you may send me text messages about my visits"],
    "yes marketing": ["you may send me offers", "I am happy to receive your newsletter"],
    "yes recording": ["you can record this call", "yes you may record me", "I am fine with being recorded"],
    "yes contact": ["you may contact me again"],
}
NONE = [
    "please don't stop",
    "please don't stop calling me",
    "stop calling it a boiler",
    "stop calling me Sam",
    "stop calling me names",
    "you can call me Sam",
    "you may call me on Tuesday",
    "you can call me on 07700 900123",
    "can you call me",
    "you can call me about my leak",
    "you can call me on this number?",
    "you can call me on this number on Tuesday",
    "can you call me on this number about my boiler service",
    "please call me back",
    "call me",
    "don't call me before nine",
    "do not call me back until Tuesday",
    "you don't call me back when you say you will",
    "why did you not call me",
    "they do not contact me",
    "did you stop calling me?",
    "how do I stop the leak",
    "the boiler does not stop",
    "it won't stop dripping, stop it",
    "stop that",
    "I have no news",
    "are there no offers?",
    "do you record calls?",
    "is this call recorded?",
    "if you do not call me I will complain",
    "my neighbour keeps calling me",
    "nobody contacted me",
    "I cannot stop calling you",
    "where do I find the stop tap",
    "I lost the record of my visit",
    "no",
    "no thanks",
    "don't worry",
    "you may come on Friday",
    "send me an offer please",
    "I would like an offer for a new boiler",
    "there are no emails from you in my inbox",
    "no calls came through yesterday",
    "the engineer said he would stop by and call me",
    "",
]


def read(text: str) -> set[str]:
    wishes, _left = read_wishes(text)
    ways = {"": "", "email": " by email", "text": " by text"}
    return {f"{'yes' if wish.agrees else 'no'} {wish.purpose}{ways[wish.way]}" for wish in wishes}


@pytest.mark.parametrize(("wish", "text"), [(wish, text) for wish, texts in WISHES.items() for text in texts])
def test_a_wish_is_read(wish: str, text: str) -> None:
    """The same for what is typed and what is said: without capitals and marks it reads alike."""
    expected = {wish}
    assert read(text) == expected
    if "," not in text:
        assert read("".join(each for each in text.lower() if each.isalnum() or each in " '-")) == expected


@pytest.mark.parametrize("text", NONE)
def test_what_only_sounds_like_it_is_none(text: str) -> None:
    """Silence or a call that nobody asked for would both be wrong."""
    assert read(text) == set()


@pytest.mark.parametrize("text", ["STOP", "stop", "Stop.", "STOP ALL"])
def test_the_word_that_ends_texts(text: str) -> None:
    """As carriers have it: no more text messages, and no more offers."""
    assert read(text) == {"no sms", "no marketing"}


def test_several_wishes_and_what_else_was_said() -> None:
    """Each clause is read for itself; what is left goes on to be understood."""
    wishes, left = read_wishes("My boiler is leaking. Don't record this, and no marketing please")
    assert [(wish.purpose, wish.agrees) for wish in wishes] == [("recording", False), ("marketing", False)]
    assert left == "My boiler is leaking"
    assert read("don't record this and don't send me any adverts") == {"no recording", "no marketing"}


def test_a_text_without_a_wish_is_left_as_it_is() -> None:
    """Marks and all, so that whatever reads it next finds what was written."""
    text = "Hello, my boiler is cold. Can you come?"
    assert read_wishes(text) == ((), text)


SPANISH = {
    "Puede llamarme a este número por la revisión de mi caldera": {"yes outbound_call"},
    "Pueden llamarme a este número sobre la revisión de la caldera": {"yes outbound_call"},
    "Me pueden llamar a este número": {"yes outbound_call"},
    "Pueden llamarme cuando quieran": {"yes outbound_call"},
    "Les doy permiso para llamarme": {"yes outbound_call"},
    "¿Pueden llamarme a este número?": set(),
    "¿Me pueden llamar a este número sobre mi caldera?": set(),
    "Quiero que me llamen a este número": set(),
}


@pytest.mark.parametrize(("text", "wishes"), SPANISH.items())
def test_a_yes_to_calls_in_spanish(text: str, wishes: set[str]) -> None:
    """Asked, it is the wish for a call."""
    assert read(gloss(text, "es")) == wishes
    assert "call me back" in read_wishes(gloss(text, "es"))[1] or wishes
