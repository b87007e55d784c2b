"""The side of a recipe that has batches tried: keeps one trial process until it fails, then takes a
new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from typing import Any

from executors.batch_size.search import Case, Trial
from executors.errors import RecipeError
from executors.runs.launch import child_environment

__all__ = ["Bench"]

_LEFT = 0.15  # of the limit: when a process keeps more than that after a trial, the next one takes a new process
_SETUP_S = 900.0  # weights may have to be fetched
_LONGEST = 1_000_000  # bytes of an answer


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
        module: str = "executors.batch_size.trials",
    ) -> None:
        self._first, self._limit_s, self._module = first, limit_s, module
        self._trials: subprocess.Popen[bytes] | None = None
        self._answers, self._used, self._timed = -1, False, False
        # importing torch takes seconds: done ahead where a core is free
        self._spare: tuple[subprocess.Popen[bytes], int] | None = None
        self._worked: dict[Case, int] = {}  # the smallest batch that trained
        self.hello: dict[str, Any] = {}

    def __enter__(self) -> Bench:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._spare is not None:
            _end(*self._spare)
        self._spare = None

    def open(self, case: Case | None = None) -> None:
        """Have a trial process that is ready; starts one when there is none."""
        if self._trials is not None:
            return
        spare, self._spare = self._spare, None
        self._trials, self._answers = spare if spare is not None else self._start()
        if not self.hello:
            self._keep_spare()
        told = self._ask(
            {**self._first, **(asdict(case) if case else {})}, _SETUP_S, "setting up the network"
        )
        if told is None or told.get("ok") is False:
            reason = told["reason"] if told else self._ended()
            self.close()
            raise RecipeError(f"the network and its data could not be set up: {reason}")
        if "limit_bytes" not in told:
            raise self._no_answer(json.dumps(told))
        self.hello = {
            **told,
            **({key: self.hello[key] for key in ("limit_bytes", "available_bytes") if self.hello}),
        }
        # every later process is held to the limit of the first, whatever is free by then
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
        told = self._ask(
            {
                **asdict(case),
                "batch": batch,
                "steps": steps,
                "seconds": seconds,
                "validate": fresh,
                "judge": purpose != "rate",
                "exact": exact,
                "less_worked": self._worked.get(case, batch) < batch,
            },
            self._limit_s,
            f"a trial of batch {batch}",
        )
        if told is None:
            told = {"ok": False, "reason": self._ended()}
        if not isinstance(told.get("ok"), bool):
            raise self._no_answer(json.dumps(told))
        if told["ok"]:
            self._worked[case] = min(self._worked.get(case, batch), batch)
        if not told["ok"] or (
            purpose != "rate" and told["left_bytes"] > _LEFT * self.hello["limit_bytes"]
        ):
            self.close()
            self._keep_spare()
        return _trial(case, batch, purpose, told)

    def renew(self) -> None:
        """Let the next trial find a process in which nothing was trained yet."""
        if self._used:
            self.close()

    def close(self) -> None:
        """End the trial process."""
        if self._trials is not None:
            _end(self._trials, self._answers)
        self._trials, self._answers, self._used, self._timed = None, -1, False, False

    def _start(self) -> tuple[subprocess.Popen[bytes], int]:
        """A new trial process, and where it answers."""
        answers, given = os.pipe()
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module, str(given), str(os.getpid())],
                stdin=subprocess.PIPE,
                env=child_environment(),
                pass_fds=(given,),
            )
        except OSError:
            os.close(answers)
            raise
        finally:
            os.close(given)
        return process, answers

    def _keep_spare(self) -> None:
        if self._spare is None and (os.cpu_count() or 1) > 1:
            self._spare = self._start()

    def _ask(self, request: dict[str, Any], limit_s: float, what: str) -> dict[str, Any] | None:
        """The answer, None when the process ended instead."""
        assert self._trials is not None and self._trials.stdin is not None
        try:
            self._trials.stdin.write((json.dumps(request) + "\n").encode())
            self._trials.stdin.flush()
        except BrokenPipeError:
            return None
        line, deadline = b"", time.monotonic() + limit_s
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                self.close()
                raise RecipeError(f"{what} gave no answer for {limit_s:g} s and was ended")
            block = os.read(self._answers, 65536)
            if not block:
                return None
            line += block
            if len(line) > _LONGEST:
                raise self._no_answer(line.decode(errors="replace"))
        try:
            told = json.loads(line)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise self._no_answer(line.decode(errors="replace"))
        if "error" in told:
            self.close()
            raise RecipeError(
                f"{what} failed: {told['error']}" if told.get("unexpected") else str(told["error"])
            )
        return told

    def _no_answer(self, text: str) -> RecipeError:
        """The error for what is not an answer; the process that gave it is ended."""
        self.close()
        shown = text.strip()[:80]
        return RecipeError(
            f"a trial's answer cannot be read: {shown!r}; something else wrote where it answers"
        )

    def _ended(self) -> str:
        """Why the trial process ended, when memory may be the reason.

        Raises
        ------
        RecipeError
            When it was not: the process itself gave up.
        """
        assert self._trials is not None
        code = self._trials.wait()
        if code >= 0:
            self.close()
            raise RecipeError(f"a trial ended with exit code {code}; the log says why")
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        if -code == signal.SIGKILL:
            return f"killed by the system ({name}), which does that when memory runs out"
        return f"ended by {name} while memory was bound"


def _trial(case: Case, batch: int, purpose: str, told: dict[str, Any]) -> Trial:
    return Trial(
        batch=batch,
        size=case.size,
        ok=told["ok"],
        peak_bytes=int(told.get("peak_bytes", 0)),
        train_bytes=int(told.get("train_bytes", 0)),
        samples_per_s=float(told.get("samples_per_s", 0.0)),
        reason=str(told.get("reason", "")),
        purpose=purpose,
        precision=case.precision,
        frozen=case.frozen,
        loader_samples_per_s=float(told.get("loader_samples_per_s", 0.0)),
        finite=bool(told.get("finite", True)),
    )


def _end(process: subprocess.Popen[bytes], answers: int) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    process.kill()
    process.wait()
    os.close(answers)
