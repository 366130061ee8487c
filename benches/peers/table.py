"""Prints the rows of measure.py as one table: the time of a library relative to rectify's, both in nanoseconds an element, and the
errors of both: the greatest one for |x| <= 3 in ulp, and the x beyond where it becomes more than a thousandth (`errors` in
measure.py). Of several files, runs of the same, it takes the medians.
usage: table.py [--sizes|--functions] CSV...
--sizes prints README's table, the least and the most ratio over functions and formats, by library and size; --functions that of
docs/performance.md, by function and library."""

import collections
import copy
import csv
import statistics
import sys

CLASSES = {"1 to 7 elements": (0, 8, 0), "8 to 64": (8, 65, 0), "1 KB": (65, 0, 1 << 10), "16 KB": (65, 0, 16 << 10)}
CLASSES |= {"256 KB, 1 MB": (65, 0, 1 << 20), "16 MB": (65, 0, 16 << 20), "256 MB": (65, 0, 256 << 20)}


class Cell:
    """A library's runs of a function on inputs of a size."""

    def __init__(self, runs):
        row = runs[0]
        self.library, self.function, self.format = row["library"], row["function"], row["format"]
        self.elements, self.bytes, self.input = int(row["elements"]), int(row["bytes"]), f"N(0, {int(row['input']) ** 2})"
        times = [(float(run["ns"]), float(run["rectify_ns"])) for run in runs]
        self.ratio = statistics.median(ns / rectify_ns for ns, rectify_ns in times)
        self.ns, self.rectify_ns = (statistics.median(column) / self.elements for column in zip(*times))
        self.errors, self.rectify_errors = (
            f"{row[of + 'ulp']} ulp" + (f", {float(row[of + 'breaks']):.1f}" if row[of + "breaks"] else "")
            for of in ["", "rectify_"]
        )


def read(paths):
    """The cells in the order of the first file."""
    runs = collections.defaultdict(list)
    for path in paths:
        try:
            with open(path, newline="") as file:
                rows = list(csv.DictReader(file))
        except OSError as error:
            sys.exit(f"table: can't read '{path}': {error.strerror}")
        try:
            for row in rows:
                runs[tuple(row[key] for key in ["library", "function", "format", "input", "elements"])].append(row)
            cells = [Cell(of_cell) for of_cell in runs.values()]
        except (KeyError, TypeError, ValueError) as error:
            sys.exit(f"table: '{path}' is not what measure.py prints: {error!r}")
    return cells or sys.exit("table: no rows")


def size_class(cell):
    for name, (least, end, most_bytes) in CLASSES.items():
        if least <= cell.elements < end or (not end and cell.elements >= least and cell.bytes <= most_bytes):
            return name


def short(number):
    return f"{number:.{2 if number < 1 else 1 if number < 10 else 0}f}"


def print_cells(cells):
    line = "{:22} {:4} {:7} {:>9} {:12} {:>7} {:>10} {:>8}   {:22} {}"
    print(line.format("function", "", "", "elements", "library", "ratio", "ns/element", "rectify", "error", "of rectify"))
    for cell in cells:
        numbers = f"{cell.ratio:.2f}x", f"{cell.ns:.3f}", f"{cell.rectify_ns:.3f}", cell.errors, cell.rectify_errors
        print(line.format(cell.function, cell.format, cell.input, cell.elements, cell.library, *numbers))


def print_table(cells, row, column, content):
    """In Markdown: the content of the cells that have the same row and column."""
    table = collections.defaultdict(list)
    for cell in cells:
        table[row(cell), column(cell)].append(cell)
    rows, columns = (list(dict.fromkeys(keys)) for keys in zip(*table))
    print("| | " + " | ".join(columns) + " |\n| --- |" + " --- |" * len(columns))
    for name in rows:
        print(f"| {name} | " + " | ".join(content(table[name, of]) if (name, of) in table else "" for of in columns) + " |")


def ratios(cells):
    least, most = (short(of(cell.ratio for cell in cells)) for of in (min, max))
    return f"{least} to {most}"


def by_size(cells):
    """By size the less favourable ratio of the inputs; of rectify its time. And the errors."""
    times = collections.defaultdict(list)
    for cell in cells:
        times[cell.elements].append(cell.rectify_ns if cell.library == "rectify" else cell.ratio)
    of_sizes = ", ".join(short((statistics.median if cell.library == "rectify" else min)(of_size)) for of_size in times.values())
    return f"{of_sizes}; {cells[0].errors}"


def and_rectify(cells):
    """Each cell, after it that of rectify in the same turns."""
    for cell in cells:
        rectify = copy.copy(cell)
        rectify.library, rectify.errors = "rectify", cell.rectify_errors
        yield from [rectify, cell]


ways = {"--sizes": lambda cells: print_table(cells, lambda cell: cell.library, size_class, ratios)}
ways["--functions"] = lambda cells: print_table(
    and_rectify(cells), lambda cell: f"`{cell.function}`, {cell.format}", lambda cell: cell.library, by_size
)
way, *paths = sys.argv[1:] if sys.argv[1:2] and sys.argv[1] in ways else ["", *sys.argv[1:]]
if not paths:
    print("table: usage: table.py [--sizes|--functions] CSV...", file=sys.stderr)
    sys.exit(2)
ways.get(way, print_cells)(read(paths))
