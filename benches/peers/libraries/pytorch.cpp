// PyTorch at its fastest entry points: into memory that is there, without gradients being recorded.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstring>

#include "call.h"

using at::Tensor;

struct Function {
  const char *name;
  void (*forward)(Tensor &target, const Tensor &x);
  // `y` is what forward returned. Null where autograd composes more than two calls.
  void (*backward)(Tensor &target, const Tensor &grad, const Tensor &x, const Tensor &y);
};

#define FORWARD(call) [](Tensor &target, const Tensor &x) { call; }
#define BACKWARD(call) [](Tensor &target, const Tensor &grad, const Tensor &x, const Tensor &y) { call; }

// Those of selu.
static constexpr double alpha = 1.6732632423543772848170429916717, scale = 1.0507009873554804934193349852946;
// What logsigmoid and tanhshrink leave for their gradients.
static Tensor buffer;

static const Function functions[] = {
    {"relu", FORWARD(at::relu_out(target, x)), BACKWARD(at::threshold_backward_out(target, grad, x, 0))},
    {"sigmoid", FORWARD(at::sigmoid_out(target, x)), BACKWARD(at::sigmoid_backward_out(target, grad, y))},
    {"tanh", FORWARD(at::tanh_out(target, x)), BACKWARD(at::tanh_backward_out(target, grad, y))},
    {"gelu", FORWARD(at::gelu_out(target, x)), BACKWARD(at::gelu_backward_out(target, grad, x))},
    {"gelu_tanh", FORWARD(at::gelu_out(target, x, "tanh")), BACKWARD(at::gelu_backward_out(target, grad, x, "tanh"))},
    {"silu", FORWARD(at::silu_out(target, x)), BACKWARD(at::silu_backward_out(target, grad, x))},
    {"softplus", FORWARD(at::softplus_out(target, x)), BACKWARD(at::softplus_backward_out(target, grad, x, 1, 20))},
    {"mish", FORWARD(at::mish_out(target, x)), BACKWARD(target = at::mish_backward(grad, x))},
    {"elu", FORWARD(at::elu_out(target, x)), BACKWARD(at::elu_backward_out(target, grad, 1, 1, 1, false, x))},
    {"selu", FORWARD(at::elu_out(target, x, alpha, scale)),
     BACKWARD(at::elu_backward_out(target, grad, alpha, scale, 1, false, x))},
    // As at::celu calls it.
    {"celu", FORWARD(at::elu_out(target, x, 1, 1, 1)), BACKWARD(at::elu_backward_out(target, grad, 1, 1, 1, false, x))},
    {"softsign", FORWARD(at::div_out(target, x, at::abs(x).add_(1))), nullptr},
    {"tanhshrink", FORWARD(at::sub_out(target, x, buffer = at::tanh(x))),
     BACKWARD(at::sub_out(target, grad, at::tanh_backward_out(target, grad, buffer)))},
    {"softshrink", FORWARD(at::softshrink_out(target, x, 0.5)), BACKWARD(at::softshrink_backward_out(target, grad, x, 0.5))},
    {"logsigmoid", FORWARD(at::log_sigmoid_forward_out(target, buffer = at::empty_like(x), x)),
     BACKWARD(at::log_sigmoid_backward_out(target, grad, x, buffer))},
};

extern "C" double pytorch(const Call &call) {
  at::set_num_threads(1);
  c10::InferenceMode no_gradients;
  const auto format = call.is_in("f32")   ? at::kFloat
                      : call.is_in("f64") ? at::kDouble
                      : call.is_in("f16") ? at::kHalf
                                          : at::kBFloat16;
  const auto tensor = [&](const void *data) {
    return data ? at::from_blob(const_cast<void *>(data), {int64_t(call.len)}, format) : Tensor();
  };
  Tensor x = tensor(call.x), grad = tensor(call.grad);
  Tensor target = call.target == call.x ? x : call.target == call.grad ? grad : tensor(call.target);
  for (const auto &function : functions) {
    if (!call.is(function.name)) continue;
    if (!call.grad) return call.time([&] { function.forward(target, x); });
    if (!function.backward) return -1;
    Tensor y = at::empty_like(x);
    function.forward(y, x);
    const double ns = call.time([&] { function.backward(target, grad, x, y); });
    // Where it allocates the result.
    if (target.data_ptr() != call.target) std::memcpy(call.target, target.data_ptr(), target.nbytes());
    return ns;
  }
  return -1;
}
