"""Stands for a run that is on a cluster: `python -m executors.cluster.proxy FOLDER`.

Its starter (`executors.runs.run`) treats it as any run's child. It sends the run of the folder's
spec to the cluster and brings back line by line what comes of it: events, log, at the end the other
files and the result. SIGTERM ends the run there. A connection that is lost is taken up again; a
proxy that is killed leaves the run going, and one with `--again` fetches it.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from executors.cluster.connect import Unreachable, connected
from executors.cluster.errand import Errand, News
from executors.cluster.order import Order
from executors.cluster.sent import packed
from executors.cluster.where import HEAD, errand_name, errands, needs
from executors.errors import RecipeError, one_line
from executors.recipe import find_recipe
from executors.runs.folder import EVENTS, FOLDER_LOST, RESULT, SPEC, read_json, write_json
from executors.runs.lifeline import be_first_to_go, end_with_starter
from executors.runs.result import RunResult
from executors.runs.tail import Tail

__all__ = ["LOST_S", "main"]

LOST_S = 900.0  # how long a cluster that does not answer any more is asked again
_LOOK_S = 0.1
_AGAIN_S = 3.0
_CALL_S = 60.0  # for a cluster to answer a call
_WAITS_S = 3.0  # for a place that is free; longer is told


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the folder's spec says on the cluster; 0 when a result was written."""
    parser = argparse.ArgumentParser(prog="python -m executors.cluster.proxy", description=__doc__)
    parser.add_argument("folder", type=Path, help="a run's folder with its spec.json")
    parser.add_argument("--again", action="store_true", help="fetch a run that was sent before")
    parser.add_argument("--lifeline", type=int, help="descriptor that the starter keeps open")
    parser.add_argument("--starter", type=int, default=os.getppid(), help="its process id")
    options = parser.parse_args(arguments)
    if options.lifeline is not None:
        end_with_starter(options.lifeline, options.starter)
    be_first_to_go()
    folder = options.folder.absolute()
    spec = read_json(folder / SPEC)
    if spec is None:
        parser.error(f"{folder / SPEC} holds no run's spec")
    proxy = _Proxy(folder, spec, sent=options.again)
    signal.signal(signal.SIGTERM, proxy.ask_to_stop)
    try:
        result = proxy.brought()
        if result is not None:
            write_json(folder / RESULT, result.to_event())
    except OSError as error:
        sys.stderr.write(f"the run's folder cannot be written: {error.strerror or error}\n")
        return FOLDER_LOST
    os._exit(0)  # whatever threads Ray has left waiting


