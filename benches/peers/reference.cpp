// What the results of the libraries are checked with.
#include <cstddef>
#include <string_view>

#include "functions.h"

// Writes the value, or the slope, at each x. Returns false for a function that it doesn't know.
extern "C" bool reference(const char *function, bool is_slope, const double *xs, long double *results, size_t len) {
  using T = long double;
#define FUNCTION(name, value, slope)                                                                       \
  if (std::string_view(#name) == function) {                                                               \
    for (size_t i = 0; i < len; i++) {                                                                     \
      const T x = xs[i];                                                                                   \
      results[i] = is_slope ? (slope) : (value);                                                           \
    }                                                                                                      \
    return true;                                                                                           \
  }
  FUNCTIONS(FUNCTION)
  return false;
}
