"""`manage.py evaluate_understanding`: what it counts, and what it says of files that it cannot use."""

import csv
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

TRAIN = {
    "no_heating": ["the radiators are cold", "my heating stays off", "no heat in the house", "it is freezing and the heating is off"],
    "leak": ["water is dripping from a pipe", "a leak under the sink", "my pipe burst", "water comes through the ceiling"],
    "billing": ["I do not understand my invoice", "you charged me twice", "my bill is wrong", "why is the invoice so high"],
}
TEST = {
    "no_heating": ["our heating is not working and it is cold", "radiators stay cold"],
    "leak": ["a pipe is leaking under the sink"],
    "billing": ["there is a mistake on my bill"],
    "oos": ["who won the football last night", "please write me a poem about spring"],
    "delivery": ["when will my new sofa be delivered"],
}


def written(path: Path, examples: dict[str, list[str]], header: tuple[str, str] = ("text", "category")) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *((text, category) for category, texts in examples.items() for text in texts)])
    return path


def ran(*arguments: str) -> str:
    out = io.StringIO()
    call_command("evaluate_understanding", *arguments, stdout=out)
    return out.getvalue()


def test_it_counts_what_is_right_wrong_and_rejected_overall_and_by_reason(tmp_path: Path) -> None:
    """A category that was not trained is as unknown as `oos`; at threshold 0 nothing but small talk is rejected."""
    train, test = written(tmp_path / "train.csv", TRAIN), written(tmp_path / "test.csv", TEST)
    found = json.loads(ran(str(train), str(test), "--json"))
    assert (found["texts"], found["oos_texts"], found["accuracy"]) == (4, 3, 1.0)
    assert found["recognised"] + found["mistaken"] + found["asked_back"] == pytest.approx(1)
    assert found["rejection"] + found["false_acceptance"] == pytest.approx(1, abs=1e-3)
    assert found["rejection"] >= 0.66
    assert found["reasons"]["no_heating"]["likeliest"] == 2
    everything = json.loads(ran(str(train), str(test), "--json", "--threshold", "0"))
    assert everything["recognised"] >= found["recognised"]
    assert json.loads(ran(str(train), str(test), "--json", "--threshold", "1"))["asked_back"] == 1
    table = ran(str(train), str(test))
    assert "false acceptance" in table
    assert "no_heating" in table


def test_texts_of_no_reason_can_be_trained_too(tmp_path: Path) -> None:
    """What was an `oos` example is rejected when it is asked."""
    asked = {"oos": ["I want to order a pizza with extra cheese", "pizza delivery to my house"]}
    train, test = written(tmp_path / "train.csv", TRAIN | asked), written(tmp_path / "test.csv", asked)
    assert json.loads(ran(str(train), str(test), "--json"))["rejection"] == 1


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """A missing file, a missing column, a file without reasons, a threshold that is none."""
    good, bad = written(tmp_path / "train.csv", TRAIN), written(tmp_path / "bad.csv", TRAIN, ("words", "category"))
    none = written(tmp_path / "none.csv", {"oos": ["hello there"]})
    for arguments, said in (
        ([tmp_path / "gone.csv", good], "cannot be read"),
        ([bad, good], "“text” and “category”"),
        ([none, good], "no text that belongs to a reason"),
        ([good, good, "--threshold", "2"], "between 0 and 1"),
    ):
        with pytest.raises(CommandError, match=said):
            ran(*map(str, arguments))
