# Made from docs/openapi.json by `python3 generate.py`; changes go to crates/api.
"""What the client must know of routes when it runs."""

from __future__ import annotations

#: Routes that spend or start something, and so take an `Idempotency-Key`.
ONCE: frozenset[str] = frozenset(
    {
        "POST /v1/graphql",
        "POST /v1/jobs",
        "POST /v1/jobs/{job}/retry",
        "POST /v1/services",
        "POST /v1/services/{service}/ports",
        "POST /v1/services/{service}/rollback",
        "POST /v1/services/{service}/scale",
        "POST /v1/transactions",
        "POST /v1/validators",
        "POST /v1/wallet/owner",
        "POST /v1/wallet/stake",
        "POST /v1/wallet/transfer",
        "POST /v1/wallet/unstake",
    }
)
