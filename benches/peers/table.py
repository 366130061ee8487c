"""Prints one table of the rows that peers and measure.py printed: nanoseconds and GB/s of rectify, and for each library how
many times as long it takes."""

import collections
import csv
import statistics
import sys

TRAFFIC = {"relu_inplace": 2, "relu": 2, "relu_backward": 3, "relu_backward_inplace": 3}
cells = collections.defaultdict(dict)
libraries = []
for row in csv.DictReader(sys.stdin):
    if row["library"] == "library":  # The head of a second file.
        continue
    key = row["function"], row["format"], int(row["elements"]), int(row["bytes"])
    cells[key][row["library"]] = float(row["ns"]), float(row["rectify_ns"])
    if row["library"] not in libraries:
        libraries.append(row["library"])

print(f"{'':26} {'elements':>10} {'bytes':>10} {'ns':>12} {'GB/s':>6}" + "".join(f" {name:>12}" for name in libraries))
for (function, format, elements, size), by_library in sorted(cells.items()):
    ns = statistics.median(rectify_ns for _, rectify_ns in by_library.values())
    line = f"{function:21} {format:4} {elements:10} {size:10} {ns:12.1f} {TRAFFIC[function] * size / ns:6.1f}"
    for name in libraries:
        times = by_library.get(name)
        line += f" {times[0] / times[1]:11.2f}x" if times else f" {'':>12}"
    print(line)
