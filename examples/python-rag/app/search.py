"""Which passage fits a question best: BM25 over the stems of its words."""

import collections
import math
import re

import snowballstemmer

STEMMER = snowballstemmer.stemmer("english")
K, B = 1.5, 0.75  # how fast repeated words, and longer passages, stop to count


def stems(text):
    return STEMMER.stemWords(re.findall(r"[a-z0-9]+", text.lower()))


def best(question, passages):
    """The (source, passage) with the highest score, None if no word of the question is in any."""
    bags = [collections.Counter(stems(passage)) for _, passage in passages]
    average = sum(bag.total() for bag in bags) / max(len(bags), 1)
    wanted = set(stems(question))
    weights = {word: weight(sum(word in bag for bag in bags), len(bags)) for word in wanted}

    def score(bag):
        length = K * (1 - B + B * bag.total() / average)
        return sum(weights[word] * bag[word] * (K + 1) / (bag[word] + length) for word in wanted if word in bag)

    scores = [score(bag) for bag in bags]
    return passages[scores.index(max(scores))] if any(scores) else None


def weight(holding, total):
    """A word that few passages hold says more."""
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))
