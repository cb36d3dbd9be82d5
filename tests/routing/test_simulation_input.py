"""Files that cannot be simulated: refused with the place and what to do, before any database is made."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.routing.conftest import Company
from tests.routing.simulating import STAFFING_HEAD, TRACE_HEAD, files

ARRIVAL = "2026-11-27 09:00:00,600,300,3,,live_voice,service"
SHIFT = "Ann,2026-11-27 09:00,2026-11-27 10:00,"


def refusal(folder: Path, trace: str = ARRIVAL, staffing: str = SHIFT, **options: object) -> str:
    with pytest.raises(CommandError) as refused:
        call_command("simulate_routing", *files(folder, trace, staffing), **options)
    return str(refused.value)


@pytest.mark.parametrize(
    ("trace", "says"),
    [
        ("", "trace.csv: It has no arrivals. Write one line for each piece of work."),
        ("arrived_at,patience_s,priority,skill,kind\n", "line 1, column handling_s: The column is missing. The first line must name:"),
        (f"{TRACE_HEAD},kind\n", "trace.csv, line 1, column kind: The column stands there twice. Keep one."),
        (ARRIVAL.replace("2026-11-27 09:00:00", "today"), "line 2, column arrived_at: “today” is no date with a time. Write it like 2026-"),
        (ARRIVAL.replace(" 09:00:00", ""), "line 2, column arrived_at: “2026-11-27” has no time of day."),
        (ARRIVAL.replace("2026", "0001"), "line 2, column arrived_at: The year must be from 1970 to 2199."),
        (ARRIVAL.replace("600", "-1"), "line 2, column patience_s: “-1” is no number of seconds from 0 to 2592000. Write it like 90"),
        (ARRIVAL.replace("300", "nan"), "line 2, column handling_s: “nan” is no number of seconds"),
        (ARRIVAL.replace("300", "1e99"), "line 2, column handling_s: “1e99” is no number of seconds"),
        (ARRIVAL.replace("300", ""), "line 2, column handling_s: “” is no number of seconds"),
        (ARRIVAL.replace(",3,", ",0,"), "line 2, column priority: “0” is no priority class. Write a number from 1 (first) to 9."),
        (ARRIVAL.replace("live_voice", "Phone call"), "line 2, column kind: “Phone call” is no code. Use small letters"),
        (ARRIVAL.replace(",3,,", ",3,gsa,"), "line 2, column skill: Nobody knows the skill “gsa”. Use one of: gas; or name a new skill"),
        (ARRIVAL.replace("service", ""), "line 2, column queue: The line names no queue. Add a column “queue”, or say --queue with"),
        (f"{ARRIVAL},more", "trace.csv, line 2: The line has 8 cells, and the head has 7."),
        (f"{ARRIVAL}\n\n2026-11-27 09:00:00", "trace.csv, line 4: The line has 1 cells, and the head has 7."),
        (f'{ARRIVAL}\n"2026-11-27"x,,,,,,', "trace.csv, line 3: The line cannot be split into cells"),
    ],
)
def test_a_trace_that_cannot_be_used(company: Company, tmp_path: Path, trace: str, says: str) -> None:
    assert says in refusal(tmp_path, trace=trace)


@pytest.mark.parametrize(
    ("staffing", "says"),
    [
        ("agent,from,skills\n", "staffing.csv, line 1, column to: The column is missing. The first line must name: agent,"),
        (",2026-11-27 09:00,2026-11-27 10:00,", "staffing.csv, line 2, column agent: Write the agent's sign-in name"),
        ("Ann,2026-11-27 09:00,2026-11-27 09:00,", "line 2, column to: The shift ends before it begins."),
        (f"{SHIFT}\nAnn,2026-11-27 09:59,2026-11-27 11:00,", "line 3, column from: Ann is there already until 2026-11-27 10:00:00+00:00"),
        (f"{SHIFT}gas\nAnn,2026-11-27 11:00,2026-11-27 12:00,gas:5", "line 3, column skills: Ann has another value in line 2."),
        (f"{SHIFT}gas:6", "line 2, column skills: “gas:6”: how good they are is a number from 1 to 5, as in billing:4."),
        (f"{SHIFT}gsa", "staffing.csv, line 2, column skills: Nobody knows the skill “gsa”."),
        (f"{STAFFING_HEAD},profile\n{SHIFT},Nobody", "column profile: There is no routing profile “Nobody”. Use one of: Everything;"),
    ],
)
def test_a_staffing_that_cannot_be_used(company: Company, tmp_path: Path, staffing: str, says: str) -> None:
    assert says in refusal(tmp_path, staffing=staffing)


def test_one_agent_by_two_names(company: Company, tmp_path: Path) -> None:
    """They would be there twice at once without anybody noticing."""
    company.agent("kim")
    times = "2026-11-27 09:00,2026-11-27 10:00"
    refused = refusal(tmp_path, staffing=f"kim,{times},\nKim,{times},")
    assert refused == "staffing.csv, line 3, column agent: “kim” and “Kim” are the same agent. Use one name in all lines."


def test_every_problem_is_told_at_once_up_to_twenty(company: Company, tmp_path: Path) -> None:
    """Whoever corrects a file does not want to begin again for each cell."""
    bad = ARRIVAL.replace("600", "x").replace(",3,", ",x,")
    lines = refusal(tmp_path, trace="\n".join([bad] * 12)).splitlines()
    assert [len(lines), lines[-1]] == [21, "… and 4 more."]
    assert lines[1].startswith("trace.csv, line 2, column priority: “x”")


def test_a_file_that_is_not_there_or_is_no_text(company: Company, tmp_path: Path) -> None:
    """The path as it was given, and why."""
    trace, staffing = files(tmp_path, ARRIVAL, SHIFT)
    with pytest.raises(CommandError, match=r"missing\.csv: It cannot be opened: No such file or directory\."):
        call_command("simulate_routing", tmp_path / "missing.csv", staffing)
    with pytest.raises(CommandError, match="It cannot be opened: Is a directory"):
        call_command("simulate_routing", tmp_path, staffing)
    trace.write_bytes(b"arrived_at\xff")
    with pytest.raises(CommandError, match="Byte 11 is not UTF-8"):
        call_command("simulate_routing", trace, staffing)


def test_a_time_that_the_clocks_skip(company: Company, tmp_path: Path) -> None:
    """In the night in which summer time begins."""
    trace = ARRIVAL.replace("2026-11-27 09", "2026-03-29 01")
    assert "In Europe/London the clocks skip 2026-03-29 01:00:00." in refusal(tmp_path, trace=trace, time_zone="Europe/London")


def test_options_that_name_what_there_is_not(company: Company, tmp_path: Path) -> None:
    """With what there is."""
    assert "There is no queue “servcie”. There are: billing, service, urgent." in refusal(tmp_path, queue=["servcie"])
    assert "trace.csv, column queue: No line is of a queue that was asked for." in refusal(tmp_path, queue=["billing"])
    with pytest.raises(CommandError, match="There is no time zone Mars"):
        call_command("simulate_routing", *map(str, files(tmp_path, ARRIVAL, SHIFT)), "--time-zone", "Mars")


def test_semicolons_and_a_byte_order_mark_are_understood(company: Company, tmp_path: Path) -> None:
    """As spreadsheets write them; the only complaint is of a skill."""
    trace = f"\ufeff{TRACE_HEAD};note\n{ARRIVAL};x".replace(",", ";").replace(";;", ";gsa;")
    (tmp_path / "trace.csv").write_text(trace)
    _, staffing = files(tmp_path / ".", "", SHIFT)
    (tmp_path / "trace.csv").write_text(trace)
    with pytest.raises(CommandError) as refused:
        call_command("simulate_routing", tmp_path / "trace.csv", staffing)
    assert str(refused.value).startswith("trace.csv, line 2, column skill: Nobody knows the skill “gsa”")
    assert "\n" not in str(refused.value)
