// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/buffered_update.hpp"

#include <algorithm>

namespace laminar {

template <typename T>
BufferedUpdate<T>::BufferedUpdate(State<T>& state, const Optimizer& optimizer)
    : state_(state), updater_(state.network.parameters(), optimizer), fused_(optimizer.fused()) {
  const auto& tensors = state.network.parameters().tensors();
  constrains_ =
      std::any_of(tensors.begin(), tensors.end(), [](const Tensor& tensor) { return tensor.constraint.has_value(); });
}

template <typename T>
bool BufferedUpdate<T>::needed() const {
  return constrains_ || state_.objective->whole_batch() || !fused_;
}

template <typename T>
void BufferedUpdate<T>::reserve(TableGradients<T>* tables) {
  const ParameterLayout& layout = state_.network.parameters();
  const Index size = tables != nullptr ? layout.whole_size() : layout.size();
  if (gradients_.size() != size) gradients_ = AlignedBuffer<T>(size);
  tables_ = tables;
}

template <typename T>
void BufferedUpdate<T>::apply(const BatchMemory<T>& memory, const Team& team) {
  State<T>& state = state_;
  updater_.apply(state.parameters.span(), gradients_.span(), *state.optimizer, team, tables_);
  if (constrains_) {
    const auto& tensors = state.network.parameters().tensors();
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const Tensor& tensor = tensors[i];
      if (!tensor.constraint.has_value() || static_cast<int>(i) % team.size() != team.rank()) continue;
      tensor.constraint->apply(
          tensor.shape, std::span<T>(state.parameters.data() + tensor.offset, static_cast<std::size_t>(tensor.size)));
    }
    team.barrier();
  }
  const Team::Share share = memory.task_share(team);
  for (Index t = share.begin; t < share.end; ++t) {
    const GradientTask& task = memory.tasks()[static_cast<std::size_t>(t)];
    refresh(state.packed, state.network, task, state.parameters.data());
  }
  team.barrier();
}

template <typename T>
void BufferedUpdate<T>::finalize() {
  if (!updater_.finalize(state_.parameters.span(), *state_.optimizer)) return;
  state_.packed.refresh(state_.network, state_.parameters.data());
}

template class BufferedUpdate<float>;
template class BufferedUpdate<double>;

}  // namespace laminar
