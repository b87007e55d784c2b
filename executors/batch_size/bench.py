"""The side of a recipe that has batches tried: keeps one trial process until it fails."""

from __future__ import annotations

import json
import signal
import socket
import time
from dataclasses import asdict
from typing import Any

from executors.batch_size.search import Case, Trial
from executors.batch_size.trial_server import TrialServer, fork_early
from executors.errors import RecipeError

__all__ = ["Bench", "begin_early"]

_LEFT = 0.15  # of the limit: when a trial leaves more than that, the next one has a new process
_SETUP_S = 900.0  # weights may have to be fetched
_LONGEST = 1_000_000  # bytes of an answer
_TRIALS = "executors.batch_size.trials"


def begin_early() -> None:
    """Have what starts trials ready; see `executors.batch_size.trial_server.fork_early`."""
    fork_early(_TRIALS)


class Bench:
    """Tries batches in a process of its own.

    Parameters
    ----------
    first : dict
        What the trial process is to build and how it is bound; see `executors.batch_size.trials`.
    limit_s : float
        Seconds that a trial may take.
    module : str
        What answers; another one must keep to what `executors.batch_size.trials` does.

    Raises
    ------
    RecipeError
        From every method, when a trial ends for another reason than memory.
    """

    def __init__(
        self,
        first: dict[str, Any],
        limit_s: float = 300.0,
        module: str = _TRIALS,
    ) -> None:
        self._first, self._limit_s, self._module = first, limit_s, module
        self._server: TrialServer | None = None
        self._process: tuple[int, socket.socket] | None = None  # of the trials; and their socket
        self._used = self._timed = False
        self._worked: dict[Case, int] = {}  # the smallest batch that trained
        self.hello: dict[str, Any] = {}

    def __enter__(self) -> Bench:
        try:
            self.open()
        except RecipeError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._server is not None:
            self._server.close()
        self._server = None

    def open(self, case: Case | None = None) -> None:
        """Have a trial process that is ready; starts one when there is none."""
        if self._process is not None:
            return
        self._process = self._started()
        request = {**self._first, **(asdict(case) if case else {})}
        answer = self._ask(request, _SETUP_S, "setting up the network")
        if answer is None or answer.get("ok") is False:
            reason = answer["reason"] if answer else self._why_ended()
            self.close()
            raise RecipeError(f"the network and its data could not be set up: {reason}")
        if "limit_bytes" not in answer:
            raise self._no_answer(json.dumps(answer))
        # every later process is held to the limit of the first, whatever is free by then
        lasting = {key: self.hello[key] for key in ("limit_bytes", "available_bytes") if self.hello}
        self.hello = {**answer, **lasting}
        self._first = {**self._first, "fixed_limit": self.hello["limit_bytes"]}

    def attempt(
        self,
        case: Case,
        batch: int,
        *,
        steps: int,
        seconds: float = 0.0,
        fresh: bool = False,
        purpose: str = "search",
    ) -> Trial:
        """Train at least `steps` batches of this size, for `seconds`.

        When `fresh`, in a new process, with validation, and then on some batches of the real
        loaders. A trial of the purpose "rate" is not held to the limit on the CPU.
        """
        on_cpu = self.hello.get("device", "").startswith("cpu")
        # what is freed is counted exactly, which costs time; so speed is measured with the heap as
        # it usually is
        exact = purpose != "rate" or not on_cpu
        if fresh or (exact and self._timed):
            self.renew()
        self.open(case)
        self._used, self._timed = True, not exact
        request = {
            **asdict(case),
            "batch": batch,
            "steps": steps,
            "seconds": seconds,
            "validate": fresh,
            "judge": purpose != "rate",
            "exact": exact,
            "less_worked": self._worked.get(case, batch) < batch,
        }
        answer = self._ask(request, self._limit_s, f"a trial of batch {batch}")
        if answer is None:
            answer = {"ok": False, "reason": self._why_ended()}
        if not isinstance(answer.get("ok"), bool):
            raise self._no_answer(json.dumps(answer))
        if answer["ok"]:
            self._worked[case] = min(self._worked.get(case, batch), batch)
        if not answer["ok"] or (purpose != "rate" and self._holds_much(answer["left_bytes"])):
            self.close()
        return _trial(case, batch, purpose, answer)

    def renew(self) -> None:
        """Let the next trial find a process in which nothing was trained yet."""
        if self._used:
            self.close()

    def close(self) -> None:
        """End the trial process."""
        if self._process is not None:
            self._end(kill=True)

    def _holds_much(self, left_bytes: int) -> bool:
        return bool(left_bytes > _LEFT * self.hello["limit_bytes"])

    def _started(self) -> tuple[int, socket.socket]:
        """A new trial process; the server is started anew when the system has ended it."""
        if self._server is not None and not self._server.lives:
            self._server.close()
            self._server = None
        if self._server is None:
            self._server = TrialServer(self._module)
        return self._server.start()

    def _end(self, *, kill: bool) -> int:
        """The exit code of the trial process, once it has ended."""
        assert self._process is not None and self._server is not None
        pid, channel = self._process
        self._process, self._used, self._timed = None, False, False
        channel.close()
        return self._server.end(pid, kill=kill)

    def _ask(self, request: dict[str, Any], limit_s: float, what: str) -> dict[str, Any] | None:
        """The answer, None when the process ended instead."""
        assert self._process is not None
        _, channel = self._process
        try:
            line = _answered(channel, request, limit_s)
        except TimeoutError:
            self.close()
            raise RecipeError(f"{what} gave no answer for {limit_s:g} s and was ended") from None
        except OSError:
            return None
        if not line:
            return None
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._no_answer(line.decode(errors="replace"))
        if "error" in answer:
            self.close()
            error = str(answer["error"])
            raise RecipeError(f"{what} failed: {error}" if answer.get("unexpected") else error)
        return answer

    def _no_answer(self, text: str) -> RecipeError:
        """The error for what is not an answer; the process that gave it is ended."""
        self.close()
        shown = text.strip()[:80]
        return RecipeError(
            f"a trial's answer cannot be read: {shown!r}; something else wrote where it answers"
        )

    def _why_ended(self) -> str:
        """Why the trial process ended, when memory may be the reason.

        Raises
        ------
        RecipeError
            When it was not: the process itself gave up.
        """
        code = self._end(kill=False)
        if code >= 0:
            raise RecipeError(f"a trial ended with exit code {code}; the log says why")
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        if -code == signal.SIGKILL:
            return f"killed by the system ({name}), which does that when memory runs out"
        return f"ended by {name} while memory was bound"


