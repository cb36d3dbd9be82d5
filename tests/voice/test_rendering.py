"""One reply, two ways: what is read has no marks in it, what is said has no markup, and no number is lost on the way."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.rendering import spoken, written
from conversations.voice import ncco

ANYTHING = st.text("ab Z019 :.,?!<>&'\"£@/-–\n\x00\x1bé漢😀[](){}*_`#|~^\\", max_size=300)
WORDS = st.sampled_from(["the visit", "your number is", "please", "Gannet Steps", "costs", "and", "reference", "in"])
NUMBERS = st.one_of(
    st.from_regex(r"07[0-9]{3} [0-9]{6}", fullmatch=True),
    st.from_regex(r"HH-[2-9A-HJ-NP-Z]{6}", fullmatch=True),
    st.from_regex(r"£[1-9][0-9]{0,3}(\.[1-9][0-9])?", fullmatch=True),
    st.from_regex(r"HB[1-9] [0-9](?:[ABD-HJLNP-UW-Z]){2}", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{0,11}", fullmatch=True),
)
SENTENCES = st.lists(st.one_of(WORDS, NUMBERS), min_size=1, max_size=40)
MARKUP = re.compile(r"[<>*_`#|\[\]{}~^\\]")


@settings(deadline=None)
@given(ANYTHING)
def test_no_markup_is_said(text: str) -> None:
    assert not MARKUP.search(spoken.words(text))


@settings(deadline=None)
@given(ANYTHING, st.integers(min_value=1, max_value=20))
def test_what_is_said_is_valid_ssml(text: str, times: int) -> None:
    actions = ncco.working(spoken.words(text * times), language="en-GB")
    for action in (each for each in actions if each["action"] == "talk"):
        root = ElementTree.fromstring(action["text"])
        assert root.tag == "speak"
        assert not list(root), "no tag of the reply's own"


@settings(deadline=None)
@given(SENTENCES)
def test_no_number_is_lost(parts: list[str]) -> None:
    """Every digit is said, in order, however it is read out, and however the sentence is cut."""
    text = f"{', '.join(parts)}."
    assert re.sub(r"\D", "", spoken.words(text)) == re.sub(r"\D", "", text)
    assert re.sub(r"\D", "", written.text(text)) == re.sub(r"\D", "", text)


@settings(deadline=None)
@given(SENTENCES)
def test_what_is_read_keeps_its_words(parts: list[str]) -> None:
    text = ". ".join(parts)
    assert written.text(text).split() == text.split()


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("1. Turn it off.\n2. Call us.", "1: Turn it off. 2: Call us."),
        ("On 2026-11-24 or Tue 24 Nov.", "On 24 November 2026 or Tuesday 24 November."),
        ("At 7 Gannet St, Harborhome.", "At 7 Gannet Street, Harborhome."),
        ("It takes 20–30 minutes, e.g. for taps & pipes.", "It takes 20 to 30 minutes, for example for taps and pipes."),
        ("<b>Turn</b> it off.", "Turn it off."),
    ],
)
def test_how_more_is_said(marked: str, said: str) -> None:
    assert spoken.words(marked) == said


def test_a_link_is_offered_by_text() -> None:
    said = spoken.words("You find it on [our page](https://harbor.example/p).", {"link_by_text": True})
    assert said == "You find it on our page. I can send you the link by text message."
    assert "text message" not in spoken.words("You find it on [our page](https://harbor.example/p).")


def test_a_sentence_that_is_too_long_is_parted() -> None:
    long = "Our engineer comes with all the parts that are needed for the usual repairs, rings you on the way, looks at the boiler, tells"
    long += " you what it will cost before anything is done, and leaves only when it works and you have seen that it does."
    assert all(len(sentence.split()) <= spoken.LONGEST_SENTENCE for sentence in spoken.sentences(spoken.words(long)))


def test_a_long_text_is_read_in_paragraphs() -> None:
    text = " ".join(f"This is sentence number {number}, and it is not a very short one either." for number in range(8))
    paragraphs = written.text(text).split("\n\n")
    assert [part.count(".") for part in paragraphs] == [3, 3, 2]
    assert written.text("**Bold**\n- One\n- [Two](https://a.example/b)") == "Bold\n• One\n• Two (https://a.example/b)"


def test_what_a_card_adds_comes_before_the_question() -> None:
    """Whoever is asked something hears the question last, and is not told that yes and no can be said."""
    card = {"rows": [{"label": "Where", "value": "Quay Street"}]}
    replies = [{"label": "Yes", "value": "Yes"}, {"label": "No", "value": "No"}, {"label": "Open a ticket", "value": "Open a ticket"}]
    assert spoken.words("It is booked. Anything else?", {"cards": [card]}) == "It is booked. Where: Quay Street. Anything else?"
    assert spoken.words("I do not know. A person?", {"quick_replies": replies[:2]}) == "I do not know. A person?"
    said = spoken.words("I do not know. A person?", {"quick_replies": replies})
    assert said == "I do not know. A person? You can also say: Open a ticket."


@pytest.mark.parametrize("reference", ["HH-Q3W8NF", "HH-E8Q7TN"])
def test_no_part_of_a_reference_is_a_postcode(reference: str) -> None:
    assert "-" not in spoken.words(f"Your reference is {reference}.")


def test_the_last_question_is_said_again_with_how_to_answer_it() -> None:
    asked = "What phone number can we ring? Please say it digit by digit."
    assert spoken.last_question(f"Thank you. {asked}") == asked
    assert spoken.last_question("Hello? I am here. You can ask for a person. Tell me how I can help.") == ""


@pytest.mark.parametrize(
    ("written_as", "said"),
    [
        ("Our postcodes: - HB1, HB2 - the old port - HB4", "Our postcodes: HB1, HB2. the old port. HB4."),
        ("We come: • on Mondays • on Fridays.", "We come: on Mondays. on Fridays."),
        ("Our postcodes:\n- HB1\n- HB4", "Our postcodes: HB1. HB4."),
        ("From 8 - 18, on weekdays - and Saturdays.", "From 8 - 18, on weekdays - and Saturdays."),
    ],
)
def test_a_list_is_heard_without_dashes(written_as: str, said: str) -> None:
    assert spoken.words(written_as) == said
