// Activation functions and their gradients, the same bits on every instruction set.
// Made by `cbindgen --output rectify.h`; see README.md.

#ifndef RECTIFY_H
#define RECTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a call returns: 0 if it has done its work.
enum rectify_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  RECTIFY_STATUS_OK = 0,
  // A pointer is NULL, and the length isn't 0.
  RECTIFY_STATUS_NULL = 1,
  // A pointer isn't aligned to its elements.
  RECTIFY_STATUS_MISALIGNED = 2,
  // The output overlaps an input, and isn't equal to one that may be overwritten.
  RECTIFY_STATUS_OVERLAP = 3,
  // The length in bytes is more than an allocation can have.
  RECTIFY_STATUS_TOO_LONG = 4,
  // There is no such kind or name of a function.
  RECTIFY_STATUS_UNKNOWN_FUNCTION = 5,
  // The function can't have these parameters.
  RECTIFY_STATUS_INVALID_PARAMETER = 6,
  // The channels don't divide the length.
  RECTIFY_STATUS_INVALID_SHAPE = 7,
  // The CPU or this build doesn't have the instruction set.
  RECTIFY_STATUS_UNSUPPORTED_ISA = 8,
  // A fault of this library.
  RECTIFY_STATUS_INTERNAL = 9,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum rectify_status rectify_status;
#else
typedef uint32_t rectify_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// An instruction set.
enum rectify_isa
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  RECTIFY_ISA_SCALAR = 0,
  RECTIFY_ISA_PORTABLE = 1,
  RECTIFY_ISA_NEON = 2,
  RECTIFY_ISA_AVX2 = 3,
  RECTIFY_ISA_AVX512 = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum rectify_isa rectify_isa;
#else
typedef uint32_t rectify_isa;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The kind of a function. Its parameters, if it has any, are those of PyTorch, in this order.
enum rectify_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  RECTIFY_KIND_RELU = 0,
  // max
  RECTIFY_KIND_CLIPPED_RELU = 1,
  // alpha, beta
  RECTIFY_KIND_HARD_SIGMOID = 2,
  RECTIFY_KIND_HARD_SWISH = 3,
  // lambda
  RECTIFY_KIND_HARDSHRINK = 4,
  // min, max
  RECTIFY_KIND_HARDTANH = 5,
  // negative_slope
  RECTIFY_KIND_LEAKY_RELU = 6,
  RECTIFY_KIND_SQUARED_RELU = 7,
  // alpha, the threshold
  RECTIFY_KIND_THRESHOLDED_RELU = 8,
  // alpha
  RECTIFY_KIND_CELU = 9,
  // alpha
  RECTIFY_KIND_ELU = 10,
  RECTIFY_KIND_GELU = 11,
  RECTIFY_KIND_GELU_TANH = 12,
  RECTIFY_KIND_LOG_SIGMOID = 13,
  RECTIFY_KIND_MISH = 14,
  RECTIFY_KIND_SELU = 15,
  RECTIFY_KIND_SIGMOID = 16,
  RECTIFY_KIND_SILU = 17,
  // beta
  RECTIFY_KIND_SOFTPLUS = 18,
  // lambda
  RECTIFY_KIND_SOFTSHRINK = 19,
  RECTIFY_KIND_SOFTSIGN = 20,
  // beta; 1.702 is quick GELU
  RECTIFY_KIND_SWISH = 21,
  RECTIFY_KIND_TANH = 22,
  RECTIFY_KIND_TANHSHRINK = 23,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum rectify_kind rectify_kind;
#else
typedef uint32_t rectify_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A function.
typedef struct rectify_function {
  // A `rectify_kind`.
  uint32_t kind;
  // Those that the kind doesn't have are not looked at.
  double parameters[2];
} rectify_function;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Returns a message for a status, in English.
const char *rectify_status_message(uint32_t status);

// Writes the function of a name in PyTorch or ONNX, such as "gelu", with its default parameters.
rectify_status rectify_function_by_name(const char *name, struct rectify_function *function);

