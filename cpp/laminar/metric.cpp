// SPDX-License-Identifier: Apache-2.0
// To add a metric, write a struct and put its name in the list.
#include "laminar/metric.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/entries.hpp"
#include "laminar/error.hpp"

namespace laminar {
namespace {

/// Which targets a metric takes.
enum class Takes { values, labels, either };

struct MeanMetric {
  static constexpr Takes takes = Takes::values;
  static double finish(double mean) { return mean; }
};

template <typename T>
Index argmax(const T* row, Index columns) {
  return std::max_element(row, row + columns) - row;
}

/// Share of outputs on the target's side of the threshold.
struct BinaryAccuracy : MeanMetric {
  static constexpr EntryInfo info{"binary_accuracy", "", {{"threshold", 0.5, Range::fraction}}};
  template <typename T>
  static double sample(const T* output, const T* target, std::int32_t, Index columns, const double* p) {
    Index right = 0;
    for (Index j = 0; j < columns; ++j) {
      right += (static_cast<double>(output[j]) > p[0]) == (static_cast<double>(target[j]) > p[0]) ? 1 : 0;
    }
    return static_cast<double>(right) / static_cast<double>(columns);
  }
};

/// 1 where the largest output is at the largest target.
struct CategoricalAccuracy : MeanMetric {
  static constexpr EntryInfo info{"categorical_accuracy", "", {}};
  template <typename T>
  static double sample(const T* output, const T* target, std::int32_t, Index columns, const double*) {
    return argmax(output, columns) == argmax(target, columns) ? 1 : 0;
  }
};

/// 1 where the largest output is at the label.
struct SparseCategoricalAccuracy : MeanMetric {
  static constexpr EntryInfo info{"sparse_categorical_accuracy", "", {}};
  static constexpr Takes takes = Takes::labels;
  template <typename T>
  static double sample(const T* output, const T*, std::int32_t label, Index columns, const double*) {
    return argmax(output, columns) == label ? 1 : 0;
  }
};

/// The accuracy that fits the loss; resolved when the model is compiled.
struct Accuracy : MeanMetric {
  static constexpr EntryInfo info{"accuracy", "acc", {}};
  static constexpr Takes takes = Takes::either;
  template <typename T>
  static double sample(const T*, const T*, std::int32_t, Index, const double*) {
    return 0;
  }
};

/// mean_j |y_j - p_j|
struct MeanAbsoluteError : MeanMetric {
  static constexpr EntryInfo info{"mae", "mean_absolute_error", {}};
  template <typename T>
  static double sample(const T* output, const T* target, std::int32_t, Index columns, const double*) {
    double sum = 0;
    for (Index j = 0; j < columns; ++j)
      sum += std::abs(static_cast<double>(output[j]) - static_cast<double>(target[j]));
    return sum / static_cast<double>(columns);
  }
};

/// mean_j (y_j - p_j)^2
struct MeanSquaredError : MeanMetric {
  static constexpr EntryInfo info{"mse", "mean_squared_error", {}};
  template <typename T>
  static double sample(const T* output, const T* target, std::int32_t, Index columns, const double*) {
    double sum = 0;
    for (Index j = 0; j < columns; ++j) {
      const double e = static_cast<double>(output[j]) - static_cast<double>(target[j]);
      sum += e * e;
    }
    return sum / static_cast<double>(columns);
  }
};

/// Root of the mean squared error over all samples and outputs.
struct RootMeanSquaredError : MeanSquaredError {
  static constexpr EntryInfo info{"rmse", "root_mean_squared_error", {}};
  static double finish(double mean) { return std::sqrt(mean); }
};

using Metrics = kernels::List<Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy,
                              MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError>;

struct Functions {
  Takes takes;
  double (*finish)(double);
  double (*sample_float)(const float*, const float*, std::int32_t, Index, const double*);
  double (*sample_double)(const double*, const double*, std::int32_t, Index, const double*);
};

constexpr auto kInfos = entry_infos<Metrics>();
constexpr auto kFunctions = from_list(Metrics{}, [](auto tag) {
  using M = typename decltype(tag)::type;
  return Functions{M::takes, &M::finish, &M::template sample<float>, &M::template sample<double>};
});

const Functions& functions(const Metric& m) { return kFunctions[static_cast<std::size_t>(m.index())]; }

}  // namespace

const Family& metric_family() {
  static constexpr Family family{"metric", kInfos};
  return family;
}

Metric Metric::resolved(const Loss& loss, Index outputs) const {
  if (functions(*this).takes == Takes::either) {
    if (loss.class_labels()) return Metric("sparse_categorical_accuracy");
    return outputs == 1 || std::string_view(loss.name()).starts_with("binary") ? Metric("binary_accuracy")
                                                                               : Metric("categorical_accuracy");
  }
  const bool takes_labels = functions(*this).takes == Takes::labels;
  if (takes_labels != loss.class_labels()) {
    fail("metrics: '", name(), "' takes ", takes_labels ? "class numbers" : "rows of values",
         " as targets, but the loss '", loss.name(), "' takes ",
         loss.class_labels() ? "class numbers" : "rows of values");
  }
  return *this;
}

template <>
double Metric::sample(const float* output, const float* target, std::int32_t label, Index columns) const {
  return functions(*this).sample_float(output, target, label, columns, values().data());
}
template <>
double Metric::sample(const double* output, const double* target, std::int32_t label, Index columns) const {
  return functions(*this).sample_double(output, target, label, columns, values().data());
}

double Metric::finish(double mean) const { return functions(*this).finish(mean); }

}  // namespace laminar
