"""The source of a first server, which answers with the examples of its document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce

from asyncapi_server.document.model import Channel, Document, Message, Security
from asyncapi_server.document.refusals import names_error
from asyncapi_server.document.security import either
from asyncapi_server.errors import ContractError
from asyncapi_server.generate.naming import Names, identifier, pascal
from asyncapi_server.generate.starter.literals import WIDTH, Expression, literal
from asyncapi_server.generate.texts import docstring, flat
from asyncapi_server.mock.samples import SampleBook, Samples
from asyncapi_server.names import handler_name, snake_case
from asyncapi_server.validation import validator

PORT = 8080
_TEXTS = ("text", "message", "reason", "description", "detail", "error")
"""Members of an error message that say what is wrong, the likeliest first."""


def starter(document: Document, path: str, *, as_client: bool = False) -> str:
    """The source of a server; `path` leads to the document from the folder of the source.

    Raises ContractError when the document has no channel.
    """
    if not document.channels:
        raise ContractError("the document has no channel that can be served")
    book, names = SampleBook(), Names()
    is_alone = len(document.channels) == 1
    lines = [
        _Line(document, channel, book, "" if is_alone else names.claim(_prefix(channel)))
        for channel in document.channels.values()
    ]
    perspective = ", as_client=True" if as_client else ""
    return "".join(
        (
            docstring(f"The server of {flat(document.title) or path}.", ""),
            "\nfrom pathlib import Path\n\nfrom aiohttp import web\n\n"
            "from asyncapi_server import Contract, Endpoint, Router, load_document\n",
            *(f"{line.handlers()}{line.error()}" for line in lines),
            _AUTHENTICATE if any(line.schemes for line in lines) else "",
            f"\n\ndocument = load_document(Path(__file__).parent / {_text(path)}{perspective})\n",
            "contract = Contract.from_document(document)\napp = web.Application()\n",
            *(line.route() for line in lines),
            f'\nif __name__ == "__main__":\n    web.run_app(app, port={PORT})\n',
        )
    )


_AUTHENTICATE = '''

def authenticate(credential, request):
    """Who a client is, by its credential; None refuses it."""
    return credential.value  # anybody is admitted: put your check here
'''


class _Line:
    """What serves one channel."""

    def __init__(self, document: Document, channel: Channel, book: SampleBook, prefix: str) -> None:
        self._channel = channel
        self._book = book
        self._samples = Samples(channel, book)
        self._handlers = f"{pascal(prefix, 'Channel')}Handlers" if prefix else "Handlers"
        self._error = f"{prefix}_error" if prefix else "error"
        self.schemes = _schemes(document, channel)
        """The security schemes that are authenticated when a connection is opened."""

    def handlers(self) -> str:
        """The class of the handlers."""
        address = flat(self._channel.address)
        text = docstring(f"One method for each message that clients send to `{address}`.")
        methods = {handler_name(each.name): each for each in self._channel.receives}
        return f"\n\nclass {self._handlers}:\n{text}" + "".join(
            f"\n    async def {name}(self, client, message):\n{self._body(message)}"
            for name, message in methods.items()
        )

    def error(self) -> str:
        """The function that makes the error message."""
        head = f"\n\ndef {self._error}(fault):\n"
        sent = [(each, sample) for each in self._channel.sends for sample in self._book.of(each)]
        refusing = [(message, sample) for message, sample in sent if sample.refuses]
        found = sorted(refusing, key=lambda each: not names_error(each[0].name))
        for message, sample in found:
            if isinstance(sample.payload, dict):
                text = docstring("The message that reports a fault of a client or of the server.")
                start = "    return "
                shown = literal(_worded(message, sample.payload), len(start), 4)
                return f"{head}{text}{start}{shown}\n"
        text = docstring("Nothing reports a fault: the document has no error message.")
        return f"{head}{text}    return None\n"

    def route(self) -> str:
        """The lines that serve the channel."""
        address = self._channel.address
        arguments = [
            "contract", _text(address), f"{self._handlers}()", f"error_reply={self._error}",
        ]  # fmt: skip
        if self.schemes:
            schemes: dict[str, object] = dict.fromkeys(self.schemes, Expression("authenticate"))
            start = "    authenticate="
            arguments.append(f"authenticate={literal(schemes, len(start), 4)}")
        call = f"router = Router({', '.join(arguments)})\n"
        if len(call) > WIDTH:
            listed = "".join(f"    {each},\n" for each in arguments)
            call = f"router = Router(\n{listed})\n"
        unprompted = ", ".join(flat(message.name) for message in self._unprompted())
        return (
            (f"# The server also sends, by client.send or a Hub: {unprompted}\n" * bool(unprompted))
            + call
            + f"app.router.add_get({_text(_route(address))}, Endpoint(router).handle)\n"
        )

    def _body(self, message: Message) -> str:
        """The body of a handler."""
        sent = {each.identity: each for each in self._channel.sends}
        replies = [sent[identity] for identity in message.responses if identity in sent]
        if not replies:
            return docstring(f"Handle `{flat(message.name)}`, which nothing answers.", "        ")
        names = " or ".join(f"`{flat(reply.name)}`" for reply in replies)
        text = docstring(f"Answer `{flat(message.name)}` by {names}.", "        ")
        request = next((sample.payload for sample in self._book.of(message)), None)
        reply = self._samples.reply(message.name, request)
        if reply is None:
            return f'{text}        raise NotImplementedError("write an example of the reply")\n'
        start = "        return "
        return (
            f"{text}        # An example from the document: put your answer here.\n"
            f"{start}{literal(reply, len(start), 8)}\n"
        )

    def _unprompted(self) -> Iterator[Message]:
        answers = {identity for each in self._channel.receives for identity in each.responses}
        return (message for message in self._channel.sends if message.identity not in answers)


def _worded(message: Message, payload: dict[str, object]) -> dict[str, object]:
    """An error message with the text of the fault, where it has a place for any text."""
    is_valid = validator(message.schema).is_valid
    texts = [name for name, value in payload.items() if isinstance(value, str)]
    for name in sorted(texts, key=lambda name: (*_TEXTS, name).index(name)):
        if is_valid({**payload, name: "Any text, of any length: what was wrong?"}):
            return {**payload, name: Expression("fault.text")}
    return payload


def _text(text: str) -> str:
    return literal(text, 0, 0)


def _schemes(document: Document, channel: Channel) -> list[str]:
    """The names of the security schemes that the channel's router authenticates."""
    servers = [server.security for server in document.servers.values()]
    demands: Security = reduce(either, servers) if servers else ()
    parts = (*demands, *(part for message in channel.receives for part in message.security))
    return list(dict.fromkeys(scheme.name for part in parts for scheme in part))


def _prefix(channel: Channel) -> str:
    return identifier(snake_case(channel.address) or "root", "channel_")


def _route(address: str) -> str:
    """The path of an address, with parameters whose names aiohttp takes."""
    names = Names()
    path = "/" + re.split("[?#]", address, maxsplit=1)[0].lstrip("/")
    return re.sub(
        r"\{([^{}]*)\}", lambda match: f"{{{names.claim(identifier(match[1], 'p'))}}}", path
    )
