// SPDX-License-Identifier: Apache-2.0
// Optimizers whose update of a weight depends on its whole tensor, through norms, means of rows and
// columns, or products. They belong to the list of optimizers, but no kernel has them: the Updater
// hands them one tensor at a time. To add one, write a struct and put its name in the list at the end.
// Formulas and defaults are those of Keras 3.
#pragma once

#include "laminar/base/family.hpp"
#include "laminar/catalogue/optimizer.hpp"
#include "laminar/catalogue/parameters.hpp"
#include "laminar/kernels/activations.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar {

inline constexpr int kTensorSlots = 2;

/// One tensor and what its update needs.
template <typename T>
struct TensorUpdate {
  const Optimizer& optimizer;
  const Tensor& tensor;
  Index step;   // 1 for the first
  double rate;  // the learning rate
  T* weights;
  T* gradients;  // scratch afterwards
  T* slots[kTensorSlots];
  T* scratch;  // as much as the rule asked for
};

/// m and v as Adam's, with corrections; d = m / (sqrt(v) + eps), w -= lr |w| / |d| d; a norm of 0
/// makes the ratio 1  (You et al. 2020)
struct Lamb {
  static constexpr EntryInfo info{"lamb",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"beta_1", 0.9, Range::fraction},
                                   {"beta_2", 0.999, Range::fraction},
                                   {"epsilon", 1e-7, Range::non_negative}}};
  static Index scratch(const Optimizer&, const Tensor&) { return 0; }
  static double decay(const Optimizer&, const Tensor&) { return 0; }
  template <typename T>
  static void update(const TensorUpdate<T>& u);
};

/// Adam's v as the product of its means over rows and over columns; a tensor's steps are as long as
/// its weights, at least epsilon_2, and no longer than clip_threshold  (Shazeer & Stern 2018)
struct Adafactor {
  static constexpr EntryInfo info{"adafactor",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"beta_2_decay", -0.8, Range::any},
                                   {"epsilon_1", 1e-30, Range::non_negative},
                                   {"epsilon_2", 1e-3, Range::non_negative},
                                   {"clip_threshold", 1, Range::positive},
                                   {"relative_step", 1, Range::flag}}};
  static Index scratch(const Optimizer&, const Tensor&) { return 0; }
  static double decay(const Optimizer&, const Tensor&) { return 0; }
  template <typename T>
  static void update(const TensorUpdate<T>& u);
};

/// For matrices the momentum with its singular values moved to about 1, by Newton-Schulz steps
/// x <- a x + (b x x' + c (x x')^2) x; Adam for all else  (Jordan et al. 2024)
struct Muon {
  static constexpr EntryInfo info{"muon",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"adam_beta_1", 0.9, Range::fraction},
                                   {"adam_beta_2", 0.999, Range::fraction},
                                   {"adam_weight_decay", 0.004, Range::non_negative},
                                   {"epsilon", 1e-7, Range::non_negative},
                                   {"weight_decay", 0.004, Range::non_negative},
                                   {"exclude_embeddings", 1, Range::flag},
                                   {"muon_a", 3.4445, Range::any},
                                   {"muon_b", -4.7750, Range::any},
                                   {"muon_c", 2.0315, Range::any},
                                   {"adam_lr_ratio", 1, Range::non_negative},
                                   {"momentum", 0.95, Range::fraction},
                                   {"ns_steps", 5, Range::whole},
                                   {"nesterov", 1, Range::flag},
                                   {"rms_rate", 0.2, Range::non_negative}}};
  static bool takes(const Optimizer& optimizer, const Tensor& tensor);
  static Index scratch(const Optimizer& optimizer, const Tensor& tensor);
  static double decay(const Optimizer& optimizer, const Tensor& tensor);
  template <typename T>
  static void update(const TensorUpdate<T>& u);
};

/// The rules, in the order of their numbers, which follow those of the elementwise optimizers.
using TensorRules = kernels::List<Lamb, Adafactor, Muon>;

/// A rule of the list, for an optimizer that is tensor-wise.
template <typename T>
struct TensorRule {
  Index (*scratch)(const Optimizer&, const Tensor&);  // elements of scratch memory
  double (*decay)(const Optimizer&, const Tensor&);   // weight decay that is part of the rule
  void (*update)(const TensorUpdate<T>&);
};
template <typename T>
const TensorRule<T>& tensor_rule(const Optimizer& optimizer);

}  // namespace laminar
