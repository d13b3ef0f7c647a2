"""Schemas by themselves, as parts of documents that are compared."""

from __future__ import annotations

from pathlib import Path

from asyncapi_server.diff import Spec, Terms, Version
from asyncapi_server.diff.context import Context
from asyncapi_server.diff.schemas.schema import Schema
from asyncapi_server.document.dialects import Dialect
from asyncapi_server.document.source import Library, Node, Source


def pair(
    old: object, new: object, dialect: Dialect = Dialect.DRAFT_7, terms: Terms | None = None
) -> tuple[Schema, Schema]:
    """Two schemas of one comparison; their references lead to places in themselves."""
    context = Context(terms or Terms())
    return _schema(old, dialect, context), _schema(new, dialect, context)


def _schema(value: object, dialect: Dialect, context: Context) -> Schema:
    source = Source(Path("schema.json"), value, {}, f"file {id(value)}")
    root = Node(Library(), source, "", value)
    spec = Spec("asyncapi", "3.0.0", Version(1, 0, 0), root)
    return Schema(root, dialect, spec, context)
