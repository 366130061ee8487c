// Compiled as C and as C++. Reads the tables of examples/vectors.rs, and tries what is refused.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rectify.h"

static int failures = 0;

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                  \
      failures++;                                                                                                      \
    }                                                                                                                  \
  } while (0)

static const size_t sizes[] = {4, 8, 2, 2};

static rectify_status forward(int format, rectify_function f, const void *x, void *y, size_t len) {
  switch (format) {
  case 0: return rectify_forward_f32(f, (const float *)x, (float *)y, len);
  case 1: return rectify_forward_f64(f, (const double *)x, (double *)y, len);
  case 2: return rectify_forward_f16(f, (const uint16_t *)x, (uint16_t *)y, len);
  default: return rectify_forward_bf16(f, (const uint16_t *)x, (uint16_t *)y, len);
  }
}

static rectify_status backward(int format, rectify_function f, const void *x, const void *g, void *y, size_t len) {
  switch (format) {
  case 0: return rectify_backward_f32(f, (const float *)x, (const float *)g, (float *)y, len);
  case 1: return rectify_backward_f64(f, (const double *)x, (const double *)g, (double *)y, len);
  case 2: return rectify_backward_f16(f, (const uint16_t *)x, (const uint16_t *)g, (uint16_t *)y, len);
  default: return rectify_backward_bf16(f, (const uint16_t *)x, (const uint16_t *)g, (uint16_t *)y, len);
  }
}

static void set(void *elements, int format, size_t i, uint64_t bits) {
  char *place = (char *)elements + i * sizes[format];
  uint32_t b32 = (uint32_t)bits;
  uint16_t b16 = (uint16_t)bits;
  switch (sizes[format]) {
  case 8: memcpy(place, &bits, 8); break;
  case 4: memcpy(place, &b32, 4); break;
  default: memcpy(place, &b16, 2); break;
  }
}

// Returns the number of tables.
static int tables(FILE *file, rectify_isa isa) {
  int count = 0, format;
  rectify_function f;
  uint64_t first, second;
  size_t len;
  CHECK(rectify_set_isa(isa) == RECTIFY_STATUS_OK);
  CHECK(rectify_current_isa() == isa);
  while (fscanf(file, "%" SCNu32 " %" SCNx64 " %" SCNx64 " %d %zu", &f.kind, &first, &second, &format, &len) == 5) {
    size_t bytes = len * sizes[format];
    // Exactly as long, so that the sanitizer sees each access beyond.
    void *x = malloc(bytes), *g = malloc(bytes), *y = malloc(bytes), *d = malloc(bytes), *out = malloc(bytes);
    memcpy(&f.parameters[0], &first, 8);
    memcpy(&f.parameters[1], &second, 8);
    for (size_t i = 0; i < len; i++) {
      uint64_t bits[4];
      if (fscanf(file, "%" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &bits[0], &bits[1], &bits[2], &bits[3]) != 4) abort();
      set(x, format, i, bits[0]);
      set(g, format, i, bits[1]);
      set(y, format, i, bits[2]);
      set(d, format, i, bits[3]);
    }
    CHECK(forward(format, f, x, out, len) == RECTIFY_STATUS_OK);
    CHECK(memcmp(out, y, bytes) == 0);
    CHECK(backward(format, f, x, g, out, len) == RECTIFY_STATUS_OK);
    CHECK(memcmp(out, d, bytes) == 0);
    CHECK(backward(format, f, x, g, g, len) == RECTIFY_STATUS_OK);
    CHECK(memcmp(g, d, bytes) == 0);
    CHECK(forward(format, f, x, x, len) == RECTIFY_STATUS_OK);
    CHECK(memcmp(x, y, bytes) == 0);
    free(x), free(g), free(y), free(d), free(out);
    count++;
  }
  return count;
}

