"""A WordPiece tokenizer like that of Korean BERT models, built from the training text."""

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from malmoi.data.token_characters import EMOJI, drop_invisible
from malmoi.data.user_error import UserError

SPECIAL = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}

CONTINUATION = "##"


def build_wordpiece_tokenizer(texts: Iterable[str], *, vocab_size: int) -> PreTrainedTokenizerFast:
    """Build a tokenizer of words and pieces of words, `##` before those that continue a word.

    Accents are not stripped, since that would take Hangul syllables apart. Invisible characters belong to no token,
    and an emoji is a word of its own: one that the vocabulary lacks does not make a name before it unknown.

    Args:
        texts: The training texts.
        vocab_size: How many tokens the vocabulary has; each character has two anyway, to begin and to continue a word.

    Raises:
        UserError: If the texts hold no character.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token=SPECIAL["unk_token"]))
    tokenizer.normalizer = normalizers.Sequence(
        [*drop_invisible(), normalizers.BertNormalizer(strip_accents=False, lowercase=False)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(EMOJI), "isolated"), pre_tokenizers.BertPreTokenizer()]
    )
    tokenizer.decoder = decoders.WordPiece()
    words = [
        word
        for text in texts
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))
    ]
    alphabet = sorted(set("".join(words)))
    if not alphabet:
        raise UserError("No character occurs in the training texts.")
    # The trainer numbers pieces as it meets them, in an order that changes from run to run, and breaks ties by number.
    # Those that it finds in place keep theirs, so the same texts give the same vocabulary.
    pieces = [*SPECIAL.values(), *alphabet, *(CONTINUATION + character for character in alphabet)]
    trainer = trainers.WordPieceTrainer(
        vocab_size=max(vocab_size, len(pieces)),
        special_tokens=pieces,
        continuing_subword_prefix=CONTINUATION,
        show_progress=False,
    )
    trained = Tokenizer(models.WordPiece(unk_token=SPECIAL["unk_token"]))
    trained.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trained.train_from_iterator(words, trainer)
    tokenizer.model = models.WordPiece(trained.get_vocab(), unk_token=SPECIAL["unk_token"])
    ids = {name: tokenizer.token_to_id(token) for name, token in SPECIAL.items()}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", ids["cls_token"]), ("[SEP]", ids["sep_token"])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **SPECIAL,
        padding_side="right",
        split_special_tokens=True,  # "[SEP]" in a text is five characters
        model_input_names=["input_ids", "attention_mask"],
    )
