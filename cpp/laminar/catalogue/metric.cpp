// SPDX-License-Identifier: Apache-2.0
// To add a metric, write a struct in metrics/ and put its name in the list. The mean of a loss needs
// no struct: it is MeanOf<the loss>.
#include "laminar/catalogue/metric.hpp"

#include <algorithm>

#include "laminar/base/buffer.hpp"
#include "laminar/base/error.hpp"
#include "laminar/catalogue/entries.hpp"
#include "laminar/catalogue/metrics/accuracy.hpp"
#include "laminar/catalogue/metrics/auc.hpp"
#include "laminar/catalogue/metrics/confusion.hpp"
#include "laminar/catalogue/metrics/regression.hpp"
#include "laminar/kernels/table.hpp"

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
                  MeanOf<kernels::KlDivergence>, MeanOfMargins<kernels::Hinge>, MeanOfMargins<kernels::SquaredHinge>,
                  MeanOfMargins<kernels::CategoricalHinge>, CosineSimilarity>;

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
      values[1] = 1;
      if (loss.labels == nullptr) continue;
      const std::int32_t label = loss.labels[i];
      if (static_cast<double>(label) == ignored) {
        values[1] = 0;
      } else if (label < 0 || label >= m.columns) {
        values[0] = NAN;
      }
    }
  }
}

