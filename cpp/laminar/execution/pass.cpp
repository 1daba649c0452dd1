// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/pass.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "laminar/execution/layers/work.hpp"

namespace laminar {

template <typename T>
void GradientSink<T>::take(Index offset, Index stride, const T* block, Index block_stride, Index rows,
                           Index columns) const {
  if (gradients != nullptr) {
    for (Index i = 0; i < rows; ++i) {
      const T* from = block + i * block_stride;
      T* to = gradients + offset + i * stride;
      if (add) {
        for (Index j = 0; j < columns; ++j) to[j] += from[j];
      } else {
        std::copy_n(from, columns, to);
      }
    }
    return;
  }
  kernels::Update<T> update;
  update.optimizer = optimizer;
  update.coefficients = coefficients.data();
  update.weights = parameters + offset;
  for (std::size_t s = 0; s < slots.size(); ++s) update.slots[s] = slots[s] == nullptr ? nullptr : slots[s] + offset;
  update.stride = stride;
  update.gradients = block;
  update.gradients_stride = block_stride;
  const bool one_row = stride == columns && block_stride == columns;
  update.rows = one_row ? 1 : rows;
  update.columns = one_row ? rows * columns : columns;
  kernels.update(update);
}

template <typename T>
Ahead<T> GradientSink<T>::ahead(Index offset, Index size, Index part, Index parts) const {
  if (gradients != nullptr) return {};
  std::array<const T*, kernels::kMaxSlots + 1> arrays{parameters};
  Index count = 1;
  for (const T* slot : slots) {
    if (slot != nullptr) arrays[static_cast<std::size_t>(count++)] = slot;
  }
  const Index each = (count * size + parts - 1) / parts;
  const Index array = part * each / size;
  return {arrays[static_cast<std::size_t>(array)] + offset + part * each - array * size, each};
}

namespace {

/// A function that is missing does not compile below; one that the traits do not ask for would never be called.
template <typename Kind>
constexpr bool fits_its_traits() {
  constexpr LayerTraits traits = Kind::kTraits;
  constexpr bool steps =
      requires(const Kind& layer, const Pass<float>& pass, Rows rows) { forward(layer, 0, pass, rows); };
  constexpr bool steps_back =
      requires(const Kind& layer, const Pass<float>& pass, Rows rows) { backward(layer, 0, pass, rows); };
  constexpr bool sums = requires(const Kind& layer, const Pass<float>& pass, const Team& team) {
    forward_sums(layer, 0, pass, Index{}, team);
  };
  constexpr bool learns = requires(const Kind& layer, const Network& network, std::vector<GradientTask>& tasks) {
    gradient_tasks(layer, 0, network, Index{}, Index{}, tasks);
  };
  static_assert(steps == !traits.view && steps_back == !traits.view, "all but views go forward and backward");
  static_assert(sums == traits.whole_batch, "forward_sums and whole_batch belong together");
  static_assert(learns == traits.parameters, "gradient_tasks and parameters belong together");
  return true;
}

template <typename... Kinds>
constexpr bool all_fit_their_traits(const std::variant<Kinds...>*) {
  return (fits_its_traits<Kinds>() && ...);
}
static_assert(all_fit_their_traits(static_cast<const Layer*>(nullptr)));

template <typename T>
void add_activity(const Pass<T>& pass, int node, Rows rows) {
  const Regularizer& penalty = *pass.node(node).activity;
  const Index width = pass.node(node).width;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const std::span<const T> outputs(pass.output(node, row), static_cast<std::size_t>(width));
    pass.activity[row] += penalty.penalty({width}, outputs);
  }
}

// d_a += scale (l1 sign(a) + 2 l2 a)
template <typename T>
void add_activity_gradient(const Pass<T>& pass, int node, Rows rows) {
  const Regularizer& penalty = *pass.node(node).activity;
  const T l1 = static_cast<T>(pass.activity_scale * penalty.l1());
  const T l2 = static_cast<T>(pass.activity_scale * 2 * penalty.l2());
  for (Index row = rows.begin; row < rows.end; ++row) {
    const T* a = pass.output(node, row);
    T* delta = pass.delta(node, row);
    for (Index j = 0; j < pass.node(node).width; ++j) {
      delta[j] += (a[j] > 0 ? l1 : a[j] < 0 ? -l1 : T(0)) + l2 * a[j];
    }
  }
}

}  // namespace

template <typename T>
void add_gradient(const Pass<T>& pass, int node, std::size_t which, Rows rows) {
  const int input = pass.node(node).inputs[which];
  if (pass.plan[node].back[which] < 0 || !pass.wants_delta(input)) return;
  const Index stride = pass.plan[input].stride;
  pass.kernels.add_product(pass.back(node, which, rows.begin), stride, nullptr, 0, pass.delta(input, rows.begin),
                           stride, rows.count(), pass.node(input).width);
}

