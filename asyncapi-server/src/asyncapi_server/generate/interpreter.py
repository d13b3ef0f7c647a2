"""Reading a document as an interface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.channels import WEBSOCKET
from asyncapi_server.document.contract import ChannelContract, Contract, MessageContract
from asyncapi_server.document.loader import read_document
from asyncapi_server.document.model import Channel, Document, Identity, Message
from asyncapi_server.document.parameters import named
from asyncapi_server.document.source import Library
from asyncapi_server.errors import ContractError
from asyncapi_server.generate.correlation import ids
from asyncapi_server.generate.interface import ChannelType, Interface, MessageType, Request
from asyncapi_server.generate.naming import TYPES, Names, pascal, variable
from asyncapi_server.generate.reading import Reader
from asyncapi_server.generate.shapes import Constants, Member, Object, Scalar
from asyncapi_server.names import snake_case

_FILES = frozenset(
    {"client", "connection", "contract", "errors", "handlers", "index", "messages", "models",
     "opening", "payloads", "sends", "shapes", "types", "values"}
)  # fmt: skip
"""The names of modules that no channel has."""


def read_interface(
    path: Path, *, as_client: bool = False, within: Path | None = None, server: str | None = None
) -> Interface:
    """Read a document and the files that it refers to, which lie in the folder `within`.

    `server` is the document's name for a server: what only others admit is left out. `as_client`
    turns the directions of a document that describes a client. Raises DocumentError, and
    ContractError when there is no such server.
    """
    library = Library(within)
    document = read_document(library.open(path), as_client=as_client)
    if server is not None and server not in document.servers:
        known = ", ".join(document.servers) or "none"
        raise ContractError(f"the document has no server {server!r}; known: {known}")
    return _Interpreter(document, library, server).interface()


class _Interpreter:
    def __init__(self, document: Document, library: Library, server: str | None) -> None:
        self._document = document
        self._library = library
        self._server = server
        self._contract = Contract.from_document(document)
        self._types = Names(TYPES)
        self._reader = Reader(self._types)

    def interface(self) -> Interface:
        channels = list(self._document.channels.values())
        typed: dict[tuple[Identity, str], tuple[str, Message]] = {}
        for channel in channels:
            for message in (*channel.receives, *channel.sends):
                if self._admits(message) and (message.identity, message.name) not in typed:
                    name = self._types.claim(pascal(message.name, "Message"))
                    typed[message.identity, message.name] = name, message
        self._reader.read({name: message.annotated for name, message in typed.values()})
        names = {key: name for key, (name, _) in typed.items()}
        modules = Names(_FILES)
        return Interface(
            title=self._document.title,
            contract=self._contract,
            urls=dict(self._urls()),
            channels=tuple(self._channel(channel, names, modules) for channel in channels),
            definitions=self._reader.definitions,
            findings=self._document.findings,
        )

    def _channel(
        self, channel: Channel, names: Mapping[tuple[Identity, str], str], modules: Names
    ) -> ChannelType:
        contract = self._contract.channel(channel.address)

        def typed(
            messages: Sequence[Message], compiled: Sequence[MessageContract]
        ) -> Iterator[MessageType]:
            for message, its in zip(messages, compiled, strict=True):
                if self._admits(message):
                    yield self._message(message, its, names[message.identity, message.name])

        sends = {each.name: each for each in typed(channel.sends, contract.sends)}
        requests = typed(channel.receives, contract.receives)
        replies = {message.name: message.replies for message in contract.receives}
        return ChannelType(
            module=modules.claim(variable(snake_case(channel.address) or "root", "channel_")),
            address=channel.address,
            requests=tuple(
                Request(each, tuple(sends[name] for name in replies[each.name] if name in sends))
                for each in requests
            ),
            sends=tuple(sends.values()),
            alone=tuple(sends[name] for name in contract.sent_alone if name in sends),
            parameters=self._parameters(channel.address, contract),
            query=self._part(contract.query, "query"),
            headers=self._part(contract.headers, "header"),
        )

    def _message(self, message: Message, contract: MessageContract, name: str) -> MessageType:
        definition = self._reader.definitions[name]
        pointer = contract.correlation
        path = None if pointer is None else jsonpointer.tokens(pointer)
        return MessageType(
            name=message.name,
            type=name,
            shape=definition.shape,
            summary=self._summary(message) or definition.description,
            constants=contract.constants,
            correlation=path,
            ids=None if path is None else ids(message.schema, path),
        )

    def _summary(self, message: Message) -> str:
        """What the document says of a message in its own place."""
        root = self._library.open(Path(message.place.file))
        node = root.raw(*jsonpointer.tokens(message.place.pointer)) or root
        texts = (node.text(key) for key in ("summary", "description", "title"))
        return next((text for text in texts if text), "")

    def _parameters(self, address: str, contract: ChannelContract) -> Object:
        """The parameters of an address: texts, or what is written as text."""
        members = []
        for name in dict.fromkeys(named(address)):
            shape = self._reader.value(contract.parameters.get(name, {}))
            is_plain = isinstance(shape, Constants | Scalar)
            members.append(Member(name, shape if is_plain else Scalar("string"), is_required=True))
        return Object(tuple(members))

    def _part(self, schema: Mapping[str, object] | None, part: str) -> Object:
        """The members of the query or of the headers, and the credentials that are there."""
        members = {member.name: member for member in self._reader.members(schema or {}).members}
        for server in self._document.servers.values():
            for scheme in (each for schemes in server.security for each in schemes):
                if scheme.part == part and self._server in (None, server.name):
                    what = f"{scheme.prefix} " if scheme.prefix else ""
                    text = f"The credential of {scheme.name}: {what}..."
                    credential = Member(scheme.key, Scalar("string"), False, text)
                    members.setdefault(scheme.key, credential)
        return Object(tuple(members.values()))

    def _admits(self, message: Message) -> bool:
        servers = message.servers
        return self._server is None or servers is None or self._server in servers

    def _urls(self) -> Iterator[tuple[str, str]]:
        """The URLs of the servers that speak WebSocket, or of all when none says that it does."""
        servers = self._document.servers.values()
        speaking = [server for server in servers if server.protocol in WEBSOCKET]
        for server in speaking or servers:
            scheme = "wss" if server.protocol in ("wss", "https") else "ws"
            if "{" not in server.address and self._server in (None, server.name):
                yield server.name, f"{scheme}://{server.address}".rstrip("/")
