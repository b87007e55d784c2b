"""A full ingest, one edit, one deletion, questions: Gradus beside txtai, LlamaIndex and LightRAG.

    pip install txtai llama-index-core llama-index-embeddings-huggingface lightrag-hku
    python -m benchmarks.ingest.peers FOLDER

All read the same notes with the same encoder on the same machine, one after another, each in a
process of its own. Install the peers into an environment that also sees Gradus; one that is missing
is left out, and the table says so. What each keeps on disk is what a next process would open.

- Gradus: an ingest as it comes, concepts and prerequisites with it. The edit and the deletion are
  ingests of the folder, which find by themselves what has changed.
- txtai: its paragraphs, vectors and BM25, texts kept; what changed is told to it (upsert, delete).
- LlamaIndex: its MarkdownNodeParser and SentenceSplitter, vectors and texts; `refresh_ref_docs`.
- LightRAG: a graph of entities that a language model reads out. The model is a stub that answers at
  once, with three names of the text; how often it is asked and how many tokens it reads, which a
  real one takes its time and price for, is counted. A question asks for passages and graph ("mix"),
  without an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from benchmarks.record import save
from benchmarks.search.methods import paragraphs
from benchmarks.timing import median_ms, milliseconds
from kg.encoder import default_encoder_folder, load_encoder

NEEDS = {
    "gradus": ("kg",),
    "txtai": ("txtai",),
    "llamaindex": ("llama_index.core", "llama_index.embeddings.huggingface"),
    "lightrag": ("lightrag",),
}
ADDED = "\nIt is the one that was added last: a plan for the summer, with swimming.\n"
HITS = 10


class Tool(Protocol):
    """What is measured of each: it keeps what it makes in a folder."""

    def build(self, notes: dict[str, str]) -> None:
        """Take in all notes, by name."""

    def edit(self, name: str, text: str) -> None:
        """Take up a note's new text."""

    def delete(self, name: str) -> None:
        """Forget a note."""

    def ask(self, question: str) -> object:
        """The passages for a question."""


@dataclass(slots=True)
class Gradus:
    """`gradus ingest` and its search."""

    place: Path
    store: Any = None

    def build(self, notes: dict[str, str]) -> None:
        """Write them as a folder, and ingest it."""
        for name, text in notes.items():
            path = self.place / "notes" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._ingest()

    def edit(self, name: str, text: str) -> None:
        """Write it, and ingest the folder."""
        (self.place / "notes" / name).write_text(text, encoding="utf-8")
        self._ingest()

    def delete(self, name: str) -> None:
        """Delete it, and ingest the folder."""
        (self.place / "notes" / name).unlink()
        self._ingest()

    def again(self) -> None:
        """Ingest what has not changed."""
        self._ingest()

    def ask(self, question: str) -> object:
        """Its search."""
        from kg.search import search
        from kg.store import open_store

        if self.store is None:
            self.store = open_store(self.place / "kept")
        return search(question, self.store, load_encoder(), HITS)

    def _ingest(self) -> None:
        from ingest.build import ingest

        ingest([self.place / "notes"], self.place / "kept")


@dataclass(slots=True)
class Txtai:
    """txtai's hybrid index with its texts."""

    place: Path
    index: Any = None
    pieces: dict[str, list[str]] = field(default_factory=dict)  # ids by note

    def build(self, notes: dict[str, str]) -> None:
        """Index the paragraphs of all."""
        from txtai import Embeddings

        encoder = str(default_encoder_folder())
        self.index = Embeddings(path=encoder, hybrid=True, content=True, gpu=False)
        self.index.index([row for name, text in notes.items() for row in self._rows(name, text)])
        self.index.save(str(self.place / "kept"))

    def edit(self, name: str, text: str) -> None:
        """Delete its paragraphs, put the new ones."""
        self.index.delete(self.pieces.pop(name))
        self.index.upsert(self._rows(name, text))
        self.index.save(str(self.place / "kept"))

    def delete(self, name: str) -> None:
        """Delete its paragraphs."""
        self.index.delete(self.pieces.pop(name))
        self.index.save(str(self.place / "kept"))

    def ask(self, question: str) -> object:
        """Its search."""
        return self.index.search(question, HITS)

    def _rows(self, name: str, text: str) -> list[tuple[str, str, None]]:
        rows = [(f"{name}#{i}", piece, None) for i, piece in enumerate(paragraphs(text))]
        self.pieces[name] = [row[0] for row in rows]
        return rows


