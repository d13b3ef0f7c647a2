"""Models take what their schemas admit, and give it back as it was."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis.errors import FailedHealthCheck, Unsatisfiable

from asyncapi_server.contract_tests.values import values
from generate.documents import Case, each_document
from generate.talk import document, is_same, plain

EXAMPLES = 10


@each_document
def test_models_keep_what_their_schemas_admit(case: Case, trees: Path) -> None:
    interface, served = case.interface(), document(case)
    models = importlib.import_module(f"served.{case.key}.models")
    checked = set()
    for channel in interface.channels:
        its = served.channels[channel.address]
        messages = (*(each.message for each in channel.requests), *channel.sends)
        schemas = (message.schema for message in (*its.receives, *its.sends))
        for message, schema in zip(messages, schemas, strict=True):
            if message.is_typed and message.type not in checked:
                checked.add(message.type)
                check(getattr(models, message.type), schema)


def check(model: Any, schema: dict[str, object]) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(values(schema))
    def keeps(value: object) -> None:
        built = model.model_validate(value)
        assert is_same(plain(built), value), (plain(built), value)

    try:
        keeps()
    except (FailedHealthCheck, Unsatisfiable, re.error):
        return  # no value of the schema is found, or hardly any
