"""The Kraken document of the article, with only the lines mended that `check` reports."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from support.rooms import DOCUMENTS

PRINTED = DOCUMENTS / "kraken_article_2.0.yaml"


class Mend(NamedTuple):
    """Text of the document, what to write instead, and why."""

    old: str
    new: str
    why: str


MENDS = (
    Mend(
        """\
      x-response:
        $ref: '#/components/messages/pong'
""",
        """\
      x-response:
        oneOf:
          - $ref: '#/components/messages/pong'
          - $ref: '#/components/messages/subscriptionStatus'
      examples:
        - payload: {event: ping, reqid: 42}
""",
        "a ping may be invalid, so an answer has to be able to report it; and it had no example",
    ),
    Mend(
        """\
        $ref: '#/components/schemas/heartbeat'
""",
        """\
        $ref: '#/components/schemas/heartbeat'
      examples:
        - payload: {event: heartbeat}
""",
        "it had no example",
    ),
    Mend(
        """\
        $ref: '#/components/schemas/pong'
""",
        """\
        $ref: '#/components/schemas/pong'
      examples:
        - payload: {event: pong, reqid: 42}
""",
        "it had no example",
    ),
    Mend(
        """\
      description: Unsubscribe, can specify a channelID or multiple currency pairs.
      payload:
        $ref: '#/components/schemas/subscribe'
""",
        """\
      description: Unsubscribe, can specify a channelID or multiple currency pairs.
      payload:
        $ref: '#/components/schemas/unsubscribe'
""",
        "unsubscribe had the payload of subscribe, so the two could not be distinguished",
    ),
    *(
        Mend(
            f"    {name}:\n      type: object\n      properties:\n        event:\n"
            f"          type: string\n          const: {name}\n",
            f"    {name}:\n      type: object\n      required: [event]\n      properties:\n"
            f"        event:\n          type: string\n          const: {name}\n",
            "without its event it cannot be distinguished from the others",
        )
        for name in ("heartbeat", "pong", "systemStatus")
    ),
    Mend(
        """\
        pair:
          $ref: '#/components/schemas/pair'
        status:
          $ref: '#/components/schemas/status'
        subscription:
          required:
            - name
          type: object
          properties:
            depth:
              $ref: '#/components/schemas/depth'
""",
        """\
        pair:
          type: string
        status:
          type: string
          enum: [subscribed, unsubscribed, error]
        subscription:
          required:
            - name
          type: object
          properties:
            depth:
              type: integer
""",
        "a status is of one pair, is not the system's, and repeats a depth that was refused",
    ),
)


def mended(directory: Path) -> Path:
    """The mended document, written into a directory."""
    text = PRINTED.read_text("utf-8")
    for mend in MENDS:
        assert text.count(mend.old) == 1, mend.old
        text = text.replace(mend.old, mend.new)
    path = directory / "kraken.yaml"
    path.write_text(text, "utf-8")
    return path