@dataclass(slots=True)
class LlamaIndex:
    """LlamaIndex's vector index, persisted."""

    place: Path
    index: Any = None

    def build(self, notes: dict[str, str]) -> None:
        """Index all."""
        from llama_index.core import Settings, VectorStoreIndex
        from llama_index.core.llms import MockLLM
        from llama_index.core.node_parser import MarkdownNodeParser, SentenceSplitter
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        Settings.llm = MockLLM()
        encoder = HuggingFaceEmbedding(model_name=str(default_encoder_folder()), device="cpu")
        self.index = VectorStoreIndex.from_documents(
            [_document(name, text) for name, text in notes.items()],
            embed_model=encoder,
            transformations=[MarkdownNodeParser(), SentenceSplitter(chunk_size=256)],
        )
        self._keep()

    def edit(self, name: str, text: str) -> None:
        """Refresh it."""
        self.index.refresh_ref_docs([_document(name, text)])
        self._keep()

    def delete(self, name: str) -> None:
        """Delete it, its text too."""
        self.index.delete_ref_doc(name, delete_from_docstore=True)
        self._keep()

    def ask(self, question: str) -> object:
        """Its retriever."""
        return self.index.as_retriever(similarity_top_k=HITS).retrieve(question)

    def _keep(self) -> None:
        self.index.storage_context.persist(str(self.place / "kept"))


def _document(name: str, text: str) -> Any:
    from llama_index.core import Document

    return Document(text=text, doc_id=name)


@dataclass(slots=True)
class LightRag:
    """LightRAG in its default stores, its language model a stub that is counted."""

    place: Path
    rag: Any = None
    calls: int = 0
    tokens: int = 0
    loop: Any = None

    def build(self, notes: dict[str, str]) -> None:
        """Insert all."""
        import numpy as np
        from lightrag import LightRAG
        from lightrag.utils import EmbeddingFunc, Tokenizer
        from sentence_transformers import SentenceTransformer
        from transformers import AutoTokenizer

        folder = str(default_encoder_folder())
        encoder = SentenceTransformer(folder, device="cpu")
        plain = AutoTokenizer.from_pretrained(folder)

        class Pieces:
            """The encoder's own word pieces."""

            def encode(self, content: str) -> list[int]:
                return list(plain.encode(content, add_special_tokens=False))

            def decode(self, tokens: list[int]) -> str:
                return str(plain.decode(tokens))

        async def embed(texts: list[str], **_: object) -> Any:
            return np.asarray(encoder.encode(texts))

        async def model(prompt: str, system_prompt: str | None = None, **_: object) -> str:
            self.calls += 1
            self.tokens += len(plain.encode(f"{system_prompt or ''}{prompt}"))
            return _extracted(prompt)

        self.loop = asyncio.new_event_loop()
        self.rag = LightRAG(
            working_dir=str(self.place / "kept"),
            llm_model_func=model,
            llm_model_name="stub",
            embedding_func=EmbeddingFunc(embedding_dim=384, max_token_size=256, func=embed),
            tokenizer=Tokenizer("word pieces", Pieces()),
        )
        self.loop.run_until_complete(self.rag.initialize_storages())
        self._insert([*notes.values()], [*notes])

    def edit(self, name: str, text: str) -> None:
        """Delete it and insert it, as it takes no new text for a name that it knows."""
        self.delete(name)
        self._insert([text], [name])

    def delete(self, name: str) -> None:
        """Delete it, and let what it had given be read anew."""
        self.loop.run_until_complete(self.rag.adelete_by_doc_id(name))

    def ask(self, question: str) -> object:
        """What it would show a model."""
        from lightrag import QueryParam

        wanted = QueryParam(mode="mix", only_need_context=True, enable_rerank=False)
        return self.loop.run_until_complete(self.rag.aquery(question, param=wanted))

    def _insert(self, texts: list[str], names: list[str]) -> None:
        self.loop.run_until_complete(self.rag.ainsert(texts, ids=names, file_paths=names))


