from __future__ import annotations

import os
import subprocess
import sys

from .fake import TOKEN, Answering, Asked, FakeCase
from .node import HERE


class Services(FakeCase):
    def test_services_are_asked_for_by_their_routes_and_what_starts_one_has_a_key(self) -> None:
        def serve(asked: Asked, answer: Answering) -> None:
            if asked.method == "DELETE":
                return answer.begin(204)
            answer.json({"services": []} if asked.method == "GET" and asked.url == "/v1/services" else {"name": "web"})

        fake = self.fake(serve)
        services = fake.client.services
        self.assertEqual(services.list(), [])
        services.declare({"name": "web", "image": "h", "image_size_bytes": 1})
        services.show("web@12D3KooW")
        services.scale("web", 3)
        services.roll_back("web")
        services.open_port("web", {"port": 80})
        services.close_port("web", "127.0.0.1:8080")
        services.remove("web")
        once = [" once" if "idempotency-key" in asked.headers else "" for asked in fake.asked]
        self.assertEqual(
            [f"{asked.method} {asked.url}{key}" for asked, key in zip(fake.asked, once)],
            [
                "GET /v1/services",
                "POST /v1/services once",
                "GET /v1/services/web%4012D3KooW",
                "POST /v1/services/web/scale once",
                "POST /v1/services/web/rollback once",
                "POST /v1/services/web/ports once",
                "DELETE /v1/services/web/ports?listen=127.0.0.1%3A8080",
                "DELETE /v1/services/web",
            ],
        )
        self.assertEqual(fake.asked[3].json, {"replicas": 3})

    def test_the_log_of_a_service_comes_part_by_part(self) -> None:
        def serve(_: Asked, answer: Answering) -> None:
            answer.begin()
            answer.write(b'{"replica":"a","stream":"stdout","text":"hel')
            answer.write(b'lo\\n"}\n{"replica":"b","stream":"stderr","text":"oh"}\n')

        fake = self.fake(serve)
        with fake.client.services.logs("web", slot=1, follow=True) as parts:
            self.assertEqual([(part["replica"], part["text"]) for part in parts], [("a", "hello\n"), ("b", "oh")])
        self.assertEqual(fake.asked[0].url, "/v1/services/web/log?slot=1&follow=true")

    def test_a_part_of_a_log_without_an_end_is_cut(self) -> None:
        client = self.fake(lambda _, answer: answer.whole(b"x" * 3_000_000)).client
        self.fails("too-large", lambda: list(client.services.logs("web")))

    def test_the_example_follows_a_service(self) -> None:
        def serve(asked: Asked, answer: Answering) -> None:
            if "/log" not in asked.url:
                return answer.json({"state": "healthy", "replicas": [{}, {}]})
            answer.whole(b'{"replica":"web.0","stream":"stdout","text":"hello\\n"}\n')

        address = self.fake(serve).address
        env = {**os.environ, "OPENSKY_API_ADDRESS": address, "OPENSKY_API_TOKEN": TOKEN, "PYTHONPATH": str(HERE)}
        example = [sys.executable, str(HERE / "examples/follow_service.py"), "web"]
        ran = subprocess.run(example, env=env, capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual((ran.stdout, ran.stderr), ("web.0 | hello\n", "web is healthy, with 2 replicas\n"))
