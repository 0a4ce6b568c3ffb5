"""Queries of other lives: what a memory of one trade must keep silent about.

Built from frames and fillers of twenty fields, with verbs that tool names are made of too
(cancel, book, update, search, calculate, transfer, change, list), because those are what misleads.
"""

from __future__ import annotations

import random

FIELDS: dict[str, tuple[list[str], list[str]]] = {
    "cooking": (
        [
            "How long should I simmer {}?",
            "Can I freeze {} after it has cooled?",
            "What goes well with {} for a dinner of six?",
        ],
        [
            "lentil soup",
            "a beef stew",
            "tomato sauce",
            "mushroom risotto",
            "pea dal",
            "an apple crumble",
        ],
    ),
    "sport": (
        ["Write a training plan to {}.", "How do I {} without hurting my knees?"],
        [
            "run ten kilometres",
            "swim a mile in open water",
            "climb my first overhang",
            "improve my tennis serve",
            "train for a triathlon",
        ],
    ),
    "code": (
        [
            "Why does {} raise a type error in Python?",
            "Refactor {} into smaller functions.",
            "Update the unit tests of {} and list what is not covered.",
        ],
        [
            "this recursive parser",
            "the CSV reader",
            "my binary search",
            "the event loop",
            "a date formatter",
        ],
    ),
    "law": (
        ["Summarise the duties of a tenant under {}.", "May my landlord cancel {} without notice?"],
        [
            "a fixed-term lease",
            "a verbal agreement",
            "a sublet",
            "a furnished letting",
            "a house share",
        ],
    ),
    "medicine": (
        ["What are the side effects of {}?", "How often should blood pressure be checked with {}?"],
        ["ibuprofen", "beta blockers", "statins", "an iron supplement", "a thyroid hormone"],
    ),
    "gardening": (
        ["When should I prune {}?", "My {} has yellow leaves, what is missing in the soil?"],
        ["apple trees", "the hydrangea", "climbing roses", "a lemon tree in a pot", "the old fig"],
    ),
    "music": (
        ["Transpose {} up a whole tone.", "Suggest fingerings for {}."],
        [
            "the second violin part",
            "a minuet in G",
            "this chord progression",
            "the cello suite",
            "an accordion waltz",
        ],
    ),
    "history": (
        ["What led to {}?", "Compare {} with what came a century later."],
        [
            "the fall of Constantinople",
            "the Congress of Vienna",
            "the enclosure acts",
            "the Hanseatic League",
            "the Meiji restoration",
        ],
    ),
    "mathematics": (
        ["Prove that {}.", "Calculate the integral behind the claim that {}."],
        [
            "every bounded sequence has a convergent subsequence",
            "the harmonic series diverges",
            "the square root of two is irrational",
        ],
    ),
    "literature": (
        ["Write a poem about {}.", "Give me a book review of a novel about {}."],
        [
            "the sea at night",
            "a lighthouse keeper",
            "two sisters in Lisbon",
            "the last snow",
            "a stolen violin",
        ],
    ),
    "home": (
        ["How do I fix {}?", "Search for the cheapest way to replace {}."],
        [
            "a dripping tap",
            "a squeaking door",
            "the seal of the dishwasher",
            "a cracked tile",
            "a window handle",
        ],
    ),
    "finance": (
        ["Explain how {} is taxed.", "Should I transfer my savings into {}?"],
        [
            "a dividend",
            "an index fund",
            "a government bond",
            "a pension plan",
            "a building society account",
        ],
    ),
    "school": (
        ["Explain {} to a ten-year-old.", "Make a quiz with five questions about {}."],
        ["photosynthesis", "plate tectonics", "fractions", "the water cycle", "magnetism"],
    ),
    "pets": (
        ["How much should {} eat?", "How do I get {} used to being alone?"],
        [
            "a puppy of four months",
            "an old cat",
            "two guinea pigs",
            "a rescued greyhound",
            "a parrot",
        ],
    ),
    "astronomy": (
        ["Which telescope shows {} best?", "How far away is {}?"],
        [
            "the rings of Saturn",
            "the Andromeda galaxy",
            "a double star",
            "the Orion nebula",
            "the moons of Jupiter",
        ],
    ),
    "languages": (
        ["Translate {} into Portuguese.", "What is the difference in grammar behind {}?"],
        ["this love letter", "a menu", "the subjunctive of to be", "an old proverb"],
    ),
    "photography": (
        ["Which shutter speed suits {}?", "How do I change the white balance for {}?"],
        ["a waterfall", "a dance show", "northern lights", "portraits in shade"],
    ),
    "office": (
        ["Draft a polite letter to decline {}.", "List the agenda points for {}."],
        [
            "an invitation to speak",
            "the quarterly review",
            "a job offer",
            "the works council",
            "a farewell party",
        ],
    ),
    "crafts": (
        ["Which stitch do I use for {}?", "Calculate the yarn I need for {}."],
        ["a raglan jumper", "baby socks", "a cable scarf", "a quilted blanket", "a felt hat"],
    ),
    "servers": (
        ["Why does {} run out of memory at night?", "Rotate the logs of {} every week."],
        [
            "the mail relay",
            "a Kubernetes node",
            "the build agent",
            "our message broker",
            "the backup host",
        ],
    ),
}


def queries(count: int, seed: int = 7) -> list[str]:
    """`count` distinct queries, spread evenly over the fields."""
    rng = random.Random(seed)
    pools = [
        rng.sample(made, len(made))
        for frames, fillers in FIELDS.values()
        for made in ([frame.format(filler) for frame in frames for filler in fillers],)
    ]
    dealt = [pool[turn] for turn in range(20) for pool in pools if turn < len(pool)]
    return dealt[:count]
