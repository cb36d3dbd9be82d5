"""Settings are read from the environment, and what cannot be used is refused loudly."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings

from cxhub.environment import Environment


def read_settings(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `manage.py check` says with this environment on top of the test run's."""
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "cxhub.settings", "DATA_DIR": str(tmp_path / "data"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_unusable_values_are_named_at_once(tmp_path: Path) -> None:
    """The message names every variable, what was wrong and an example, without a traceback or a password."""
    done = read_settings(
        tmp_path,
        DEBUG="perhaps",
        PORT="70000",
        PUBLIC_URL="service.example.com",
        DATABASE_URL="mysql://someone:hunter2@localhost/cxhub",
        VALKEY_URL="http://localhost",
        VONAGE_GATEWAY="twilio",
        VOICE_REPLY_BUDGET_MS="soon",
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
    assert "DEBUG: 'perhaps' is neither true nor false. Example: DEBUG=true" in done.stderr
    assert "PORT: 70000 is not between 1 and 65535. Example: PORT=8000" in done.stderr
    assert "PUBLIC_URL: 'service.example.com' is not a web address" in done.stderr
    assert "DATABASE_URL: it does not start with postgres://" in done.stderr
    assert "VALKEY_URL: 'http://localhost' does not start with redis://" in done.stderr
    assert "VONAGE_GATEWAY: 'twilio' is not one of simulator, vonage, off" in done.stderr
    assert "VOICE_REPLY_BUDGET_MS: 'soon' is not a whole number. Example: VOICE_REPLY_BUDGET_MS=900" in done.stderr


@pytest.mark.parametrize(
    ("written", "found"), [("", ".data"), ("  ", ".data"), ("kept/here", "kept/here"), ("/var/lib/cxhub", "/var/lib/cxhub")]
)
def test_data_is_kept_in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, found: str) -> None:
    """An empty setting is as good as none."""
    monkeypatch.setenv("DATA_DIR", written)
    assert Environment(tmp_path / ".env").folder("DATA_DIR", ".data", within=tmp_path) == tmp_path / found


@pytest.mark.parametrize("written", [".", ".."])
def test_no_secret_is_written_beside_the_program(tmp_path: Path, written: str) -> None:
    done = read_settings(tmp_path, DATA_DIR=written)
    assert done.returncode != 0
    assert "holds the program itself. Example: DATA_DIR=.data" in done.stderr
    assert not (Path(settings.BASE_DIR) / "secret_key").exists()


def test_production_needs_a_secret_and_real_calls_need_credentials(tmp_path: Path) -> None:
    """With DEBUG off nothing is made up."""
    without_secret = dict.fromkeys(("SECRET_KEY", "VONAGE_API_KEY"), "")
    done = read_settings(tmp_path, DEBUG="false", VONAGE_GATEWAY="vonage", **without_secret)
    assert done.returncode != 0
    for name in ("SECRET_KEY", "VONAGE_APPLICATION_ID", "VONAGE_API_KEY", "VONAGE_SIGNATURE_SECRET", "VONAGE_PRIVATE_KEY", "PUBLIC_URL"):
        assert f"{name}: it is not set, and " in done.stderr


def test_a_kept_secret_stays_the_same_and_is_private(tmp_path: Path) -> None:
    """A development machine makes its secret once; nobody else can read it."""
    for _ in range(2):
        assert read_settings(tmp_path, SECRET_KEY="").returncode == 0
        kept = tmp_path / "data" / "secret_key"
        assert kept.stat().st_mode & 0o077 == 0
        assert len(kept.read_text()) == 64
        first = kept.read_text()
    assert kept.read_text() == first


def test_timeouts_out_of_order_are_an_error(tmp_path: Path) -> None:
    """A turn's lease must outlast the model, and a webhook the reply budget."""
    done = read_settings(tmp_path, MODEL_TIMEOUT_SECONDS="90", TURN_LEASE_SECONDS="60", VOICE_REPLY_BUDGET_MS="2600")
    assert done.returncode != 0
    assert "cxhub.E001" in done.stderr
    assert "cxhub.E002" in done.stderr


@override_settings(VOICE_MODEL_TIMEOUT_SECONDS=2, VOICE_REPLY_BUDGET_MS=2500)
def test_the_phone_waits_no_longer_than_the_model_may() -> None:
    """The reply budget is below the model's time-out."""
    assert "cxhub.E003" in {problem.id for problem in run_checks()}


@override_settings(VOICE_MODEL_TIMEOUT_SECONDS=20, VOICE_LONGEST_WAIT_SECONDS=20)
def test_the_phone_waits_longer_than_the_model_may() -> None:
    """The rules answer after the model, before a person is asked."""
    assert "cxhub.E005" in {problem.id for problem in run_checks()}


@override_settings(VONAGE_GATEWAY="simulator", EMBEDDED_DATABASE=True)
def test_a_deployment_is_told_about_what_is_for_laptops() -> None:
    """`check --deploy` names the embedded servers and the open simulator."""
    assert {"cxhub.W001", "cxhub.W002"} <= {problem.id for problem in run_checks(include_deployment_checks=True)}


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file gives what the environment does not."""
    file = tmp_path / "env"
    file.write_text("CXHUB_TEST_ONE=1\nCXHUB_TEST_TWO=1\n")
    monkeypatch.setenv("CXHUB_TEST_TWO", "2")
    monkeypatch.delenv("CXHUB_TEST_ONE", raising=False)
    environment = Environment(file)
    assert environment.whole_number("CXHUB_TEST_ONE", 0, lowest=0, highest=9) == 1
    assert environment.whole_number("CXHUB_TEST_TWO", 0, lowest=0, highest=9) == 2
    monkeypatch.delenv("CXHUB_TEST_ONE")


def test_a_private_key_may_be_a_file_or_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line ends written as \\n become line ends; a file that is no key is refused."""
    environment = Environment(tmp_path / "none")
    monkeypatch.setenv("CXHUB_TEST_KEY", r"-----BEGIN KEY-----\nabc")
    assert environment.text_or_file("CXHUB_TEST_KEY", tmp_path, begins_with="-----BEGIN") == "-----BEGIN KEY-----\nabc"
    (tmp_path / "key").write_text("-----BEGIN KEY-----\nabc\n")
    monkeypatch.setenv("CXHUB_TEST_KEY", "key")
    assert environment.text_or_file("CXHUB_TEST_KEY", tmp_path, begins_with="-----BEGIN") == "-----BEGIN KEY-----\nabc"
    monkeypatch.setenv("CXHUB_TEST_KEY", "missing")
    assert environment.text_or_file("CXHUB_TEST_KEY", tmp_path, begins_with="-----BEGIN") == ""
    with pytest.raises(Exception, match="CXHUB_TEST_KEY: it is neither"):
        environment.finish()


def test_every_setting_is_explained() -> None:
    """.env.example names each variable that the settings file reads."""
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (settings.BASE_DIR / "cxhub/settings.py").read_text()))
    explained = set(re.findall(r"^#([A-Z_]+)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE))
    assert read == explained
