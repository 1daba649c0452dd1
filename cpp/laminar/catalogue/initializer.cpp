// SPDX-License-Identifier: Apache-2.0
// To add an initializer, write a struct and put its name in the list. `draw` makes one element of a
// uniform number u in (0, 1); an entry that fills whole tensors has `fill` instead.
#include "laminar/catalogue/initializer.hpp"

#include <Eigen/Core>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>

#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/catalogue/entries.hpp"

namespace laminar {
namespace {

struct Fans {
  double in;
  double out;
};

/// Left out, an initializer draws from the model's seed and the tensor's position in it.
constexpr ParameterInfo kSeed{"seed", kAbsent, Range::whole};

constexpr Index kPiece = 1 << 16;     // draws before the caller is asked
constexpr double kWorkPerDraw = 500;  // 50 ns

constexpr double kKeptDeviation = 0.87962566103423978;  // of a standard normal cut at 2

/// A standard normal draw with the tails beyond two standard deviations cut off.
double cut_normal(double u) {
  constexpr double tail = 0.022750131948179209;  // P(z < -2)
  return normal_quantile(tail + u * (1 - 2 * tail));
}

// Draws of a given variance. Keras's "normal" initializers stretch the cut normal back to it.
double normal_of(double u, double variance) { return cut_normal(u) * (std::sqrt(variance) / kKeptDeviation); }
double uniform_of(double u, double variance) { return (2 * u - 1) * std::sqrt(3 * variance); }

double mean_fan(Fans f) { return (f.in + f.out) / 2; }

struct Zeros {
  static constexpr EntryInfo info{"zeros", "", {}};
  static double draw(double, Fans, const double*) { return 0; }
};

struct Ones {
  static constexpr EntryInfo info{"ones", "", {}};
  static double draw(double, Fans, const double*) { return 1; }
};

struct Constant {
  static constexpr EntryInfo info{"constant", "", {{"value", 0}}};
  static double draw(double, Fans, const double* p) { return p[0]; }
};

/// gain on the diagonal, 0 elsewhere
struct Identity {
  static constexpr EntryInfo info{"identity", "eye", {{"gain", 1.0}}};
  static void fill(const Shape& shape, const RandomStream&, const double* p, std::span<double> out) {
    if (shape.size() != 2) fail("initializer 'identity': needs a tensor of 2 axes, got shape ", to_string(shape));
    std::fill(out.begin(), out.end(), 0.0);
    const auto columns = static_cast<std::size_t>(shape[1]);
    for (std::size_t i = 0; i < columns && i * columns < out.size(); ++i) out[i * columns + i] = p[0];
  }
};

/// N(mean, stddev^2)
struct RandomNormal {
  static constexpr EntryInfo info{
      "random_normal", "normal", {{"mean", 0}, {"stddev", 0.05, Range::non_negative}, kSeed}};
  static double draw(double u, Fans, const double* p) { return p[0] + p[1] * normal_quantile(u); }
};

/// U(minval, maxval)
struct RandomUniform {
  static constexpr EntryInfo info{"random_uniform", "uniform", {{"minval", -0.05}, {"maxval", 0.05}, kSeed}};
  static double draw(double u, Fans, const double* p) { return p[0] + u * (p[1] - p[0]); }
};

/// N(mean, stddev^2) cut at mean +- 2 stddev and, as in Keras, not stretched: its deviation is 0.88 stddev
struct TruncatedNormal {
  static constexpr EntryInfo info{"truncated_normal", "", {{"mean", 0}, {"stddev", 0.05, Range::non_negative}, kSeed}};
  static double draw(double u, Fans, const double* p) { return p[0] + p[1] * cut_normal(u); }
};

/// U(-l, l), l = sqrt(6 / (in + out))  (Glorot & Bengio 2010)
struct GlorotUniform {
  static constexpr EntryInfo info{"glorot_uniform", "xavier_uniform", {kSeed}};
  static double draw(double u, Fans f, const double*) { return uniform_of(u, 1 / mean_fan(f)); }
};

/// N(0, 2 / (in + out)), truncated  (Glorot & Bengio 2010)
struct GlorotNormal {
  static constexpr EntryInfo info{"glorot_normal", "xavier_normal", {kSeed}};
  static double draw(double u, Fans f, const double*) { return normal_of(u, 1 / mean_fan(f)); }
};

/// U(-l, l), l = sqrt(6 / in)  (He et al. 2015)
struct HeUniform {
  static constexpr EntryInfo info{"he_uniform", "kaiming_uniform", {kSeed}};
  static double draw(double u, Fans f, const double*) { return uniform_of(u, 2 / f.in); }
};

/// N(0, 2 / in), truncated  (He et al. 2015)
struct HeNormal {
  static constexpr EntryInfo info{"he_normal", "kaiming_normal", {kSeed}};
  static double draw(double u, Fans f, const double*) { return normal_of(u, 2 / f.in); }
};

/// U(-l, l), l = sqrt(3 / in)  (LeCun et al. 1998)
struct LecunUniform {
  static constexpr EntryInfo info{"lecun_uniform", "", {kSeed}};
  static double draw(double u, Fans f, const double*) { return uniform_of(u, 1 / f.in); }
};

/// N(0, 1 / in), truncated  (LeCun et al. 1998)
struct LecunNormal {
  static constexpr EntryInfo info{"lecun_normal", "", {kSeed}};
  static double draw(double u, Fans f, const double*) { return normal_of(u, 1 / f.in); }
};

/// U(-l, l), l = 1 / sqrt(in)
struct InverseSqrtUniform {
  static constexpr EntryInfo info{"inverse_sqrt_uniform", "torch_uniform", {kSeed}};
  static double draw(double u, Fans f, const double*) { return (2 * u - 1) / std::sqrt(f.in); }
};

/// A draw of variance scale / fan
struct VarianceScaling {
  static constexpr EntryInfo info{"variance_scaling",
                                  "",
                                  {{"scale", 1.0, Range::positive},
                                   {"mode", 0, Range::word, "fan_in fan_out fan_avg"},
                                   {"distribution", 0, Range::word, "truncated_normal untruncated_normal uniform"},
                                   kSeed}};
  static double draw(double u, Fans f, const double* p) {
    const double variance = p[0] / (p[1] == 0 ? f.in : p[1] == 1 ? f.out : mean_fan(f));
    if (p[2] == 0) return normal_of(u, variance);
    return p[2] == 1 ? normal_quantile(u) * std::sqrt(variance) : uniform_of(u, variance);
  }
};

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Q of the QR decomposition of a matrix that has no more columns than rows; R is left in its upper triangle.
/// As Eigen's HouseholderQR does it, 48 reflections at a time, but so that the caller is asked meanwhile.
Matrix orthonormal(Matrix& a) {
  constexpr Index kTogether = 48;
  constexpr Index kColumns = 192;  // that they are applied to before the caller is asked
  const Index rows = a.rows();
  const Index columns = a.cols();
  Eigen::VectorXd factors(columns);
  Eigen::VectorXd room(columns);
  const auto reflect = [&](auto&& to, Index k, Index count, bool forward) {
    for (Index j = 0; j < to.cols(); j += kColumns) {
      const Index part = std::min(kColumns, to.cols() - j);
      leave_if_stopped(4.0 * static_cast<double>((rows - k) * part * count));
      auto columns_of = to.middleCols(j, part);
      Eigen::internal::apply_block_householder_on_the_left(columns_of, a.block(k, k, rows - k, count),
                                                           factors.segment(k, count), forward);
    }
  };
  for (Index k = 0; k < columns; k += kTogether) {
    const Index count = std::min(kTogether, columns - k);
    auto panel = a.block(k, k, rows - k, count);
    auto panel_factors = factors.segment(k, count);
    Eigen::internal::householder_qr_inplace_unblocked(panel, panel_factors, room.data());
    reflect(a.block(k, k + count, rows - k, columns - k - count), k, count, false);
  }
  Matrix q(rows, columns);
  in_pieces(rows, kTogether, static_cast<double>(columns), [&](Index begin, Index end) {
    q.middleRows(begin, end - begin).setZero();
    for (Index i = begin; i < std::min(end, columns); ++i) q(i, i) = 1;
  });
  for (Index k = (columns - 1) / kTogether * kTogether; k >= 0; k -= kTogether) {
    const Index count = std::min(kTogether, columns - k);
    reflect(q.block(k, k, rows - k, columns - k), k, count, true);
  }
  return q;
}

/// gain Q of the QR decomposition of a normal matrix, signs made unique  (Saxe et al. 2014)
struct Orthogonal {
  static constexpr EntryInfo info{"orthogonal", "", {{"gain", 1.0}, kSeed}};
  static void fill(const Shape& shape, const RandomStream& stream, const double* p, std::span<double> out) {
    if (shape.size() < 2) fail("initializer 'orthogonal': needs a tensor of 2 axes, got shape ", to_string(shape));
    if (out.empty()) return;
    const Index columns = shape.back();
    const Index rows = static_cast<Index>(out.size()) / columns;
    const bool wide = rows < columns;
    Matrix normal(wide ? columns : rows, wide ? rows : columns);
    in_pieces(normal.size(), kPiece, kWorkPerDraw, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        normal.data()[i] = normal_quantile(stream.uniform(static_cast<std::uint64_t>(i)));
      }
    });
    Matrix q = orthonormal(normal);
    const Eigen::RowVectorXd signs =
        normal.diagonal().transpose().unaryExpr([](double r) { return r < 0 ? -1.0 : 1.0; });
    Eigen::Map<Matrix> result(out.data(), rows, columns);
    constexpr Index kRows = 64;
    in_pieces(q.rows(), kRows, 4.0 * static_cast<double>(q.cols()), [&](Index begin, Index end) {
      auto some = q.middleRows(begin, end - begin);
      some.array().rowwise() *= signs.array();
      if (wide) {
        result.middleCols(begin, end - begin) = p[0] * some.transpose();
      } else {
        result.middleRows(begin, end - begin) = p[0] * some;
      }
    });
  }
};

