"""Garbage is not looked for while what is heavy is imported, and is afterwards."""

from __future__ import annotations

import gc

import pytest

from kg.importing import importing


@pytest.mark.parametrize("before", [True, False])
def test_the_search_for_garbage_is_as_it_was_after_an_import(before: bool) -> None:
    """Also where the import fails, and where imports stand within each other."""
    was = gc.isenabled()
    try:
        (gc.enable if before else gc.disable)()
        with pytest.raises(ImportError), importing():
            assert not gc.isenabled()
            with importing():
                pass
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() == before
    finally:
        (gc.enable if was else gc.disable)()
