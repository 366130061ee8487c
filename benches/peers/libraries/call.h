// What measure.py asks of a library in C++: `double NAME(const Call &)` returns the nanoseconds that the calls take, or -1 if the
// library doesn't have the function, format or direction.
#include <chrono>
#include <cstddef>
#include <string_view>

struct Call {
  const char *function;  // by its name in table.py
  const char *format;    // f32, f64, f16 or bf16
  const void *x;
  const void *grad;  // null in forward
  void *target;      // x or grad in place
  size_t len, calls;

  bool is(std::string_view name) const { return name == function; }
  bool is_in(std::string_view name) const { return name == format; }
  bool is_inplace() const { return target == x || target == grad; }

  template <class Run> double time(Run run) const {
    const auto start = std::chrono::steady_clock::now();
    for (size_t call = 0; call < calls; call++) run();
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
  }
};
