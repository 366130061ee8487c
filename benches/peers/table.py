"""Prints one table of the rows that peers and measure.py printed: nanoseconds and GB/s of rectify, and for each library how
many times as long it takes. Of several files, runs of the same, it takes the medians.
usage: table.py [--summary] CSV...
--summary prints README's table: the least and the most over functions and formats, by size."""

import collections
import csv
import statistics
import sys

TRAFFIC = {"relu_inplace": 2, "relu": 2, "relu_backward": 3, "relu_backward_inplace": 3}
CLASSES = {"1 to 7 elements": (0, 8, 0), "8 to 64": (8, 65, 0), "1 KB": (65, 0, 1 << 10), "16 KB": (65, 0, 16 << 10)}
CLASSES |= {"256 KB, 1 MB": (65, 0, 1 << 20), "16 MB": (65, 0, 16 << 20), "256 MB": (65, 0, 256 << 20)}


def read(paths):
    """By cell and library: the times of the library's call and of rectify's, one pair a run."""
    cells = collections.defaultdict(lambda: collections.defaultdict(list))
    for path in paths:
        try:
            with open(path, newline="") as file:
                rows = list(csv.DictReader(file))
        except OSError as error:
            sys.exit(f"table: can't read '{path}': {error.strerror}")
        try:
            for row in rows:
                if row["library"] == "library":  # The head of a second program's rows.
                    continue
                key = row["function"], row["format"], int(row["elements"]), int(row["bytes"])
                cells[key][row["library"]].append((float(row["ns"]), float(row["rectify_ns"])))
        except (KeyError, TypeError, ValueError) as error:
            sys.exit(f"table: '{path}' is not what peers and measure.py print: {error!r}")
    return cells


def ratio(times):
    return statistics.median(ns / rectify_ns for ns, rectify_ns in times)


def size_class(elements, size):
    for name, (least, end, most_bytes) in CLASSES.items():
        if least <= elements < end or (not end and elements >= least and size <= most_bytes):
            return name


def short(number):
    return f"{number:.{2 if number < 1 else 1 if number < 10 else 0}f}"


def print_cells(cells, libraries):
    print(f"{'':26} {'elements':>10} {'bytes':>10} {'ns':>12} {'GB/s':>6}" + "".join(f" {name:>12}" for name in libraries))
    for (function, format, elements, size), by_library in sorted(cells.items()):
        ns = statistics.median(rectify_ns for times in by_library.values() for _, rectify_ns in times)
        line = f"{function:21} {format:4} {elements:10} {size:10} {ns:12.1f} {TRAFFIC[function] * size / ns:6.1f}"
        for name in libraries:
            line += f" {ratio(by_library[name]):11.2f}x" if name in by_library else f" {'':>12}"
        print(line)


def print_summary(cells, libraries):
    print("| | " + " | ".join(CLASSES) + " |\n| --- |" + " --- |" * len(CLASSES))
    for name in libraries:
        ratios = collections.defaultdict(list)
        for (_, _, elements, size), by_library in cells.items():
            if name in by_library:
                ratios[size_class(elements, size)].append(ratio(by_library[name]))
        print(f"| {name} | " + " | ".join(f"{short(min(ratios[c]))} to {short(max(ratios[c]))}" for c in CLASSES) + " |")


arguments = sys.argv[1:]
summary = "--summary" in arguments
paths = [path for path in arguments if path != "--summary"]
if not paths:
    print("table: usage: table.py [--summary] CSV...", file=sys.stderr)
    sys.exit(2)
cells = read(paths)
libraries = list(dict.fromkeys(name for by_library in cells.values() for name in by_library))
(print_summary if summary else print_cells)(cells, libraries)
