"""Passwords are kept as salted hashes, wrong ones are refused, and guessing is locked out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.api import accounts
from app.api.accounts import Accounts, LockedOut, account_line, check_new, read_accounts
from kg.errors import GradusError

PASSWORD = "correct horse: battery"
KEY = "A" * 43 + "="  # of 32 bytes


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousandth of the cost, for tests that try often."""
    monkeypatch.setattr(accounts, "LOG2_N", 10)


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def door(clock: Clock | None = None) -> Accounts:
    lines = [account_line("ann", PASSWORD), account_line("bob", "another one")]
    return Accounts(read_accounts(lines, "a test"), clock or Clock())


def test_a_line_holds_no_password_and_no_two_are_alike() -> None:
    """The same password gives another salt and key each time, and the line reads back."""
    one, other = account_line("ann", PASSWORD), account_line("ann", PASSWORD)
    assert PASSWORD not in one
    assert one.split(":")[:5] == ["ann", "scrypt", "10", "8", "1"]
    assert one.split(":")[5] != other.split(":")[5]
    assert one.split(":")[6] != other.split(":")[6]
    assert read_accounts([one], "a test")["ann"].fits(PASSWORD)


def test_the_cost_is_that_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test lowers it, a try takes 32 MiB."""
    monkeypatch.undo()
    assert 128 * 2**accounts.LOG2_N * accounts.R == 32 * 2**20


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=8, max_size=40), st.text(max_size=40))
def test_a_password_fits_itself_alone(password: str, other: str) -> None:
    """Whatever characters it has."""
    account = read_accounts([account_line("ann", password)], "a test")["ann"]
    assert account.fits(password)
    assert account.fits(other) == (other == password)


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("a:b", PASSWORD, "letters, digits"),
        ("", PASSWORD, "letters, digits"),
        ("ann\n", PASSWORD, "letters, digits"),
        ("ann", "short", "8 to 1000"),
        ("ann", "x" * 1001, "8 to 1000"),
    ],
)
def test_what_cannot_be_is_refused(name: str, password: str, said: str) -> None:
    """A name that would break its line, a password too short or too long."""
    with pytest.raises(GradusError, match=said):
        check_new(name, password)


@pytest.mark.parametrize(
    "line",
    [
        "ann:secret",
        "ann:scrypt:10:8:1:AAAA:AAAA",
        "ann:plain:15:8:1:AAAAAAAAAAAAAAAAAAAAAA==:" + KEY,
        "ann:scrypt:15:8:999:AAAAAAAAAAAAAAAAAAAAAA==:" + KEY,
        "ann:scrypt:40:8:1:AAAAAAAAAAAAAAAAAAAAAA==:" + KEY,
        "ann:scrypt:x:8:1:AAAA:AAAA",
    ],
)
def test_a_line_that_is_none_is_named(line: str) -> None:
    """Neither another kind nor a cost that would stall the server is taken."""
    with pytest.raises(GradusError, match=r"here, line 3: .*gradus auth add"):
        read_accounts(["# people", "", line], "here")


def test_an_empty_file_lets_nobody_in() -> None:
    """That is said, instead of a server that nobody can use."""
    with pytest.raises(GradusError, match="lets nobody in"):
        read_accounts(["# nobody yet"], "here")


def test_only_a_name_with_its_own_password_signs_in() -> None:
    """Not with another's, not under an unknown name, and not by a part of it."""
    people = door()
    assert people.signed_in("ann", PASSWORD, "10.0.0.1")
    assert people.signed_in("ann", PASSWORD, "10.0.0.1")
    for name, password in (
        ("ann", "another one"),
        ("bob", PASSWORD),
        ("nobody", PASSWORD),
        ("ann", PASSWORD[:-1]),
    ):
        assert not people.signed_in(name, password, f"10.0.1.{len(password)}{name}")


def test_an_address_that_guesses_is_locked_out_for_longer_each_time() -> None:
    """Also from the right password, until the time is over; a success forgets the failures."""
    clock = Clock()
    people = door(clock)
    for _ in range(accounts.ADDRESS_TRIES):
        assert not people.signed_in("ann", "wrong guess", "10.0.0.1")
    with pytest.raises(LockedOut, match="try again in 30 s"):
        people.signed_in("ann", PASSWORD, "10.0.0.1")
    assert people.signed_in("ann", PASSWORD, "10.0.0.2")
    clock.now = 31.0
    assert not people.signed_in("bob", "wrong guess", "10.0.0.1")
    with pytest.raises(LockedOut, match="try again in 60 s"):
        people.signed_in("bob", "another one", "10.0.0.1")
    clock.now = 1000.0
    assert people.signed_in("bob", "another one", "10.0.0.1")
    assert not people.signed_in("bob", "wrong guess", "10.0.0.1")
    assert people.signed_in("bob", "another one", "10.0.0.1")


def test_a_name_that_many_addresses_guess_is_locked_out() -> None:
    """But who has signed in before goes on."""
    people = door()
    assert people.signed_in("ann", PASSWORD, "10.0.0.1")
    for n in range(accounts.NAME_TRIES):
        assert not people.signed_in("ann", f"guess number {n}", f"10.0.1.{n}")
    with pytest.raises(LockedOut):
        people.signed_in("ann", "one more guess", "10.0.2.1")
    assert people.signed_in("ann", PASSWORD, "10.0.0.1")


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attacker with many addresses does not fill the memory."""
    monkeypatch.setattr(accounts, "REMEMBERED", 7)
    people = door()
    for n in range(20):
        people.signed_in(f"name{n}", "wrong guess", f"10.0.0.{n}")
    assert len(people._failures) == 7
