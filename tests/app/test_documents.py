"""The documents tell what is there, from options to the keys of JSON, and their examples work."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from attacks import lay_out

from app.commands.ingest_and_ask import app
from app.contract import answer_json
from executors.batch_size.advice import PlanRow
from executors.errors import BadParameter
from executors.recipe import find_recipe, recipes
from executors.runs.history import RunRecord
from executors.runs.result import RunResult
from executors.runs.run import start
from executors.runs.stored_findings import Finding
from executors.task import Settings
from executors.tasks import LEARNER, TASK_NAMES, find_task
from kg.types import Answer, Disagreement, Measured, RecipeOffer, Replacement

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/recipes.md",
    "docs/export.md",
    "docs/claims.md",
    "benchmarks/README.md",
)
OURS = [
    recipe
    for recipe in recipes()
    if (ROOT / f"executors/recipes/{recipe.name.replace('-', '_')}.py").exists()
]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def row(name: str, first: str) -> str:
    """The row of a table that begins with this."""
    (found,) = (line for line in read(name).splitlines() if line.startswith(f"| `{first}` |"))
    return found


def names(text: str) -> set[str]:
    return set(re.findall(r"[a-z_]\w*", text))


def options(command: Any, name: str = "gradus") -> Iterator[tuple[str, str]]:
    for end, below in getattr(command, "commands", {}).items():
        yield from options(below, f"{name} {end}")
    yield from (
        (name, option) for p in command.params for option in p.opts if option.startswith("-")
    )


def test_every_option_is_documented() -> None:
    """An option of any command that neither the README nor docs/ names fails here."""
    told = read("README.md") + read("docs/recipes.md") + read("docs/export.md")
    found = list(options(typer.main.get_command(app)))
    assert ("gradus run", "--track") in found
    assert [pair for pair in found if not re.search(re.escape(pair[1]) + r"(?![\w-])", told)] == []


@pytest.mark.parametrize("recipe", OURS, ids=lambda recipe: recipe.name)
def test_every_recipe_is_documented(recipe: Any) -> None:
    """The README has a line for each recipe, docs/recipes.md a row."""
    assert f"- **{recipe.name}**: " in read("README.md")
    assert row("docs/recipes.md", recipe.name)


@pytest.mark.parametrize("task", [name for name in TASK_NAMES if name != LEARNER])
def test_every_task_is_documented(task: str) -> None:
    """Both tables of tasks name it, and docs/recipes.md its files."""
    assert re.search(rf"^\|.*`{task}`.*\|.*\|$", read("README.md"), re.MULTILINE)
    told = row("docs/recipes.md", task)
    for file in re.findall(r"\w+\.(?:csv|txt)\b|\w+/", find_task(task).EXPECTS):
        assert file in told, file


def test_options_of_recipes_that_are_named_exist() -> None:
    """What the documents call with `gradus run RECIPE` has these parameters."""
    own = {option for name, option in options(typer.main.get_command(app)) if name == "gradus run"}
    calls = re.findall(
        r"gradus run ([a-z-]+)([^`\n#]*)", read("README.md") + read("docs/recipes.md")
    )
    assert len(calls) > 4
    for name, rest in calls:
        known = {
            f"--{parameter.name.replace('_', '-')}" for parameter in find_recipe(name).parameters
        }
        assert {*re.findall(r"--[a-z-]+", rest)} <= known | own, name


def test_answers_are_documented_key_by_key() -> None:
    """The row of `ask` names every key of its JSON, and of what stands in its lists."""
    told = names(row("README.md", "ask"))
    assert {*answer_json(Answer("q", "answered", "fact", 1.0, ""))} | {"path"} <= told
    for kind in (RecipeOffer, Measured, Disagreement, Replacement):
        assert {field.name for field in dataclasses.fields(kind)} <= told, kind


def test_runs_and_recipes_are_documented_key_by_key() -> None:
    """The rows of `run`, `runs` and `recipes` name every key of their JSON."""
    result = RunResult("ok", "lr-find", "tabular", "cpu")
    assert {*result.to_event()} <= names(row("README.md", "run")) & names(
        row("docs/recipes.md", "result")
    ) | {"event"}
    assert {*RunRecord("id", ROOT, "lr-find", "tabular").to_json()} <= names(
        row("README.md", "runs")
    )
    listed = dataclasses.asdict(OURS[0])
    assert {*listed, *listed["parameters"][0]} <= names(row("README.md", "recipes"))


def test_plans_and_findings_are_documented_key_by_key() -> None:
    """docs/recipes.md names every field of a row of a plan of batch sizes, and of a finding."""
    for kind in (PlanRow, Finding):
        assert {field.name for field in dataclasses.fields(kind)} <= names(read("docs/recipes.md"))


def test_every_event_is_documented() -> None:
    """What recipes and runs tell by name has a row in docs/recipes.md."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "executors").rglob("*.py"))
    told = {*re.findall(r"(?:\bemit|_tell)\(\s*\"(\w+)\"", code)} | {"result"}
    assert {"queued", "begins", "trial", "epoch"} <= told
    table = read("docs/recipes.md").split("### Events")[1]
    assert told == {
        *re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    }


