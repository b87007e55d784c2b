"""A run's snippet as a script and as a notebook, each a link that keeps the file."""

from __future__ import annotations

import ast
import base64
import html
import re
from collections.abc import Mapping
from typing import Any

import nbformat

__all__ = ["code_files_html", "notebook", "script"]

_PARTS = re.compile(r"\n{2,}(?=\S)")  # what stands between empty lines


def code_files_html(result: Mapping[str, Any], title: str, run_id: str) -> str:
    """Links that keep the code of a run's result as files; nothing where there is no code."""
    code = str(result.get("code") or "")
    if not code:
        return ""
    name = f"{result.get('recipe') or 'run'}-{run_id.rpartition('-')[2]}"
    found = str(result.get("message") or "")
    links = "".join(
        _link(f"{name}{suffix}", kind, words, content)
        for suffix, kind, words, content in (
            (".py", "text/x-python", "Script", script(code, title, run_id, found)),
            (".ipynb", "application/json", "Notebook", notebook(code, title, run_id, found)),
        )
    )
    return f'<p class="g-keep"><b>Code with these values</b> {links}</p>'


def script(code: str, title: str, run_id: str, found: str = "") -> str:
    """The code as a Python file that says where it comes from and what the run found."""
    lines = [f"{title}, run {run_id} of Gradus", *([found] if found else [])]
    head = "".join(f"# {' '.join(line.split())}\n" for line in lines)
    return f"{head}\n{code.rstrip()}\n"


def notebook(code: str, title: str, run_id: str, found: str = "") -> str:
    """The same as a Jupyter notebook (format 4), a cell for each part between empty lines."""
    head = [f"# {title}", *([found] if found else []), f"Run `{run_id}` of Gradus."]
    cells = [nbformat.v4.new_markdown_cell("\n\n".join(head))]
    cells += [nbformat.v4.new_code_cell(part) for part in _parts(code.strip())]
    for number, cell in enumerate(cells):
        cell["id"] = f"part-{number}"  # the same run gives the same file
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return str(nbformat.writes(made))


def _parts(code: str) -> list[str]:
    """The code cut at empty lines, or whole where a part alone would be no Python."""
    parts = _PARTS.split(code)
    try:
        for part in parts:
            ast.parse(part)
    except SyntaxError:
        return [code]
    return parts


def _link(name: str, kind: str, words: str, content: str) -> str:
    data = base64.b64encode(content.encode()).decode()
    shown = html.escape(name)
    return (
        f'<a class="g-file" download="{shown}" href="data:{kind};base64,{data}" '
        f'title="{shown}">{words}</a> '
    )
