// SPDX-License-Identifier: Apache-2.0
// The list of elementwise operations. To add one, a line here: its name, the number of operands, and its value
// for vectors a, b, c of them; what its gradient is stands in operations/gradient.cpp. Comparisons give 1 or 0.
#pragma once

// clang-format off
#define LAMINAR_ELEMENTWISE(X)                                                     \
  X(negative, 1, -a)                                                               \
  X(abs, 1, absolute(a))                                                           \
  X(sign, 1, sign_of(a))                                                           \
  X(floor, 1, floor_of(a))                                                         \
  X(exp, 1, exp(a))                                                                \
  X(expm1, 1, expm1(a))                                                            \
  X(log, 1, log(a))                                                                \
  X(log1p, 1, whole_log1p(a))                                                      \
  X(sqrt, 1, square_root(a))                                                       \
  X(square, 1, a * a)                                                              \
  X(sin, 1, sine(a))                                                               \
  X(cos, 1, cosine(a))                                                             \
  X(erf, 1, error_function(a))                                                     \
  X(tanh, 1, tanh(a))                                                              \
  X(sigmoid, 1, sigmoid(a))                                                        \
  X(add, 2, a + b)                                                                 \
  X(subtract, 2, a - b)                                                            \
  X(multiply, 2, a * b)                                                            \
  X(divide, 2, a / b)                                                              \
  X(power, 2, power(a, b))                                                         \
  X(maximum, 2, select<V>(b != b, b, maximum(a, b)))                               \
  X(minimum, 2, select<V>(b != b, b, minimum(a, b)))                               \
  X(less, 2, truth<V>(a < b))                                                      \
  X(less_equal, 2, truth<V>(a <= b))                                               \
  X(greater, 2, truth<V>(a > b))                                                   \
  X(greater_equal, 2, truth<V>(a >= b))                                            \
  X(equal, 2, truth<V>(a == b))                                                    \
  X(not_equal, 2, truth<V>(a != b))                                                \
  X(where, 3, select<V>(a != 0, b, c))
// clang-format on