static void fused(void) {
  rectify_function relu = {RECTIFY_KIND_RELU, {0, 0}};
  float x[6] = {1, -2, 3, -4, 5, -6}, y[6], bias[3] = {1, 0, -3}, skip[6] = {.5f, .5f, .5f, .5f, .5f, .5f};
  const float last[6] = {2.5f, 0, .5f, 0, 5.5f, 0}, first[6] = {2, 0, 4, 0, 2, 0};
  CHECK(rectify_fused_f32(relu, x, NULL, bias, 3, 0, skip, y, 6) == RECTIFY_STATUS_OK);
  CHECK(memcmp(y, last, sizeof y) == 0);
  bias[1] = -3;
  CHECK(rectify_fused_f32(relu, x, NULL, bias, 2, 3, NULL, y, 6) == RECTIFY_STATUS_OK);
  CHECK(memcmp(y, first, sizeof y) == 0);
  CHECK(rectify_fused_f32(relu, x, NULL, bias, 2, 3, NULL, x, 6) == RECTIFY_STATUS_OK);
  CHECK(memcmp(x, first, sizeof x) == 0);
  CHECK(rectify_fused_f32(relu, x, NULL, bias, 3, 4, NULL, y, 6) == RECTIFY_STATUS_INVALID_SHAPE);
  CHECK(rectify_fused_f32(relu, x, NULL, y, 3, 0, NULL, y, 6) == RECTIFY_STATUS_OVERLAP);
  CHECK(rectify_fused_f32(relu, x, NULL, NULL, 0, 0, y + 1, y, 5) == RECTIFY_STATUS_OVERLAP);

  // A scale alone, with all others, and what is refused.
  float z[4] = {1, -2, 3, -4}, scale[2] = {2, -.5f}, shift[2] = {-1, 2}, ones[4] = {1, 1, 1, 1};
  const float scaled[4] = {2, 1, 6, 2}, all[4] = {2, 0, 1.5f, 5};
  CHECK(rectify_fused_f32(relu, z, scale, NULL, 2, 0, NULL, y, 4) == RECTIFY_STATUS_OK);
  CHECK(memcmp(y, scaled, sizeof scaled) == 0);
  CHECK(rectify_fused_f32(relu, z, scale, NULL, 2, 3, NULL, y, 4) == RECTIFY_STATUS_INVALID_SHAPE);
  CHECK(rectify_fused_f32(relu, z, y, NULL, 2, 0, NULL, y, 4) == RECTIFY_STATUS_OVERLAP);
  CHECK(rectify_fused_f32(relu, z, (const float *)((const char *)scale + 1), NULL, 1, 0, NULL, y, 4) == RECTIFY_STATUS_MISALIGNED);
  CHECK(memcmp(y, scaled, sizeof scaled) == 0);
  CHECK(rectify_fused_f32(relu, z, scale, shift, 2, 2, ones, z, 4) == RECTIFY_STATUS_OK);
  CHECK(memcmp(z, all, sizeof z) == 0);

  // Of 64 and 16 bits, with a scale of 2.
  double x64[2] = {-1, 2}, two64[1] = {2};
  CHECK(rectify_fused_f64(relu, x64, two64, NULL, 1, 0, NULL, x64, 2) == RECTIFY_STATUS_OK);
  CHECK(x64[0] == 0 && x64[1] == 4);
  uint16_t x16[2] = {0xbc00, 0x4000}, two16[1] = {0x4000}; // -1 and 2
  CHECK(rectify_fused_f16(relu, x16, two16, NULL, 1, 0, NULL, x16, 2) == RECTIFY_STATUS_OK);
  CHECK(x16[0] == 0 && x16[1] == 0x4400);
  uint16_t xb16[2] = {0xbf80, 0x4000}, twob16[1] = {0x4000};
  CHECK(rectify_fused_bf16(relu, xb16, twob16, NULL, 1, 0, NULL, xb16, 2) == RECTIFY_STATUS_OK);
  CHECK(xb16[0] == 0 && xb16[1] == 0x4080);
}

