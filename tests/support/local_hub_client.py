"""Stock clients of a local Hub: fresh processes, since what they read of the environment they read at import."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.local_hub import TOKEN, LocalHub


@dataclass(frozen=True)
class HubClient:
    """A user at a machine: `home` keeps the cache, modules that are `missing` cannot be imported."""

    hub: LocalHub
    home: Path
    token: str | None = TOKEN
    missing: tuple[str, ...] = ("malmoi", "torchcrf")
    offline: bool = False

    def attempt(self, script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a script, which finds its arguments in `sys.argv`, and return what came of it."""
        blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in self.missing)
        environment = self.hub.environment(self.home, self.token)
        if self.offline:
            environment["HF_HUB_OFFLINE"] = "1"
        self.home.mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            [sys.executable, "-c", f"import sys\n{blocked}{script}", *map(str, arguments)],
            # nobody is there to answer a question
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            # not the folder of the project, whose rooms could be imported there
            cwd=self.home,
            env=environment,
            # generous: a machine may be busy with other things
            timeout=900,
        )

    def run(self, script: str, *arguments: object) -> list[str]:
        """Run a script that must succeed and return the lines that it prints."""
        result = self.attempt(script, *arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout.splitlines()
