// SPDX-License-Identifier: Apache-2.0
// The list of activations. To add one, write a struct in the file of its kind (activation_entry.hpp
// says what it declares) and put its name here; names, parsing, Python and tests follow from the list.
#pragma once

#include "laminar/kernels/activations_gated.hpp"
#include "laminar/kernels/activations_row.hpp"
#include "laminar/kernels/activations_smooth.hpp"
#include "laminar/kernels/activations_straight.hpp"

namespace laminar::kernels {
namespace {

/// The activations, in the order of their places in the family.
using Activations =
    List<Linear, Step, Sigmoid, Tanh, Relu, LeakyRelu, Elu, Softmax, Selu, Celu, Gelu, Softplus, Softsign, Silu, Mish,
         Exponential, HardSigmoid, HardTanh, HardSilu, Relu6, LogSigmoid, LogSoftmax, TanhShrink, HardShrink,
         SoftShrink, Squareplus, SparsePlus, SparseSigmoid, Sparsemax, Threshold>;

/// Faster forms of an entry, `Of`, for the arguments that the form `serves`; values and slopes are the
/// entry's. Users never see them: Activation::kernel() takes one where it can.
using ActivationForms = List<PlainRelu>;

/// What the kernels' tables hold, in the order of Activation::kernel().
using ActivationKernels = Joined<Activations, ActivationForms>;

}  // namespace
}  // namespace laminar::kernels
