"""A real Ray cluster for tests: a head, a second node and a client, each as if it were a machine.

Where this machine lets us make network namespaces, head, node and client have one each, on a bridge
of their own, so that a cable can be pulled; else they share the machine's network.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from attacks import ATTACK, lay_out

__all__ = ["ROOT", "Cluster", "Machine"]

ROOT = Path(__file__).parents[2]
STARTS_S = 240.0
# On the cluster's machines, in the place of a note that brings down a library: these words do it.
KILLER = """
import importlib.util, os, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "ingest.notes.kinds":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            read = module.READERS[".mdx"]
            def reader(text):
                if "brings down its reader" in text:
                    os.kill(os.getpid(), 9)
                return read(text)
            module.READERS[".mdx"] = reader

        spec.loader.exec_module = exec_module
        return spec

if os.environ.get("GRADUS_KILLER"):
    sys.meta_path.insert(0, Finder())
"""


@dataclass
class Machine:
    """One machine of the test's network; `ip` is its address there."""

    name: str
    ip: str
    inside: tuple[str, ...]  # the words before a command that runs there
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def kill(self) -> None:
        """End everything that was started there, as if its plug was pulled."""
        family = []
        for process in self.processes:
            with suppress(psutil.Error):
                top = psutil.Process(process.pid)
                family += [top, *top.children(recursive=True)]
        for one in family:
            with suppress(psutil.Error):
                one.send_signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()
        psutil.wait_procs(family, timeout=30)
        self.processes.clear()


