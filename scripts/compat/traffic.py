"""Compares two contracts of streams: who sends which message where, and the replies to it.

The documents ask clients to ignore messages of unknown types, so a new message that is no reply
breaks nobody; a new reply does, since the client waits for one that it knows.
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server import ChannelContract, Contract, MessageContract
from scripts.compat.changes import Change, breaking, compatible


def compare_traffic(old: Contract, new: Contract) -> list[Change]:
    """The changes between two contracts, except the payloads of their messages."""
    return [*_servers(old, new), *_channels(old, new)]


def _servers(old: Contract, new: Contract) -> Iterator[Change]:
    for name in dict.fromkeys((*old.servers, *new.servers)):
        place = f"server {name}"
        before, after = old.servers.get(name), new.servers.get(name)
        if after is None:
            yield breaking(place, "the server is gone", "clients connect to it")
        elif before is None:
            yield compatible(place, "the server is new", "nobody has to use it")
        elif before != after:
            was, is_ = (f"{s.protocol}://{s.address}" for s in (before, after))
            yield breaking(place, f"{was} becomes {is_}", "clients connect to the old address")


def _channels(old: Contract, new: Contract) -> Iterator[Change]:
    for address in dict.fromkeys((*old.channels, *new.channels)):
        before, after = old.channels.get(address), new.channels.get(address)
        if after is None:
            yield breaking(address, "the channel is gone", "clients connect to this address")
        elif before is None:
            yield compatible(address, "the channel is new", "nobody has to use it")
        else:
            yield from _received(address, before, after)
            yield from _sent(address, before, after)


def _received(address: str, old: ChannelContract, new: ChannelContract) -> Iterator[Change]:
    mine, theirs = _by_name(old.receives), _by_name(new.receives)
    for name in dict.fromkeys((*mine, *theirs)):
        place = f"{address} {name}"
        if name not in theirs:
            yield breaking(place, "the message is gone", "clients that send it are refused")
        elif name not in mine:
            yield compatible(place, "clients may send this message", "nobody has to")
        else:
            before, after = mine[name], theirs[name]
            yield from _message(place, before, after)
            yield from _replies(place, before, after)


def _sent(address: str, old: ChannelContract, new: ChannelContract) -> Iterator[Change]:
    mine, theirs = _by_name(old.sends), _by_name(new.sends)
    for name in dict.fromkeys((*mine, *theirs)):
        place = f"{address} {name}"
        if name not in theirs:
            yield breaking(place, "the message is gone", "clients that wait for it never get it")
        elif name not in mine:
            why = "clients ignore unknown types, as the document asks them to"
            yield compatible(place, "the server may send this message", why)
        else:
            yield from _message(place, mine[name], theirs[name])


def _message(place: str, old: MessageContract, new: MessageContract) -> Iterator[Change]:
    if old.correlation != new.correlation:
        step = f"the correlation id moves from {old.correlation or 'nowhere'} to "
        step += new.correlation or "nowhere"
        if old.correlation is None:
            yield compatible(place, step, "nobody has to give or read one")
        else:
            yield breaking(place, step, "clients look for it at the old place")
    before, after = (None if m.servers is None else frozenset(m.servers) for m in (old, new))
    if before == after:
        return
    step = f"on {_servers_text(before)} becomes on {_servers_text(after)}"
    if after is None or (before is not None and before <= after):
        yield compatible(place, step, "where it was admitted it still is")
    else:
        yield breaking(place, step, "on a server that admitted it, it is not admitted now")


def _replies(place: str, old: MessageContract, new: MessageContract) -> Iterator[Change]:
    for name in new.replies:
        if name not in old.replies:
            why = "a client that asks waits for the replies that it knows"
            yield breaking(place, f"it may be answered by {name} now", why)
    for name in old.replies:
        if name not in new.replies:
            why = "a client that waits for it never gets it"
            yield breaking(place, f"it is not answered by {name} any more", why)


def _by_name(messages: tuple[MessageContract, ...]) -> dict[str, MessageContract]:
    return {message.name: message for message in messages}


def _servers_text(names: frozenset[str] | None) -> str:
    return "all servers" if names is None else ", ".join(sorted(names)) or "no server"
