"""Keys of host sites, as a manager makes, rotates and revokes them."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import EntryPoint, HostSiteKey
from conversations.selectors import host_sites as accepted
from conversations.services import host_sites, sealing
from tests.record import rows
from tests.reporting import cast
from tests.support import host_site
from tests.support.host_site import private_key, public_pem

pytestmark = pytest.mark.django_db


@pytest.fixture
def door() -> EntryPoint:
    return rows.entry_point()


@pytest.fixture
def manager(client: Client) -> User:
    user = cast.manager()
    client.force_login(user)
    return user


def page(name: str, *args: object) -> str:
    return reverse(f"admin:conversations_hostsitekey_{name}", args=args)


def add(client: Client, door: EntryPoint, algorithm: str, public_key: str = "", system: str = "shop") -> str:
    """Sends the form; returns the page that follows."""
    data = {"entry_point": door.pk, "system": system, "algorithm": algorithm, "public_key": public_key}
    return str(client.post(page("add"), data, follow=True).content.decode())


def test_a_shared_secret_is_shown_once_and_kept_sealed(client, manager, door):
    """The page that follows offers it; asked a second time it is gone. The database never holds it in clear."""
    add(client, door, "HS256")
    key = HostSiteKey.objects.get()
    secret = host_sites.verification_key(key)
    assert secret not in key.sealed_secret
    for _look in range(2):
        assert secret not in client.get(page("change", key.pk)).content.decode()
    shown = client.post(page("secret", key.pk))
    assert secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert secret not in client.post(page("secret", key.pk), follow=True).content.decode()
    assert "Show the secret" not in client.get(page("change", key.pk)).content.decode()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_public_key_is_taken_and_the_page_says_what_the_site_does(client, manager, door, algorithm):
    """With the entry point's address, the key's id and its algorithm in the examples."""
    shown = add(client, door, algorithm, public_pem(private_key(algorithm)))
    key = HostSiteKey.objects.get()
    for part in (key.kid, f'algorithm=&quot;{algorithm}&quot;', door.address, "shop:id", "data-identity"):
        assert part in shown.replace('"', "&quot;")
    assert "Show the secret" not in shown


@pytest.mark.parametrize(
    ("algorithm", "public_key", "problem"),
    [
        ("ES256", "", "not a public key in PEM form"),
        ("ES256", "-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----", "not a public key in PEM form"),
        ("ES256", "-----BEGIN PRIVATE KEY-----", "This is a private key"),
        ("ES256", "rsa", "of another kind"),
        ("RS256", "short", "too short"),
        ("HS256", "rsa", "Leave the public key empty"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_with_a_reason(client, manager, door, algorithm, public_key, problem):
    """Nothing is made, and the form says what to do."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    keys = {"rsa": lambda: private_key("RS256"), "short": lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024)}
    text = public_pem(keys[public_key]()) if public_key in keys else public_key
    assert problem in add(client, door, algorithm, text)
    assert not HostSiteKey.objects.exists()


def test_a_phone_number_has_no_host_site(client, manager):
    """The form refuses an entry point that is no web chat."""
    add(client, rows.phone_line(), "HS256")
    assert not HostSiteKey.objects.exists()


@pytest.mark.parametrize("system", ["", "Shop:1", "my shop", "-"])
def test_a_sites_name_is_what_ids_begin_with(client, manager, door, system):
    """Anything that could be read as another system's id is refused."""
    add(client, door, "HS256", system=system)
    assert not HostSiteKey.objects.exists()


def test_a_rotation_has_both_keys_accepted_for_the_time_chosen(client, manager, door):
    """Then the old one no more, without anybody doing anything."""
    old = host_site.key_for(door)
    client.post(page("rotate", old.pk), {"hours": 24})
    new = HostSiteKey.objects.exclude(pk=old.pk).get()
    old.refresh_from_db()
    assert (new.system, new.algorithm, new.state, old.state) == (old.system, old.algorithm, "active", "retiring")
    assert old.accepted_until is not None
    assert timedelta(hours=23) < old.accepted_until - timezone.now() <= timedelta(hours=24)
    assert all(accepted.accepted_key(door.pk, each.kid) for each in (old, new))
    HostSiteKey.objects.filter(pk=old.pk).update(accepted_until=timezone.now())
    assert not accepted.accepted_key(door.pk, old.kid)


