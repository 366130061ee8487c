// The functions and their slopes by definition, of long double as reference (reference.cpp), of float and double for libmvec.
#include <cmath>
#include <type_traits>

#define SELU_SCALE 1.0507009873554804934193349852946l
#define SELU_ALPHA 1.6732632423543772848170429916717l

// FUNCTION(name, value, slope) for each, where `x` is a T. The name is one that `AnyActivation` knows.
#define FUNCTIONS(FUNCTION)                                                                              \
  FUNCTION(relu, x > 0 ? x : 0, x > 0 ? 1 : 0)                                                           \
  FUNCTION(sigmoid, sigmoid(x), sigmoid(x) * sigmoid(-x))                                                \
  FUNCTION(tanh, std::tanh(x), 1 / (std::cosh(x) * std::cosh(x)))                                        \
  FUNCTION(gelu, x * normal(x), normal(x) + x * std::exp(x * x / -2) * T(M_2_SQRTPIl * M_SQRT1_2l / 2))  \
  FUNCTION(gelu_tanh, x * sigmoid(2 * cubic(x)),                                                         \
           sigmoid(2 * cubic(x)) * (1 + 2 * x * sigmoid(-2 * cubic(x)) * cubic_slope(x)))                \
  FUNCTION(silu, x * sigmoid(x), sigmoid(x) * (1 + x * sigmoid(-x)))                                     \
  FUNCTION(softplus, (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x))), sigmoid(x))                   \
  FUNCTION(mish, x * mish(std::exp(x)), mish(std::exp(x)) + x * mish_slope(std::exp(x)))                 \
  FUNCTION(elu, x > 0 ? x : std::expm1(x), x > 0 ? 1 : std::exp(x))                                      \
  FUNCTION(selu, T(SELU_SCALE) * (x > 0 ? x : T(SELU_ALPHA) * std::expm1(x)),                            \
           T(SELU_SCALE) * (x > 0 ? 1 : T(SELU_ALPHA) * std::exp(x)))                                    \
  FUNCTION(celu, x > 0 ? x : std::expm1(x), x > 0 ? 1 : std::exp(x))                                     \
  FUNCTION(softsign, x / (1 + std::abs(x)), 1 / ((1 + std::abs(x)) * (1 + std::abs(x))))                 \
  FUNCTION(tanhshrink, tanhshrink(x), std::tanh(x) * std::tanh(x))                                       \
  FUNCTION(softshrink, x > T(0.5l) ? x - T(0.5l) : x < T(-0.5l) ? x + T(0.5l) : 0,                       \
           std::abs(x) > T(0.5l) ? 1 : 0)                                                                \
  FUNCTION(logsigmoid, (x < 0 ? x : 0) - std::log1p(std::exp(-std::abs(x))), sigmoid(-x))                \
  FUNCTION(QuickGelu, x * sigmoid(T(1.702l) * x),                                                        \
           sigmoid(T(1.702l) * x) * (1 + T(1.702l) * x * sigmoid(T(-1.702l) * x)))

template <class T> T sigmoid(T x) { return 1 / (1 + std::exp(-x)); }
template <class T> T normal(T x) { return std::erfc(x * -T(M_SQRT1_2l)) / 2; }
template <class T> T cubic(T x) { return T(M_2_SQRTPIl * M_SQRT1_2l) * x * (1 + T(0.044715l) * x * x); }
template <class T> T cubic_slope(T x) { return T(M_2_SQRTPIl * M_SQRT1_2l) * (1 + T(3 * 0.044715l) * x * x); }
// tanh(log1p(t)), where t is e^x, and its slope at x
template <class T> T mish(T t) { return t * (t + 2) / (t * (t + 2) + 2); }
template <class T> T mish_slope(T t) { return 4 * t * (1 + t) / ((t * (t + 2) + 2) * (t * (t + 2) + 2)); }
template <class T> T tanhshrink(T x) {
  if constexpr (std::is_same_v<T, long double>) {
    // The difference cancels. (x cosh(x) - sinh(x)) / cosh(x), by a series of terms of one sign.
    T sum = 0, term = x;
    for (int k = 2; std::abs(x) < 1 && k < 30; k += 2) sum += k * (term *= x * x / (k * (k + 1)));
    if (std::abs(x) < 1) return sum / std::cosh(x);
  }
  return x - std::tanh(x);
}
