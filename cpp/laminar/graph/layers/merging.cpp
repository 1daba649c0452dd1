// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/merging.hpp"

#include <algorithm>

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {

void declare(const Slice& layer, Declaration& declaration) {
  declaration.features();
  declaration.output(layer.shape);
}

template <MergeRule rule>
void declare(const Merge<rule>&, Declaration& declaration) {
  const auto& inputs = declaration.inputs();
  if (rule == MergeRule::subtract ? inputs.size() != 2 : inputs.size() < 2) {
    declaration.refuse("reads ", rule == MergeRule::subtract ? "two" : "two or more", " values, got ", inputs.size());
  }
  for (const Node* input : inputs) {
    if (input->shape == inputs[0]->shape) continue;
    declaration.refuse("brings together samples of one shape, got ", to_string(inputs[0]->shape), " from '",
                       inputs[0]->name, "' and ", to_string(input->shape), " from '", input->name, "'");
  }
}

void declare(const Concatenate&, Declaration& declaration) {
  const Shape& first = declaration.input();
  Shape shape = first;
  shape.back() = 0;
  for (const Node* input : declaration.inputs()) {
    if (input->shape.size() != first.size() || !std::equal(first.begin(), first.end() - 1, input->shape.begin())) {
      declaration.refuse("brings together samples that differ in their last axis alone, got ", to_string(first),
                         " from '", declaration.inputs()[0]->name, "' and ", to_string(input->shape), " from '",
                         input->name, "'");
    }
    shape.back() += input->shape.back();
  }
  declaration.output(std::move(shape));
}

void declare(const Dot&, Declaration& declaration) {
  const auto& inputs = declaration.inputs();
  if (inputs.size() != 2) declaration.refuse("reads two values, got ", inputs.size());
  if (inputs[0]->shape.size() != 1 || inputs[0]->shape != inputs[1]->shape) {
    declaration.refuse("takes two vectors of one length, got ", to_string(inputs[0]->shape), " from '", inputs[0]->name,
                       "' and ", to_string(inputs[1]->shape), " from '", inputs[1]->name, "'");
  }
  declaration.output({1});
}

template void declare(const Add&, Declaration&);
template void declare(const Subtract&, Declaration&);
template void declare(const Multiply&, Declaration&);
template void declare(const Average&, Declaration&);
template void declare(const Maximum&, Declaration&);
template void declare(const Minimum&, Declaration&);

}  // namespace laminar