def test_a_rotation_needs_a_new_public_key_where_there_is_one(client, manager, door):
    """Without it nothing changes."""
    old = host_site.key_for(door, "ES256")
    assert "not a public key" in client.post(page("rotate", old.pk), {"hours": 1}, follow=True).content.decode()
    assert HostSiteKey.objects.get().state == "active"


def test_a_second_rotation_does_not_give_the_old_key_more_time(door):
    """It retires at its date, or sooner."""
    key = host_site.key_for(door)
    host_sites.rotate(key, overlap=timedelta(hours=1), made_by="tests")
    host_sites.rotate(key, overlap=timedelta(days=7), made_by="tests")
    key.refresh_from_db()
    assert key.accepted_until
    assert key.accepted_until < timezone.now() + timedelta(hours=1, minutes=1)


def test_a_revoked_key_stays_revoked(client, manager, door):
    """At once, with who did it; it cannot be rotated or revoked again, and the page offers neither."""
    key = host_site.key_for(door)
    client.post(page("revoke", key.pk))
    key.refresh_from_db()
    assert (key.state, key.revoked_by) == ("revoked", str(manager))
    assert not accepted.accepted_key(door.pk, key.kid)
    for name in ("revoke", "rotate"):
        assert "not accepted any more" in client.post(page(name, key.pk), {"hours": 1}, follow=True).content.decode()
    assert "Accept it no more" not in client.get(page("change", key.pk)).content.decode()
    assert HostSiteKey.objects.count() == 1


def test_only_who_may_change_keys_can(client, door):
    """An agent's account, and nobody's, get nothing."""
    key = host_site.key_for(door)
    for user in (None, User.objects.create_user("ann", password="only-for-tests", is_staff=True)):
        if user:
            client.force_login(user)
        for name in ("rotate", "revoke", "secret"):
            assert client.post(page(name, key.pk), {"hours": 1}).status_code in (302, 403)
    key.refresh_from_db()
    assert (key.state, key.secret_shown_at) == ("active", None)


@pytest.mark.parametrize("name", ["rotate", "revoke", "secret"])
def test_reading_an_address_changes_nothing(client, manager, door, name):
    """Only a form does."""
    key = host_site.key_for(door)
    assert client.get(page(name, key.pk)).status_code == 405


def test_a_secret_sealed_under_another_key_is_said_to_be_lost(client, manager, door, settings):
    """The page says what to do; with the former key among the fall-backs it can be read again."""
    key = host_site.key_for(door)
    before = settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    with pytest.raises(sealing.CannotBeOpened):
        host_sites.verification_key(key)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert len(host_sites.verification_key(key)) == 43


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithm": "none"},
        {"algorithm": "RS256"},
        {"public_key": "x"},
        {"sealed_secret": ""},
        {"system": "shop:1"},
        {"kid": "../key"},
        {"state": "retiring"},
        {"state": "revoked"},
        {"accepted_until": timezone.now()},
        {"revoked_by": "ann"},
    ],
)
def test_the_database_refuses_a_key_that_makes_no_sense(door, changes):
    """Whoever writes it."""
    key = host_site.key_for(door)
    with pytest.raises(IntegrityError), transaction.atomic():
        HostSiteKey.objects.filter(pk=key.pk).update(**changes)


def test_a_key_id_is_unique_at_its_entry_point_only(door):
    """Two sites may call a key the same."""
    host_site.key_for(door, kid="one")
    host_site.key_for(rows.entry_point(address="/other"), kid="one")
    with pytest.raises(IntegrityError), transaction.atomic():
        host_site.key_for(door, kid="one")


def test_examples_are_text(client, manager, door):
    """Nothing of a row is read as markup, and every example names what was stored."""
    EntryPoint.objects.filter(pk=door.pk).update(address='/<b>"x')
    key = host_site.key_for(EntryPoint.objects.get(pk=door.pk))
    shown = client.get(page("change", key.pk)).content.decode()
    assert "<b>" not in shown
    assert len(re.findall("/&lt;b&gt;&quot;x", shown)) >= 4
