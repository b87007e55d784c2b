"""The side of a recipe that has batches tried: keeps one trial process until it fails, then takes a new one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

from .errors import RecipeError
from .launch import child_environment
from .search import Trial

__all__ = ["Bench"]

# glibc keeps freed blocks of up to 32 MB in its heap, more or less by chance: the same step took 104 and 144 MB. Handed
# back at once they are counted exactly, which costs time; so speed is measured with the heap as it usually is.
_EXACT_HEAP = {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "262144"}
_LEFT = 0.15  # of the limit: when a process keeps more than that after a trial, the next one takes a new process


class Bench:
    """Tries batches in a process of its own.

    Parameters
    ----------
    first : dict
        What the trial process is to build and how it is bound; see `executors.trials`.

    Raises
    ------
    RecipeError
        From every method, when the trial process ends for another reason than memory.
    """

    def __init__(self, first: dict[str, Any]) -> None:
        self._first = first
        self._trials: subprocess.Popen[bytes] | None = None
        self._answers, self._used = -1, False
        self._exact = True
        self.hello: dict[str, Any] = {}

    def __enter__(self) -> Bench:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Have a trial process that is ready; starts one when there is none."""
        if self._trials is not None:
            return
        answers, given = os.pipe()
        try:
            self._trials = subprocess.Popen(
                [sys.executable, "-P", "-m", "executors.trials", str(given), str(os.getpid())],
                stdin=subprocess.PIPE,
                env={**child_environment(), **(_EXACT_HEAP if self._exact else {})},
                pass_fds=(given,),
            )
        finally:
            os.close(given)
        self._answers = answers
        told = self._ask(self._first)
        if told is None or told.get("ok") is False:
            reason = told["reason"] if told else self._ended()
            self.close()
            raise RecipeError(f"the network and its data could not be set up: {reason}")
        self.hello = {**told, "limit_bytes": self.hello.get("limit_bytes", told["limit_bytes"])}
        # every later process is held to the limit of the first, whatever is free by then
        self._first = {**self._first, "fixed_limit": self.hello["limit_bytes"]}

    def attempt(
        self,
        size: int | None,
        batch: int,
        *,
        steps: int,
        seconds: float = 0.0,
        fresh: bool = False,
        purpose: str = "search",
    ) -> Trial:
        """Train at least `steps` batches of this size, for `seconds`; `fresh` in a new process and with validation.

        A trial of the purpose "rate" is not held to the limit on the CPU.
        """
        exact = purpose != "rate" or not self.hello.get("device", "").startswith("cpu")
        if fresh or exact != self._exact:
            self.renew()
        self._exact = exact
        self.open()
        self._used = True
        told = self._ask(
            {
                "size": size,
                "batch": batch,
                "steps": steps,
                "seconds": seconds,
                "validate": fresh,
                "judge": purpose != "rate",
            }
        )
        if told is None:
            told = {"ok": False, "reason": self._ended()}
        if not told["ok"] or (purpose != "rate" and told["left_bytes"] > _LEFT * self.hello["limit_bytes"]):
            self.close()
        return Trial(
            batch=batch,
            size=size,
            ok=bool(told["ok"]),
            peak_bytes=int(told.get("peak_bytes", 0)),
            train_bytes=int(told.get("train_bytes", 0)),
            samples_per_s=float(told.get("samples_per_s", 0.0)),
            reason=str(told.get("reason", "")),
            purpose=purpose,
        )

    def renew(self) -> None:
        """Let the next trial find a process in which nothing was trained yet."""
        if self._used:
            self.close()

    def close(self) -> None:
        """End the trial process."""
        if self._trials is not None:
            if self._trials.stdin is not None:
                self._trials.stdin.close()
            self._trials.kill()
            self._trials.wait()
            os.close(self._answers)
        self._trials, self._answers, self._used = None, -1, False

    def _ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer, None when the process ended instead."""
        assert self._trials is not None and self._trials.stdin is not None
        try:
            self._trials.stdin.write((json.dumps(request) + "\n").encode())
            self._trials.stdin.flush()
        except BrokenPipeError:
            return None
        line = b""
        while not line.endswith(b"\n"):
            block = os.read(self._answers, 65536)
            if not block:
                return None
            line += block
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            self.close()
            raise RecipeError(told["error"])
        return told

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
