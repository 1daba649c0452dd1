// SPDX-License-Identifier: Apache-2.0
// Elements: a = x_1 + … + x_k, d_x_i = d_a; and so on for the other rules. Dot: a = sum x y, d_x = d_a y; with
// unit vectors u = x / |x|, v = y / |y| instead, d_x = d_a (v - u a) / |x|, where |x| is longer than the margin.
#include "laminar/graph/layers/merging.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/base/copy_values.hpp"
#include "laminar/execution/layers/work.hpp"

namespace laminar {
namespace {

constexpr double kShortest = 1e-7;  // a vector's length, in Keras's Dot

/// out = f(out, x) elementwise for one row of an input.
template <MergeRule rule, typename T>
void fold(const T* x, T* out, Index width) {
  for (Index j = 0; j < width; ++j) {
    if constexpr (rule == MergeRule::subtract) out[j] -= x[j];
    if constexpr (rule == MergeRule::multiply) out[j] *= x[j];
    if constexpr (rule == MergeRule::average) out[j] += x[j];
    // NaN is handed on, from either side.
    if constexpr (rule == MergeRule::maximum) out[j] = out[j] >= x[j] || out[j] != out[j] ? out[j] : x[j];
    if constexpr (rule == MergeRule::minimum) out[j] = out[j] <= x[j] || out[j] != out[j] ? out[j] : x[j];
  }
}

/// The gradient that input number `which` gets of d_a, for one row.
template <MergeRule rule, typename T>
void slope(const Pass<T>& pass, int node, std::size_t which, Index row, T* to) {
  const Node& n = pass.node(node);
  const T* d = pass.delta(node, row);
  const Index width = n.width;
  if constexpr (rule == MergeRule::add) {
    std::copy_n(d, width, to);
  } else if constexpr (rule == MergeRule::average) {
    const T share = T(1) / static_cast<T>(n.inputs.size());
    for (Index j = 0; j < width; ++j) to[j] = d[j] * share;
  } else if constexpr (rule == MergeRule::subtract) {
    for (Index j = 0; j < width; ++j) to[j] = which == 0 ? d[j] : -d[j];
  } else if constexpr (rule == MergeRule::multiply) {
    std::copy_n(d, width, to);
    for (std::size_t e = 0; e < n.inputs.size(); ++e) {
      if (e != which) fold<rule>(pass.output(n.inputs[e], row), to, width);
    }
  } else {
    const T* a = pass.output(node, row);
    for (Index j = 0; j < width; ++j) to[j] = pass.output(n.inputs[which], row)[j] == a[j] ? d[j] : T(0);
    for (std::size_t e = 0; e < which; ++e) {
      const T* earlier = pass.output(n.inputs[e], row);
      for (Index j = 0; j < width; ++j) to[j] = earlier[j] == a[j] ? T(0) : to[j];
    }
  }
}

/// Two vectors: their scalar product, and their lengths.
template <typename T>
struct Pair {
  T product = 0;
  T x_length = 1;
  T y_length = 1;
};

template <typename T>
Pair<T> pair_of(const T* x, const T* y, Index width, bool lengths) {
  Pair<T> pair;
  T x_squares = 0;
  T y_squares = 0;
  for (Index j = 0; j < width; ++j) pair.product += x[j] * y[j];
  if (!lengths) return pair;
  for (Index j = 0; j < width; ++j) x_squares += x[j] * x[j];
  for (Index j = 0; j < width; ++j) y_squares += y[j] * y[j];
  pair.x_length = std::max(std::sqrt(x_squares), static_cast<T>(kShortest));
  pair.y_length = std::max(std::sqrt(y_squares), static_cast<T>(kShortest));
  return pair;
}

}  // namespace

template <typename T>
void forward(const Slice& layer, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  if (pass.output(input, 0) + layer.begin == pass.output_to_write(node, 0)) return;  // they lie there (plan.hpp)
  for (Index row = rows.begin; row < rows.end; ++row) {
    copy_values(pass.output(input, row) + layer.begin, pass.node(node).width, pass.output_to_write(node, row));
  }
}

template <typename T>
void backward(const Slice& layer, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  if (!pass.wants_delta(input)) return;
  const Index width = pass.node(input).width;
  for (Index row = rows.begin; row < rows.end; ++row) {
    T* to = pass.back(node, 0, row);
    std::fill_n(to, width, T(0));
    std::copy_n(pass.delta(node, row), pass.node(node).width, to + layer.begin);
  }
}

template <MergeRule rule, typename T>
void forward(const Merge<rule>&, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  for (Index row = rows.begin; row < rows.end; ++row) {
    T* out = pass.output_to_write(node, row);
    std::copy_n(pass.output(n.inputs[0], row), n.width, out);
    for (std::size_t e = 1; e < n.inputs.size(); ++e) {
      const T* x = pass.output(n.inputs[e], row);
      if constexpr (rule == MergeRule::add) {  // in whole vectors
        pass.kernels.add_product(x, 0, nullptr, 0, out, 0, 1, n.width);
      } else {
        fold<rule>(x, out, n.width);
      }
    }
    if constexpr (rule == MergeRule::average) {
      const T share = T(1) / static_cast<T>(n.inputs.size());
      for (Index j = 0; j < n.width; ++j) out[j] *= share;
    }
  }
}

template <MergeRule rule, typename T>
void backward(const Merge<rule>&, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  for (std::size_t e = 0; e < n.inputs.size(); ++e) {
    if (!pass.wants_delta(n.inputs[e])) continue;
    for (Index row = rows.begin; row < rows.end; ++row) slope<rule>(pass, node, e, row, pass.back(node, e, row));
  }
}

// A row is as many pieces as the axes before the last have places; each holds a part of every input.
template <typename T>
void forward(const Concatenate&, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  const Index whole = n.shape.back();
  const Index pieces = n.width / whole;
  Index begin = 0;
  for (const int input : n.inputs) {
    const Index part = pass.node(input).shape.back();
    const bool lies_there = pass.output(input, 0) == pass.output_to_write(node, 0) + begin;  // see plan.hpp
    for (Index row = rows.begin; !lies_there && row < rows.end; ++row) {
      const T* from = pass.output(input, row);
      T* to = pass.output_to_write(node, row) + begin;
      for (Index piece = 0; piece < pieces; ++piece) copy_values(from + piece * part, part, to + piece * whole);
    }
    begin += part;
  }
}

template <typename T>
void backward(const Concatenate&, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  const Index whole = n.shape.back();
  const Index pieces = n.width / whole;
  Index begin = 0;
  for (std::size_t e = 0; e < n.inputs.size(); ++e) {
    const Index part = pass.node(n.inputs[e]).shape.back();
    const bool copies = pass.wants_delta(n.inputs[e]) && pass.back(node, e, 0) != pass.delta(node, 0) + begin;
    for (Index row = rows.begin; copies && row < rows.end; ++row) {
      const T* from = pass.delta(node, row) + begin;
      T* to = pass.back(node, e, row);
      for (Index piece = 0; piece < pieces; ++piece) copy_values(from + piece * whole, part, to + piece * part);
    }
    begin += part;
  }
}

template <typename T>
void forward(const Dot& layer, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  const Index width = pass.node(n.inputs[0]).width;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const Pair<T> pair = pair_of(pass.output(n.inputs[0], row), pass.output(n.inputs[1], row), width, layer.normalize);
    *pass.output_to_write(node, row) = pair.product / pair.x_length / pair.y_length;
  }
}

