"""The functions as tools of the Model Context Protocol, with notes and concepts as resources.

By the protocol's own SDK, an optional package: gradio's server of it needs the pages, answers in
Python's words and refuses calls where people sign in. `mcp_server` serves a pipe; `McpBeside` adds
it to a web application.
"""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote, unquote

import anyio.to_thread
from mcp.server.fastmcp import Context, FastMCP
from mcp.server.fastmcp.exceptions import ResourceError, ToolError
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, ContentBlock, TextContent, ToolAnnotations
from pydantic import AnyUrl, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.checked import FAILED, KNOWN, one_line, said_of
from app.api.functions import READING, RUNNING, Gradus
from app.api.rest import visitor_of
from app.api.signatures import signature_of

__all__ = ["PATH", "McpBeside", "mcp_server"]

PATH = "/mcp"
ABOUT = (
    "Gradus answers from one person's notes on deep learning, with the lines that say it. Ask, "
    "then cite note and lines; `path` says what to learn first."
)
NO_RUNS = " Recipes can be listed but not run: the server was started without --allow-runs."
JSON = "application/json"
log = logging.getLogger(__name__)


class _Server(FastMCP[None]):
    """A server whose errors are one line, ours in our words."""

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> Any:
        """Call one tool; what goes wrong is the tool's result, marked as an error."""
        try:
            return await super().call_tool(name, arguments)
        except ToolError as error:
            raise ToolError(_line(error)) from None

    async def read_resource(self, uri: AnyUrl | str) -> Iterable[ReadResourceContents]:
        """Read one resource."""
        try:
            return await super().read_resource(uri)
        except (ValueError, ResourceError) as error:
            raise ResourceError(_line(error)) from None


def mcp_server(gradus: Gradus, allow_runs: bool = False) -> FastMCP[None]:
    """A server of the functions; those that start and follow runs only where that is allowed."""
    server = _Server(
        "Gradus",
        ABOUT + ("" if allow_runs else NO_RUNS),
        stateless_http=True,
        json_response=True,
        log_level="WARNING",
        # The guard before it looks at host and origin.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    for name in (*READING, *(RUNNING if allow_runs else ())):
        reading = ToolAnnotations(readOnlyHint=name not in RUNNING, openWorldHint=False)
        told = signature_of(name).summary
        server.add_tool(_tool(gradus, name), name, description=told, annotations=reading)
    _add_resources(server, gradus)
    return server


class McpBeside:
    """ASGI middleware: what is asked of `PATH` is the MCP server's, all else the application's."""

    def __init__(self, app: ASGIApp, gradus: Gradus, allow_runs: bool) -> None:
        self.app = app
        self.server = mcp_server(gradus, allow_runs)
        self.mcp = self.server.streamable_http_app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the MCP server lives as long as the application."""
        if scope["type"] == "lifespan":
            async with self.server.session_manager.run():
                await self.app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].rstrip("/") == PATH:
            await self.mcp({**scope, "path": PATH, "raw_path": PATH.encode()}, receive, send)
        else:
            await self.app(scope, receive, send)


def _tool(gradus: Gradus, name: str) -> Callable[..., Any]:
    """The function as the SDK reads it, run beside the event loop."""
    kind = signature_of(name)

    async def call(context: Context[Any, Any, Any], **given: Any) -> Any:
        request = context.request_context.request
        own = gradus if request is None else gradus.of(visitor_of(request.scope))
        reply = await anyio.to_thread.run_sync(partial(getattr(own, name), **given))
        text = json.dumps(reply, ensure_ascii=False)
        # As it is: the SDK would write out what an answer does not have.
        shown: list[ContentBlock] = [TextContent(type="text", text=text)]
        return CallToolResult(content=shown, structuredContent=json.loads(text))

    asked = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("context", asked, annotation=Context)]
    parameters += [
        inspect.Parameter(a.name, asked, default=a.default, annotation=a.type)
        for a in kind.arguments
    ]
    given_back = Annotated[CallToolResult, kind.returns]
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=given_back
    )
    call.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": given_back}
    return call


def _add_resources(server: FastMCP[None], gradus: Gradus) -> None:
    @server.resource("gradus://notes", mime_type=JSON)
    def notes() -> str:
        """The notes, by address."""
        return _addresses("note", [note["note"] for note in gradus.notes()["notes"]])

    @server.resource("gradus://concepts", mime_type=JSON)
    def concepts() -> str:
        """The concepts that the notes explain, by address."""
        listed = gradus.notes()["notes"]
        return _addresses("concept", [label for note in listed for label in note["concepts"]])

    @server.resource("gradus://note/{name}", mime_type="text/plain")
    def note(name: str) -> str:
        """A note's text; of a notebook, its cells with an empty line between."""
        return "\n\n".join(gradus.note(unquote(name))["texts"])

    @server.resource("gradus://concept/{label}", mime_type=JSON)
    def concept(label: str) -> str:
        """What the notes have of a concept."""
        return json.dumps(gradus.concept(unquote(label)), ensure_ascii=False)


def _addresses(kind: str, names: Sequence[str]) -> str:
    known = {f"gradus://{kind}/{quote(name, safe='')}": name for name in names}
    return json.dumps(known, ensure_ascii=False)


def _line(error: BaseException) -> str:
    """The error's line without the SDK's words around it."""
    inner: BaseException = error
    while inner.__context__ is not None and not isinstance(inner, KNOWN):
        inner = inner.__context__
    if isinstance(inner, ValidationError):
        return said_of(inner.errors(include_input=False)[0])
    if inner is error or isinstance(inner, KNOWN):
        return one_line(inner)
    log.error("answering failed", exc_info=inner)
    return FAILED
