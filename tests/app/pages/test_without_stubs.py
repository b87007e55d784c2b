"""gradio is imported without the stubs of its components."""

from __future__ import annotations

import inspect
from pathlib import Path

import gradio as gr
import pytest
from gradio import component_meta

from app.pages.without_stubs import without_stubs


def test_no_stub_of_a_component_is_read_or_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """gradio leaves out a component that has no file, and only while it is imported."""
    looked_at: list[Path] = []
    read = Path.read_text

    def reading(path: Path, *args: str, **named: str) -> str:
        looked_at.append(path)
        return read(path, *args, **named)

    monkeypatch.setattr(Path, "read_text", reading)
    monkeypatch.setattr(Path, "write_text", lambda path, _: looked_at.append(path))
    with without_stubs():
        component_meta.create_or_modify_pyi(gr.Textbox, "Textbox", [])
    assert not looked_at
    component_meta.create_or_modify_pyi(gr.Textbox, "Textbox", [])
    assert {path.suffix for path in looked_at} == {".py", ".pyi"}


def test_all_else_has_the_file_it_comes_from() -> None:
    """Also when what is read meanwhile fails."""
    with pytest.raises(KeyError), without_stubs():
        assert inspect.getfile(Path) == inspect.getfile(Path)
        with pytest.raises(OSError, match="a component"):
            inspect.getfile(gr.Textbox)
        raise KeyError
    assert Path(inspect.getfile(gr.Textbox)).name == "textbox.py"