template <typename T>
void backward(const Dot& layer, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  const Index width = pass.node(n.inputs[0]).width;
  for (std::size_t e = 0; e < 2; ++e) {
    if (!pass.wants_delta(n.inputs[e])) continue;
    for (Index row = rows.begin; row < rows.end; ++row) {
      const T* own = pass.output(n.inputs[e], row);
      const T* other = pass.output(n.inputs[1 - e], row);
      const Pair<T> pair = pair_of(own, other, width, layer.normalize);
      const T d = *pass.delta(node, row) / pair.x_length / pair.y_length;
      const bool turns = layer.normalize && pair.x_length > static_cast<T>(kShortest);
      const T along = turns ? pair.product / (pair.x_length * pair.x_length) : T(0);
      T* to = pass.back(node, e, row);
      for (Index j = 0; j < width; ++j) to[j] = d * (other[j] - along * own[j]);
    }
  }
}

#define LAMINAR_INSTANTIATE(Kind)                                     \
  template void forward(const Kind&, int, const Pass<float>&, Rows);  \
  template void forward(const Kind&, int, const Pass<double>&, Rows); \
  template void backward(const Kind&, int, const Pass<float>&, Rows); \
  template void backward(const Kind&, int, const Pass<double>&, Rows)

LAMINAR_INSTANTIATE(Slice);
LAMINAR_INSTANTIATE(Concatenate);
LAMINAR_INSTANTIATE(Dot);

LAMINAR_INSTANTIATE(Add);
LAMINAR_INSTANTIATE(Subtract);
LAMINAR_INSTANTIATE(Multiply);
LAMINAR_INSTANTIATE(Average);
LAMINAR_INSTANTIATE(Maximum);
LAMINAR_INSTANTIATE(Minimum);

}  // namespace laminar
