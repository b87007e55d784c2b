"""One run, in a process of its own: `python -m executors.runs.child FOLDER`.

It reads the spec and writes events and result. The starter (`executors.runs.run`) holds the time
limits and collects what is printed here; see there. With `--wait` the folder comes later, on
standard input, and what is heavy is imported until then (`executors.runs.warm`).
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import gc
import importlib
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

from executors.errors import OutOfMemory, RecipeError, one_line
from executors.leaving import leave
from executors.memory import is_out_of_memory
from executors.recipe import check_params, recipe_module, typed_params
from executors.runs.folder import ENVIRONMENT, FOLDER_LOST, RESULT, SPEC, read_json, write_json
from executors.runs.journal import Journal, Outcome
from executors.runs.lifeline import be_first_to_go, end_with_starter
from executors.runs.post import ORDER, SERVED, do_order
from executors.runs.result import RunResult, Status
from executors.runs.stored_findings import figures_of

__all__ = ["environment", "main"]

_DISK = (errno.ENOSPC, errno.EDQUOT)  # no result could be written either


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the folder's spec says; the exit code is 0 when a result was written."""
    parser = argparse.ArgumentParser(prog="python -m executors.runs.child", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="a run's folder with its spec.json")
    parser.add_argument(
        "--wait", action="store_true", help="read the folder from standard input, as a line of JSON"
    )
    parser.add_argument(
        "--imports", default="", help="modules to import while waiting, with commas between"
    )
    parser.add_argument(
        "--ready", type=int, help="descriptor on which to say that the imports are done"
    )
    parser.add_argument(
        "--lifeline", type=int, help="descriptor of the pipe that the starter keeps open"
    )
    parser.add_argument(
        "--starter", type=int, default=os.getppid(), help="process id of the starter"
    )
    options = parser.parse_args(arguments)
    if options.lifeline is not None:
        end_with_starter(options.lifeline, options.starter)
    be_first_to_go()
    given: Path | None = (
        _ordered(options.imports.split(","), options.ready) if options.wait else options.folder
    )
    if given is None:
        return 0
    folder = given.absolute()
    spec = read_json(folder / SPEC)
    if spec is None:
        parser.error(f"{folder / SPEC} holds no run's spec")
    if options.wait:
        _begin_early(str(spec.get("recipe", "")))
    try:
        started = time.monotonic()
        result = _run(spec, folder)
        write_json(folder / RESULT, replace(result, seconds=time.monotonic() - started).to_event())
    except OSError as error:
        _say(f"the run's folder cannot be written: {error.strerror or error}")
        return FOLDER_LOST
    return 0


def _ordered(imports: Sequence[str], ready: int | None) -> Path | None:
    """Import, say so, and wait for the folder of a run; None when none will come."""
    gc.disable()  # none of it is garbage: to look for some takes a sixth of the time
    for name in filter(None, imports):
        with contextlib.suppress(ImportError):  # a run that needs it will say so better
            importlib.import_module(name)
    gc.enable()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():  # would hold a card's memory for nothing
        return None
    if ready is not None:
        os.write(ready, b".")
        os.close(ready)
    line = sys.stdin.buffer.readline()
    if not line:
        return None
    order = json.loads(line)
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    importlib.invalidate_caches()  # what was installed since then is found
    return Path(order["folder"])


def _begin_early(recipe: str) -> None:
    """Let a recipe fork what it will need of a process that has done nothing but import."""
    with contextlib.suppress(RecipeError):  # the run itself says that there is no such recipe
        getattr(recipe_module(recipe), "begin_early", lambda: None)()


def _say(text: str) -> None:
    """Say it on standard error, which the starter keeps."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _run(spec: dict[str, Any], folder: Path) -> RunResult:
    """The recipe's result; what it raises becomes a status and a line, the rest goes to the log."""
    name, journal = str(spec.get("recipe", "")), Journal(folder, (folder / SERVED).exists())
    write_json(folder / ENVIRONMENT, environment())
    journal.emit("started", recipe=name, params=spec.get("params", {}))
    result = RunResult("failed", name, str(spec.get("task", "")), "", folder=str(folder))
    try:
        module = recipe_module(name)
        checked = check_params(module.RECIPE, spec.get("params", {}))
        outcome = _outcome(module, typed_params(module, checked), journal)
        figures = figures_of(outcome.said)
        result = replace(
            result,
            status="ok",
            values=({"findings": figures} if figures else {}) | outcome.values,
            code=outcome.code,
            message=outcome.message,
            task=outcome.task or result.task,
            said=outcome.said,
            next=outcome.next,
        )
    except OutOfMemory as error:
        result = replace(result, status="out_of_memory", message=str(error))
    except RecipeError as error:
        result = replace(result, message=str(error))
    except Exception as error:  # the edge of the child: recipes and torch may raise anything
        _say(traceback.format_exc())
        status: Status = "out_of_memory" if is_out_of_memory(error) else "failed"
        message = one_line(error)
        if status == "out_of_memory":
            message += "; take a smaller batch, smaller images or a smaller network"
        result = replace(result, status=status, message=message)
        if isinstance(error, OSError) and error.errno in _DISK:
            raise
    journal.finish()
    device, card = journal.device_name, journal.card
    return replace(result, device=device, card=card, artifacts=tuple(journal.artifacts))


def _outcome(module: ModuleType, params: Any, journal: Journal) -> Outcome:
    """What the recipe found; nothing where an order lies in the folder, which is done instead."""
    if (journal.folder / ORDER).exists():
        do_order(params, journal)
        return Outcome({}, "", "")
    outcome: Outcome = module.run(params, journal)
    return outcome


def environment() -> dict[str, Any]:
    """Versions and hardware a run is measured on; the device is added once it is chosen."""
    return {
        "python": platform.python_version(),
        "torch": _version("torch"),
        "fastai": _version("fastai"),
        "system": platform.platform(),
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "ram_bytes": psutil.virtual_memory().total,
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    leave(main())
