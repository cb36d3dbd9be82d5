"""Reading what was heard, and weighing it against records."""

import itertools
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.likeness import codes, dates, folding, names, numbers, spelling, weighing
from conversations.likeness.weighing import Population

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=15)
HYPOTHESES = st.lists(st.text(max_size=60), max_size=8)
NOISE = st.lists(st.text(alphabet=st.characters(exclude_categories=("L", "M", "N", "Cs")), max_size=60), max_size=8)
PEOPLE = [
    weighing.record("Anna Nowak", date(1966, 2, 8), "05099"),
    weighing.record("Adam Nowak", date(1990, 11, 20), "05098"),
    weighing.record("Karol Łaskawiec", date(1966, 8, 2), "71019"),
    weighing.record("Siân O'Brien", date(2003, 12, 31), "HH44XY"),
    weighing.record("", None, ""),
]
POPULATION = Population(10_000, PEOPLE)


@pytest.mark.parametrize(
    ("said", "languages", "meant"),
    [
        ("8 February 1966", ("en",), (1966, 2, 8)),
        ("February 8th 1966", ("en",), (1966, 2, 8)),
        ("the eighth of Febuary 1966", ("en",), (1966, 2, 8)),
        ("08/02/1966", ("en",), (1966, 2, 8)),
        ("1966-02-08", ("en",), (1966, 2, 8)),
        ("0802 1966", ("en",), (1966, 2, 8)),
        ("8 luty 1960 sześć", ("pl", "en"), (1966, 2, 8)),
        ("8 lutego 1966 roku", ("pl",), (1966, 2, 8)),
        ("dwadzieścia jeden listopada 2003", ("pl",), (2003, 11, 21)),
        ("3. März 1971", ("de",), (1971, 3, 3)),
        ("einundzwanzigster Mai 1971", ("de",), (1971, 5, 21)),
        ("le 14 août 58", ("fr",), (1958, 8, 14)),
        ("8 февраля 1966", ("ru",), (1966, 2, 8)),
    ],
)
def test_dates_are_read_in_many_languages_and_orders(said: str, languages: tuple[str, ...], meant: tuple[int, int, int]) -> None:
    assert meant in dates.read([said], languages, latest_year=2026)


def test_part_of_a_date_is_read_as_far_as_it_goes() -> None:
    assert dates.read(["25 March"], ("en",), latest_year=2026) == [(None, 3, 25)]
    assert (1966, None, None) in dates.read(["1966"], ("en",), latest_year=2026)
    assert dates.read(["March 1966"], ("en",), latest_year=2026) == [(1966, 3, None)]


def test_year_lies_in_a_lifetime() -> None:
    """Two digits are tried in each century in which somebody living can be born; other years are not understood."""
    assert {each.year for each in dates.read(["8 March 21"], ("en",), latest_year=2026)} == {1921, 2021}
    assert {each.year for each in dates.read(["8 March 1700"], ("en",), latest_year=2026)} == {None}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("0 5 0 9 9", "05099"),
        ("05-099", "05099"),
        ("zero 50 99", "05099"),
        ("14-200 96", "14296"),
        ("seventeen 100 five", "17105"),
        ("my code is 9545 3", "95453"),
        ("HH4 4XY", "HH44XY"),
        ("h h four 4 x y", "HH44XY"),
    ],
)
def test_codes_are_read_from_pieces_and_words(said: str, meant: str) -> None:
    assert meant in codes.read([said], ("en",))


def test_longer_reading_is_looked_through_for_codes_of_the_usual_length() -> None:
    assert "05099" in codes.read(["20 50 99"], ("en",), lengths=[5])


def test_number_words_come_from_every_language_that_is_known() -> None:
    assert numbers.number_words("pl")["dziewiec"] == 9
    assert numbers.number_words("de-AT")["einundzwanzig"] == 21
    assert numbers.number_words("no such language") == {}


def test_spelled_name_is_taken_as_a_whole() -> None:
    assert names.read(["k a r o l laska"]) == names.SaidName((), (), ("karollaska",))


def test_cut_name_is_tried_as_one_word_too() -> None:
    assert "masny" in names.read(["Ida ma sny"]).further


@given(WORDS, WORDS)
def test_likeness_of_words_is_symmetrical_and_bounded(one: str, other: str) -> None:
    there, back = names.likeness([one], [other])[0], names.likeness([other], [one])[0]
    assert there == pytest.approx(back)
    assert 0 <= there <= 1


@given(WORDS, WORDS)
def test_nothing_is_more_like_a_word_than_itself(one: str, other: str) -> None:
    assert names.likeness([one], [one])[0] == 1
    assert names.likeness([other], [one])[0] <= 1


@given(st.sampled_from(range(4)), NOISE)
def test_record_that_agrees_exactly_weighs_most(number: int, noise: list[str]) -> None:
    """Whatever was heard after it that is no word, no other record weighs more than the one whose name was heard."""
    name = ("Anna Nowak", "Adam Nowak", "Karol Łaskawiec", "Siân O'Brien")[number]
    weights = weighing.name([name, *noise], PEOPLE, POPULATION).weights
    assert weights[number] == weights.max()


def test_rare_agreement_weighs_more_than_common() -> None:
    crowd = Population(10_000, [*PEOPLE, *(weighing.record(f"Anna Person{number}", None, "") for number in range(50))])
    common, rare = weighing.name(["Anna Nowak"], PEOPLE, crowd).weights[0], weighing.name(["Karol Łaskawiec"], PEOPLE, crowd).weights[2]
    assert rare > common > 0


