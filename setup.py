"""What pyproject.toml cannot say: measurements are run in a checkout, and are no part of the wheel."""

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithoutBenchmarks(build_py):
    """Copy every package but the measurements. An editable install keeps them, and so does the sdist."""

    def run(self) -> None:
        if not self.editable_mode:
            self.packages = [name for name in self.packages if not f"{name}.".startswith("malmoi.benchmarks.")]
            self.__dict__.pop("data_files", None)  # those of all packages, if they were asked for before
        super().run()


setup(cmdclass={"build_py": BuildWithoutBenchmarks})