using Initializers = kernels::List<Zeros, Ones, Constant, Identity, RandomNormal, RandomUniform, TruncatedNormal,
                                   GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal,
                                   InverseSqrtUniform, Orthogonal, VarianceScaling>;

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
    in_pieces(out.size(), std::size_t{kPiece}, kWorkPerDraw, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) out[i] = I::draw(stream.uniform(i), fans, p);
    });
  } else {
    I::fill(shape, stream, p, out);
  }
}

constexpr auto kInfos = entry_infos<Initializers>();
/// The stream that a seed of its own gives an initializer; no tensor of a model draws from it.
RandomStream own_stream(double seed) { return {static_cast<std::uint64_t>(seed), Purpose::initializer, 0, 1}; }

constexpr auto kFill = from_list(Initializers{}, [](auto tag) { return &fill_tensor<typename decltype(tag)::type>; });

}  // namespace

const Family& initializer_family() {
  static constexpr Family family{"initializer", kInfos};
  return family;
}

void Initializer::fill(const Shape& shape, const RandomStream& stream, std::span<double> out) const {
  check_elements(family().title, name(), "out", out.size(), shape);
  const bool seeded = takes("seed") && has("seed");
  kFill[static_cast<std::size_t>(index())](shape, seeded ? own_stream(value("seed")) : stream, values().data(), out);
}

}  // namespace laminar