class _Proxy:
    """One run's way to the cluster and back."""

    def __init__(self, folder: Path, spec: Mapping[str, Any], *, sent: bool) -> None:
        self._folder, self._spec, self._sent = folder, spec, sent
        self._address = str(spec["on"])
        recipe, task = str(spec["recipe"]), str(spec["task"])
        self._blank = RunResult("failed", recipe, task, "", folder=str(folder))
        self._begun, self._sent_at, self._lost_since = time.monotonic(), math.inf, 0.0
        self._tail = Tail(folder / EVENTS)
        self._fetched = {"events": 0, "log": 0}  # bytes
        self._stop = self._stop_told = self._wait_told = False

    def brought(self) -> RunResult | None:
        """None once the run's own result is in its folder, else what became of the run."""
        while True:
            try:
                with connected(self._address) as ray:
                    errand = self._errand(ray)
                    self._lost_since = 0.0
                    return self._followed(ray, errand)
            except Exception as error:  # noqa: BLE001 - Ray says in many ways that it lost touch
                end = self._end_by(error)
                if end is not None:
                    return end
            time.sleep(_AGAIN_S)

    def _end_by(self, error: Exception) -> RunResult | None:
        """What an error makes of the run; None while the connection is worth another try.

        Raises
        ------
        Exception
            The error itself, when it is none of the cluster's.
        """
        if isinstance(error, RecipeError) and not (self._sent and isinstance(error, Unreachable)):
            return replace(self._blank, message=str(error))
        ours = isinstance(error, RecipeError | ConnectionError | TimeoutError)
        if not ours and type(error).__module__.partition(".")[0] not in ("ray", "grpc"):
            raise error
        if not self._sent:
            return replace(self._blank, message=one_line(error, 500))
        if self._stop:
            message = "the run was cancelled, but the cluster does not answer: it may go on"
            return replace(self._blank, status="cancelled", message=message)
        now = time.monotonic()
        if not self._lost_since:
            self._lost_since = now
            self._tell("log", text=f"{self._address} does not answer; the run may go on there")
        if now - self._lost_since > LOST_S:
            return replace(self._blank, message=f"{self._address} no longer answers")
        return None

    def _errand(self, ray: Any) -> Any:
        """The actor that keeps the run: the one that was sent, or a new one, once."""
        name = errand_name(self._folder.name)
        if self._sent:
            try:
                return ray.get_actor(name)
            except ValueError as error:
                raise RecipeError(
                    f"{self._address} no longer knows this run: its head was restarted, or the run "
                    "ended more than a day ago; run it again"
                ) from error
        order = self._order(ray)
        actor = ray.remote(Errand).options(
            name=name, lifetime="detached", num_cpus=0, max_concurrency=8, resources=HEAD
        )
        errand = actor.remote(order)
        self._sent, self._sent_at = True, time.monotonic()
        return errand

    def _order(self, ray: Any) -> Order:
        recipe, params = find_recipe(self._blank.recipe), self._spec["params"]
        archives, said = packed(recipe, params)
        cpus, cards = needs(ray, str(params.get("device") or "auto"))
        for line in said:
            self._tell("log", text=line)
        limits = self._spec["timeout_s"], self._spec["silence_s"]
        return Order(recipe.name, params, str(self._folder), *limits, cpus, cards, archives)

    def _followed(self, ray: Any, errand: Any) -> RunResult | None:
        """Bring what comes, until the run has ended and all of it is here."""
        while True:
            if self._stop and not self._stop_told:
                ray.get(errand.stop.remote(), timeout=_CALL_S)
                self._stop_told = True
            try:
                news = ray.get(errand.news.remote(*self._fetched.values()), timeout=_CALL_S)
            except ray.exceptions.ActorUnavailableError:
                raise
            except ray.exceptions.RayActorError as error:
                raise RecipeError(_why_not_kept(error, self._stop)) from error
            self._write(news)
            if news.events or news.log:
                continue
            if news.state == "ended":
                return self._left(ray, errand, news)
            self._tell_waiting(ray, news)
            time.sleep(_LOOK_S)

    def _write(self, news: News) -> None:
        self._fetched["events"] += len(news.events)
        self._fetched["log"] += len(news.log)
        if news.events:
            with (self._folder / EVENTS).open("ab") as file:
                file.write(news.events)
        with contextlib.suppress(BlockingIOError):
            sys.stdout.buffer.write(news.log)  # which the starter keeps as the run's log
            sys.stdout.buffer.flush()

    def _left(self, ray: Any, errand: Any, news: News) -> RunResult | None:
        """Fetch the files of a run that has ended, its result last."""
        for name in sorted(news.files, key=lambda name: name == RESULT):
            part = self._folder / f"{name}.part"
            with part.open("wb") as file:
                while file.tell() < news.files[name]:
                    piece = errand.piece.remote(name, file.tell())
                    file.write(ray.get(piece, timeout=_CALL_S))
            part.replace(self._folder / name)
        with contextlib.suppress(Exception):  # it would leave by itself a day later
            ray.get(errand.leave.remote(), timeout=_CALL_S)
            ray.kill(errand)
        if RESULT in news.files:
            return None
        status, message = news.lost or ("failed", "the run ended without a result")
        return replace(self._blank, status=status, message=message, node=news.node)

    def _tell_waiting(self, ray: Any, news: News) -> None:
        """Say once that Ray has no place for the run yet, and how many runs came before."""
        waits = news.state == "waiting" and time.monotonic() - self._sent_at > _WAITS_S
        if waits and not self._wait_told:
            self._wait_told = True
            others = [one for one in errands(ray) if one["state"] in ("waiting", "running")]
            self._tell("queued", ahead=max(0, len(others) - 1))

    def _tell(self, event: str, **fields: object) -> None:
        self._tail.append({"event": event, "t": round(time.monotonic() - self._begun, 3), **fields})

    def ask_to_stop(self, *_: object) -> None:
        """End the run where it is, as soon as that can be said."""
        self._stop = True


def _why_not_kept(error: Exception, stopped: bool) -> str:
    """Why the actor that keeps the run is none: it could not begin, or its node is gone."""
    cause = getattr(error, "cause", None)
    text = str(cause if isinstance(cause, Exception) else error)
    if "ModuleNotFoundError" in text or isinstance(cause, ModuleNotFoundError):
        return 'Gradus is not installed on the cluster; pip install "gradus[ray]" on its nodes'
    after = " while it was cancelled" if stopped else ""
    return f"the cluster's head, which keeps the run, is gone{after}; run it again"


if __name__ == "__main__":
    sys.exit(main())
