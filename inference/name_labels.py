"""How the labels of a tagger begin names, go on with them and end them, whatever scheme they follow, by their ids."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from malmoi.data.alignment import OUTSIDE
from malmoi.data.label_scheme import BEGIN, END, INSIDE, SINGLE, LabelScheme


class TypeLabels(NamedTuple):
    """The ids of the labels of one type of names, as a rule one of each kind or none.

    Args:
        begin: Those that begin a name that may go on.
        inside: Those that go on with a name.
        end: Those that go on with a name and end it.
        single: Those of a whole name.
    """

    begin: list[int]
    inside: list[int]
    end: list[int]
    single: list[int]

    @property
    def leave_open(self) -> list[int]:
        """The labels after which the name may go on."""
        return self.begin + self.inside

    @property
    def go_on(self) -> list[int]:
        """The labels that go on with a name."""
        return self.inside + self.end


class NameLabels(NamedTuple):
    """The labels of a tagger of names.

    Args:
        names: The labels, in the order of their ids.
        types: Those of each type of names.
        inside_begins: Whether a label that goes on with a name begins one where there is none.
    """

    names: list[str]
    types: dict[str, TypeLabels]
    inside_begins: bool

    def goes_on(self) -> NDArray[np.bool_]:
        """Return whether a label goes on with the name that one before it has left open, `(before, label)`."""
        answer = np.zeros((len(self.names), len(self.names)), bool)
        for labels in self.types.values():
            answer[np.ix_(labels.leave_open, labels.go_on)] = True
        return answer

    def outside(self) -> int:
        """Return the id of the label of what is no name."""
        return self.names.index(OUTSIDE)

    def spells_nothing(self) -> NDArray[np.bool_]:
        """Return whether a label is, after another one, read as if it were that of no name, `(before, label)`.

        The label of no name itself is not among them. One that goes on with a name is where there is none to go on
        with, unless it begins one then.
        """
        named = [label for of in self.types.values() for label in (*of.leave_open, *of.end, *of.single)]
        answer = np.ones((len(self.names), len(self.names)), bool)
        answer[:, [*named, self.outside()]] = False
        if not self.inside_begins:
            for labels in self.types.values():
                answer[:, labels.go_on] = ~self.goes_on()[:, labels.go_on]
        return answer


def name_labels(labels: Mapping[int, str], scheme: LabelScheme) -> NameLabels:
    """Return how labels write names.

    Args:
        labels: The label of each id.
        scheme: The scheme that they follow.
    """
    found: dict[str, dict[str, list[int]]] = {}
    for index, label in labels.items():
        if label in scheme.parts:
            part, label_type = scheme.parts[label]
            found.setdefault(label_type, {}).setdefault(part, []).append(index)
    types = {
        label_type: TypeLabels(*(of_parts.get(part, []) for part in (BEGIN, INSIDE, END, SINGLE)))
        for label_type, of_parts in found.items()
    }
    return NameLabels([labels[index] for index in range(len(labels))], types, scheme.inside_begins)
