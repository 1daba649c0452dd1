// SPDX-License-Identifier: Apache-2.0
// To add an initializer, write a struct and put its name in the list. `draw` makes one element of a
// uniform number u in (0, 1); an entry that fills whole tensors has `fill` instead.
#include "laminar/initializer.hpp"

#include <Eigen/Core>
#include <Eigen/QR>
#include <cmath>

#include "laminar/entries.hpp"
#include "laminar/error.hpp"

namespace laminar {
namespace {

struct Fans {
  double in;
  double out;
};

/// A normal draw with the tails beyond two standard deviations cut off and the rest stretched to the
/// wanted deviation, as Keras's "normal" initializers do it.
double truncated_normal(double u, double stddev) {
  constexpr double tail = 0.022750131948179209;           // P(z < -2)
  constexpr double kept_deviation = 0.87962566103423978;  // of a normal cut at 2
  return normal_quantile(tail + u * (1 - 2 * tail)) * (stddev / kept_deviation);
}

double symmetric(double u, double limit) { return (2 * u - 1) * limit; }

struct Zeros {
  static constexpr EntryInfo info{"zeros", "", {}};
  static double draw(double, Fans, const double*) { return 0; }
};

struct Ones {
  static constexpr EntryInfo info{"ones", "", {}};
  static double draw(double, Fans, const double*) { return 1; }
};

/// U(-l, l), l = sqrt(6 / (in + out))  (Glorot & Bengio 2010)
struct GlorotUniform {
  static constexpr EntryInfo info{"glorot_uniform", "xavier_uniform", {}};
  static double draw(double u, Fans f, const double*) { return symmetric(u, std::sqrt(6 / (f.in + f.out))); }
};

/// N(0, 2 / (in + out)), truncated  (Glorot & Bengio 2010)
struct GlorotNormal {
  static constexpr EntryInfo info{"glorot_normal", "xavier_normal", {}};
  static double draw(double u, Fans f, const double*) { return truncated_normal(u, std::sqrt(2 / (f.in + f.out))); }
};

/// U(-l, l), l = sqrt(6 / in)  (He et al. 2015)
struct HeUniform {
  static constexpr EntryInfo info{"he_uniform", "kaiming_uniform", {}};
  static double draw(double u, Fans f, const double*) { return symmetric(u, std::sqrt(6 / f.in)); }
};

/// N(0, 2 / in), truncated  (He et al. 2015)
struct HeNormal {
  static constexpr EntryInfo info{"he_normal", "kaiming_normal", {}};
  static double draw(double u, Fans f, const double*) { return truncated_normal(u, std::sqrt(2 / f.in)); }
};

/// U(minval, maxval)
struct RandomUniform {
  static constexpr EntryInfo info{"random_uniform", "uniform", {{"minval", -0.05}, {"maxval", 0.05}}};
  static double draw(double u, Fans, const double* p) { return p[0] + u * (p[1] - p[0]); }
};

/// N(mean, stddev^2)
struct RandomNormal {
  static constexpr EntryInfo info{"random_normal", "normal", {{"mean", 0}, {"stddev", 0.05, Range::non_negative}}};
  static double draw(double u, Fans, const double* p) { return p[0] + p[1] * normal_quantile(u); }
};

/// gain Q of the QR decomposition of a normal matrix, signs made unique  (Saxe et al. 2014)
struct Orthogonal {
  static constexpr EntryInfo info{"orthogonal", "", {{"gain", 1.0}}};
  static void fill(const Shape& shape, const RandomStream& stream, const double* p, std::span<double> out) {
    using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    if (shape.size() < 2) fail("initializer 'orthogonal': needs a tensor of 2 axes, got shape ", to_string(shape));
    const Index columns = shape.back();
    const Index rows = static_cast<Index>(out.size()) / columns;
    const bool wide = rows < columns;
    Matrix normal(wide ? columns : rows, wide ? rows : columns);
    for (Index i = 0; i < normal.size(); ++i) {
      normal.data()[i] = normal_quantile(stream.uniform(static_cast<std::uint64_t>(i)));
    }
    const Eigen::HouseholderQR<Matrix> qr(normal);
    Matrix q = qr.householderQ() * Matrix::Identity(normal.rows(), normal.cols());
    for (Index j = 0; j < q.cols(); ++j) {
      if (qr.matrixQR()(j, j) < 0) q.col(j) *= -1;
    }
    Eigen::Map<Matrix> result(out.data(), rows, columns);
    if (wide) {
      result = p[0] * q.transpose();
    } else {
      result = p[0] * q;
    }
  }
};

using Initializers = kernels::List<Zeros, Ones, GlorotUniform, GlorotNormal, HeUniform, HeNormal, RandomUniform,
                                   RandomNormal, Orthogonal>;

/// Keras: a matrix has (rows, columns), a vector counts itself twice, further axes multiply both.
Fans fans_of(const Shape& shape) {
  if (shape.empty()) return {1, 1};
  if (shape.size() == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  double field = 1;
  for (std::size_t i = 0; i + 2 < shape.size(); ++i) field *= static_cast<double>(shape[i]);
  return {field * static_cast<double>(shape[shape.size() - 2]), field * static_cast<double>(shape.back())};
}

template <typename I>
void fill_tensor(const Shape& shape, const RandomStream& stream, const double* p, std::span<double> out) {
  if constexpr (requires { I::draw(0.5, Fans{1, 1}, p); }) {
    const Fans fans = fans_of(shape);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = I::draw(stream.uniform(i), fans, p);
  } else {
    I::fill(shape, stream, p, out);
  }
}

constexpr auto kInfos = entry_infos<Initializers>();
constexpr auto kFill = from_list(Initializers{}, [](auto tag) { return &fill_tensor<typename decltype(tag)::type>; });

}  // namespace

const Family& initializer_family() {
  static constexpr Family family{"initializer", kInfos};
  return family;
}

void Initializer::fill(const Shape& shape, const RandomStream& stream, std::span<double> out) const {
  kFill[static_cast<std::size_t>(index())](shape, stream, values().data(), out);
}

}  // namespace laminar
