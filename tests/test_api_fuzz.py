"""The API keeps what its own OpenAPI description says, whatever is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from logkb.serve_settings import ServeSettings
from logkb.server import create_app
from tests.browser import serving

CHECKS = [
    schemathesis.checks.not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance, negative_data_rejection, unsupported_method,
]  # fmt: skip
OPERATIONS = [
    found.ok() for found in schemathesis.openapi.from_dict(create_app().openapi()).get_all_operations() if isinstance(found, Ok)
]
# Each operation as described, and, where it takes anything, with what the description forbids.
WAYS = [(operation, GenerationMode.POSITIVE) for operation in OPERATIONS] + [
    (operation, GenerationMode.NEGATIVE) for operation in OPERATIONS if list(operation.iter_parameters()) or operation.body
]


@pytest.fixture(scope="module")
def address(cache_folder: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGKB_CACHE_DIR", str(cache_folder))
        with serving(create_app(ServeSettings(limit_bytes=100_000, queue=100))) as made:
            yield made


@pytest.mark.parametrize(("operation", "mode"), WAYS, ids=lambda value: getattr(value, "label", None) or value.value)
def test_the_api_keeps_its_description(
    operation: schemathesis.APIOperation[Any, Any, Any, Any], mode: GenerationMode, address: str
) -> None:
    # Without shrinking: a failing example is told as it is, and the time stays bounded.
    @settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def keeps(case: schemathesis.Case[Any]) -> None:
        # Every body is a log, so none is wrong by its kind.
        checks = [check for check in CHECKS if not (operation.body and check is negative_data_rejection)]
        case.call_and_validate(base_url=address, checks=checks)

    keeps()


def test_every_operation_names_its_errors() -> None:
    for operation in OPERATIONS:
        answers = operation.definition.raw["responses"]
        assert {"421", "422"} <= set(answers), operation.label
        for status, answer in answers.items():
            kinds = list(answer["content"])
            assert kinds == (["application/problem+json"] if status >= "400" else ["application/json"]), (operation.label, status)
