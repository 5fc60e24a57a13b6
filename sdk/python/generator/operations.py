"""Routes of the description as methods."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import Any

from .schemas import Types, docstring, name_of

Schema = dict[str, Any]
METHODS = ("get", "put", "post", "delete")
JSON = "application/json"
ONCE = "idempotency-key"

HEAD = '''"""Every route of the local API that takes and answers JSON or nothing, as a method with its types."""

from __future__ import annotations

from typing import Any

from . import types
from .connection import Connection


class Api:
    """The routes. `timeout` is how long the call may take, in seconds; 60 if absent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
'''


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Method, route and description of each operation."""
    for route, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield method.upper(), route, methods[method]


def takes_key(operation: Schema) -> bool:
    return any(of["in"] == "header" and of["name"] == ONCE for of in operation.get("parameters", []))


def routes_module(document: Schema) -> str:
    """The text of `routes.py`."""
    lines = [f'        "{method} {route}",\n' for method, route, of in operations(document) if takes_key(of)]
    doc = '"""What the client must know of routes when it runs."""\n\nfrom __future__ import annotations\n\n'
    what = "#: Routes that spend or start something, and so take an `Idempotency-Key`.\n"
    return f"{doc}{what}ONCE: frozenset[str] = frozenset(\n    {{\n{''.join(lines)}    }}\n)\n"


def api_module(document: Schema) -> str:
    """The text of `api.py`."""
    types = Types(document["components"]["schemas"])
    methods = [method_of(types, *operation) for operation in operations(document)]
    return HEAD + "".join(text for text in methods if text)


def method_of(types: Types, method: str, route: str, operation: Schema) -> str | None:
    """One operation as a method; `None` if it takes or answers bytes."""
    sent = operation.get("requestBody", {}).get("content", {})
    answer = answer_of(types, operation["responses"])
    if answer is None or (sent and JSON not in sent):
        return None
    arguments, passed = ["self"], [f'"{method}"', f'"{route}"']
    fields = fields_of(types, operation, "path")
    arguments += [f"{python_name(name)}: {kind}" for name, kind, _ in fields]
    if fields:
        passed.append(f"path={dictionary(fields)}")
    if sent:
        arguments.append(f"body: types.{name_of(sent[JSON]['schema']['$ref'])}")
        passed.append("json=body")
    arguments.append("*")
    fields = fields_of(types, operation, "query")
    arguments += [
        f"{python_name(name)}: {kind}" + ("" if needed else " | None = None") for name, kind, needed in fields
    ]
    if fields:
        passed.append(f"query={dictionary(fields)}")
    if takes_key(operation):
        arguments.append("idempotency_key: str | None = None")
        passed.append("idempotency_key=idempotency_key")
    arguments.append("timeout: float | None = None")
    passed.append("timeout=timeout")
    head = f"\n    def {snake(operation['operationId'])}({', '.join(arguments)}) -> {answer}:\n"
    return head + docstring(operation["summary"], "        ") + result_of(answer, ", ".join(passed))


def result_of(answer: str, passed: str) -> str:
    call = f"self._connection.ask({passed})"
    if answer == "None":
        return f"        {call}\n"
    return f"        answer: {answer} = {call}\n        return answer\n"


def answer_of(types: Types, responses: Schema) -> str | None:
    good = next(answer for status, answer in responses.items() if status.startswith("2"))
    content = good.get("content", {})
    if not content:
        return "None"
    return qualified(types.type_of(content[JSON].get("schema", {}), "")) if JSON in content else None


def fields_of(types: Types, operation: Schema, where: str) -> list[tuple[str, str, bool]]:
    """Name, type and whether it is needed, of each parameter there."""
    found = [of for of in operation.get("parameters", []) if of["in"] == where]
    return [(of["name"], qualified(types.type_of(of["schema"], "")), of["required"]) for of in found]


def dictionary(fields: list[tuple[str, str, bool]]) -> str:
    return "{" + ", ".join(f'"{name}": {python_name(name)}' for name, _, _ in fields) + "}"


def qualified(kind: str) -> str:
    return kind if kind in ("str", "int", "float", "bool", "Any") else f"types.{kind}"


def python_name(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
