"""The ways in that the README shows work as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from awaited import awaited
from free_port import free_port
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from with_ctrl_c import ended_with_ctrl_c

from kg.encoder import Encoder
from kg.store import Store

ROOT = Path(__file__).resolve().parents[2]
SHOWN = (ROOT / "README.md").read_text(encoding="utf-8").split("## Ways in\n")[1].split("\n## ")[0]
GRADUS = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
from app.commands.ingest_and_ask import program
program()
"""


def blocks(language: str) -> list[str]:
    """The README's blocks of a language, without what they are indented by."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", SHOWN, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


@dataclass(frozen=True)
class House:
    """A folder with `gradus` on the path and a store, whose pages are served."""

    folder: Path
    environment: dict[str, str]
    port: int

    def run(self, line: str) -> str:
        """What a shell prints for one of the README's lines."""
        command = line.replace("7860", str(self.port))
        return subprocess.run(
            ["bash", "-ec", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout


@pytest.fixture(scope="module")
def house(starter: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    (folder / "store").symlink_to(starter.folder)
    (folder / "bin").mkdir()
    gradus = folder / "bin" / "gradus"
    gradus.write_text(GRADUS, encoding="utf-8")
    gradus.chmod(0o755)
    path = f"{gradus.parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "GRADUS_STORE": str(folder / "store")}
    environment |= {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    port = free_port()
    server = subprocess.Popen(
        ["gradus", "app", "--port", str(port)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        executable=str(gradus),
    )
    assert server.stdout is not None
    with ended_with_ctrl_c(server):
        assert f"http://127.0.0.1:{port}" in server.stdout.readline()
        yield House(folder, environment, port)


def test_the_pipe_and_the_password(house: House) -> None:
    """The piped question is answered with its place; the password becomes a line of the file."""
    lines = [line for text in blocks("") for line in text.splitlines()]
    (pipe,) = (line for line in lines if "gradus chat" in line)
    assert re.search(r"\[1\] \S+\.md:\d", house.run(pipe))
    (auth,) = (line for line in lines if "gradus auth" in line)
    house.run(auth)
    assert (house.folder / "people").read_text(encoding="utf-8").startswith("ann:scrypt:")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_request(house: House) -> None:
    """The line for curl gives the answer as JSON."""
    (line,) = (line for text in blocks("") for line in text.splitlines() if "curl" in line)
    assert json.loads(house.run(line))["status"] == "answered"


def test_the_two_pieces_of_python(
    house: House,
    encoder: Encoder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From a store and through the pages' server comes the same answer."""
    monkeypatch.chdir(house.folder)
    monkeypatch.setattr("app.open_store.load_encoder", lambda name: encoder)
    said = []
    for text in blocks("python"):
        exec(text.replace("7860", str(house.port)), {})
        lines = capsys.readouterr().out.strip().splitlines()
        said.append("\n".join(line for line in lines if not line.startswith("Loaded as API")))
    assert len(said) == 2
    assert said[0] == said[1] != ""
    assert "ropout" in said[0]


def test_the_assistants_entry(house: House) -> None:
    """What an assistant is told to start lists the tools."""
    (entry,) = blocks("json")
    told = json.loads(entry)["mcpServers"]["gradus"]
    program = shutil.which(told["command"], path=house.environment["PATH"])
    assert program is not None
    server = StdioServerParameters(command=program, args=told["args"], env=house.environment)

    async def names() -> list[str]:
        async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            return [tool.name for tool in (await session.list_tools()).tools]

    assert "ask" in awaited(names())


def test_every_function_is_named() -> None:
    """The README has the name of each."""
    from app.api.functions import READING, RUNNING

    assert {*READING, *RUNNING} <= {*re.findall(r"`(\w+)`", SHOWN)}
