// The functions as they are defined, vectorized by GCC with glibc's libmvec.
#ifdef __AVX512F__
#pragma GCC target("prefer-vector-width=512")
#endif
#include "../functions.h"
#include "call.h"

template <class T> static double time_function(const Call &call) {
  const auto *__restrict xs = static_cast<const T *>(call.x);
  const auto *__restrict grads = static_cast<const T *>(call.grad);
  auto *__restrict target = static_cast<T *>(call.target);
  // Each a function of its own: in one large function GCC left some of the loops scalar.
  const auto loop = [&](auto element) __attribute__((noinline)) {
    return call.time([&] {
      for (size_t i = 0; i < call.len; i++) target[i] = element(i);
      asm volatile("" ::: "memory");
    });
  };
#define FUNCTION(name, value, slope)                                                \
  if (call.is(#name)) {                                                             \
    if (!grads) return loop([=](size_t i) { const T x = xs[i]; return T(value); }); \
    return loop([=](size_t i) { const T x = xs[i]; return grads[i] * T(slope); });  \
  }
  FUNCTIONS(FUNCTION)
  return -1;
}

extern "C" double libmvec(const Call &call) {
  if (call.is_inplace()) return -1;
  return call.is_in("f32") ? time_function<float>(call) : call.is_in("f64") ? time_function<double>(call) : -1;
}
