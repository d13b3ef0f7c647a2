"""The module of an address in a client in TypeScript."""

from __future__ import annotations

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.generate.interface import ChannelType, Interface, MessageType, Request
from asyncapi_server.generate.naming import TYPES, Names, identifier, pascal
from asyncapi_server.generate.shapes import Object
from asyncapi_server.generate.texts import block_comment, flat, literal
from asyncapi_server.generate.typescript.arguments import argument
from asyncapi_server.generate.typescript.types import members_of, members_source, types_in
from asyncapi_server.names import snake_case

_METHODS = frozenset({"close", "constructor", "prototype", "then"})
"""The names that no request has: `then` makes a promise of what has it."""


def channel_source(channel: ChannelType, interface: Interface) -> str:
    """The module; those of types, shapes and connection lie beside it."""
    return _Channel(channel, interface).source()


def methods(channel: ChannelType) -> dict[str, str]:
    """The method for each request, by the name of its message."""
    names = Names(_METHODS)
    return {
        request.message.name: names.claim(_camel(request.message.name))
        for request in channel.requests
    }


class _Channel:
    def __init__(self, channel: ChannelType, interface: Interface) -> None:
        self._channel = channel
        self._urls = dict(interface.urls)
        names = Names({*TYPES, *interface.definitions})
        self._refusals = {
            message.name: names.claim(pascal(f"{message.name}_refusal", "Message"))
            for message in channel.sends
            if message.is_error
        }
        self._methods = methods(channel)

    def source(self) -> str:
        channel = self._channel
        sent = [message for message in channel.sends if message.is_error]
        return "\n".join(
            [
                block_comment(f"A client of `{flat(channel.address)}`."),
                self._imports(),
                f"export const ADDRESS = {literal(channel.address)};\n\n"
                "/** The URLs of the servers, by their names in the document. */\n"
                f"export const SERVERS = {{ {members_of(self._urls)} }} as const;\n",
                self._received(),
                *map(self._refusal, sent),
                self._incoming(),
                self._options(),
                self._class(),
            ]
        )

    def _imports(self) -> str:
        channel = self._channel
        sent = [request.message for request in channel.requests if argument(request.message)[0]]
        types = {each.type for each in (*channel.sends, *sent) if each.is_typed}
        for shape in (channel.parameters, channel.query, channel.headers):
            types |= types_in(shape)
        return (
            'import type { Connection } from "./connection.js";\n'
            + ('import { Refused } from "./errors.js";\n' if self._refusals else "")
            + 'import type { Incoming } from "./messages.js";\n'
            'import { address, open } from "./opening.js";\n'
            'import { SHAPES } from "./shapes.js";\n'
            + (f'import type {{ {", ".join(sorted(types))} }} from "./types.js";\n' * bool(types))
        )

    def _received(self) -> str:
        rows = "".join(
            f"\n  | {{ readonly name: {literal(message.name)};"
            f" readonly message: {_type(message)} }}"
            for message in self._channel.sends
        )
        return (
            "/** The messages that the server sends, each with its name in the document. */\n"
            f"export type Received ={rows or ' never'};\n"
        )

    def _refusal(self, message: MessageType) -> str:
        text = message.summary or f"The server answered `{flat(message.name)}`."
        return (
            f"{block_comment(text)}export class {self._refusals[message.name]} "
            f"extends Refused<{_type(message)}> {{}}\n"
        )

    def _incoming(self) -> str:
        """The table of the messages that the server sends."""
        rows = []
        for message in self._channel.sends:
            constants = [[jsonpointer.tokens(c.pointer), c.values] for c in message.constants]
            shape = {"named": message.type} if message.is_typed else "any"
            options = {
                "name": literal(message.name),
                "shape": literal(shape),
                "constants": literal(constants),
                "correlation": literal(message.correlation) if message.correlation else "",
                "refusal": self._refusals.get(message.name, ""),
            }
            rows.append(f"  {_object(options)},\n")
        return f"const INCOMING: readonly Incoming[] = [\n{''.join(rows)}];\n"

    def _options(self) -> str:
        """The interface of what a connection is opened with."""
        channel = self._channel
        groups = (
            ("parameters", "The parameters of the address.", channel.parameters),
            ("query", "The members of the query.", channel.query),
            ("headers", "The headers, which no browser sends.", channel.headers),
        )
        members = "".join(
            f"  /** {text} */\n  readonly {name}{'' if _needs(shape) else '?'}: "
            f"{{\n{_members(shape)}  }};\n"
            for name, text, shape in groups
            if shape.members
        )
        return (
            "/** What a connection is opened with. */\n"
            "export interface Options {\n"
            f"  /** The URL of the server. */\n  readonly url{'?' if self._urls else ''}: string;\n"
            f"{members}"
            "  /** Milliseconds to wait for a reply; 10 seconds unless given. */\n"
            "  readonly replyMs?: number;\n}\n"
        )

    def _class(self) -> str:
        channel = self._channel
        opening = (channel.parameters, channel.query, channel.headers)
        default = "" if any(map(_needs, opening)) or not self._urls else " = {}"
        first = f"SERVERS[{literal(next(iter(self._urls)))}]" if self._urls else ""
        url = f"options.url ?? {first}" if first else "options.url"
        path, query, headers = (
            _given(f"options.{name}", shape)
            for name, shape in zip(("parameters", "query", "headers"), opening, strict=True)
        )
        return (
            "/**\n * A connection to the server. Iterating over it gives what the server sends "
            "unprompted.\n *\n * Iteration ends when the connection is closed in order, else it "
            "throws ConnectionLost.\n * Each request throws TimedOut, ConnectionLost and what it "
            "names.\n */\n"
            "export class Client {\n"
            "  readonly #connection: Connection;\n\n"
            "  private constructor(connection: Connection) {\n"
            "    this.#connection = connection;\n  }\n\n"
            "  /** Connect. Throws CannotConnect. */\n"
            f"  static async connect(options: Options{default}): Promise<Client> {{\n"
            f"    const whole = address({url}, ADDRESS, {path}, {query});\n"
            f"    const replyMs = options.replyMs ?? 10_000;\n"
            f"    return new Client(await open(whole, INCOMING, SHAPES, {headers}, replyMs));\n"
            "  }\n\n"
            "  /** The messages that answer no request. */\n"
            "  [Symbol.asyncIterator](): AsyncGenerator<Received> {\n"
            "    return this.#connection.messages() as AsyncGenerator<Received>;\n  }\n\n"
            "  /** Close the connection. */\n"
            "  close(): Promise<void> {\n    return this.#connection.close();\n  }\n"
            + "".join(map(self._method, channel.requests))
            + "}\n"
        )

    def _method(self, request: Request) -> str:
        message = request.message
        refusals = ", ".join(self._refusals[reply.name] for reply in request.refusals)
        text = message.summary or f"Send `{flat(message.name)}`."
        parameter, expression = argument(message)
        outgoing = _object(
            {
                "name": literal(message.name),
                "replies": literal([reply.name for reply in request.replies]),
                "refusals": literal([reply.name for reply in request.refusals]),
                "correlation": literal(message.correlation) if message.correlation else "",
                "ids": literal(message.ids) if message.ids else "",
            }
        )
        name = self._methods[message.name]
        comment = block_comment(f"{text}\n\nThrows {refusals}." if refusals else text, "  ")
        call = f"(\n      {outgoing},\n      {expression},\n    )"
        if not request.replies:
            return (
                f"\n{comment}  {name}({parameter}): void {{\n"
                f"    this.#connection.send{call};\n  }}\n"
            )
        answer = " | ".join(dict.fromkeys(map(_type, request.answers)))
        return (
            f"\n{comment}  {name}({parameter}): Promise<{answer}> {{\n"
            f"    return this.#connection.request{call} as Promise<{answer}>;\n  }}\n"
        )


def _members(shape: Object) -> str:
    return members_source(shape.members, "    ")


def _needs(shape: Object) -> bool:
    """Whether an object has to have a member."""
    return any(member.is_required for member in shape.members)


def _given(option: str, shape: Object) -> str:
    """The expression of the members of an option."""
    if not shape.members:
        return "{}"
    return option if _needs(shape) else f"{option} ?? {{}}"


def _object(members: dict[str, str]) -> str:
    return f"{{ {', '.join(f'{name}: {value}' for name, value in members.items() if value)} }}"


def _type(message: MessageType) -> str:
    return message.type if message.is_typed else "unknown"


def _camel(name: str) -> str:
    """A name for a method: "system_status" -> "systemStatus"."""
    first, *rest = [word for word in snake_case(name).split("_") if word] or [""]
    return identifier(first + "".join(word[0].upper() + word[1:] for word in rest), "send")
