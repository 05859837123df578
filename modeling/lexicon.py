"""Dictionary features: which words of a lexicon lie over each token. Written by malmoi 0.1.0 into every saved BiLSTM.

After SoftLexicon (Ma et al., 2020, https://aclanthology.org/2020.acl-main.528), with classes of words in the place of
word vectors: a feature says that a word of a class lies here, and what that means is learned. Words are looked up by
hashes of their characters in what is saved with the model, so that no file and no tokenizer is needed.
"""

from collections.abc import Mapping
from functools import reduce

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig

HASH_MULTIPLIER = 0x9E3779B1  # odd: spreads ids over all bits (Knuth, The Art of Computer Programming, 3, 6.4)
HASH_MODULUS = 2**31 - 1
NO_CHARACTER, OTHER_CHARACTER, SPACE = 0, 1, 32  # in `token_characters`: nothing, what is part of no word, a space
PLACES = ("single", "begin 2", "end 2", "begin 3", "inside 3", "end 3", "begin 4+", "inside 4+", "end 4+")
OF_SIZE = ((0, 0, 0), (1, 1, 2), (3, 4, 5), (6, 7, 8))  # begin, inside, end of words of one character, two, three, 4+
SHORTEST_ACROSS_SPACE = 4  # shorter words in two pieces are nearly always something else


def add_to_hash(hashed: Tensor, ids: Tensor) -> Tensor:
    """Return hashes, below 2**31, of sequences that go on with these ids, which are at least -1."""
    # ids and remainders are below 2**31 and the multiplier below 2**32: no product leaves 64 bits, as it would 32
    return ((hashed + ids.long() + 2) * HASH_MULTIPLIER) % HASH_MODULUS