def _answered(channel: socket.socket, request: dict[str, Any], limit_s: float) -> bytes:
    """The line that answers, or more than may be one; b"" when the process ended.

    Raises
    ------
    OSError
        TimeoutError after `limit_s`; another one when the process has ended.
    """
    deadline = time.monotonic() + limit_s
    channel.settimeout(limit_s)
    channel.sendall((json.dumps(request) + "\n").encode())
    line = b""
    while not line.endswith(b"\n") and len(line) <= _LONGEST:
        channel.settimeout(max(0.001, deadline - time.monotonic()))
        block = channel.recv(65536)
        if not block:
            return b""
        line += block
    return line


def _trial(case: Case, batch: int, purpose: str, answer: dict[str, Any]) -> Trial:
    return Trial(
        batch=batch,
        size=case.size,
        ok=answer["ok"],
        peak_bytes=int(answer.get("peak_bytes", 0)),
        train_bytes=int(answer.get("train_bytes", 0)),
        samples_per_s=float(answer.get("samples_per_s", 0.0)),
        reason=str(answer.get("reason", "")),
        purpose=purpose,
        precision=case.precision,
        frozen=case.frozen,
        loader_samples_per_s=float(answer.get("loader_samples_per_s", 0.0)),
        finite=bool(answer.get("finite", True)),
    )
