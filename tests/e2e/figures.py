"""What must hold of every report: the JSON is as its schema says, the times add up, and each number of the summary is in the JSON.

Pure functions; each gives the problems that it finds, as texts.
"""

import html
import json
import re

from . import runner

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
CLOCKS_MS = 5  # between the program's clock and BuildKit's, which both count whole milliseconds
SHARE = 0.02  # of the run: so much may its segments miss

# ---- schemas ----

TYPES = {"object": dict, "array": list, "string": str, "number": (int, float), "integer": int, "boolean": bool}


def load_schema(name):
    return json.loads((runner.ROOT / "docs" / name).read_text(encoding="utf-8"))


def schema_problems(schema, value, place="$"):
    """The keywords that our schemas use; any other is a problem itself."""
    for keyword, wanted in schema.items():
        if keyword in ("$schema", "title", "description", "additionalProperties"):
            continue
        if keyword == "type":
            if not isinstance(value, TYPES[wanted]) or isinstance(value, bool) != (wanted == "boolean"):
                yield f"{place}: {value!r} is not of type {wanted}"
                return
        elif keyword == "enum":
            if value not in wanted:
                yield f"{place}: {value!r} is none of {wanted}"
        elif keyword == "minimum":
            if value < wanted:
                yield f"{place}: {value} is less than {wanted}"
        elif keyword == "required":
            yield from (f"{place}: it lacks {name}" for name in wanted if name not in value)
        elif keyword == "properties":
            if schema.get("additionalProperties") is not False:
                yield f"{place}: the schema allows more members"
            for name, member in value.items():
                if name in wanted:
                    yield from schema_problems(wanted[name], member, f"{place}.{name}")
                else:
                    yield f"{place}.{name}: the schema does not know it"
        elif keyword == "items":
            for index, item in enumerate(value):
                yield from schema_problems(wanted, item, f"{place}[{index}]")
        elif keyword == "$ref":
            yield from schema_problems(load_schema(wanted), value, place)
        else:
            yield f"{place}: the schema has an unknown keyword {keyword}"


# ---- times ----


def is_inside(span, outer_ms):
    return 0 <= span["start_ms"] and span["start_ms"] + span["ms"] <= outer_ms


def overlaps(spans):
    """Pairs of spans that ran at the same time for longer than the clocks differ."""
    in_order = sorted((span for span in spans if span["ms"] > 0), key=lambda span: span["start_ms"])
    for before, after in zip(in_order, in_order[1:]):
        if before["start_ms"] + before["ms"] > after["start_ms"] + CLOCKS_MS:
            yield before["name"], after["name"]


def time_problems(timings):
    """The stages that were waited for follow each other and are the whole run; what ran at the same time says so."""
    total, spans = timings["total_ms"], timings["spans"]
    stages = [span for span in spans if "parent" not in span]
    waited = [span for span in stages if not span["beside"]]
    parts = sum(span["ms"] for span in waited) + timings["other_ms"]
    if abs(parts - total) > SHARE * total:
        yield f"the segments add up to {parts} ms, not to {total}"
    for span in spans:
        if not is_inside(span, total + CLOCKS_MS):
            yield f"{span['name']!r} is not inside of the run"
    for index, parent in [(None, None), *enumerate(spans)]:
        below = [span for span in spans if span.get("parent") == index and not span["beside"]]
        for one, other in overlaps(below):
            yield f"{one!r} and {other!r} ran at the same time, and neither says so"
        if parent and sum(span["ms"] for span in below) > parent["ms"] + CLOCKS_MS * (len(below) + 1):
            yield f"what is below {parent['name']!r} took longer than it"


# ---- numbers ----


def duration(ms):
    """As a summary says it."""
    tenths, seconds, minutes = (ms + 50) // 100, (ms + 500) // SECOND, (ms + MINUTE // 2) // MINUTE
    if ms < SECOND:
        return f"{ms} ms"
    if tenths < 600:
        return f"{tenths // 10}.{tenths % 10} s"
    if seconds < 3600:
        return f"{seconds // 60} min" + (f" {seconds % 60} s" if seconds % 60 else "")
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def size(amount):
    if amount < 1000:
        return f"{amount} B"
    scaled, units = amount / 1000, ["kB", "MB", "GB", "TB", "PB", "EB"]
    while scaled >= 999.5 and len(units) > 1:
        scaled, units = scaled / 1000, units[1:]
    return f"{scaled:.{1 if scaled < 9.95 else 0}f} {units[0]}"


def money(usd):
    text = f"{usd:.{2 if abs(usd) >= 10 else 4}f}"
    while text.endswith("0") and text[-3] != ".":
        text = text[:-1]
    return "US$ " + text


def brief(text):
    """Without the registry's name before an image, and without the digest behind one."""
    text = re.sub(r"\b\d{12}\.dkr\.ecr\.[\w.-]+/", "", text)
    return re.sub(r"(?<=\w)@sha256:[0-9a-f]+…?", "", text)


def with_short_digests(text):
    """As a summary shows them in the words of others."""
    return re.sub(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}", r"\1", text)


