// SPDX-License-Identifier: Apache-2.0
// Rows and columns of the layers that are not products. A row may hold several groups of columns one
// after the other (the last axis of a sample with several axes), so nothing here is padded: the last
// vector of a group is read and written in part. A row's sums run over its own lanes in a fixed
// order, a column's over the rows in theirs.
#pragma once

#include "laminar/kernels/rows.hpp"

namespace laminar::kernels {
namespace {

/// The first n lanes of a vector in memory: all of them, but at the end of a group.
template <typename T>
struct Part {
  Index n;

  Vector<T> read(const T* p) const { return load_up_to(p, n); }
  void write(T* p, Vector<T> v) const {
    if (n < kLanes<T>) {
      store_first(p, v, n);
    } else {
      store(p, v);
    }
  }
  /// v, zero in the other lanes.
  Vector<T> only(Vector<T> v) const { return select<Vector<T>>(first_lanes<Vector<T>>(n), v, Vector<T>{}); }
};

template <typename T, typename Work>
inline void over_columns(Index columns, const Work& work) {
  for (Index j = 0; j < columns; j += kLanes<T>) {
    const Index rest = columns - j;
    work(j, Part<T>{rest < kLanes<T> ? rest : kLanes<T>});
  }
}

/// work(in, out, values, column, part) over all rows, groups and columns.
template <typename T, typename Work>
inline void over_groups(const ColumnRows<T>& r, const Work& work) {
  for (Index i = 0; i < r.rows; ++i) {
    for (Index g = 0; g < r.groups; ++g) {
      const Index at = g * r.columns;
      over_columns<T>(r.columns, [&](Index j, Part<T> part) {
        work(r.in + i * r.in_stride + at + j, r.out + i * r.out_stride + at + j,
             r.values == nullptr ? nullptr : r.values + i * r.values_stride + at + j, j, part);
      });
    }
  }
}

/// a = x if x >= 0 else alpha x
template <typename T>
void prelu(const ColumnRows<T>& r) {
  over_groups<T>(r, [&](const T* in, T* out, const T*, Index j, Part<T> part) {
    const Vector<T> x = part.read(in);
    part.write(out, select<Vector<T>>(x < 0, x * part.read(r.first + j), x));
  });
}

/// d_x = d_a if x >= 0 else alpha d_a; `values` are x
template <typename T>
void prelu_gradient(const ColumnRows<T>& r) {
  over_groups<T>(r, [&](const T* in, T* out, const T* values, Index j, Part<T> part) {
    const Vector<T> d = part.read(in);
    part.write(out, select<Vector<T>>(part.read(values) < 0, d * part.read(r.first + j), d));
  });
}

constexpr double kSmallestDeviation = 1e-7;  // as in Keras: a constant feature becomes 0

template <typename T>
inline Vector<T> deviation(Vector<T> variance) {
  return maximum(square_root(variance), broadcast<Vector<T>>(T(kSmallestDeviation)));
}

/// a = (x - mean) / max(sqrt(variance), 1e-7)
template <typename T>
void standardize(const ColumnRows<T>& r) {
  over_groups<T>(r, [&](const T* in, T* out, const T*, Index j, Part<T> part) {
    part.write(out, (part.read(in) - part.read(r.first + j)) / deviation<T>(part.read(r.second + j)));
  });
}

/// a = x max(sqrt(variance), 1e-7) + mean
template <typename T>
void restore(const ColumnRows<T>& r) {
  over_groups<T>(r, [&](const T* in, T* out, const T*, Index j, Part<T> part) {
    part.write(out, part.read(in) * deviation<T>(part.read(r.second + j)) + part.read(r.first + j));
  });
}

/// a = x scale + offset, the same scale and offset for all columns
template <typename T>
void rescale(const ColumnRows<T>& r) {
  over_groups<T>(r, [&](const T* in, T* out, const T*, Index, Part<T> part) {
    part.write(out, part.read(in) * broadcast<Vector<T>>(*r.first) + broadcast<Vector<T>>(*r.second));
  });
}

/// x^ = (x - mean) / sqrt(variance + epsilon), a = gamma x^ + beta, mean and variance over the columns
template <typename T>
inline void normalize_group(const NormalizedRows<T>& r, const T* in, T* out, T* normalized, T* inverse) {
  using V = Vector<T>;
  const T n = static_cast<T>(r.columns);
  V total{};
  over_columns<T>(r.columns, [&](Index j, Part<T> part) { total += part.read(in + j); });
  const V mean = sum_lanes(total) / n;
  V squares{};
  over_columns<T>(r.columns, [&](Index j, Part<T> part) {
    const V from_mean = part.only(part.read(in + j) - mean);
    squares += from_mean * from_mean;
  });
  const V scale = T(1) / square_root(sum_lanes(squares) / n + r.epsilon);
  over_columns<T>(r.columns, [&](Index j, Part<T> part) {
    V a = (part.read(in + j) - mean) * scale;
    if (normalized != nullptr) part.write(normalized + j, a);
    if (r.gamma != nullptr) a = rounded(a * part.read(r.gamma + j));
    if (r.beta != nullptr) a += part.read(r.beta + j);
    part.write(out + j, a);
  });
  if (inverse != nullptr) *inverse = scale[0];
}

template <typename T>
void normalize(const NormalizedRows<T>& r) {
  for (Index i = 0; i < r.rows; ++i) {
    for (Index g = 0; g < r.groups; ++g) {
      const Index at = g * r.columns;
      normalize_group(r, r.in + i * r.in_stride + at, r.out + i * r.out_stride + at,
                      r.normalized == nullptr ? nullptr : r.normalized + i * r.kept_stride + at,
                      r.inverse == nullptr ? nullptr : r.inverse + i * r.kept_stride + g);
    }
  }
}

/// d_x = (d - mean d - x^ mean(d x^)) / sqrt(variance + epsilon), d = gamma d_a
template <typename T>
inline void normalize_gradient_group(const NormalizedRows<T>& r, const T* in, T* out, const T* normalized, T inverse) {
  using V = Vector<T>;
  const T n = static_cast<T>(r.columns);
  const auto slope = [&](Index j, Part<T> part) {
    const V d = part.read(in + j);
    return r.gamma == nullptr ? d : rounded(d * part.read(r.gamma + j));
  };
  V total{};
  V products{};
  over_columns<T>(r.columns, [&](Index j, Part<T> part) {
    const V d = slope(j, part);
    total += d;
    products += d * part.read(normalized + j);
  });
  const V mean = sum_lanes(total) / n;
  const V product = sum_lanes(products) / n;
  over_columns<T>(r.columns, [&](Index j, Part<T> part) {
    part.write(out + j, (slope(j, part) - mean - part.read(normalized + j) * product) * inverse);
  });
}

template <typename T>
void normalize_gradient(const NormalizedRows<T>& r) {
  for (Index i = 0; i < r.rows; ++i) {
    for (Index g = 0; g < r.groups; ++g) {
      const Index at = g * r.columns;
      normalize_gradient_group(r, r.in + i * r.in_stride + at, r.out + i * r.out_stride + at,
                               r.normalized + i * r.kept_stride + at, r.inverse[i * r.kept_stride + g]);
    }
  }
}

/// a_u = max_j z_ju; NaN in one piece is NaN
template <typename T>
void largest_piece(const PieceRows<T>& r) {
  using V = Vector<T>;
  for (Index i = 0; i < r.rows; ++i) {
    const T* z = r.z + i * r.z_stride;
    over_columns<T>(r.units, [&](Index u, Part<T> part) {
      V best = part.read(z + u);
      for (Index j = 1; j < r.pieces; ++j) {
        const V next = part.read(z + j * r.units + u);
        best = select<V>((next > best) | (next != next), next, best);
      }
      part.write(r.out + i * r.out_stride + u, best);
    });
  }
}

/// d_z_ju = d_a_u for the piece that is the largest, the last one of equal pieces, else 0; replaces z
template <typename T>
void largest_piece_gradient(const PieceRows<T>& r) {
  using V = Vector<T>;
  for (Index i = 0; i < r.rows; ++i) {
    T* z = r.z + i * r.z_stride;
    over_columns<T>(r.units, [&](Index u, Part<T> part) {
      const V largest = part.read(r.out + i * r.out_stride + u);
      V rest = part.read(r.delta + i * r.delta_stride + u);
      for (Index j = r.pieces - 1; j >= 0; --j) {
        const auto here = part.read(z + j * r.units + u) == largest;
        part.write(z + j * r.units + u, select<V>(here, rest, V{}));
        rest = select<V>(here, V{}, rest);
      }
    });
  }
}

/// out = out + a b; b = 1 where it is null. Padded.
template <typename T>
void add_product(const T* a, Index a_stride, const T* b, Index b_stride, T* out, Index out_stride, Index rows,
                 Index columns) {
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; j += kLanes<T>) {
      const Vector<T> x = load(a + i * a_stride + j);
      T* to = out + i * out_stride + j;
      store(to, load(to) + (b == nullptr ? x : x * load(b + i * b_stride + j)));
    }
  }
}

/// sums_j = sum over rows, and groups of a row, of a_j b_j
template <typename T>
void group_products(const GroupProducts<T>& r) {
  using V = Vector<T>;
  over_columns<T>(r.columns, [&](Index j, Part<T> part) {
    V total{};
    for (Index i = 0; i < r.rows; ++i) {
      for (Index g = 0; g < r.groups; ++g) {
        const V a = part.read(r.a + i * r.a_stride + g * r.group + j);
        if (r.b == nullptr) {
          total += a;
          continue;
        }
        const V b = part.read(r.b + i * r.b_stride + g * r.group + j);
        total += a * (r.negative_part ? select<V>(b > 0, V{}, b) : b);
      }
    }
    part.write(r.sums + j, total);
  });
}

}  // namespace
}  // namespace laminar::kernels
