"""Services: programs that stay up."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypedDict

from .api import Api
from .connection import Connection
from .lines import json_lines
from .streams import Leash, Stream
from .types import OpenPortRequest, OpenPortView, ServiceRequest, ServiceView, StreamView


class ServiceLogPart(TypedDict):
    """A part of what a replica wrote."""

    #: Whose output it is.
    replica: str
    #: Which output.
    stream: StreamView
    #: What was written; bytes that are no text are replaced.
    text: str


class ServiceClient:
    """A service is named by its name, or `NAME@NODE` where another node owns it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._api = Api(connection)

    def list(self, *, timeout: float | None = None) -> list[ServiceView]:
        """Those that the node owns, keeps or has heard of."""
        return self._api.services(timeout=timeout)["services"]

    def declare(
        self, service: ServiceRequest, *, idempotency_key: str | None = None, timeout: float | None = None
    ) -> ServiceView:
        """Declares one, or its next revision. Its image was uploaded before."""
        return self._api.declare_service(service, idempotency_key=idempotency_key, timeout=timeout)

    def show(self, service: str, *, timeout: float | None = None) -> ServiceView:
        """One in full."""
        return self._api.service(service, timeout=timeout)

    def scale(
        self, service: str, replicas: int, *, idempotency_key: str | None = None, timeout: float | None = None
    ) -> ServiceView:
        """Changes how many replicas run."""
        return self._api.scale_service(
            service, {"replicas": replicas}, idempotency_key=idempotency_key, timeout=timeout
        )

    def roll_back(
        self, service: str, *, idempotency_key: str | None = None, timeout: float | None = None
    ) -> ServiceView:
        """Declares the revision before anew."""
        return self._api.roll_back_service(service, idempotency_key=idempotency_key, timeout=timeout)

    def remove(self, service: str, *, timeout: float | None = None) -> None:
        """Ends it everywhere."""
        self._api.remove_service(service, timeout=timeout)

    def open_port(
        self, service: str, port: OpenPortRequest, *, idempotency_key: str | None = None, timeout: float | None = None
    ) -> OpenPortView:
        """Leads a local address of the node to one of its ports."""
        return self._api.open_service_port(service, port, idempotency_key=idempotency_key, timeout=timeout)

    def close_port(self, service: str, listen: str, *, timeout: float | None = None) -> None:
        """Leads it nowhere any more."""
        self._api.close_service_port(service, listen=listen, timeout=timeout)

    def logs(
        self, service: str, *, slot: int | None = None, follow: bool = False, timeout: float | None = None
    ) -> Stream[ServiceLogPart]:
        """What its replicas write; with `follow` until the caller leaves. For owners and keepers."""
        leash = Leash()
        return Stream(self._parts(service, {"slot": slot, "follow": follow}, leash, timeout), leash)

    def _parts(
        self, service: str, query: dict[str, object], leash: Leash, timeout: float | None
    ) -> Generator[ServiceLogPart, None, None]:
        route = "/v1/services/{service}/log"
        answer = self._connection.open("GET", route, path={"service": service}, query=query, timeout=timeout)
        # Replicas may be silent for as long as they like.
        yield from json_lines(leash.hold(answer).pieces())