def test_misheard_still_weighs_for_the_right_record() -> None:
    assert weighing.name(["Karol uaskawiec"], PEOPLE, POPULATION).weights.argmax() == 2
    assert weighing.postcode(["05089"], PEOPLE, POPULATION).weights[0] > weighing.postcode(["05089"], PEOPLE, POPULATION).weights[2]
    readings = dates.read(["8 February 1956"], ("en",), latest_year=2026)
    assert weighing.date_of_birth(readings, PEOPLE, POPULATION).weights.argmax() == 0


def test_empty_record_agrees_with_nothing_and_weighs_nothing() -> None:
    for weighed in (
        weighing.name(["Anna Nowak"], PEOPLE, POPULATION),
        weighing.postcode(["05099"], PEOPLE, POPULATION),
        weighing.date_of_birth(dates.read(["8 February 1966"], ("en",), latest_year=2026), PEOPLE, POPULATION),
        weighing.code("phone", ["+447700900123"], PEOPLE, POPULATION),
    ):
        assert (weighed.weights[4], weighed.agreements[4]) == (0, "unknown")


def test_agreement_says_how_a_fact_agrees() -> None:
    agreements = weighing.name(["Anna Nowack"], PEOPLE, POPULATION).agreements
    assert agreements[0] == "like"
    assert agreements[3] == "different"
    assert weighing.name(["anna NOWAK"], PEOPLE, POPULATION).agreements[0] == "same"


def test_answer_given_again_counts_double() -> None:
    def weigh(hypotheses: object) -> weighing.Weighed:
        return weighing.Weighed(np.array([2.0]), ["same"])

    assert weighing.over_answers([["a"], ["a"], []], weigh).weights[0] == 6


@given(st.lists(st.floats(-50, 80), max_size=12), st.integers(0, 10**7))
def test_probabilities_of_records_and_none_of_them_make_one(weights: list[float], size: int) -> None:
    odds = weighing.log_odds(np.array(weights), size)
    total = sum(weighing.probability(float(each)) for each in odds)
    assert 0 <= total <= 1 + 1e-9
    for one, other in itertools.combinations(range(len(weights)), 2):
        assert weights[one] <= weights[other] or odds[one] >= odds[other]


@given(HYPOTHESES)
def test_garbage_is_read_as_something_or_nothing(hypotheses: list[str]) -> None:
    names.read(hypotheses)
    readings = codes.read(hypotheses, ("pl", "en"), lengths=[5])
    assert len(readings) <= codes.MOST_READINGS
    assert len(dates.read(hypotheses, ("pl", "en"), latest_year=2026)) <= dates.MOST_READINGS
    for weighed in (weighing.name(hypotheses, PEOPLE, POPULATION), weighing.postcode(readings, PEOPLE, POPULATION)):
        assert np.isfinite(weighed.weights).all()


@pytest.mark.parametrize("text", ["\x00", "1 " * 100_000, "a" * 100_000, "0" * 100_000, "𝟗𝟗 " * 1000, "\ud800", "٣٤٥"])
def test_huge_and_odd_inputs_stay_small(text: str) -> None:
    assert len(folding.folded(text)) <= folding.LONGEST
    assert len(codes.read([text] * 1000, ("en",), lengths=[5, 6])) <= codes.MOST_READINGS
    assert len(dates.read([text] * 1000, ("en",), latest_year=2026)) <= dates.MOST_READINGS
    said = names.read([text] * 1000)
    assert max(len(said.first), len(said.further), len(said.spelled)) <= names.MOST_WORDS


def test_population_without_anybody_is_weighed_too() -> None:
    nobody = Population(0, [])
    assert np.isfinite(weighing.name(["Anna Nowak"], PEOPLE, nobody).weights).all()
    assert np.isfinite(weighing.postcode(["05099"], PEOPLE, nobody).weights).all()
    assert np.isfinite(weighing.date_of_birth([dates.DateReading(1966, 2, 8)], PEOPLE, nobody).weights).all()
    assert weighing.name(["Anna Nowak"], [], nobody).agreements == []


@pytest.mark.parametrize(
    ("one", "other", "may_be"),
    [
        ("Clara Roth", "roth, CLARA", True),
        ("Clara Roth", "Klara Roth", True),
        ("Jon Smith", "John A. Smith", True),
        ("C. Roth", "Clara Roth", True),
        ("Dr Otto Mann", "Otto Mann", True),
        ("Мария", "Maria", True),
        ("", "Otto Mann", True),
        ("1/2", "Otto Mann", True),
        ("Clara Roth", "Otto Roth", False),
        ("Clara Roth", "Otto Mann", False),
        ("Mary Price", "Mary Jones", False),
        ("Tim Roth", "Tom Roth", False),
    ],
)
def test_whether_two_written_names_may_be_one_persons(one: str, other: str, may_be: bool) -> None:
    """Whichever comes first. A family's name alone is not enough."""
    assert names.may_be_ones(one, other) is names.may_be_ones(other, one) is may_be


@given(WORDS)
def test_other_spellings_are_bounded_each_once_and_never_the_word_itself(word: str) -> None:
    """However long the word."""
    others = spelling.others(word)
    assert word not in others
    assert len(others) == len(set(others)) <= spelling.MOST_SPELLINGS


@pytest.mark.parametrize(("word", "meant"), [("smith", "smythe"), ("clra", "clara"), ("jon", "john"), ("mraia", "maria")])
def test_other_spellings_have_what_sounds_alike_and_what_is_one_typo_away(word: str, meant: str) -> None:
    assert meant in spelling.others(word)
