"""Validation of the permessage-deflate offers in a client's upgrade (RFC 7692 7.1)."""

from __future__ import annotations

import re

NAME = "permessage-deflate"
_WINDOW = r"(8|9|1[0-5])"
_PARAMETERS = {
    "server_no_context_takeover": re.compile(""),
    "client_no_context_takeover": re.compile(""),
    "server_max_window_bits": re.compile(f"={_WINDOW}"),
    "client_max_window_bits": re.compile(f"(={_WINDOW})?"),
}
"""The text that may follow the name of each parameter, without spaces."""


def may_compress(extensions: str) -> bool:
    """Whether every offer in a Sec-WebSocket-Extensions header may be accepted.

    A server declines an offer with an unknown, repeated or invalid parameter. Here one such
    offer declines them all: no legitimate client makes one.
    """
    offers = [offer.split(";") for offer in extensions.replace(" ", "").split(",")]
    return all(_is_valid(parameters) for name, *parameters in offers if name == NAME)


def _is_valid(parameters: list[str]) -> bool:
    names = [parameter.partition("=")[0] for parameter in parameters]
    return len(set(names)) == len(names) and all(
        name in _PARAMETERS and _PARAMETERS[name].fullmatch(parameter[len(name) :])
        for name, parameter in zip(names, parameters, strict=True)
    )