// Returns the instruction set that calls run on: the best one that the CPU has, at most that of the environment variable
// RECTIFY_MAX_ISA, or the one that was set.
rectify_isa rectify_current_isa(void);

// Whether an instruction set is available: the CPU and this build have it.
bool rectify_isa_is_available(uint32_t isa);

// Sets the instruction set that all later calls run on, in each thread. The results are the same bits on each.
rectify_status rectify_set_isa(uint32_t isa);

// output[i] = f(input[i]). In-place if the pointers are equal; else they don't overlap.
//
// `input` can be read and `output` written for `len` elements, and so in the functions below. A pointer that is NULL or not
// aligned, or an overlap, is a status.
rectify_status rectify_forward_f32(struct rectify_function function,
                                   const float *input,
                                   float *output,
                                   size_t len);

// rectify_forward_f32 of double.
rectify_status rectify_forward_f64(struct rectify_function function,
                                   const double *input,
                                   double *output,
                                   size_t len);

// rectify_forward_f32 of IEEE half precision, by its bits.
rectify_status rectify_forward_f16(struct rectify_function function,
                                   const uint16_t *input,
                                   uint16_t *output,
                                   size_t len);

// rectify_forward_f32 of bfloat16, by its bits.
rectify_status rectify_forward_bf16(struct rectify_function function,
                                    const uint16_t *input,
                                    uint16_t *output,
                                    size_t len);

// grad_input[i] = f'(input[i]) * grad_output[i]. In-place if `grad_input` equals `grad_output`; else they don't overlap.
rectify_status rectify_backward_f32(struct rectify_function function,
                                    const float *input,
                                    const float *grad_output,
                                    float *grad_input,
                                    size_t len);

// rectify_backward_f32 of double.
rectify_status rectify_backward_f64(struct rectify_function function,
                                    const double *input,
                                    const double *grad_output,
                                    double *grad_input,
                                    size_t len);

// rectify_backward_f32 of IEEE half precision, by its bits.
rectify_status rectify_backward_f16(struct rectify_function function,
                                    const uint16_t *input,
                                    const uint16_t *grad_output,
                                    uint16_t *grad_input,
                                    size_t len);

// rectify_backward_f32 of bfloat16, by its bits.
rectify_status rectify_backward_bf16(struct rectify_function function,
                                     const uint16_t *input,
                                     const uint16_t *grad_output,
                                     uint16_t *grad_input,
                                     size_t len);

// output = f((input * scale[channel] + bias[channel]) + residual), in one pass.
//
// `scale` and `bias` have `channels` elements and `residual` `len`; each may be NULL. With a `spatial` of 0 channels come last
// (NHWC): the channel of element i is i % channels. Else they come first (NCHW): it is i / spatial % channels.
//
// In-place if `output` equals `input`; else the output overlaps nothing.
rectify_status rectify_fused_f32(struct rectify_function function,
                                 const float *input,
                                 const float *scale,
                                 const float *bias,
                                 size_t channels,
                                 size_t spatial,
                                 const float *residual,
                                 float *output,
                                 size_t len);

// rectify_fused_f32 of double.
rectify_status rectify_fused_f64(struct rectify_function function,
                                 const double *input,
                                 const double *scale,
                                 const double *bias,
                                 size_t channels,
                                 size_t spatial,
                                 const double *residual,
                                 double *output,
                                 size_t len);

// rectify_fused_f32 of IEEE half precision, by its bits.
rectify_status rectify_fused_f16(struct rectify_function function,
                                 const uint16_t *input,
                                 const uint16_t *scale,
                                 const uint16_t *bias,
                                 size_t channels,
                                 size_t spatial,
                                 const uint16_t *residual,
                                 uint16_t *output,
                                 size_t len);

// rectify_fused_f32 of bfloat16, by its bits.
rectify_status rectify_fused_bf16(struct rectify_function function,
                                  const uint16_t *input,
                                  const uint16_t *scale,
                                  const uint16_t *bias,
                                  size_t channels,
                                  size_t spatial,
                                  const uint16_t *residual,
                                  uint16_t *output,
                                  size_t len);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RECTIFY_H */
