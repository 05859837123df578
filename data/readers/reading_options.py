"""What a user can say of data beside where they are: names of columns, what stands between tokens, and the like."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """What readers can be told; each heeds those that its entry in `READERS` names. `None` is not said."""

    token_separator: str | None = None
    tag_column: int | None = None
    annotator: str | None = None
    dataset: object = None
    text_column: str | None = None
    label_column: str | None = None

    def given(self) -> dict[str, object]:
        """Return what was said."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
