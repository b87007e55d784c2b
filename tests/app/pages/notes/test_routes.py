"""What the Notes page can ask: checked, told in one line, and nothing outside is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made import png, write_notes
from starlette.testclient import TestClient

from app.intake import Intake
from app.open_store import Shelf
from app.pages.notes.routes import notes_app
from app.paths import uploads_folder
from kg.encoder import Encoder

pytestmark = pytest.mark.usefixtures("one_encoder")
LIMIT_S = 120
ODD = '<img src=x onerror="alert(1)">.md'


@pytest.fixture
def intake(tmp_path: Path, encoder: Encoder) -> Iterator[Intake]:
    shelf = Shelf(tmp_path / "store", encoder)
    intake = Intake(shelf, watching=False)
    yield intake
    intake.close()
    shelf.close()


@pytest.fixture
def client(intake: Intake, tmp_path: Path) -> TestClient:
    app = notes_app(intake, lambda: [tmp_path / "allowed"])
    return TestClient(app, raise_server_exceptions=False)


def ended(intake: Intake) -> None:
    """Wait for all that was asked for: it is done in its order."""
    with pytest.raises(ZeroDivisionError):
        intake.do("the end", lambda say: 1 / 0).result(LIMIT_S)  # type: ignore[arg-type,return-value]


def act(client: TestClient, intake: Intake, **asked: object) -> dict[str, Any]:
    reply = client.post("/act", json=asked)
    assert reply.status_code == 200, reply.text
    ended(intake)
    return dict(client.get("/origins").json())


def test_notes_are_read_listed_and_removed(
    client: TestClient, intake: Intake, tmp_path: Path
) -> None:
    """From nothing to a list with what failed, and to nothing again; names are as they are."""
    folder = write_notes(
        tmp_path / "allowed" / "vault",
        {"mixup.md": "# Mixup\n\nMixup blends.\n", ODD: "# Odd\n\nOdd is not even.\n", "a.rst": ""},
    )
    (folder / "bad.md").write_bytes(b"# Bad\n\xff\n")
    assert client.get("/work").json()["generation"] == ""
    assert client.get("/origins").json()["origins"] == []
    (origin,) = act(client, intake, act="read", place=str(folder))["origins"]
    assert (origin["notes"], origin["failures"], origin["left_out"]) == (2, 1, {".rst": 1})
    assert origin["failed"][0]["line"] == 2 and not origin["copy"]
    assert client.get("/work").json()["generation"].endswith(":1")
    there = {"origin": str(folder)}
    assert client.get("/of", params=there).json()["notes"] == [ODD, "mixup.md"]
    found = client.get("/of", params={**there, "words": "MIX"}).json()
    assert (found["notes"], found["found"], found["of"]) == (["mixup.md"], 1, 2)

    (folder / "mixup.md").write_text("# Mixup\n\nIt blends.\n", encoding="utf-8")
    (seen,) = client.get("/origins").json()["origins"]
    assert (seen["changed"], seen["gone"], seen["new"]) == (1, 0, 0)
    (again,) = act(client, intake, act="again", **there)["origins"]
    assert again["changed"] == 0

    for odd in ({"origin": "/etc"}, {"origin": "a\nb"}, {**there, "note": "no\nnote"}):
        reply = client.post("/act", json={"act": "remove", **odd})
        assert (reply.status_code, {*reply.json()}) == (404, {"error"})
        assert "\n" not in reply.json()["error"]
    (left,) = act(client, intake, act="remove", note="mixup.md", **there)["origins"]
    assert left["notes"] == 1 and [t["name"] for t in left["taken_out"]] == ["mixup.md"]
    (back,) = act(client, intake, act="read", place=left["taken_out"][0]["path"])["origins"]
    assert back["notes"] == 2 and back["taken_out"] == []
    assert act(client, intake, act="remove", **there)["origins"] == []
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        [ODD, "a.rst", "bad.md", "mixup.md"]
    )


def test_what_could_not_be_followed_is_told(
    client: TestClient, intake: Intake, tmp_path: Path
) -> None:
    """Its line and why, as long as it stands there: also after a reading that found no change."""
    text = "---\naliases: [blend, #x]\n---\n# Mixup\n\nMixup blends.\n"
    folder = write_notes(tmp_path / "allowed" / "vault", {"mixup.md": text})
    act(client, intake, act="read", place=str(folder))
    told = act(client, intake, act="again", origin=str(folder))
    assert told["warned"] == 1
    (warning,) = told["warnings"]
    assert (warning["note"], warning["line"]) == ("mixup.md", 2)
    assert "not valid YAML" in warning["error"]
    (folder / "mixup.md").write_text(text.replace(", #x", ""), encoding="utf-8")
    told = act(client, intake, act="again", origin=str(folder))
    assert (told["warned"], told["warnings"]) == (0, [])


def test_dropped_files_become_notes(client: TestClient, intake: Intake, tmp_path: Path) -> None:
    """Folders keep their inner order, single notes lie together, the newer of two stands."""
    names = {"vault/deep/a.md": "# A\n\nA is a letter.\n", "b.md": "# B\n\nOld.\n"}
    for name, text in (names | {"vault/deep/p.png": "not looked at"}).items():
        reply = client.put("/file", params={"name": name}, content=text.encode())
        assert reply.status_code == 200, reply.text
    assert client.put("/file", params={"name": "b.md"}, content=b"# B\n\nNew.\n").json() == {
        "collection": "Single notes"
    }
    told = act(client, intake, act="uploaded", collections=["vault", "Single notes"])
    assert [(o["name"], o["notes"], o["copy"]) for o in told["origins"]] == [
        ("Single notes", 1, True),
        ("vault", 1, True),
    ]
    assert intake.shelf.current().note_text("b.md") == "# B\n\nNew.\n"
    vault = uploads_folder(tmp_path / "store") / "vault"
    assert sorted(p.name for p in vault.rglob("*.*")) == ["a.md", "p.png"]
    act(client, intake, act="remove", origin=str(vault))
    assert not vault.exists()


def test_the_starter_notes_are_at_hand(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They are read where they lie, although no visitor may name their folder."""
    asked: list[list[Path]] = []
    monkeypatch.setattr(Intake, "read", lambda self, paths: asked.append(paths))
    assert client.post("/act", json={"act": "starter"}).status_code == 200
    assert list(asked[0][0].glob("*.md"))


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 422, "request: "),
        (b"{nope", 422, "JSON decode error"),
        (b"[]", 422, "request: "),
        (b"null", 422, "request: "),
        (b"{}", 422, "act"),
        (b'{"act": "delete everything"}', 422, "act"),
        (b'{"act": ["read"]}', 422, "act"),
        (b'{"act": "read"}', 422, "place"),
        (b'{"act": "read", "place": 7}', 422, "place"),
        (b'{"act": "read", "place": ""}', 422, "place"),
        (b'{"act": "read", "place": "/etc"}', 403, "--data"),
        (b'{"act": "read", "place": "~nobody-at-all/x"}', 422, "is not a path"),
        (b'{"act": "read", "place": "a\\u0000b"}', 422, "is not a path"),
        (b'{"act": "read", "place": "x", "more": 1}', 422, "more"),
        (b'{"act": "again", "origin": "/nowhere"}', 503, "no store"),
        (b'{"act": "remove", "origin": "/etc", "note": ""}', 503, "no store"),
        (b'{"act": "remove", "origin": "a\\nb"}', 503, "no store"),
        (b'{"act": "watch", "origin": "/etc", "on": "perhaps"}', 422, "on"),
        (b'{"act": "uploaded", "collections": []}', 422, "collections"),
        (b'{"act": "uploaded", "collections": [".."]}', 422, "cannot be used as a name"),
        (b'{"act": "uploaded", "collections": ["never"]}', 422, "nothing was dropped"),
        (b'{"act": "read", "place": "\\ud800"}', 422, ""),
    ],
)
def test_odd_acts_are_one_line(client: TestClient, body: bytes, status: int, said: str) -> None:
    """Whatever comes, the reply is an object with "error" alone, and no traceback."""
    reply = client.post("/act", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == status, reply.text
    assert {*reply.json()} == {"error"} and "\n" not in reply.json()["error"]
    assert said in reply.json()["error"]


def test_a_form_of_another_site_does_nothing(client: TestClient, intake: Intake) -> None:
    """What a page elsewhere can send unasked, plain text, is not read as an act."""
    reply = client.post("/act", content=b'{"act": "stop"}', headers={"content-type": "text/plain"})
    assert reply.status_code == 422
    assert intake.state()[0].number == 0


@pytest.mark.parametrize(
    "name",
    [
        "../a.md",
        "vault/../../a.md",
        "/etc/a.md",
        "vault//a.md",
        ".hidden/a.md",
        ".a.md",
        "a\\..\\b.md",
        "a\0.md",
        "a\n.md",
        " a.md",
        "x" * 300 + ".md",
        "d/" * 30 + "a.md",
        "a.exe",
        "a",
        "a.md/",
        "",
        "node_modules/a.md",
        "vault/.md",
    ],
)
def test_odd_names_are_refused(client: TestClient, tmp_path: Path, name: str) -> None:
    """Nothing is written, inside or outside, and one line says why."""
    before = {*tmp_path.rglob("*")}
    reply = client.put("/file", params={"name": name}, content=b"# A\n")
    assert reply.status_code == 422, reply.text
    assert {*reply.json()} == {"error"}
    assert {*tmp_path.rglob("*")} == before


def test_a_file_that_is_too_long_leaves_nothing(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither itself nor a part of it; pictures have a limit of their own."""
    reply = client.put("/file", params={"name": "v/a.md"}, content=b"x" * 5_000_001)
    assert (reply.status_code, "5 MB" in reply.json()["error"]) == (422, True)
    assert [*(uploads_folder(tmp_path / "store") / "v").iterdir()] == []
    assert client.put("/file", params={"name": "v/p.png"}, content=png()).status_code == 200


def test_a_link_leads_nowhere(client: TestClient, tmp_path: Path) -> None:
    """A link below an allowed folder does not let what lies outside be read."""
    secret = write_notes(tmp_path / "secret", {"a.md": "# A\n\nSecret.\n"})
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed" / "out").symlink_to(secret)
    for place in ("out", "out/a.md", "../secret"):
        path = str(tmp_path / "allowed" / place)
        assert client.post("/act", json={"act": "read", "place": path}).status_code == 403
