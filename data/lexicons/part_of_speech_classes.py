"""Which class of a lexicon an entry of mecab-ko-dic belongs to.

Parts of speech are those of the 21st Century Sejong Project with a few of mecab-ko-dic's own. A form in which several
have grown together has all of them, such as `VV+EP+EC` (`갔으니`). It is in the class of its first part, if all other
parts are such as stand joined to a word of this class.
"""

from malmoi.data.lexicons.mecab_dictionary import DictionaryEntry

CLASSES = ("person", "place", "name", "noun", "number", "verb", "adverb", "particle")
NAMES = {"인명": "person", "지명": "place"}  # of a proper noun; every other is a `name`
NUMERALS = ("~가산명사", "~의존가산명사", "~수사", "~수관형사")  # determiners that count: 세, 서너, 수십만
SINGLE = {
    **dict.fromkeys(("NNG", "NNB", "NP"), "noun"),  # common and dependent nouns, pronouns
    **dict.fromkeys(("NR", "NNBC"), "number"),  # numerals, units
    # verbs, adjectives, auxiliary ones, 아니다, suffixes (-하다, -스럽다), and roots before such a suffix (깨끗)
    **dict.fromkeys(("VV", "VA", "VX", "VCN", "XSV", "XSA", "XR"), "verb"),
    **dict.fromkeys(("MAG", "MAJ", "MM", "IC"), "adverb"),  # adverbs, determiners, interjections
    # josa, of which 이다 is one in school grammar, and endings
    **dict.fromkeys(("JKS", "JKC", "JKG", "JKO", "JKB", "JKV", "JKQ", "JX", "JC", "VCP"), "particle"),
    **dict.fromkeys(("EP", "EF", "EC", "ETN", "ETM"), "particle"),
}
JOSA = {tag for tag in SINGLE if tag[0] == "J"}
ENDINGS = {tag for tag in SINGLE if tag[0] == "E"}
PREDICATES = {tag for tag in SINGLE if SINGLE[tag] == "verb"} - {"XR"}
JOINED = {
    # 그건, 뭘, 겁니다; but not every noun with every josa, of which mecab-ko-dic has a few by chance (준빌)
    **dict.fromkeys(("NP", "NNB"), JOSA | ENDINGS | {"VCP"}),
    # 밝혀졌으나, 아름다움을; but no noun, which should stand apart (할 겁니다)
    **dict.fromkeys((*PREDICATES, "XR"), PREDICATES | JOSA | ENDINGS | {"VCP"}),
    **dict.fromkeys(("MAG", "MAJ", "MM", "IC"), JOSA),  # 이젠
    # endings that have grown together with an auxiliary verb: 잖습니까, 여졌
    **dict.fromkeys((*JOSA, *ENDINGS, "VCP"), JOSA | ENDINGS | {"VCP", "VX"}),
}


def lexicon_class(entry: DictionaryEntry) -> str | None:
    """Return the class of an entry, or `None` if it belongs to none: affixes of nouns, symbols, phrases."""
    first, *others = entry.part_of_speech.split("+")
    if others:
        return SINGLE[first] if set(others) <= JOINED.get(first, set()) else None
    if first == "NNP":
        return NAMES.get(entry.semantic_class, "name")
    if first == "MM" and entry.semantic_class in NUMERALS:
        return "number"
    return SINGLE.get(first)
