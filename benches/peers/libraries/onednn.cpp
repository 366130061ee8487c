// oneDNN: a primitive that is created once, on memory of the caller.
#include <dnnl.hpp>

#include "call.h"

using dnnl::algorithm, dnnl::memory, dnnl::eltwise_forward, dnnl::eltwise_backward, dnnl::prop_kind;

struct Function {
  const char *name;
  algorithm kind;
  float alpha;
};

static const Function functions[] = {
    {"relu", algorithm::eltwise_relu, 0},           {"sigmoid", algorithm::eltwise_logistic, 0},
    {"tanh", algorithm::eltwise_tanh, 0},           {"gelu", algorithm::eltwise_gelu_erf, 0},
    {"gelu_tanh", algorithm::eltwise_gelu_tanh, 0}, {"silu", algorithm::eltwise_swish, 1},
    {"softplus", algorithm::eltwise_soft_relu, 1},  {"mish", algorithm::eltwise_mish, 0},
    {"elu", algorithm::eltwise_elu, 1},             {"QuickGelu", algorithm::eltwise_swish, 1.702},
#if DNNL_VERSION_MAJOR < 3
    {"logsigmoid", algorithm::eltwise_logsigmoid, 0},
#else
    {"logsigmoid", algorithm::eltwise_soft_relu, -1},
#endif
};

static double time_function(const Call &call, const Function &function, memory::data_type format) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const memory::desc slice({memory::dim(call.len)}, format, memory::format_tag::a);
  const auto of = [&](const void *data) { return memory(slice, engine, const_cast<void *>(data)); };
  const auto [name, kind, alpha] = function;
  const auto propagation = call.grad ? prop_kind::forward_training : prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR < 3
  const eltwise_forward::primitive_desc forward({propagation, kind, slice, alpha}, engine);
  const auto backward = [&] { return eltwise_backward::primitive_desc({kind, slice, slice, alpha}, engine, forward); };
#else
  const eltwise_forward::primitive_desc forward(engine, propagation, kind, slice, slice, alpha);
  const auto backward = [&] { return eltwise_backward::primitive_desc(engine, kind, slice, slice, slice, alpha, forward); };
#endif
  const auto run = [&](const dnnl::primitive &primitive, const std::unordered_map<int, memory> &slices) {
    return call.time([&] {
      primitive.execute(stream, slices);
      stream.wait();
    });
  };
  if (!call.grad) return run(eltwise_forward(forward), {{DNNL_ARG_SRC, of(call.x)}, {DNNL_ARG_DST, of(call.target)}});
  return run(eltwise_backward(backward()),
             {{DNNL_ARG_SRC, of(call.x)}, {DNNL_ARG_DIFF_DST, of(call.grad)}, {DNNL_ARG_DIFF_SRC, of(call.target)}});
}

extern "C" double onednn(const Call &call) {
  const bool is_f32 = call.is_in("f32"), is_f16 = call.is_in("f16");
  if (!is_f32 && !is_f16 && !call.is_in("bf16")) return -1;
  const auto format = is_f32 ? memory::data_type::f32 : is_f16 ? memory::data_type::f16 : memory::data_type::bf16;
  for (const auto &function : functions) {
    if (!call.is(function.name)) continue;
    try {
      return time_function(call, function, format);
    } catch (const dnnl::error &) {
      return -1;  // No such primitive for the format on this CPU.
    }
  }
  return -1;
}
