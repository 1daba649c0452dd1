// SPDX-License-Identifier: Apache-2.0
// The list of layers. To add one: its struct in layers/<name>.hpp, what it declares in layers/<name>.cpp, its
// work in execution/layers/<name>.cpp, declared in execution/layers/work.hpp, and one word here. A struct has
//   kKind                  its name in configurations
//   kTraits                what holds for all of its kind (layers/traits.hpp)
//   name                   given by the user or by the network
//   options(self, visit)   calls visit(key, member) for every option: what configurations hold
#pragma once

#include <variant>

#include "laminar/graph/layers/activate.hpp"
#include "laminar/graph/layers/batch_normalization.hpp"
#include "laminar/graph/layers/dense.hpp"
#include "laminar/graph/layers/dropout.hpp"
#include "laminar/graph/layers/embedding.hpp"
#include "laminar/graph/layers/layer_normalization.hpp"
#include "laminar/graph/layers/maxout.hpp"
#include "laminar/graph/layers/merging.hpp"
#include "laminar/graph/layers/noise.hpp"
#include "laminar/graph/layers/operations.hpp"
#include "laminar/graph/layers/prelu.hpp"
#include "laminar/graph/layers/preparation.hpp"
#include "laminar/graph/layers/rms_normalization.hpp"
#include "laminar/graph/layers/shape.hpp"

namespace laminar {

/// A layer of any kind: `Layer layer = Dense{.units = 64, .activation = "relu"};`
using Layer = std::variant<Dense, Activate, Dropout, BatchNormalization, Prelu, Maxout, LayerNormalization,
                           AlphaDropout, GaussianNoise, GaussianDropout, Flatten, Reshape, Normalization, Rescaling,
                           Discretization, CategoryEncoding, Embedding, Slice, Add, Subtract, Multiply, Average,
                           Maximum, Minimum, Concatenate, Dot, RmsNormalization, Operations, BatchOperations>;

}  // namespace laminar
