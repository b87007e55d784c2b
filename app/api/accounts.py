"""Who may sign in where the pages are served to others: names, salted hashes, and lock-outs.

A line of the file is `NAME:scrypt:LOG2_N:R:P:SALT:KEY`, salt and key in URL-safe Base64; empty
lines and those that begin with # are left out.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from kg.errors import GradusError

__all__ = ["Account", "Accounts", "LockedOut", "account_line", "check_new", "read_accounts"]

LOG2_N, R, P = 15, 8, 1  # 32 MiB and about a tenth of a second for each try
HIGHEST_LOG2_N, HIGHEST_R, HIGHEST_P = 20, 32, 16
SALT_BYTES, KEY_BYTES = 16, 32
SHORTEST, LONGEST = 8, 1000  # characters of a password
ADDRESS_TRIES, NAME_TRIES = 5, 20  # failures in a row before a lock-out
FIRST_LOCK_S, LONGEST_LOCK_S = 30.0, 3600.0
REMEMBERED = 10_000  # addresses and names with failures, and who signed in
Key = TypeVar("Key")
Value = TypeVar("Value")
_NAME = re.compile(r"[\w.@+-]{1,64}")


class LockedOut(GradusError):
    """Too many failures; `seconds` until the next try."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, round(seconds))
        super().__init__(f"too many failed tries; try again in {self.seconds} s")


@dataclass(frozen=True, slots=True)
class Account:
    """A name with what its password is checked against."""

    name: str
    log2_n: int
    r: int
    p: int
    salt: bytes
    key: bytes

    def fits(self, password: str) -> bool:
        """Whether this is the password; takes as long when it is not."""
        derived = _derived(password, self.salt, self.log2_n, self.r, self.p)
        return hmac.compare_digest(derived, self.key)


def check_new(name: str, password: str) -> None:
    """Refuse a name or password that cannot be.

    Raises
    ------
    GradusError
        Says what was expected.
    """
    if not _NAME.fullmatch(name):
        raise GradusError("a name has at most 64 characters: letters, digits and . @ + - _")
    if not SHORTEST <= len(password) <= LONGEST:
        raise GradusError(f"a password has {SHORTEST} to {LONGEST} characters")


def account_line(name: str, password: str) -> str:
    """The line that lets a name sign in with a password."""
    check_new(name, password)
    salt = secrets.token_bytes(SALT_BYTES)
    key = _derived(password, salt, LOG2_N, R, P)
    parts = (name, "scrypt", LOG2_N, R, P, *(urlsafe_b64encode(b).decode() for b in (salt, key)))
    return ":".join(map(str, parts))


def read_accounts(lines: Iterable[str], where: str) -> dict[str, Account]:
    """The accounts by name; of two of one name the later counts.

    Raises
    ------
    GradusError
        When a line is none, by its number, or when there are none at all.
    """
    accounts: dict[str, Account] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            account = _account(line.strip())
        except ValueError:
            fault = "no line of `gradus auth add NAME`"
            raise GradusError(f"{where}, line {number}: {fault}") from None
        accounts[account.name] = account
    if not accounts:
        raise GradusError(f"{where} lets nobody in; `gradus auth add NAME` makes a line of it")
    return accounts


def _account(line: str) -> Account:
    name, kind, *numbers, salt, key = line.split(":")
    log2_n, r, p = map(int, numbers)
    account = Account(name, log2_n, r, p, urlsafe_b64decode(salt), urlsafe_b64decode(key))
    sane = 10 <= log2_n <= HIGHEST_LOG2_N and 1 <= r <= HIGHEST_R and 1 <= p <= HIGHEST_P
    whole = len(account.salt) >= SALT_BYTES and len(account.key) == KEY_BYTES
    if kind != "scrypt" or not _NAME.fullmatch(name) or not sane or not whole:
        raise ValueError
    return account


def _derived(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    cost = 2**log2_n
    return hashlib.scrypt(
        password.encode(), salt=salt, n=cost, r=r, p=p, maxmem=2 * 128 * cost * r, dklen=KEY_BYTES
    )


class Accounts:
    """Checks who signs in; safe to use from several threads.

    Parameters
    ----------
    known : mapping of str to Account
    now : callable
        Seconds of a clock that only goes forwards.
    """

    def __init__(
        self, known: Mapping[str, Account], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._known = dict(known)
        self._now = now
        self._nobody = _account(account_line("nobody", secrets.token_urlsafe()))
        self._secret = secrets.token_bytes(32)
        self._signed_in: dict[bytes, str] = {}  # so that a page's requests cost one check in all
        self._failures: dict[tuple[str, str], tuple[int, float]] = {}  # how many; locked until
        self._lock = threading.Lock()  # one check at a time: each takes 32 MiB

    def signed_in(self, name: str, password: str, address: str) -> bool:
        """Whether this is the name's password; a failure counts against name and address.

        Raises
        ------
        LockedOut
            When there were too many failures; what was right before goes on being so.
        """
        pair = f"{name}\0{password}".encode("utf-8", "replace")
        token = hmac.digest(self._secret, pair, "sha256")
        if token in self._signed_in:
            return True
        with self._lock:
            tries = {("address", address): ADDRESS_TRIES, ("name", name): NAME_TRIES}
            self._refuse_locked(tries)
            account = self._known.get(name, self._nobody)
            fits = len(password) <= LONGEST and account.fits(password)
            if fits and account is not self._nobody:
                _remember(self._signed_in, token, name)
                for key in tries:
                    self._failures.pop(key, None)
                return True
            self._count(tries)
            return False

    def _refuse_locked(self, keys: Iterable[tuple[str, str]]) -> None:
        until = max(self._failures.get(key, (0, 0.0))[1] for key in keys)
        if until > self._now():
            raise LockedOut(until - self._now())

    def _count(self, tries: Mapping[tuple[str, str], int]) -> None:
        for key, most in tries.items():
            failures = self._failures.pop(key, (0, 0.0))[0] + 1
            over = failures - most
            lock_s = min(LONGEST_LOCK_S, FIRST_LOCK_S * 2 ** min(over, 10)) if over >= 0 else 0.0
            _remember(self._failures, key, (failures, self._now() + lock_s))


def _remember(known: dict[Key, Value], key: Key, value: Value) -> None:
    """Keep the newest; the oldest goes where there are too many."""
    known[key] = value
    if len(known) > REMEMBERED:
        del known[next(iter(known))]
