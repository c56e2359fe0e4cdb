"""JSON as RFC 8259 has it, and nothing that two readers could understand differently."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """UTF-8, no NaN or Infinity, no name twice in one object; fractions are read exactly, as ``Decimal``."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        # Through the request, which reads no more than DATA_UPLOAD_MAX_MEMORY_SIZE and keeps the bytes.
        body: bytes = (parser_context or {})["request"].body
        try:
            return json.loads(
                body.decode("utf-8-sig"),
                parse_constant=_refuse_constant,
                parse_float=_exact,
                parse_int=_whole,
                object_pairs_hook=_each_name_once,
            )
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not UTF-8: see byte {error.start}.") from None
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except json.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from None
        except ValueError as error:
            raise ParseError(f"The body cannot be read: {error}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


def _exact(number: str) -> Decimal:
    try:
        return Decimal(number)
    except InvalidOperation:
        raise ValueError("a number is too large.") from None


def _whole(number: str) -> int:
    try:
        return int(number)
    except ValueError:  # Python reads some thousand digits, and its own words about that are for programmers
        raise ValueError("a number has too many digits.") from None


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a field twice.")
    return found
