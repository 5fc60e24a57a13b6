"""Makes opensky/types.py, opensky/api.py and opensky/routes.py from docs/openapi.json.

Usage: python3 generate.py [--check]. With --check it only says whether they are up to date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from generator.operations import api_module, routes_module
from generator.schemas import types_module

HERE = Path(__file__).parent
DOCUMENT = HERE / "../../docs/openapi.json"
HEADER = "# Made from docs/openapi.json by `python3 generate.py`; changes go to crates/api.\n"


def made(document: dict[str, Any]) -> dict[Path, str]:
    """Each file with what belongs into it."""
    modules = {"types": types_module, "api": api_module, "routes": routes_module}
    return {HERE / f"opensky/{name}.py": HEADER + make(document) for name, make in modules.items()}


def main(arguments: list[str]) -> int:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    stale = 0
    for path, text in made(document).items():
        if arguments != ["--check"]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale = 1
            print(
                f"opensky/{path.name} is not what docs/openapi.json says: run generate.py in sdk/python",
                file=sys.stderr,
            )
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