class Cluster:
    """Head, node and client; the client is where Gradus is used."""

    def __init__(self, place: Path) -> None:
        self.place, self._tag = place, secrets.token_hex(3)
        self.port, self.client_port = _free(), _free()
        self.apart = self._network()
        site = place / "site"
        lay_out(site, "attack", "gradus_attack", ATTACK)
        (site / "sitecustomize.py").write_text(KILLER)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("GRADUS")},
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(site))),
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "5",
            "GRPC_ENABLE_FORK_SUPPORT": "0",  # a head that forks while gRPC works loses clients
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_timeout_ms": "3000",
        }
        self.address = f"ray://{self.head.ip}:{self.client_port}"
        try:
            self.start_head()
            self.start_node()
        except BaseException:
            self.close()
            raise

    def _network(self) -> bool:
        """Head, node and client in namespaces of their own; whether that can be."""
        bridge, prefix = f"gr{self._tag}", f"10.{83 + os.getpid() % 100}.7"
        machines = []
        try:
            _ip("link", "add", bridge, "type", "bridge")
            _ip("link", "set", bridge, "up")
            for number, name in enumerate(("head", "node", "client"), 1):
                space, cable = f"gr{self._tag}-{name}", f"{bridge}{number}"
                _ip("netns", "add", space)
                _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
                _ip("link", "set", cable, "master", bridge, "up")
                inside = ("ip", "netns", "exec", space)
                for words in (
                    ("addr", "add", f"{prefix}.{number}/24", "dev", "eth0"),
                    ("link", "set", "eth0", "up"),
                    ("link", "set", "lo", "up"),
                    ("route", "add", "default", "dev", "eth0"),
                ):
                    subprocess.run([*inside, "ip", *words], check=True, capture_output=True)
                machines.append(Machine(name, f"{prefix}.{number}", inside))
        except (OSError, subprocess.CalledProcessError):
            self._remove_network()
            here = socket.gethostbyname(socket.gethostname())
            machines = [Machine(name, here, ()) for name in ("head", "node", "client")]
        self.head, self.node, self.client = machines
        return bool(self.head.inside)

    def start_head(self) -> None:
        """A head with one core, and wait until it lets clients in."""
        words: tuple[str, ...] = (
            "--head",
            "--node-ip-address",
            self.head.ip,
            "--port",
            str(self.port),
        )
        words += ("--ray-client-server-port", str(self.client_port), "--include-dashboard=false")
        knock = (
            f"import socket; socket.create_connection(('{self.head.ip}', {self.client_port}), 1)"
        )
        self._up(
            self.head,
            words,
            lambda: not self.inside(self.client, sys.executable, "-c", knock).returncode,
        )

    def start_node(self) -> None:
        """A second node with one core, and wait until the cluster has it."""
        words = ("--address", f"{self.head.ip}:{self.port}", "--node-ip-address", self.node.ip)
        self._up(self.node, words, lambda: len(self.nodes()) == 2)

    def nodes(self) -> list[dict[str, object]]:
        """What `gradus where` says of the nodes."""
        told = self.gradus("where", "--on", self.address, "--json")
        if told.returncode:
            return []
        return [node for node in json.loads(told.stdout)["nodes"] if not node["fault"]]

    def gradus(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """The command line, on the client's machine, to its end."""
        return self.inside(self.client, *command(*words), **more)

    def begin(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """The same, going on."""
        return subprocess.Popen(
            [*self.client.inside, *command(*words)],
            env=self.environment | more,
            cwd=self.place,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def inside(
        self, machine: Machine, *words: str, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """A command on a machine, to its end."""
        return subprocess.run(
            [*machine.inside, *words],
            env=self.environment | more,
            cwd=self.place,
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def cable(self, machine: Machine, state: str) -> None:
        """Pull the machine's cable ("down") or put it in again ("up")."""
        subprocess.run([*machine.inside, "ip", "link", "set", "eth0", state], check=True)

    def cut_connections(self) -> int:
        """Kill the head's ends of all clients' connections; how many there were."""
        ends = [one for one in psutil.process_iter(["cmdline"]) if self._serves_a_client(one)]
        for one in ends:
            one.kill()
        return len(ends)

    def _serves_a_client(self, one: psutil.Process) -> bool:
        words = one.info["cmdline"] or []
        ours = f"--address={self.head.ip}:{self.port}" in words
        return ours and any(word.startswith("--mode=specific") for word in words)

    def logs(self) -> list[Path]:
        """What the cluster has written of itself."""
        folders = Path("/tmp").glob(f"gr{self._tag}*/session_*/logs")
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]

    def close(self) -> None:
        """End it all."""
        for machine in (self.node, self.head):
            machine.kill()
        self._remove_network()
        for folder in Path("/tmp").glob(f"gr{self._tag}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _remove_network(self) -> None:
        for name in ("head", "node", "client"):
            subprocess.run(
                ["ip", "netns", "del", f"gr{self._tag}-{name}"], check=False, capture_output=True
            )
        subprocess.run(["ip", "link", "del", f"gr{self._tag}"], check=False, capture_output=True)

    def _up(self, machine: Machine, words: tuple[str, ...], up: Callable[[], bool]) -> None:
        """Start Ray on a machine; on a busy one it gives up after 15 s, and is started again."""
        deadline = time.monotonic() + STARTS_S
        while not up():
            assert time.monotonic() < deadline, f"Ray does not start, see {self.place}"
            if not machine.processes or machine.processes[-1].poll() is not None:
                machine.kill()
                machine.processes.append(self._started(machine, *words))
            time.sleep(0.5)

    def _started(self, machine: Machine, *words: str) -> subprocess.Popen[bytes]:
        limits = ("--num-cpus", "1", "--num-gpus", "0", "--object-store-memory", "150000000")
        ports = ("--min-worker-port", "0", "--max-worker-port", "0", "--disable-usage-stats")
        temporary = ("--temp-dir", f"/tmp/gr{self._tag}{machine.name}") if "--head" in words else ()
        program = [str(Path(sys.executable).with_name("ray")), "start", "--block"]
        with (self.place / f"{machine.name}.log").open("ab") as log:
            return subprocess.Popen(
                [*machine.inside, *program, *limits, *ports, *temporary, *words],
                env=self.environment | {"GRADUS_KILLER": "yes"},
                cwd=self.place,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def command(*words: str) -> list[str]:
    """Our command line."""
    main = "from app.commands.ingest_and_ask import program; program()"
    return [sys.executable, "-c", main, *words]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