class Known:
    """What a number of the summary may be, from `result`."""

    def __init__(self, result):
        self.durations, self.sizes, self.amounts, self.percents = set(), set(), set(), set()
        self.counts, self.texts = set(), []
        self.collect(result, "")
        self.words = {word for text in self.texts for form in (text, brief(text), with_short_digests(text), with_short_digests(brief(text))) for word in re.findall(WORD, form)}
        self.words |= {part for text in self.texts if " " not in text for part in re.split("[/:]", text)}  # of refs, ARNs
        self.words |= {text.split("/", 2)[2] for text in self.texts if re.match("refs/[a-z]+/.", text)}
        self.digests = {word for text in self.texts for word in re.findall(r"\b[0-9a-f]{40,64}\b", text)}

    def collect(self, value, name):
        if isinstance(value, dict):
            for key, member in value.items():
                self.collect(member, key)
        elif isinstance(value, list):
            for item in value:
                self.collect(item, name)
        elif isinstance(value, str):
            self.texts.append(value)
        elif not isinstance(value, bool):
            self.collect_number(abs(value), name)

    def collect_number(self, value, name):
        if name == "ms" or name.endswith("_ms"):
            self.durations.add(duration(value))
        elif name == "bytes" or name.endswith("_bytes"):
            self.sizes.add(size(value))
        elif "usd" in name:
            self.amounts.add(money(value))
        elif name.endswith("_percent"):
            self.percents.add(f"{value} %")
        else:
            self.counts.add(str(value))

    def knows_word(self, word):
        if word in self.words or word in self.counts or word.endswith(":") and self.knows_word(word[:-1]):
            return True
        digits = re.fullmatch(r"(?:sha256:)?([0-9a-f]{12})", word)
        return bool(digits) and any(digest.startswith(digits[1]) for digest in self.digests)

    def knows_cut(self, word):
        """A name of the timing tree that is cut."""
        return any(known.startswith(word) for known in self.words)


WORD = r"[\w+~/:@=%-]+(?:[.,][\w+~/:@=%-]+)*"
DURATION = r"(?<![\w.])(?:\d+ h(?: \d+ min)?|\d+ min(?: \d+ s)?|\d+(?:\.\d)? (?:ms|s))(?!\w)"
SIZE = r"(?<![\w.])\d+(?:\.\d)? (?:B|[kMGTPE]B)(?!\w)"
MONEY = r"US\$ \d+(?:\.\d+)?"
PERCENT = r"\d+ %"
FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1\n", re.MULTILINE | re.DOTALL)
TREE = "### What took the time\n\n"
FIXED = ("less than US$ 0.0001",)  # words of the summary's own that hold a number


def plain(markdown):
    """A summary as it is read: without escapes and elements, without what a build or a function has said (a stranger's
    text, not ours), without the chart."""
    def keep(found):
        is_ours = found[2] == "sh" or markdown[:found.start()].endswith(TREE)
        return found[3] if is_ours else "\n"
    text = FENCE.sub(keep, markdown)
    text = html.unescape(re.sub(r"<[^>]*>", "", text.replace("<br>", "\n")))
    return re.sub(r"\\([^\w\s])", r"\1", text)


def number_problems(summary, result):
    """Each number of the summary, with its unit, is the value of a member of `result`, or stands in one of its texts."""
    known = Known(result)
    text = plain(summary)
    for words in FIXED:
        text = text.replace(words, "")
    kinds = ((MONEY, known.amounts), (DURATION, known.durations), (SIZE, known.sizes), (PERCENT, known.percents))
    for pattern, values in kinds:
        for found in set(re.findall(pattern, text)):
            if found not in values and not any(found in said for said in known.texts):
                yield f"{found!r} is not in result"
        text = re.sub(pattern, " ", text)
    for found in re.finditer(rf"({WORD})(…?)", text):
        word, is_cut = found[1], bool(found[2])
        if re.search(r"\d", word) and not (known.knows_cut(word) if is_cut else known.knows_word(word)):
            yield f"{word!r} is not in result"
    yield from chart_problems(summary, result["timings"])


def chart_problems(summary, timings):
    """Each bar of the chart begins and ends when a span of `timings` does."""
    spans = {(span["start_ms"], span["start_ms"] + max(span["ms"], 1)) for span in timings["spans"]}
    for start, end in re.findall(r"^    · .* :(?:\w+, )?(\d+), (\d+)$", summary, re.MULTILINE):
        if (int(start), int(end)) not in spans:
            yield f"the chart's bar from {start} to {end} is not in timings"


def problems(run):
    """All of it, of a run that has written its outputs."""
    result, timings = json.loads(run.outputs["result"]), json.loads(run.outputs["timings"])
    if result["timings"] != timings:
        yield "result holds other timings than the output timings"
    for name, value in (("result.schema.json", result), ("timings.schema.json", timings)):
        yield from (f"{name}: {problem}" for problem in schema_problems(load_schema(name), value))
    yield from time_problems(timings)
    yield from number_problems(run.summary, result)
