"""Prints numbers of f64 with the values and the gradients for g = 1 there of the smooth functions, by mpmath.
usage: python3 table.py >table.txt        with mpmath 1.3

A section begins with `#`, the function and its parameter. A row is x, the value and the gradient. Of these there is the nearest f64, by its
bits in hexadecimal, and how much further from 0 the exact one is, in 1/1000 of its last place."""

import random
import struct

from mpmath import erfc, exp, expm1, log, log1p, mp, mpf, pi, sign, sqrt, tanh

mp.prec = 2400  # next to 0 an f64 may be 2^-1074

# Where a search among tens of millions of random numbers found great errors.
WORST = {
    "sigmoid": [
        -30.161666392137736, -7.623925335869419, -6.929635069556989, -4.158878348409029, -2.709892633380557, -1.954164308886126,
        -1.1468119431360169, -1.1358081708562757, 2.63664108491799, 6.237660320757712,
    ],
    "tanh": [
        -7.7125009155272135, -3.812272376778795, -2.06845247530441, -1.7149694185604911, -0.5014192737957615, -0.2030918636795201,
        -0.17391309747987233, 0.20668300374084048, 2.4250992291647933, 4.158856827827522,
    ],
    "silu": [
        -33.288646309264436, -21.09762038322371, -9.994726494806478, -5.702633277841498, -5.098800480828675, -4.432223492876133,
        -3.7300925742190874, -2.26845841748344, -0.8442699986789908, -0.5362168286586806,
        -3.783834159402262,
    ],
    "swish": [
        -19.55882605225849, -10.338180767416096, -5.081700600793896, -2.639964381088764, -2.2086573425784817, -1.332600473585277,
        -0.6083908048080566, -0.49420503633995416, -0.31592634475151293, 0.6388368862113135,
        -2.2070737292957676, -0.493264,
    ],
    "mish": [
        -21.132069190461024, -5.232611455061125, -2.3162168399264313, -0.5380860752221626, -0.30439435256279346, 0.38611209165039817,
        0.4249482231997951, 0.5855677037879872, 0.6140534288476118, 1.0118568199103617,
        -9.200409020699919, -0.5376846884706199, -0.2236,
    ],
    "elu": [
        -573.52864511621, -299.7475950975158, -37.083611282608615, -4.50285212128002, -4.4879087584045525, -1.0064839208327356,
        -1.0049967214163935, -0.9991838298813409, -0.4117855176099966, -0.38393281915531396,
    ],
    "selu": [
        -308.09641319329074, -203.4326763818491, -9.033415811113645, -5.886291780555618, -3.738948417492564, -3.2148045606447084,
        -2.4246956249707985, -1.0362438009868897, -0.07359061160740453, -0.06864932918281612,
    ],
    "gelu": [
        -36.169225956596726, -23.61881016459522, -11.858319382596623, -6.916033533276016, -5.2911681690052195, -3.424101509323833,
        -1.8341439402710886, -1.3535301571198417, -1.3075933904563808, -0.6569777765691649,
        -1.3152613159856656, -1.3096146515183105, -0.7810156750839649,
    ],
    "gelu_tanh": [
        -20.241938029524455, -17.995695603383652, -6.5598874948806944, -6.353088361156906, -5.473365999819096, -5.080071580200519,
        -4.69053859469377, -4.089928283563749, -2.7467736217524195, -1.314853973244288,
    ],
    "softplus": [
        -21.13294545227685, -6.930790616315768, -5.836182101728127, -5.544475496368621, -4.148337191028137, -3.464363957038046,
        -2.74053071783851, -1.5846145768993404e-06, 1.5063112709473232e-06, 0.00023683300988445107,
    ],
    "softsign": [
        -511.88776330518016, -127.01567616200616, -63.336754860845225, -0.01582638081784593, -1.391876055525828e-07,
        -2.2361049123437926e-08, 5.525962676257067e-08, 1.1918989428710555e-07, 1.017668382080209, 511.42215557736705,
    ],
    "tanhshrink": [
        -1.2481020851187914, -1.247094549417218, -0.8733761850344415, 0.8732027379717042, 1.2338649646733248, 1.2346295674675165,
        1.2444106576803637,
        0.8745664779901656, 0.8849144591595675, 1.244730428523715,
    ],
}


def sigmoid(x):
    return 1 / (1 + exp(-x))


def swish(beta):
    def slope(x):
        s = sigmoid(beta * x)
        return s + beta * x * s * sigmoid(-beta * x)

    return lambda x: x * sigmoid(beta * x), slope


def softplus(beta):
    return lambda x: log1p(exp(beta * x)) / beta, lambda x: sigmoid(beta * x)


def elu(scale, alpha, beta):
    return (
        lambda x: scale * (x if x > 0 else alpha * expm1(beta * x)),
        lambda x: scale * (1 if x > 0 else alpha * beta * exp(beta * x)),
    )


def distribution(x):
    return erfc(-x / sqrt(2)) / 2


def gelu_tanh_argument(x):
    return sqrt(8 / pi) * (x + mpf("0.044715") * x**3)


