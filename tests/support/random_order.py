"""`pytest --shuffle SEED` runs the test files in a random order, and the tests of each file too.

No test may need another one before it. The files stay together, so that what a file shares is made once.
"""

import random

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in the random order of this seed")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    seed = config.getoption("shuffle")
    if seed is None:
        return
    shuffled = random.Random(seed)
    rank = {path: shuffled.random() for path in sorted({item.path for item in items})}
    shuffled.shuffle(items)
    items.sort(key=lambda item: rank[item.path])
