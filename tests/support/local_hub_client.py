"""Stock clients of a local Hub: processes of their own, as what they read of the environment they read at import."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.local_hub import TOKEN, LocalHub
from support.warm_process import run_in_process


@dataclass(frozen=True)
class HubClient:
    """A user at a machine: `home` keeps the cache, modules that are `missing` cannot be imported."""

    hub: LocalHub
    home: Path
    token: str | None = TOKEN
    missing: tuple[str, ...] = ("malmoi", "torchcrf")
    offline: bool = False

    def attempt(self, script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a script, which finds its arguments in `sys.argv`, and return what came of it."""
        environment = self.hub.environment(self.home, self.token)
        if self.offline:
            environment["HF_HUB_OFFLINE"] = "1"
        self.home.mkdir(parents=True, exist_ok=True)
        return run_in_process(
            f"import sys\n{script}",
            *arguments,
            # not the folder of the project, whose rooms could be imported there
            folder=self.home,
            environment=environment,
            missing=self.missing,
            # generous: a machine may be busy with other things
            timeout=900,
        )

    def run(self, script: str, *arguments: str | Path) -> list[str]:
        """Run a script that must succeed and return the lines that it prints."""
        result = self.attempt(script, *arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout.splitlines()
