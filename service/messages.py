"""What is asked of the service and what it answers, as OpenAPI describes it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field, StringConstraints

SENTENCE = "손흥민은 1992년 7월 8일 춘천에서 태어났다."


def literal_word(word: str) -> str:
    """Return a word that stays as it is written.

    Raises:
        ValueError: If it is empty, or a regular expression: one from outside could keep the service busy for long.
    """
    if not word.strip():
        raise ValueError("expected a word, got an empty one")
    if len(word) > 2 and word[0] == word[-1] == "/":
        raise ValueError("a regular expression between slashes is not taken over the network")
    return word


KeptWord = Annotated[str, StringConstraints(max_length=100), AfterValidator(literal_word)]


class TextsRequest(BaseModel):
    """Texts for a model."""

    model_config = ConfigDict(extra="forbid", strict=True)

    texts: Annotated[list[str], FailFast()] = Field(
        description="The texts. How many there may be, and how long, `GET /v1/models` tells."
    )
    model: str | None = Field(
        None, description="Name of a model, as `GET /v1/models` lists it; by default the first one for the task."
    )


class TagRequest(TextsRequest):
    """Texts in which names are to be found."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"texts": [SENTENCE], "min_score": 0.5}]})

    min_score: float = Field(0.0, ge=0, le=1, description="Names that are less probable are left out.")
    offsets: Literal["characters", "utf16"] = Field(
        "characters",
        description="What places are counted in: Unicode characters, as in Python, or units of UTF-16, as in "
        "JavaScript, Java and C#.",
    )


class SpaceRequest(TextsRequest):
    """Texts whose spaces are to be restored."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"texts": ["오늘은날씨가좋다."], "return_offsets": True}]}
    )

    keep_spaces: bool = Field(False, description="Whether spaces that are there stay, and others are only added.")
    keep_words: Annotated[list[KeptWord], FailFast()] = Field(
        [],
        max_length=100,
        description="Words that stay as they are written, with the spaces in them. Regular expressions between "
        "slashes, which the command line takes, are not taken here.",
    )
    return_offsets: bool = Field(False, description="Whether the answer says where each character was.")
    offsets: Literal["characters", "utf16"] = Field("characters", description="What places are counted in.")


class ClassifyRequest(TextsRequest):
    """Texts whose class is to be found."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"texts": ["정말 재미있는 영화였다."]}]})


class Name(BaseModel):
    """A name in a text."""

    start: int = Field(description="Place of its first character in the untouched text.")
    end: int = Field(description="Place after its last character.")
    label: str = Field(description="What kind of name it is.")
    score: float = Field(description="Its probability.")
    text: str = Field(description="The name itself.")


class TaggedText(BaseModel):
    """The names of a text, from left to right."""

    entities: list[Name]


class TagResponse(BaseModel):
    """The names of each text, in the order of the texts."""

    model: str = Field(description="Name of the model that answered.")
    answers: list[TaggedText]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "named-entities",
                    "answers": [
                        {"entities": [{"start": 0, "end": 3, "label": "PS", "score": 0.99, "text": "손흥민"}]}
                    ],
                }
            ]
        }
    )


class SpacedAnswer(BaseModel):
    """A text with its spaces restored."""

    text: str = Field(description="The text. Nothing but spaces has changed.")
    offsets: list[int | None] | None = Field(
        description="For each place of the answer that of the same character in the text; null for a new space. Null "
        "as a whole unless `return_offsets` asks for it."
    )
    removed: list[int] | None = Field(description="Places of spaces that are gone; null unless asked for.")


class SpaceResponse(BaseModel):
    """Each text with its spaces restored, in the order of the texts."""

    model: str = Field(description="Name of the model that answered.")
    answers: list[SpacedAnswer]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "word-spacing",
                    "answers": [{"text": "오늘은 날씨가", "offsets": [0, 1, 2, None, 3, 4, 5], "removed": []}],
                }
            ]
        }
    )


class ClassifiedText(BaseModel):
    """The class of a text."""

    label: str = Field(description="The likeliest class.")
    score: float = Field(description="Its probability.")
    scores: dict[str, float] = Field(description="The probability of every class.")
    cut: bool = Field(description="Whether the end of the text was too long for the model and was not read.")


class ClassifyResponse(BaseModel):
    """The class of each text, in the order of the texts."""

    model: str = Field(description="Name of the model that answered.")
    answers: list[ClassifiedText]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "sentence-classification",
                    "answers": [
                        {
                            "label": "positive",
                            "score": 0.9,
                            "scores": {"negative": 0.1, "positive": 0.9},
                            "cut": False,
                        }
                    ],
                }
            ]
        }
    )


class ModelCard(BaseModel):
    """A model that answers."""

    name: str = Field(description="What `model` of a request calls it.")
    task: str = Field(description="What it was trained for.")
    path: str = Field(description="Where it answers.")
    labels: list[str] = Field(description="Its labels.")
    default: bool = Field(description="Whether it answers requests that name no model.")


class ServiceLimits(BaseModel):
    """What the service takes at most."""

    max_length: int = Field(description="Characters of a text.")
    max_texts: int = Field(description="Texts of a request.")
    max_body: int = Field(description="Bytes of a body.")
    max_queue: int = Field(description="Characters that wait for a model.")
    max_wait: float = Field(description="Seconds that these will take.")
    timeout: float = Field(description="Seconds until a request is given up.")


class ModelsResponse(BaseModel):
    """The models, and what the service takes at most."""

    models: list[ModelCard]
    limits: ServiceLimits


class Status(BaseModel):
    """How the service is."""

    status: Literal["alive", "ready"]


class Problem(BaseModel):
    """Why a request was not answered."""

    code: str = Field(description="A word for programs.")
    message: str = Field(description="A sentence for people.")
    field: str | None = Field(description="The part of the request that is wrong.")


class ErrorResponse(BaseModel):
    """The answer to a request that was not answered."""

    error: Problem

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "error": {
                        "code": "text_too_long",
                        "message": "A text may have 10000 characters at most.",
                        "field": "texts[0]",
                    }
                }
            ]
        }
    )
