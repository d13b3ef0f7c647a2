"""Validation by JSON Schema draft 7: the reference, and a faster engine with the same verdicts.

`ASYNCAPI_SERVER_VALIDATION=reference` in the environment takes the reference though the faster one
is installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache

from asyncapi_server.validation.cost import check_cost
from asyncapi_server.validation.faults import CannotValidate, SchemaFault, Validator
from asyncapi_server.validation.recursion import BoundedValidator, unrolled

Engine = Callable[[Mapping[str, object] | bool], Validator]
"""Compiles a schema; raises ValueError when it is not valid."""

VARIABLE = "ASYNCAPI_SERVER_VALIDATION"

__all__ = ["CannotValidate", "Engine", "SchemaFault", "Validator", "validator"]


def validator(schema: Mapping[str, object] | bool) -> Validator:
    """Compile a schema; raises ValueError when it is not valid, CannotValidate when it may be
    and takes too long, or has a pattern that is not known.

    `format` is an annotation only. Nothing is ever fetched.
    """
    check_cost(schema)
    engine = _engine(reference=os.environ.get(VARIABLE) == "reference")
    judge, shallow = engine(schema), unrolled(schema)
    return judge if shallow is None else BoundedValidator(judge, engine(shallow))


@cache
def _engine(*, reference: bool) -> Engine:
    """The reference, or the fastest engine that is installed; imports only the one it returns."""
    if not reference:
        with suppress(ImportError):  # the extra [fast] is not installed
            from asyncapi_server.validation.fast import FastValidator

            return FastValidator
    from asyncapi_server.validation.reference import ReferenceValidator

    return ReferenceValidator
