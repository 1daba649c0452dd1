// SPDX-License-Identifier: Apache-2.0
// To add a metric, write a struct in metrics/ and put its name in the list. The mean of a loss needs
// no struct: it is MeanOf<the loss>.
#include "laminar/metric.hpp"

#include <algorithm>

#include "laminar/entries.hpp"
#include "laminar/error.hpp"
#include "laminar/kernels/table.hpp"
#include "laminar/metrics/accuracy.hpp"
#include "laminar/metrics/auc.hpp"
#include "laminar/metrics/confusion.hpp"
#include "laminar/metrics/regression.hpp"
#include "laminar/network.hpp"
#include "laminar/plan.hpp"

namespace laminar {
namespace {

using namespace metrics;

using Metrics =
    kernels::List<Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy,
                  SparseTopKCategoricalAccuracy, Precision, Recall, F1Score, FBetaScore, Auc, TruePositives,
                  TrueNegatives, FalsePositives, FalseNegatives, MeanOf<kernels::BinaryCrossentropy>,
                  MeanOf<kernels::CategoricalCrossentropy>, MeanOf<kernels::SparseCategoricalCrossentropy>,
                  MeanOf<kernels::Mse>, MeanOf<kernels::Mae>, RootMeanSquaredError, MeanOf<kernels::Huber>, R2Score,
                  MeanOf<kernels::LogCosh>, MeanOf<kernels::Mape>, MeanOf<kernels::Msle>, MeanOf<kernels::Poisson>,
                  MeanOf<kernels::KlDivergence>, MeanOf<kernels::Hinge>, MeanOf<kernels::SquaredHinge>,
                  MeanOf<kernels::CategoricalHinge>, CosineSimilarity>;

/// Position of a hyper-parameter of an entry, -1 where it has none of this name.
int parameter_at(const EntryInfo& info, std::string_view name) {
  for (int i = 0; i < info.count(); ++i) {
    if (name == info.parameters[i].name) return i;
  }
  return -1;
}

/// Through the kernel of a loss, whose result is one number a row; 0 for a row of the ignored class.
template <typename M, typename T>
void measure_loss(const Metric& metric, const MeasuredRows<T>& m, double* values) {
  const auto parameters = metric.values_as<T>();
  const int from_logits = parameter_at(M::info, "from_logits");
  const int ignore_class = parameter_at(M::info, "ignore_class");
  const double ignored = ignore_class >= 0 ? metric.values()[static_cast<std::size_t>(ignore_class)] : kAbsent;
  std::array<T, kBlockRows> losses;
  kernels::LossRows<T> loss;
  loss.loss = M::loss;
  loss.parameters = parameters.data();
  loss.logits = from_logits >= 0 && metric.values()[static_cast<std::size_t>(from_logits)] != 0;
  loss.outputs_stride = m.outputs_stride;
  loss.targets_stride = m.targets_stride;
  loss.losses = losses.data();
  loss.columns = m.columns;
  for (Index first = 0; first < m.rows; first += kBlockRows) {
    loss.rows = std::min(m.rows - first, kBlockRows);
    loss.outputs = m.outputs + first * m.outputs_stride;
    loss.targets = m.targets != nullptr ? m.targets + first * m.targets_stride : nullptr;
    loss.labels = m.labels != nullptr ? m.labels + first : nullptr;
    kernels::kernels<T>().loss(loss);
    for (Index i = 0; i < loss.rows; ++i, values += 2) {
      values[0] = static_cast<double>(losses[static_cast<std::size_t>(i)]);
      values[1] = loss.labels != nullptr && static_cast<double>(loss.labels[i]) == ignored ? 0 : 1;
    }
  }
}

template <typename M, typename T>
void measure_rows(const Metric& metric, const MeasuredRows<T>& m, double* values) {
  const Setting setting{metric.values().data(), m.columns};
  const Index width = M::row_values(setting);
  for (Index i = 0; i < m.rows; ++i, values += width) {
    const Row<T> row(m, i);
    if (row.broken()) {
      std::fill_n(values, width, NAN);
    } else {
      M::measure(setting, row, values);
    }
  }
}

template <typename M, typename T>
constexpr auto measure_of() {
  if constexpr (requires { M::loss; }) {
    return &measure_loss<M, T>;
  } else {
    return &measure_rows<M, T>;
  }
}

template <typename M, typename T>
void fold(const Metric& metric, const double* values, const T* weights, Index rows, Index columns, double* state) {
  const Setting setting{metric.values().data(), columns};
  const Index width = M::row_values(setting);
  for (Index i = 0; i < rows; ++i, values += width) {
    M::fold(setting, values, weights != nullptr ? static_cast<double>(weights[i]) : 1, state);
  }
}

template <typename T>
struct TypedFunctions {
  void (*measure)(const Metric&, const MeasuredRows<T>&, double*);
  void (*fold)(const Metric&, const double*, const T*, Index, Index, double*);
};

struct Functions {
  Takes takes;
  bool upwards;
  Index (*row_values)(const Setting&);
  Index (*state_size)(const Setting&);
  double (*finish)(const Setting&, const double*);
  TypedFunctions<float> of_float;
  TypedFunctions<double> of_double;
};

constexpr auto kInfos = entry_infos<Metrics>();
constexpr auto kFunctions = from_list(Metrics{}, [](auto tag) {
  using M = typename decltype(tag)::type;
  return Functions{M::takes,
                   M::upwards,
                   &M::row_values,
                   &M::state_size,
                   &M::finish,
                   {measure_of<M, float>(), &fold<M, float>},
                   {measure_of<M, double>(), &fold<M, double>}};
});

const Functions& functions(const Metric& m) { return kFunctions[static_cast<std::size_t>(m.index())]; }

template <typename T>
const TypedFunctions<T>& typed(const Metric& m) {
  if constexpr (std::is_same_v<T, float>) {
    return functions(m).of_float;
  } else {
    return functions(m).of_double;
  }
}

}  // namespace

const Family& metric_family() {
  static constexpr Family family{"metric", kInfos};
  return family;
}

Takes Metric::takes() const { return functions(*this).takes; }
bool Metric::upwards() const { return functions(*this).upwards; }

Metric Metric::resolved(bool labels, bool binary, Index outputs) const {
  if (const int at = parameter_at(info(), "num_thresholds"); at >= 0 && values()[static_cast<std::size_t>(at)] < 2) {
    fail("metrics: '", name(), "': num_thresholds must be at least 2, got 1");
  }
  if (const int at = parameter_at(info(), "class_id"); at >= 0) {
    const double class_id = values()[static_cast<std::size_t>(at)];
    if (class_id >= static_cast<double>(outputs)) {
      fail("metrics: '", name(), "': class_id must be below the number of outputs, ", outputs, ", got ", class_id);
    }
  }
  if (index() != position_of<Accuracy>(Metrics{})) return *this;
  Metric form(labels                   ? "sparse_categorical_accuracy"
              : binary || outputs == 1 ? "binary_accuracy"
                                       : "categorical_accuracy");
  form.key = key;
  form.weighted = weighted;
  return form;
}

Metric Metric::resolved(const Loss& loss, Index outputs) const {
  if (takes() != Takes::either && (takes() == Takes::labels) != loss.class_labels()) {
    fail("metrics: '", name(), "' takes ", takes() == Takes::labels ? "class numbers" : "rows of values",
         " as targets, but the loss '", loss.name(), "' takes ",
         loss.class_labels() ? "class numbers" : "rows of values");
  }
  return resolved(loss.class_labels(), std::string_view(loss.name()).starts_with("binary"), outputs);
}

void Metric::ignore_logits(const Activation& last) {
  const std::string_view activation = last.name();
  if (activation != "sigmoid" && activation != "softmax") return;
  if (parameter_at(info(), "from_logits") >= 0) set("from_logits", 0);
}

bool Metric::ignores(std::int32_t label) const {
  const int at = parameter_at(info(), "ignore_class");
  return at >= 0 && values()[static_cast<std::size_t>(at)] == static_cast<double>(label);
}

Index Metric::row_values(Index columns) const { return functions(*this).row_values({values().data(), columns}); }
Index Metric::state_size(Index columns) const { return functions(*this).state_size({values().data(), columns}); }

template <typename T>
void Metric::measure(const MeasuredRows<T>& rows, double* values) const {
  typed<T>(*this).measure(*this, rows, values);
}
template <typename T>
void Metric::fold(const double* values, const T* weights, Index rows, Index columns, double* state) const {
  typed<T>(*this).fold(*this, values, weights, rows, columns, state);
}

double Metric::result(const double* state, Index columns) const {
  return functions(*this).finish({values().data(), columns}, state);
}

template void Metric::measure(const MeasuredRows<float>&, double*) const;
template void Metric::measure(const MeasuredRows<double>&, double*) const;
template void Metric::fold(const double*, const float*, Index, Index, double*) const;
template void Metric::fold(const double*, const double*, Index, Index, double*) const;

}  // namespace laminar