class Lexicon(nn.Module):
    """Embed, for each token, the classes of the words over it and its place in them.

    A word is found wherever its characters stand in a text without its spaces, within a token or over several; one
    of fewer than four characters must not have a space in it. All words count, not the longest alone.
    """

    token_characters: Tensor
    word_hashes: Tensor
    word_classes: Tensor

    def __init__(self, config: PreTrainedConfig):
        super().__init__()
        self.config = config
        words, tokens = sum(config.lexicon_sizes), (config.lexicon_vocab_size, config.lexicon_token_length)
        bits = torch.uint8 if len(config.lexicon_classes) <= 8 else torch.int32
        self.register_buffer("token_characters", torch.full(tokens, OTHER_CHARACTER, dtype=torch.int32))
        self.register_buffer("word_hashes", torch.zeros(words, dtype=torch.int32))
        self.register_buffer("word_classes", torch.zeros(words, dtype=bits))
        self.projection = nn.Linear(len(PLACES) * len(config.lexicon_classes), config.lexicon_embedding_size)
        self.dropout = nn.Dropout(config.lexicon_dropout)

    def forward(self, input_ids: Tensor, mask: Tensor, dtype: torch.dtype) -> Tensor:
        """Return embedded features, `(batch, length, size)`, in a type that a quantized projection does not tell."""
        return self.dropout(self.projection(self.marks(input_ids, mask).to(dtype)).relu())

    @torch.no_grad()
    def marks(self, input_ids: Tensor, mask: Tensor) -> Tensor:
        """Return what lies over each token in a mask, 0 or 1, `(batch, length, len(PLACES) * classes)`, uint8."""
        last = len(self.token_characters) - 1
        characters = self.token_characters[input_ids.clamp(max=last)]
        beyond = input_ids > last
        characters = characters.masked_fill((beyond | ~mask)[:, :, None], NO_CHARACTER)
        characters[:, :, 0].masked_fill_(beyond & mask, OTHER_CHARACTER)
        batch, length, width = characters.shape
        characters = characters.reshape(batch, length * width)
        written = (characters != NO_CHARACTER) & (characters != SPACE)
        # the text without its spaces to the front of each row; the last column takes what is no part of it
        place = torch.where(written, written.cumsum(1) - 1, length * width)
        text = torch.zeros(batch, length * width + 1, dtype=torch.long, device=place.device)
        spaces = torch.zeros_like(text)
        text.scatter_(1, place, characters.long())
        spaces.scatter_(1, place, (characters == SPACE).cumsum(1))
        text[:, -1] = spaces[:, -1] = 0
        found = self._find(text, spaces)
        bits = torch.arange(len(self.config.lexicon_classes), device=found.device)
        marks = ((found[..., None] >> bits) & 1).to(torch.uint8).flatten(2)
        marks = marks.gather(1, place[:, :, None].expand(-1, -1, marks.size(2)))
        return marks.view(batch, length, width, marks.size(2)).amax(2)

    def _find(self, text: Tensor, spaces: Tensor) -> Tensor:
        """Return the classes of the words over each character, as bits, for each place, `(batch, length, places)`.

        `text` holds code points, `(batch, length)`, the last 0; `spaces`, how many spaces stand before each of them.
        """
        found = torch.zeros(len(PLACES), *text.shape, dtype=self.word_classes.dtype, device=text.device)
        hashed, start = torch.zeros_like(text), 0
        for size, count in enumerate(self.config.lexicon_sizes, start=1):
            windows = text.size(1) - size + 1
            if windows < 1:
                break
            hashed = add_to_hash(hashed[:, :windows], text[:, size - 1 :])
            hashes, classes = (table[start : start + count] for table in (self.word_hashes, self.word_classes))
            start += count
            if not count:
                continue
            index = torch.searchsorted(hashes, hashed.int()).clamp(max=count - 1)
            hit = hashes[index] == hashed
            if size < SHORTEST_ACROSS_SPACE:
                hit &= spaces[:, size - 1 :] == spaces[:, :windows]
            words = classes[index].masked_fill(~hit, 0)
            begin, inside, end = OF_SIZE[min(size, len(OF_SIZE)) - 1]
            found[begin, :, :windows] |= words
            for shift in range(1, size - 1):
                found[inside, :, shift : shift + windows] |= words
            if size > 1:
                found[end, :, size - 1 :] |= words
        found[:, :, -1] = 0  # what is no part of the text
        return found.permute(1, 2, 0)

    @torch.no_grad()
    def add_words(self, words: Mapping[tuple[int, ...], int]) -> None:
        """Add words, as code points without spaces, with the bits of their classes; known ones get further bits."""
        if not words:
            return
        own, device = len(self.config.lexicon_classes), self.word_hashes.device
        by_size: dict[int, list[tuple[tuple[int, ...], int]]] = {}
        for word, bits in words.items():
            if not 0 < bits < 1 << own:
                raise ValueError(f"The lexicon has {own} classes, as bits 1 to {(1 << own) - 1}; got {bits}.")
            by_size.setdefault(len(word), []).append((word, bits))
        sizes = list(self.config.lexicon_sizes)
        sizes += [0] * (max(by_size, default=0) - len(sizes))
        tables = list(zip(self.word_hashes.split(sizes), self.word_classes.split(sizes)))
        for size, added in by_size.items():
            codes = torch.tensor([list(word) for word, _ in added], dtype=torch.long, device=device)
            hashed = reduce(add_to_hash, codes.unbind(1), torch.zeros_like(codes[:, 0]))
            bits_added = torch.tensor([bits for _, bits in added], dtype=self.word_classes.dtype, device=device)
            hashes, classes = tables[size - 1]
            tables[size - 1] = _united(torch.cat([hashes, hashed.int()]), torch.cat([classes, bits_added]), own)
        self.word_hashes = torch.cat([hashes for hashes, _ in tables])
        self.word_classes = torch.cat([classes for _, classes in tables])
        self.config.lexicon_sizes = [len(hashes) for hashes, _ in tables]


def _united(hashes: Tensor, classes: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Return hashes in order, each once, with the classes of all that had it."""
    unique, index = torch.unique(hashes, return_inverse=True)
    united = torch.zeros(len(unique), dtype=classes.dtype, device=classes.device)
    for bit in range(bits):
        united[index[(classes >> bit) & 1 == 1]] |= 1 << bit
    return unique, united
