"""`gradus where` shows what a real cluster has."""

from __future__ import annotations

import json
import sys

import psutil
from cluster import Cluster


def test_it_lists_this_machine_and_the_nodes(cluster: Cluster) -> None:
    told = json.loads(cluster.gradus("where", "--on", cluster.address, "--json").stdout)
    total = psutil.virtual_memory().total
    assert told["here"]["total_bytes"] == total and told["on"] == cluster.address
    assert {node["address"] for node in told["nodes"]} == {cluster.head.ip, cluster.node.ip}
    for node in told["nodes"]:
        assert (node["cpus"], node["total_bytes"], node["fault"]) == (1, total, "")
        assert 0 < node["free_bytes"] < total
    assert told["runs"] == []


def test_without_a_cluster_nothing_imports_ray(cluster: Cluster) -> None:
    """Neither the table of this machine's devices nor the help."""
    for words in (["where"], ["--help"], ["run", "--help"]):
        code = (
            f"import sys; sys.argv = ['gradus', *{words!r}]\n"
            "from app.commands.ingest_and_ask import main\n"
            "try: main()\n"
            "except SystemExit: pass\n"
            "print('ray' in sys.modules)"
        )
        told = cluster.inside(cluster.client, sys.executable, "-c", code)
        assert told.stdout.splitlines()[-1] == "False", told.stderr
