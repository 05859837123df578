"""Act on a module of transformers when somebody imports it: most programs need few of them.

This file stays in the package: a saved model brings no import hook along, and imports the pipelines itself.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


class AfterImport:
    """A module finder that leaves the finding to others, and acts on one module when it is imported or reloaded.

    It stays in `sys.meta_path`: if it left, a thread that goes through the list at that moment would miss a finder.

    Args:
        module: The name of the module.
        action: Called with the module, at once if it is imported already. A second call must change nothing more.
    """

    def __init__(self, module: str, action: Callable[[Any], None]):
        self.module = module
        self.action = action
        sys.meta_path.insert(0, self)
        if module in sys.modules:
            action(import_module(module))  # another thread may be importing them: this waits for it

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return what the finders after this one find; its loader then acts, too."""
        later = sys.meta_path[sys.meta_path.index(self) + 1 :] if name == self.module else []
        spec: Any = next((found for finder in later if (found := finder.find_spec(name, path, target))), None)
        if spec:
            load = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (load(module), self.action(module))
        return spec
