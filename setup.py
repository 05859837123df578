"""What pyproject.toml cannot say: what only a checkout needs is no part of the wheel.

That is the measurements, and the tables of names of which, with a corpus beside them, `make models` makes its data.
"""

from setuptools import setup
from setuptools.command.build_py import build_py

TABLES_OF_NAMES = {"malmoi.hub_cards.corpora": ["*.tsv"]}


class BuildForUsers(build_py):
    """Copy what those need who install malmoi. An editable install keeps the rest, and so does the sdist."""

    def run(self) -> None:
        if not self.editable_mode:
            self.packages = [name for name in self.packages if not f"{name}.".startswith("malmoi.benchmarks.")]
            self.exclude_package_data = {**self.exclude_package_data, **TABLES_OF_NAMES}
            self.__dict__.pop("data_files", None)  # those of all packages, if they were asked for before
        super().run()


setup(cmdclass={"build_py": BuildForUsers})