template <typename T>
void measure_own(const OwnFunction& function, const MeasuredRows<T>& m, double* values) {
  std::array<T, kBlockRows> numbers;
  for (Index first = 0; first < m.rows; first += kBlockRows) {
    OwnRows<T> rows;
    rows.targets = {m.targets != nullptr ? m.targets + first * m.targets_stride : nullptr, m.targets_stride};
    rows.labels = m.labels != nullptr ? m.labels + first : nullptr;
    rows.outputs = {m.outputs + first * m.outputs_stride, m.outputs_stride};
    rows.rows = std::min(m.rows - first, kBlockRows);
    rows.values = numbers.data();
    function(rows);
    for (Index i = 0; i < rows.rows; ++i, values += 2) {
      values[0] = static_cast<double>(numbers[static_cast<std::size_t>(i)]);
      values[1] = 1;
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

/// Metrics whose states grow take them whole; for the others a state is so many numbers.
template <typename M>
constexpr bool grows() {
  return requires { &M::state_bound; };
}

template <typename M, typename T>
void fold(const Metric& metric, const double* values, const T* weights, Index rows, Index columns,
          std::vector<double>& state) {
  const Setting setting{metric.values().data(), columns};
  const Index width = M::row_values(setting);
  for (Index i = 0; i < rows; ++i, values += width) {
    const double weight = weights != nullptr ? static_cast<double>(weights[i]) : 1;
    if constexpr (grows<M>()) {
      M::fold(setting, values, weight, state);
    } else {
      M::fold(setting, values, weight, state.data());
    }
  }
}

template <typename M>
double finish(const Setting& setting, std::vector<double>& state) {
  if constexpr (grows<M>()) {
    return M::finish(setting, state);
  } else {
    return M::finish(setting, state.data());
  }
}

template <typename M>
Index state_bound(const Setting& setting, Index size, Index rows) {
  if constexpr (grows<M>()) {
    return M::state_bound(setting, size, rows);
  } else {
    return size;
  }
}

template <typename M>
Index size_of(const Setting& setting, std::span<const double> states) {
  if constexpr (grows<M>()) {
    return M::size_of(setting, states);
  } else {
    return M::state_size(setting);
  }
}

template <typename M>
bool valid(const Setting& setting, std::span<const double> state) {
  if constexpr (grows<M>()) {
    return M::valid(setting, state);
  } else {
    return static_cast<Index>(state.size()) == M::state_size(setting);
  }
}

template <typename M>
Parts parts_of(const Setting& setting) {
  if constexpr (requires { M::parts(setting); }) {
    return M::parts(setting);
  } else {
    return Parts::none;
  }
}

/// Whether a metric of outputs sees probabilities in place of logits, `elementwise` where they are sigmoids.
template <typename M>
bool of_probabilities(const Setting& setting, bool elementwise) {
  if constexpr (requires { &M::of_probabilities; }) {
    return M::of_probabilities(setting, elementwise);
  } else {
    return true;
  }
}

/// The activation whose logits the loss behind a metric takes; -1 for none.
template <typename M>
constexpr int link_of() {
  if constexpr (requires { typename M::Link; }) {
    return position_of<typename M::Link>(kernels::Activations{});
  } else {
    return -1;
  }
}

template <typename T>
struct TypedFunctions {
  void (*measure)(const Metric&, const MeasuredRows<T>&, double*);
  void (*fold)(const Metric&, const double*, const T*, Index, Index, std::vector<double>&);
};

struct Functions {
  Takes takes;
  bool upwards;
  Index (*row_values)(const Setting&);
  Index (*state_size)(const Setting&);
  Index (*state_bound)(const Setting&, Index, Index);
  Index (*size_of)(const Setting&, std::span<const double>);
  bool (*valid)(const Setting&, std::span<const double>);
  bool (*of_probabilities)(const Setting&, bool);
  Parts (*parts)(const Setting&);
  int link;
  double (*finish)(const Setting&, std::vector<double>&);
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
                   &state_bound<M>,
                   &size_of<M>,
                   &valid<M>,
                   &of_probabilities<M>,
                   &parts_of<M>,
                   link_of<M>(),
                   &finish<M>,
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

Takes Metric::takes() const { return own != nullptr ? Takes::either : functions(*this).takes; }
bool Metric::upwards() const { return own == nullptr && functions(*this).upwards; }

Metric Metric::resolved(bool labels, bool binary, Index outputs) const {
  if (own != nullptr) return *this;
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

bool Metric::takes_probabilities_of(const Activation& link, Index outputs) {
  if (own != nullptr) return false;
  if (const int at = parameter_at(info(), "from_logits"); at >= 0) {
    if (values()[static_cast<std::size_t>(at)] != 0) return false;
    if (functions(*this).link == link.index()) {
      set("from_logits", 1);
      return false;
    }
  }
  return functions(*this).of_probabilities({values().data(), outputs}, !link.row_wise());
}

Parts Metric::parts(Index columns) const {
  return own != nullptr ? Parts::none : functions(*this).parts({values().data(), columns});
}

bool Metric::ignores(std::int32_t label) const {
  const int at = parameter_at(info(), "ignore_class");
  return at >= 0 && values()[static_cast<std::size_t>(at)] == static_cast<double>(label);
}

Index Metric::row_values(Index columns) const { return functions(*this).row_values({values().data(), columns}); }
Index Metric::state_size(Index columns) const { return functions(*this).state_size({values().data(), columns}); }
Index Metric::state_bound(Index size, Index rows, Index columns) const {
  return functions(*this).state_bound({values().data(), columns}, size, rows);
}
Index Metric::size_of(std::span<const double> states, Index columns) const {
  return functions(*this).size_of({values().data(), columns}, states);
}
bool Metric::valid(std::span<const double> state, Index columns) const {
  return functions(*this).valid({values().data(), columns}, state);
}

template <typename T>
void Metric::measure(const MeasuredRows<T>& rows, double* values) const {
  if (own != nullptr) return measure_own(*own, rows, values);
  typed<T>(*this).measure(*this, rows, values);
}
template <typename T>
void Metric::fold(const double* values, const T* weights, Index rows, Index columns, std::vector<double>& state) const {
  typed<T>(*this).fold(*this, values, weights, rows, columns, state);
}

double Metric::result(std::vector<double>& state, Index columns) const {
  return functions(*this).finish({values().data(), columns}, state);
}

template void Metric::measure(const MeasuredRows<float>&, double*) const;
template void Metric::measure(const MeasuredRows<double>&, double*) const;
template void Metric::fold(const double*, const float*, Index, Index, std::vector<double>&) const;
template void Metric::fold(const double*, const double*, Index, Index, std::vector<double>&) const;

}  // namespace laminar
