"""Make our architectures known to the `Auto` classes of transformers when somebody imports those.

This file stays in the package: the code of a saved model is found by its configuration.
"""

import sys
from collections.abc import Callable
from typing import Any

CONFIGURATIONS = "transformers.models.auto.configuration_auto"
WATCHED = ("transformers.", "malmoi.configuration.", "malmoi.modeling.")


class LateRegistration:
    """A module finder that leaves the finding to others, and registers once the `Auto` classes are imported.

    Our files import those of transformers, some of which import the `Auto` classes: while one of ours is being read
    it is too early to register, so that waits for the last of them.

    Args:
        register: Registers; called once.
    """

    def __init__(self, register: Callable[[], None]):
        self.register = register
        self.reading = 0
        self.done = False
        sys.meta_path.insert(0, self)
        if CONFIGURATIONS in sys.modules:
            self._register_once()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return what the finders after this one find; its loader then registers, too."""
        if self.done or not name.startswith(WATCHED):
            return None
        later = sys.meta_path[sys.meta_path.index(self) + 1 :]
        spec: Any = next((found for finder in later if (found := finder.find_spec(name, path, target))), None)
        if spec:
            load = spec.loader.exec_module

            def read(module: Any) -> None:
                self.reading += 1
                try:
                    load(module)
                finally:
                    self.reading -= 1
                self._register_once()

            spec.loader.exec_module = read
        return spec

    def _register_once(self) -> None:
        """Register, unless it is too early or has been done."""
        if self.done or self.reading or CONFIGURATIONS not in sys.modules:
            return
        self.done = True
        self.register()
