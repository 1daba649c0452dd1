// SPDX-License-Identifier: Apache-2.0
// The list of layers. To add one: its struct in layers/<name>.hpp, its work in layers/<name>.cpp,
// declared in layers/work.hpp, and one word here. A struct has
//   kKind                  its name in configurations
//   name                   given by the user or by the network
//   options(self, visit)   calls visit(key, member) for every option: what configurations hold
// and, where it applies, one of
//   kView = true           the same values in another shape: nothing is computed
//   kTrainingOnly = true   the identity at prediction
//   kKernel = true         its first tensor is a matrix that products read, packed
//   kWholeBatch = true     needs all rows of a batch at its input before any at its output
#pragma once

#include <variant>

#include "laminar/layers/activate.hpp"
#include "laminar/layers/batch_normalization.hpp"
#include "laminar/layers/dense.hpp"
#include "laminar/layers/dropout.hpp"
#include "laminar/layers/layer_normalization.hpp"
#include "laminar/layers/maxout.hpp"
#include "laminar/layers/noise.hpp"
#include "laminar/layers/prelu.hpp"
#include "laminar/layers/preparation.hpp"
#include "laminar/layers/shape.hpp"

namespace laminar {

/// A layer of any kind: `Layer layer = Dense{.units = 64, .activation = "relu"};`
using Layer = std::variant<Dense, Activate, Dropout, BatchNormalization, Prelu, Maxout, LayerNormalization,
                           AlphaDropout, GaussianNoise, GaussianDropout, Flatten, Reshape, Normalization, Rescaling,
                           Discretization, CategoryEncoding>;

}  // namespace laminar