def test_every_promise_names_its_tests() -> None:
    """Each row of docs/claims.md names tests that there are, or what measures it."""
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", read("docs/claims.md"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 71))
    for number, shown in rows:
        for file, test in re.findall(r"`([\w/]+\.py)::(\w+)`", shown):
            text = read(f"tests/{file}")
            assert re.search(rf"^(?:async )?def {test}\(", text, re.MULTILINE), (number, test)
        for script in re.findall(r"`python (?:-m )?([\w./]+)", shown):
            path = script if script.endswith(".py") else f"{script.replace('.', '/')}.py"
            assert (ROOT / path).exists(), (number, script)
        assert re.search(r"`\S+\.py::\w+`|`python |`make ", shown), number


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """Files that a document links to exist, and so do their headings."""
    for target in re.findall(r"\]\(([^)\s]+)\)", read(name)):
        file, _, anchor = target.partition("#")
        if file.startswith("http"):
            continue
        path = (ROOT / name).parent / file if file else ROOT / name
        assert path.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads
            }, target


def test_every_benchmark_is_documented() -> None:
    """A script is named in benchmarks/README.md, or called by a script that is."""
    told = read("benchmarks/README.md")
    scripts = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in (ROOT / "benchmarks").rglob("*.py")
    }
    called = {name: text for name, text in scripts.items() if '__name__ == "__main__"' in text}
    assert "benchmarks.learning_rate.quality" in called
    for name in called:
        file = f"{name.rsplit('.', 1)[-1]}.py"
        callers = [
            other
            for other, text in scripts.items()
            if other != name and (name in text or f'"{file}"' in text)
        ]
        assert name in told or any(other in told for other in callers), name


def test_the_example_of_a_recipe_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CONTRIBUTING's recipe runs from another package, under the entry point below it."""
    source, entry = re.findall(r"```(?:python|toml)\n(.*?)```", read("CONTRIBUTING.md"), re.DOTALL)
    group, name, module = re.findall(r'"([\w.]+)"\]\n([\w-]+) = "(\w+)"', entry)[0]
    assert group == "gradus.recipes"
    lay_out(tmp_path / "site", name, module, source)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    (tmp_path / "data").mkdir()
    for number in range(3):
        (tmp_path / "data" / f"{number}.txt").touch()
    result = start(name, {"data": str(tmp_path / "data")}, tmp_path / "runs").wait()
    assert (result.status, result.message, result.values["findings"]) == (
        "ok",
        "3 files",
        {"Files": 3},
    )
    with pytest.raises(BadParameter, match="there is no parameter 'date'; did you mean 'data'"):
        start(name, {"date": "x"}, tmp_path / "runs")


def test_the_example_of_a_learner_is_one(tmp_path: Path) -> None:
    """The learner that docs/recipes.md shows has the samples that its lines make."""
    (source,) = re.findall(r"```python\n(.*?)```", read("docs/recipes.md"), re.DOTALL)
    file = tmp_path / "mine.py"
    file.write_text(source, encoding="utf-8")
    settings = Settings(task=LEARNER, learner=f"{file}:make")
    code = (
        "from executors.tasks import find_task\nfrom executors.task import Settings\n"
        f"found = find_task({LEARNER!r}).inspect(Settings(**{settings.to_json()!r}))\n"
        "print(found.train, found.valid)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert said.stdout.split()[-2:] == ["192", "64"]