static void names(void) {
  rectify_function f;
  float x[2] = {-1, 8}, y[2];
  CHECK(rectify_function_by_name("relu6", &f) == RECTIFY_STATUS_OK);
  CHECK(f.kind == RECTIFY_KIND_CLIPPED_RELU && f.parameters[0] == 6);
  CHECK(rectify_forward_f32(f, x, y, 2) == RECTIFY_STATUS_OK);
  CHECK(y[0] == 0 && y[1] == 6);
  CHECK(rectify_function_by_name("gelu", &f) == RECTIFY_STATUS_OK && f.kind == RECTIFY_KIND_GELU);
  CHECK(rectify_function_by_name("no such name", &f) == RECTIFY_STATUS_UNKNOWN_FUNCTION);
  CHECK(rectify_function_by_name("\xff", &f) == RECTIFY_STATUS_UNKNOWN_FUNCTION);
  CHECK(rectify_function_by_name(NULL, &f) == RECTIFY_STATUS_NULL);
  CHECK(rectify_function_by_name("relu", NULL) == RECTIFY_STATUS_NULL);
}

static void refused(void) {
  rectify_function relu = {RECTIFY_KIND_RELU, {0, 0}}, bad = {1000, {0, 0}}, elu = {RECTIFY_KIND_ELU, {NAN, 0}};
  float x[8] = {-1, -1, -1, -1, -1, -1, -1, -1}, y[8] = {7, 7, 7, 7, 7, 7, 7, 7};
  CHECK(rectify_forward_f32(relu, NULL, y, 8) == RECTIFY_STATUS_NULL);
  CHECK(rectify_forward_f32(relu, x, NULL, 8) == RECTIFY_STATUS_NULL);
  CHECK(rectify_forward_f32(relu, NULL, NULL, 0) == RECTIFY_STATUS_OK);
  CHECK(rectify_backward_f32(relu, x, NULL, y, 8) == RECTIFY_STATUS_NULL);
  CHECK(rectify_backward_f32(relu, NULL, x, y, 8) == RECTIFY_STATUS_NULL);
  CHECK(rectify_forward_f32(relu, (const float *)((const char *)x + 1), y, 7) == RECTIFY_STATUS_MISALIGNED);
  CHECK(rectify_forward_f32(relu, y + 1, y, 7) == RECTIFY_STATUS_OVERLAP);
  CHECK(rectify_forward_f32(relu, y, y + 1, 7) == RECTIFY_STATUS_OVERLAP);
  CHECK(rectify_forward_f32(relu, y, y + 4, 4) == RECTIFY_STATUS_OK);
  y[4] = y[5] = y[6] = y[7] = 7;
  CHECK(rectify_backward_f32(relu, y, x, y, 8) == RECTIFY_STATUS_OVERLAP);
  CHECK(rectify_backward_f32(relu, x, y, y + 1, 7) == RECTIFY_STATUS_OVERLAP);
  CHECK(rectify_forward_f32(relu, x, y, SIZE_MAX / 4) == RECTIFY_STATUS_TOO_LONG);
  CHECK(rectify_forward_f32(bad, x, y, 8) == RECTIFY_STATUS_UNKNOWN_FUNCTION);
  CHECK(rectify_forward_f32(elu, x, y, 8) == RECTIFY_STATUS_INVALID_PARAMETER);
  for (int i = 0; i < 8; i++) CHECK(y[i] == 7);
  CHECK(rectify_set_isa(99) == RECTIFY_STATUS_UNSUPPORTED_ISA && !rectify_isa_is_available(99));
  for (uint32_t status = 0; status <= RECTIFY_STATUS_INTERNAL; status++)
    CHECK(strcmp(rectify_status_message(status), "no such status") != 0);
  CHECK(strcmp(rectify_status_message(99), "no such status") == 0);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  fused(), names(), refused();
  for (uint32_t isa = RECTIFY_ISA_SCALAR; isa <= RECTIFY_ISA_AVX512; isa++) {
    if (!rectify_isa_is_available(isa)) continue;
    FILE *file = fopen(argv[1], "r");
    if (!file) return 2;
    printf("instruction set %" PRIu32 ": %d tables\n", isa, tables(file, (rectify_isa)isa));
    fclose(file);
  }
  if (failures) fprintf(stderr, "%d failures\n", failures);
  return failures != 0;
}
