"""What the scripts of the tables share: the formats, the inputs and how a table is written.

A section begins with `#`, the function, its parameters and the format. A row is x, the values and the gradients, each a list; a gradient
for each of the section's `g`. `x` and `g` are the same bits as those. Several results are joined by `|`: the first is that of a tensor of
one element, the others come at some places among many elements. Numbers are bits, in hexadecimal."""

import numpy as np

# The type of the bits and the width of the mantissa.
FORMATS = {"f32": (np.uint32, 23), "f64": (np.uint64, 52), "f16": (np.uint16, 10), "bf16": (np.uint16, 7)}
# A multiple of what vector loops take at a time.
MANY = 256
# Of sigmoid: where a library goes to another formula, where its error is the greatest, where a result is or becomes 0 or 1, and others.
SIGMOID = [-0.0073242188, -1.9492868, -2.9, 2.9, -5.9, 5.9, -9.11, -15.934788, 15.934788, -16.635702, -17.0, 17.0, 17.844, -18.0]
SIGMOID += [-20.0, 20.0, -36.7455366101864, -37.0, 37.0, -88.7, 88.7, -90.0, -103.0, -104.0, -110.0, 110.0, -709.0, -710.0, -746.0]

# Of tanh, likewise.
TANH = [2.3305365e-38, -0.00017, 0.01, 0.3, -0.51103514, 0.55, -1.7, 2.9, 3.1, -5.1, 7.9, -8.47554, 8.60875, 9.01, 9.02]
TANH += [-13.890155170910495, 19.06, -40.0, 89.0]
# Likewise of softplus and log-sigmoid.
SOFTPLUS = [*SIGMOID, 0.0018882751, -0.0018882751, 6.389618e-05, -6.389618e-05, 20.5, -20.5, 36.5, 66.0, -66.0, 68.0]
# Of the others.
MISH = [*[number for number in SIGMOID if not -105.0 < number < -100.0], -1.1924312, -1.0, 1.0, 20.5]
SOFTSIGN = [-2.9, 0.7, 1e4, -1e10, 1e19, 3e22, 1e160]
SOFTSHRINK = [0.7, -1.7, 1e-8, 1e4]
TANHSHRINK = [0.001, -0.01, 0.1, 0.5, 0.9, -1.0, 1.2, -1.5, 2.0, 2.9, -9.01, 9.5, 17.0, -19.5, 88.0]

# Of silu, swish and elu, likewise, and next to the roots of slopes.
SILU = [-0.000768, 0.005859375, -0.0317, -0.8440733, -1.2784645, -2.7246094, 5.9, -5.9, 16.63553, -17.0, 36.73677152026836, -37.0, -88.7, 88.7, -89.0, -103.0]
SILU += [-108.0, -109.0, 110.0, -709.7, -720.0, -751.0, -752.0]
SWISH = [17.844, 0.00037431717, -0.0317, -0.7511303, -0.9673816, 2.9, -5.0, -10.0, 17.0, -31.0, -52.1, -53.0, -63.0, -64.0, -417.0, -441.0, -442.0]
ELU = [-1e-5, -0.00073, -0.405, -0.7, 2.9, -3.1, -5.857, -16.6, -17.4, -37.5, -80.0, -104.0, -105.0, -746.0]
# Of GELU, likewise, and next to roots of the gradient, and where x³ overflows.
GELU = [-0.01, 0.01, -0.3, -0.6, -0.75179, -0.7524615, -1.2, 1.2, -2.2, 2.2, -3.4, 3.4, -4.2, -5.1, 5.1, -5.6, -6.5, -8.3, -9.5]
GELU += [-10.6, -13.0, -14.2, -15.0, 15.0, -21.0, -38.4, -39.0, 1e13, -1e13, 1e20, -1e20]


def layout(format):
    bits, mantissa = FORMATS[format]
    sign = 1 << (8 * np.dtype(bits).itemsize - 1)
    return mantissa, sign, sign - (1 << mantissa)


def nearest(format, number):
    """Rounded twice in bf16, which no number here minds. A NaN is quiet and positive."""
    mantissa, sign, infinity = layout(format)
    if np.isnan(number):
        return infinity | 1 << mantissa - 1
    if format == "bf16":
        bits = int(np.float32(number).view(np.uint32))
        return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    with np.errstate(over="ignore"):
        return int({"f32": np.float32, "f64": np.float64, "f16": np.float16}[format](number).view(FORMATS[format][0]))


def inputs(format, kinks):
    """Zeros, subnormals, ordinary, greatest and infinite numbers, quiet and signalling NaNs with a payload, of both signs; each kink as
    the format rounds it, and its neighbours."""
    mantissa, sign, infinity = layout(format)
    magnitudes = [0, 1, 1 << mantissa, nearest(format, 0.3), nearest(format, 1.0), infinity - 1, infinity]
    magnitudes += [infinity | 1 << mantissa - 1 | 5, infinity | 3]
    numbers = [number for magnitude in magnitudes for number in [magnitude, magnitude | sign]]
    for kink in kinks:
        bits = nearest(format, kink)
        if 0 < bits & ~sign < infinity:
            numbers += [bits - 1, bits, bits + 1]
    return dict.fromkeys(numbers)


def gradients(format):
    """Those at the output: ordinary ones, one whose double is out of range, the least, zeros, infinity and NaNs."""
    mantissa, sign, infinity = layout(format)
    large = infinity - (3 << mantissa - 2)
    numbers = [nearest(format, 1.0), nearest(format, -0.3), large, 1, 0, sign, infinity]
    return numbers + [sign | infinity | 1 << mantissa - 1 | 9, infinity | 6]


def cell(results, **symbols):
    names = {bits: symbol for symbol, bits in symbols.items()}
    return "|".join(names.get(bits, f"{bits:x}") for bits in dict.fromkeys(results))


def write_section(function, parameters, format, kinks, run, with_gradients):
    """`run` returns the values and the gradients of x, of g and of how many elements, each an array of bits."""
    gs = gradients(format) if with_gradients else [0]
    title = " ".join([function, *[repr(parameter) for parameter in parameters], format])
    print("#", title + "," + " ".join(f"{g:x}" for g in gs if with_gradients))
    for x in inputs(format, kinks):
        values, gradients_of = {}, []
        for g in gs:
            (values_of_one, one), (values_of_many, many) = run(x, g, 1), run(x, g, MANY)
            values[tuple(cell(a + b, x=x) for a, b in zip(values_of_one, values_of_many))] = None
            gradients_of.append([cell(a + b, g=g) for a, b in zip(one, many)])
        [values] = values
        print(f"{x:x}", " ".join(values), *map(" ".join, zip(*gradients_of)), sep=",")