def gelu_tanh_slope(x):
    s = sigmoid(gelu_tanh_argument(x))
    return s + x * s * sigmoid(-gelu_tanh_argument(x)) * sqrt(8 / pi) * (1 + 3 * mpf("0.044715") * x**2)


def mish_slope(x):
    y = tanh(log1p(exp(x)))
    return y + x * (1 - y * y) * sigmoid(x)


def shrink(bound, is_soft):
    def value(x):
        return x - sign(x) * bound * is_soft if abs(x) > bound else mpf(0)

    return value, lambda x: mpf(abs(x) > bound)


SCALE, ALPHA = mpf("1.0507009873554804934193349852946"), mpf("1.6732632423543772848170429916717")

# The parameter, the value and the slope; numbers next to which formulas change, slopes are 0, or results become 0, 1 or subnormal.
FUNCTIONS = {
    "sigmoid": (None, sigmoid, lambda x: sigmoid(x) * sigmoid(-x), [-708.4, -745.1, 36.7, 745.1]),
    "tanh": (None, tanh, lambda x: 1 - tanh(x) ** 2, [19.06, -19.06, 354.2, 372.6]),
    "silu": (None, *swish(mpf(1)), [-1.278464542761074, -2.0, -0.8, -714.9, -751.7, 36.7]),
    "swish": (1.702, *swish(mpf(1.702)), [-0.751154249565846, -1.175, -0.47, -420.0, -441.7]),
    "mish": (None, lambda x: x * tanh(log1p(exp(x))), mish_slope, [-1.192431, -0.3466, 0.3466, -714.9, -751.7, 18.4, -0.5108]),
    "elu": (1.0, *elu(1, 1, 1), [-37.4, -708.4, -745.1]),
    "celu": (0.7, *elu(1, mpf(0.7), 1 / mpf(0.7)), [-26.2, -495.9, -521.6]),
    "selu": (None, *elu(SCALE, ALPHA, 1), [-37.4, -708.4, -745.7]),
    "softplus": (1.0, *softplus(mpf(1)), [-708.4, -745.1, 36.0]),
    "log_sigmoid": (None, lambda x: -log1p(exp(-x)), lambda x: sigmoid(-x), [708.4, 745.1, -36.0]),
    "gelu": (
        None,
        lambda x: x * distribution(x),
        lambda x: distribution(x) + x * exp(-x * x / 2) / sqrt(2 * pi),
        [-0.7517915, -0.6, 0.6, -37.6, -38.5, 8.3],
    ),
    "gelu_tanh": (
        None,
        lambda x: x * sigmoid(gelu_tanh_argument(x)),
        gelu_tanh_slope,
        [-0.7524615, -0.4, 0.4, -21.1, -21.5, 7.0],
    ),
    "softsign": (None, lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2, [1.0, 9007199254740992.0, 4e160]),
    "softshrink": (0.5, *shrink(mpf(0.5), 1), [0.5, -0.5]),
    "tanhshrink": (None, lambda x: x - tanh(x), lambda x: tanh(x) ** 2, [1.25, -1.25, 1e-162, 19.0, 0.875]),
}


def inputs(function, special):
    """Some in each range where results are ordinary, small, or next to a special number."""
    generator = random.Random(function)
    numbers = set(WORST.get(function, []))
    for bound, count in [(1, 30), (8, 60), (40, 20), (800, 20)]:
        numbers |= {generator.uniform(-bound, bound) for _ in range(count)}
    numbers |= {generator.choice([-1, 1]) * 10 ** generator.uniform(-322, 0) for _ in range(20)}
    # The reduced argument of e^x is greatest in its amount.
    numbers |= {float((n + 0.5) * log(2)) for n in range(-6, 6)}
    for number in special:
        [bits] = struct.unpack("<Q", struct.pack("<d", number))
        steps = [0, 1, -1] + [generator.choice([-1, 1]) << generator.randrange(2, 46) for _ in range(5)]
        numbers |= {struct.unpack("<d", struct.pack("<Q", bits + step))[0] for step in steps}
    return sorted(numbers)


def nearest(exact):
    """The bits of the nearest f64, and the rest in 1/1000 ulp."""
    magnitude = abs(exact)
    exponent = max(int(mp.floor(mp.log(magnitude, 2))), -1022) - 52 if magnitude else -1074
    unit = mpf(2) ** exponent
    number = mp.nint(magnitude / unit)
    rest = int(mp.nint((magnitude / unit - number) * 1000))
    [bits] = struct.unpack("<Q", struct.pack("<d", float(number * unit)))
    sign_bit = 1 << 63 if exact < 0 else 0
    return f"{bits | sign_bit:x}" + (f"{rest:+}" if rest else "")


for name, (parameter, value, slope, special) in FUNCTIONS.items():
    print("#", name, *([] if parameter is None else [parameter]))
    for x in inputs(name, special):
        [bits] = struct.unpack("<Q", struct.pack("<d", x))
        print(f"{bits:x}", nearest(value(mpf(x))), nearest(slope(mpf(x))))
