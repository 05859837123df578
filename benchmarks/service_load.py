"""Clients that ask the service and check each answer: what `python -m malmoi.benchmarks.service` lets locust run.

It is a process of its own, since locust puts gevent in the place of threads and sockets. What to do is in the JSON
file that `MALMOI_LOAD` names; what came of each request is written to the file that is its `output`.
"""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

from locust import FastHttpUser, constant_throughput, events, task

PLAN: dict[str, Any] = json.loads(Path(os.environ["MALMOI_LOAD"]).read_text("utf-8"))
TEXTS: list[str] = PLAN["texts"]
EXPECTED: list[list[list[Any]]] = PLAN["expected"]
"""The names of each text: start, end, label, score, text."""
HEADERS = {"Content-Type": "application/json"}
SCORE = 1e-3
"""How far a score may be from that of other batches, in which the same sums are added up in another order."""
outcomes: list[tuple[float, float, int, int, bool]] = []
"""Of each request: when it ended, how many seconds it took, its status, its texts, whether its answer was right."""


def is_right(body: bytes, numbers: list[int]) -> bool:
    """Return whether these are the answers to the texts with these numbers."""
    answers = json.loads(body)["answers"]
    if len(answers) != len(numbers):
        return False
    for answer, number in zip(answers, numbers):
        found, expected = answer["entities"], EXPECTED[number]
        if len(found) != len(expected):
            return False
        for name, (start, end, label, score, text) in zip(found, expected):
            own = (name["start"], name["end"], name["label"], name["text"])
            if own != (start, end, label, text) or abs(name["score"] - score) > SCORE:
                return False
    return True


class Client(FastHttpUser):
    """Asks again and again: at once after an answer, or so often a second."""

    network_timeout = connection_timeout = 60.0
    if PLAN["rate"]:
        wait_time = constant_throughput(PLAN["rate"] / PLAN["clients"])

    @task
    def tag(self) -> None:
        """Make one request with texts that are drawn anew."""
        numbers = random.choices(range(len(TEXTS)), k=PLAN["texts_per_request"])
        body = json.dumps({"texts": [TEXTS[number] for number in numbers]})
        started = time.monotonic()
        with self.client.post("/v1/tag", data=body, headers=HEADERS, catch_response=True) as response:
            ended = time.monotonic()
            status = int(response.status_code)
            right = status == 200 and is_right(response.content, numbers)
            response.success()  # locust is not to keep a list of failures: there are many in an overload
        outcomes.append((ended, ended - started, status, len(numbers), right))
        # a client that is in no hurry does as it is told; to locust this is the sleep of one client alone
        if status == 429 and not PLAN["rate"]:
            time.sleep(float(response.headers["Retry-After"]))


@events.quitting.add_listener
def write_outcomes(**_: object) -> None:
    """Write what came of the requests."""
    Path(PLAN["output"]).write_text(json.dumps(outcomes), "utf-8")