def _extracted(prompt: str) -> str:
    """Three capitalised words of the text and what joins them, as LightRAG's prompts ask for them;
    for keywords of a question an object of them.
    """
    text = prompt.rpartition("---Input Text---")[2] or prompt
    words = [w.strip(".,:;()*#`\"'") for w in text.split() if w[:1].isupper()]
    names = list(dict.fromkeys(w for w in words if len(w) > 3))[:3] or ["Note"]
    if "high_level_keywords" in prompt:
        return json.dumps({"high_level_keywords": names, "low_level_keywords": names})
    found = [f"entity<|#|>{name}<|#|>concept<|#|>{name} of this note." for name in names]
    found += [f"relation<|#|>{a}<|#|>{b}<|#|>use<|#|>{a} uses {b}." for a, b in pairwise(names)]
    return "\n".join([*found, "<|COMPLETE|>"])


TOOLS: dict[str, Callable[[Path], Tool]] = {
    "gradus": Gradus,
    "txtai": Txtai,
    "llamaindex": LlamaIndex,
    "lightrag": LightRag,
}


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Times, memory and bytes of one tool."""
    notes = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.md"))
    }
    for module in ("sentence_transformers", *NEEDS[name]):  # no property of a tool's work
        importlib.import_module(module)
    middle = sorted(notes)[len(notes) // 2]
    questions = [text.strip().splitlines()[0].lstrip("# ") for text in [*notes.values()][::7]][:60]
    with tempfile.TemporaryDirectory() as place:
        tool = TOOLS[name](Path(place))
        found: dict[str, Any] = {"tool": name, "notes": len(notes)}
        steps: Sequence[tuple[str, Callable[[], None]]] = (
            ("full_s", lambda: tool.build(notes)),
            *([("nothing_s", tool.again)] if isinstance(tool, Gradus) else []),
            ("edit_s", lambda: tool.edit(middle, notes[middle] + ADDED)),
            ("delete_s", lambda: tool.delete(middle)),
        )
        for step, act in steps:
            begun, own, asked = time.monotonic(), time.process_time(), getattr(tool, "calls", 0)
            act()
            found[step] = round(time.monotonic() - begun, 2)
            found[step.replace("_s", "_cpu_s")] = round(time.process_time() - own, 2)
            if hasattr(tool, "calls"):
                found[step.replace("_s", "_calls")] = tool.calls - asked
            if step == "full_s":
                found["megabytes"] = round(_bytes(Path(place) / "kept") / 1e6, 2)
        found["tokens"] = getattr(tool, "tokens", 0)
        found["question_ms"] = median_ms(milliseconds(tool.ask, questions))
    found["text_megabytes"] = round(sum(len(t.encode()) for t in notes.values()) / 1e6, 2)
    found["memory_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return found


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Measure each tool in a process of its own, print, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="Markdown notes")
    parser.add_argument("--tool", choices=[*TOOLS], help="only this one, its row as JSON")
    given = parser.parse_args()
    if given.tool:
        with contextlib.redirect_stdout(sys.stderr):
            found = measure(given.tool, given.folder.resolve())
        print(json.dumps(found))
        return
    rows, skipped = [], []
    for name in TOOLS:
        if not all(_there(module) for module in NEEDS[name]):
            skipped.append(name)
            continue
        command = [sys.executable, "-m", "benchmarks.ingest.peers", str(given.folder)]
        environment = os.environ | {
            "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false",
        }  # fmt: skip
        done = subprocess.run(
            [*command, "--tool", name], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"{name} failed:\n{done.stderr[-2000:]}", file=sys.stderr)
            skipped.append(name)
            continue
        rows.append(json.loads(done.stdout))
        print(rows[-1], flush=True)
    if skipped:
        print("not saved, left out:", *skipped)
    else:
        print("saved", save("ingest_peers", {"rows": rows}))


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    main()
