"""A run's snippet as files: the same code, which runs as it stands, in a notebook that is one."""

from __future__ import annotations

import ast
import base64
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from app.pages.runs.code_files import code_files_html, notebook, script

CODE = '''from math import (
    pi,

    tau,
)

text = """one

two"""


def double(number):
    doubled = number * 2

    return doubled

print(double(pi) == tau, text.count("\\n"))
'''
RUN = "20260101T000000Z-lr-find-ab12cd"


def ran(code: str, folder: Path) -> str:
    """What the code prints as a script."""
    (folder / "it.py").write_text(code, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "it.py"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def test_the_script_runs_as_it_stands(tmp_path: Path) -> None:
    """Its head is a comment, also where what was found has lines of its own."""
    text = script(CODE, "Find my learning rate", RUN, "take 0.01\nimport nothing_of_that_name")
    assert ran(text, tmp_path) == "True 2\n"
    assert text.startswith(f"# Find my learning rate, run {RUN} of Gradus\n# take 0.01 import")


def test_the_notebook_has_the_same_code(tmp_path: Path) -> None:
    """A valid notebook whose cells, one after the other, are the script; each is Python."""
    read = nbformat.reads(notebook(CODE, "Title", RUN, "take 0.01"), as_version=4)
    nbformat.validate(read)
    cells = [cell.source for cell in read.cells if cell.cell_type == "code"]
    assert ran("\n\n".join(cells), tmp_path) == "True 2\n"
    assert "take 0.01" in read.cells[0].source
    assert notebook(CODE, "Title", RUN) == notebook(CODE, "Title", RUN)


@pytest.mark.parametrize(
    ("code", "cells"),
    [("a = 1\nb = 2\n\nprint(a)\n", 2), ('text = """one\n\ntwo"""\n\nprint(1)\n', 1)],
)
def test_a_cell_is_never_half_a_statement(code: str, cells: int) -> None:
    """Code is cut at empty lines, and stays whole where one lies within a text."""
    read = nbformat.reads(notebook(code, "Title", RUN), as_version=4)
    parts = [cell.source for cell in read.cells if cell.cell_type == "code"]
    assert len(parts) == cells
    for part in parts:
        ast.parse(part)


def test_the_links_hold_the_files() -> None:
    """Both by name, whatever the run's words are; without code there is none."""
    result = {"code": CODE, "recipe": 'lr-"find"', "message": "<b>"}
    shown = code_files_html(result, "<Title>", RUN)
    names = re.findall(r'download="([^"]*)"', shown)
    assert names == ["lr-&quot;find&quot;-ab12cd.py", "lr-&quot;find&quot;-ab12cd.ipynb"]
    first, second = (base64.b64decode(d).decode() for d in re.findall(r"base64,([^\"]*)", shown))
    assert first == script(CODE, "<Title>", RUN, "<b>") and CODE.strip() in first
    assert nbformat.reads(second, as_version=4).cells[0].source.startswith("# <Title>")
    assert code_files_html({"code": ""}, "Title", RUN) == ""