template <typename T>
void forward(const Pass<T>& pass, Rows rows, int first, int end) {
  for (int i = first; i < end; ++i) {
    if (pass.plan[i].holder != i) continue;
    if (pass.stopping(rows.count(), pass.work(i))) return;
    std::visit(
        [&]<typename Kind>(const Kind& layer) {
          if constexpr (!Kind::kTraits.view) forward(layer, i, pass, rows);
        },
        pass.node(i).layer);
    if (pass.activity != nullptr && pass.node(i).activity.has_value()) add_activity(pass, i, rows);
  }
}

template <typename T>
void backward(const Pass<T>& pass, Rows rows, int last, int first) {
  for (int i = last; i >= first; --i) {
    if (pass.plan[i].holder != i || !pass.wants_delta(i)) continue;
    if (pass.stopping(rows.count(), pass.work(i))) return;
    if (pass.activity != nullptr && pass.node(i).activity.has_value()) add_activity_gradient(pass, i, rows);
    std::visit(
        [&]<typename Kind>(const Kind& layer) {
          if constexpr (!Kind::kTraits.view) backward(layer, i, pass, rows);
        },
        pass.node(i).layer);
    for (std::size_t e = 0; e < pass.node(i).inputs.size(); ++e) add_gradient(pass, i, e, rows);
  }
}

template <typename T>
void forward_sums(const Pass<T>& pass, int node, Index rows, const Team& team) {
  std::visit(
      [&]<typename Kind>(const Kind& layer) {
        if constexpr (Kind::kTraits.whole_batch) forward_sums(layer, node, pass, rows, team);
      },
      pass.node(node).layer);
}

template <typename T>
void backward_sums(const Pass<T>& pass, int node, Index rows, const Team& team) {
  std::visit(
      [&]<typename Kind>(const Kind& layer) {
        if constexpr (Kind::kTraits.whole_batch) backward_sums(layer, node, pass, rows, team);
      },
      pass.node(node).layer);
}

const TrainingForm& training_form_of(const Network& network, int node) {
  const Node& n = network.nodes()[static_cast<std::size_t>(node)];
  const bool by_inputs =
      std::any_of(n.inputs.begin(), n.inputs.end(), [&](int input) { return network.depends_on_training(input); });
  return n.forms->form(true, by_inputs);
}

template <typename T>
void refresh(PackedWeights<T>& packed, const Network& network, const GradientTask& task, const T* parameters) {
  const std::vector<std::size_t>& tensors = network.nodes()[static_cast<std::size_t>(task.node)].tensors;
  if (task.weight == kManyWeights) {
    for (const std::size_t weight : training_form_of(network, task.node).summed) {
      if (packed.holds(tensors[weight])) packed.refresh_tensor(network, tensors[weight], parameters);
    }
    return;
  }
  const std::size_t tensor = tensors[static_cast<std::size_t>(task.weight)];
  if (!packed.holds(tensor)) return;
  packed.refresh_block(network, tensor, parameters, task.in_begin, task.in_count, task.out_begin, task.out_count);
}

std::vector<GradientTask> gradient_tasks(const Network& network, Index panel, Index rows) {
  std::vector<GradientTask> tasks;
  for (int i = 1; i < static_cast<int>(network.nodes().size()); ++i) {
    const Node& node = network.nodes()[static_cast<std::size_t>(i)];
    if (!node.trainable || node.first_call != i) continue;  // one task sums over all calls of a layer
    std::visit(
        [&]<typename Kind>(const Kind& layer) {
          if constexpr (Kind::kTraits.parameters) {
            gradient_tasks(layer, i, network, panel, rows, tasks);
          } else if (network.trains(node)) {
            throw std::logic_error(std::string(Kind::kKind) + ": has tensors to train, so its traits must say so");
          }
        },
        node.layer);
  }
  return tasks;
}

template <typename T>
void parameter_gradient(const Pass<T>& pass, const GradientTask& task, Index rows, const GradientSink<T>& sink) {
  std::visit(
      [&]<typename Kind>(const Kind& layer) {
        if constexpr (Kind::kTraits.parameters) parameter_gradient(layer, task, pass, rows, sink);
      },
      pass.node(task.node).layer);
}

template void refresh(PackedWeights<float>&, const Network&, const GradientTask&, const float*);
template void refresh(PackedWeights<double>&, const Network&, const GradientTask&, const double*);
template struct GradientSink<float>;
template struct GradientSink<double>;
template void forward(const Pass<float>&, Rows, int, int);
template void forward(const Pass<double>&, Rows, int, int);
template void backward(const Pass<float>&, Rows, int, int);
template void backward(const Pass<double>&, Rows, int, int);
template void add_gradient(const Pass<float>&, int, std::size_t, Rows);
template void add_gradient(const Pass<double>&, int, std::size_t, Rows);
template void forward_sums(const Pass<float>&, int, Index, const Team&);
template void forward_sums(const Pass<double>&, int, Index, const Team&);
template void backward_sums(const Pass<float>&, int, Index, const Team&);
template void backward_sums(const Pass<double>&, int, Index, const Team&);
template void parameter_gradient(const Pass<float>&, const GradientTask&, Index, const GradientSink<float>&);
template void parameter_gradient(const Pass<double>&, const GradientTask&, Index, const GradientSink<double>&);

}  // namespace laminar
