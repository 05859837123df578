"""Every name that `import malmoi` offers, used as a reader of its documentation would."""

import doctest
from pathlib import Path

import pytest
from support.tiny_models import bert_tokenizer, knowing_bert_tagger, save, tiny_bert_classifier, tiny_bert_tagger

import malmoi
from malmoi.data.word_spacing import SPACING_LABELS

USES = {
    "Tagger Entity": """
        >>> tagger("손흥민은 왔다.") == tagger(["손흥민은 왔다."])[0] == next(tagger.tag(["손흥민은 왔다."]))
        True
        >>> [(name.label, name.text) for name in tagger("손흥민은 왔다.") if isinstance(name, malmoi.Entity)]
        [('PS', '손흥민')]
        """,
    "Spacer SpacedText": """
        >>> spaced = malmoi.Spacer("spacing")("그는 왔다.")
        >>> isinstance(spaced, malmoi.SpacedText), spaced.text.replace(" ", "")
        (True, '그는왔다.')
        """,
    "Classifier Classification": """
        >>> answer = malmoi.Classifier("reviews")("좋다")
        >>> isinstance(answer, malmoi.Classification), answer.score == answer.scores[answer.label]
        (True, True)
        """,
    "BiLstmConfig BiLstmForSequenceClassification": """
        >>> malmoi.BiLstmForSequenceClassification(malmoi.BiLstmConfig(vocab_size=9, **sizes)).config.model_type
        'bilstm'
        """,
    "BiLstmCrfConfig BiLstmCrfForTokenClassification": """
        >>> malmoi.BiLstmCrfForTokenClassification(malmoi.BiLstmCrfConfig(vocab_size=9, **sizes)).config.model_type
        'bilstm_crf'
        """,
    "EncoderCrfConfig EncoderCrfForTokenClassification": """
        >>> config = malmoi.EncoderCrfConfig(encoder_config=tagger.model.config.to_dict())
        >>> malmoi.EncoderCrfForTokenClassification(config).config.model_type
        'encoder_crf'
        """,
    "LinearChainCrf": """
        >>> malmoi.LinearChainCrf(3).transitions.shape
        torch.Size([3, 3])
        """,
    "CrfTokenClassificationPipeline": """
        >>> config = malmoi.EncoderCrfConfig(encoder_config=tagger.model.config.to_dict())
        >>> model = malmoi.EncoderCrfForTokenClassification(config).eval()
        >>> pipeline = malmoi.CrfTokenClassificationPipeline(model=model, tokenizer=tagger.tokenizer)
        >>> text = "손흥민은 왔다."
        >>> {text[label["start"] : label["end"]] == label["word"] for label in pipeline(text, ignore_labels=[])}
        {True}
        """,
    "Recipe load_recipe": """
        >>> recipe = malmoi.load_recipe("klue-ner-bi-lstm-crf")
        >>> isinstance(recipe, malmoi.Recipe), recipe.task, recipe.model_type
        (True, 'named-entities', 'bilstm_crf')
        """,
    "train UserError": """
        >>> try:
        ...     malmoi.train("demo", learning_rat=1e-3)
        ... except malmoi.UserError as error:
        ...     print(error)
        Unknown setting 'learning_rat'; did you mean 'learning_rate'?
        """,
    "read_data": """
        >>> data = malmoi.read_data([{"text": "손흥민은 왔다.", "entities": [[0, 3, "PS"]]}])
        >>> data["train"][0]["entities"]
        [{'start': 0, 'end': 3, 'label': 'PS'}]
        """,
    "evaluate": """
        >>> rows = [{"text": "손흥민은 왔다.", "entities": [[0, 3, "PS"]]}]
        >>> report = malmoi.evaluate("names", dataset={"test": rows})
        >>> report["figures"]["entity_f1"]
        1.0
        """,
    "tune": """
        >>> try:
        ...     malmoi.tune("demo", search_space={"hiden_dropout": {"low": 0.2, "high": 0.6}})
        ... except malmoi.UserError as error:
        ...     print(error)
        `search_space`: unknown key 'hiden_dropout'; did you mean 'hidden_dropout'?
        """,
    "push": """
        >>> malmoi.push("nowhere", "no name", dry_run=True)
        Traceback (most recent call last):
        malmoi.data.user_error.UserError: Expected the name of a repository, user/name, got 'no name'.
        """,
    "kernels __version__": """
        >>> malmoi.kernels.__name__, malmoi.__version__.count(".")
        ('malmoi.kernels', 2)
        """,
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model for each task."""
    folder = tmp_path_factory.mktemp("models")
    tokenizer = bert_tokenizer()
    person = {"손": "B-PS", "##흥": "I-PS", "##민": "I-PS"}
    save(folder / "names", knowing_bert_tagger(tokenizer, ["B-PS", "I-PS", "O"], person), tokenizer)
    save(folder / "spacing", tiny_bert_tagger(tokenizer, SPACING_LABELS), tokenizer)
    save(folder / "reviews", tiny_bert_classifier(tokenizer), tokenizer)
    return folder


@pytest.mark.parametrize("names", USES)
def test_every_name_is_of_use(names: str, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models)
    sizes = {"embedding_size": 4, "hidden_size": 4, "ngram_vocab_size": 8, "ngram_embedding_size": 2}
    scope = {"malmoi": malmoi, "tagger": malmoi.Tagger("names"), "sizes": sizes}
    example = doctest.DocTestParser().get_doctest(USES[names], scope, names, None, None)
    said: list[str] = []
    assert example.examples
    assert doctest.DocTestRunner().run(example, out=said.append).failed == 0, "".join(said)


def test_no_name_is_without_an_example() -> None:
    assert sorted(" ".join(USES).split()) == sorted(malmoi.__all__)


def test_the_example_of_the_docstring_runs(saved_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert malmoi.__doc__ is not None
    example = [line.strip() for line in malmoi.__doc__.split("\n") if line.startswith("    ")]
    monkeypatch.chdir(saved_model.parent)
    code = "\n".join(example).replace('"runs/klue"', f'"{saved_model.name}"')
    scope: dict[str, object] = {}
    exec(code, scope)
    assert isinstance(scope["tagger"], malmoi.Tagger)
