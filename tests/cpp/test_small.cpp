// SPDX-License-Identifier: Apache-2.0
// The step of small networks gives the bits of the general step. A dropout that drops nothing makes a
// network go the general way and changes no value.
#include "laminar/training/small.hpp"

#include "laminar/execution/inference.hpp"
#include "optimizers.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

bool goes_small(const Network& network, const Loss& loss, Index rows) {
  return SmallNetwork<float>::suits(network, Objective(network, loss, {}), rows);
}

/// Weights after two epochs in batches of `batch` rows, and what loss_and_gradients then says.
template <typename T>
std::vector<T> trained(const std::vector<Layer>& layers, const Task<T>& task, const Loss& loss,
                       const Optimizer& optimizer, Index batch) {
  Model<T> model(Network(task.features, layers), 5);
  model.compile(loss, optimizer, {"accuracy"});
  model.fit(task.dataset(loss), {.batch_size = batch, .epochs = 2});
  std::vector<T> all = weights_of(model);
  std::vector<T> gradients(all.size());
  all.push_back(static_cast<T>(model.loss_and_gradients(task.dataset(loss, 0, 3), gradients)));
  all.insert(all.end(), gradients.begin(), gradients.end());
  const auto outputs = predictions(model, task.inputs());
  all.insert(all.end(), outputs.begin(), outputs.end());
  return all;
}

template <typename T>
void check_same(const std::vector<Layer>& layers, const Task<T>& task, const Loss& loss, const Optimizer& optimizer,
                Index batch) {
  std::vector<Layer> general = {Dropout{.rate = 0}};
  general.insert(general.end(), layers.begin(), layers.end());
  REQUIRE(goes_small(Network(task.features, layers), loss, batch));
  REQUIRE(!goes_small(Network(task.features, general), loss, batch));
  CHECK(bit_difference(trained(layers, task, loss, optimizer, batch), trained(general, task, loss, optimizer, batch)) ==
        "");
}

}  // namespace

TEST_CASE_TEMPLATE("small: the bits of the general step, at all sizes", T, float, double) {
  for (const Index in : {1, 3, 16, 17, 20}) {
    for (const Index hidden : {1, 4, 15, 16, 17, 33}) {
      for (const Index out : {1, 2, 6, 17}) {
        for (const Index batch : {1, 2, 5}) {
          CAPTURE(in);
          CAPTURE(hidden);
          CAPTURE(out);
          CAPTURE(batch);
          const Task<T> task(11, in, out);
          check_same<T>({Dense{.units = hidden, .activation = "tanh"}, Dense{.units = out, .activation = "sigmoid"}},
                        task, "mse", "adam", batch);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("small: every activation, loss and optimizer", T, float, double) {
  Task<T> task(11, 3, 2);
  task.weights = draws<T>(11, 0, 2, 9);
  for (const EntryInfo& entry : activation_family().entries) {
    const Activation f(entry.name);
    if (!f.has_gradient() || f.row_wise() || f.keeps_input()) continue;
    CAPTURE(std::string(f.name()));
    for (const EntryInfo& loss : loss_family().entries) {
      if (!suits(loss.name, f) || Loss(loss.name).whole_batch()) continue;
      for (const Index batch : {1, 4}) {
        check_same<T>({Dense{.units = 5, .activation = f, .use_bias = false}, mild_layer(5, 2, f)}, task,
                      Loss(loss.name), "sgd", batch);
      }
    }
  }
  for (const Optimizer& optimizer : elementwise_optimizers()) {
    for (const Index batch : {1, 4}) {
      check_same<T>({Dense{.units = 5, .activation = "elu"}, Dense{.units = 2, .activation = "softmax"}}, task,
                    "categorical_crossentropy", optimizer, batch);
    }
  }
}
