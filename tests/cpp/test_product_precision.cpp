// SPDX-License-Identifier: Apache-2.0
// Models whose products are of bfloat16: near those of floats, and as exact in their bits.
#include "laminar/base/product_precision.hpp"

#include "laminar/laminar.hpp"
#include "reference.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

const char* const kLoss = "sparse_categorical_crossentropy";

/// Layers with a kernel of every kind, odd sizes, one that needs the whole batch, one output of a vector.
Network mixed_network() {
  return {
      7,
      {Dense{.units = 33, .activation = "tanh"}, BatchNormalization{}, Maxout{.units = 19, .pieces = 3},
       Dropout{.rate = 0.1}, Dense{.units = 300, .activation = "relu"}, Dense{.units = 5, .activation = "softmax"}}};
}

Model<float> model_of(ProductPrecision precision, const Network& network = mixed_network()) {
  Model<float> model(network, 7, precision);
  model.compile(kLoss, "adam", {"accuracy"});
  return model;
}

std::vector<float> gradients_of(Model<float>& model, const Task<float>& task) {
  std::vector<float> gradients(model.parameters().size());
  model.loss_and_gradients(task.dataset(kLoss), gradients);
  return gradients;
}

/// |a - b| / |b| as vectors.
double distance(std::span<const float> a, std::span<const float> b) {
  double apart = 0;
  double size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    apart += d * d;
    size += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return std::sqrt(apart / size);
}

}  // namespace

TEST_CASE("product precision: bfloat16 is near floats, but not they") {
  const Network plain(7, {Dense{.units = 33, .activation = "tanh"}, Maxout{.units = 19, .pieces = 3},
                          Dense{.units = 5, .activation = "softmax"}});
  for (const Index rows : {1, 2, 64, 101}) {
    CAPTURE(rows);
    const Task<float> task(rows, 7, 5);
    auto rounded = model_of(ProductPrecision::bfloat16, plain);
    auto full = model_of(ProductPrecision::full, plain);
    CHECK(rounded.precision() == ProductPrecision::bfloat16);
    CHECK(full.precision() == ProductPrecision::full);
    CHECK(bit_difference(rounded.parameters(), full.parameters()) == "");
    const double outputs = distance(predictions(rounded, task.inputs()), predictions(full, task.inputs()));
    CHECK(outputs > 0);
    CHECK(outputs < 0.01);
    const double gradients = distance(gradients_of(rounded, task), gradients_of(full, task));
    CHECK(gradients > 0);
    CHECK(gradients < 0.05);  // another piece of Maxout may be the largest
  }
}

TEST_CASE("product precision: one layer is the reference on rounded operands") {
  const auto rounded = [](std::vector<float> values) {
    for (float& v : values) {
      std::uint32_t bits;
      std::memcpy(&bits, &v, sizeof(bits));
      bits = (bits + 0x7fffU + (bits >> 16 & 1U)) & 0xffff0000U;
      std::memcpy(&v, &bits, sizeof(bits));
    }
    return values;
  };
  for (const Index in : {1, 2, 17, 300}) {
    const Network one(in, {Dense{.units = 9, .activation = "elu"}});
    const Model<float> model(one, 3, ProductPrecision::bfloat16);
    const Task<float> task(33, in, 9);
    auto weights = weights_of(model);
    const auto kernel = static_cast<std::ptrdiff_t>(model.tensor(0).size());
    std::vector<float> first(weights.begin(), weights.begin() + kernel);
    first = rounded(first);
    std::copy(first.begin(), first.end(), weights.begin());
    const auto expected = reference::predict(one, as_double(view(weights)), reference::matrix(rounded(task.x), 33, in));
    CHECK(difference(predictions(model, task.inputs()), expected, 1e-5) == "");
  }
}

TEST_CASE("product precision: bfloat16 has the same bits for any number of threads, at every batch size") {
  const Task<float> task(101, 7, 5);
  for (const Index batch : {1, 2, 31, 64, 101}) {
    CAPTURE(batch);
    const auto train = [&](int threads) {
      const Threads scope(threads);
      auto model = model_of(ProductPrecision::bfloat16);
      const History history = model.fit(task.dataset(kLoss), {.batch_size = batch, .epochs = 2});
      auto all = weights_of(model);
      const auto gradients = gradients_of(model, task);
      all.insert(all.end(), gradients.begin(), gradients.end());
      for (const auto& epoch : history.epochs) all.insert(all.end(), epoch.begin(), epoch.end());
      return all;
    };
    const auto expected = train(1);
    for (const int threads : {2, 3, 4}) CHECK(bit_difference(train(threads), expected) == "");
  }
}

TEST_CASE("product precision: a prediction of bfloat16 does not depend on the rows beside it") {
  const auto model = model_of(ProductPrecision::bfloat16);
  const Task<float> task(131, 7, 5);
  const auto all = predictions(model, task.inputs());
  for (const Index rows : {1, 2, 13, 65}) {
    for (Index first = 0; first + rows <= 131; first += 33) {
      const auto part = view(task.x).subspan(as_size(first * 7), as_size(rows * 7));
      CHECK(bit_difference(view(predictions(model, {part, 7})),
                           view(all).subspan(as_size(first * 5), as_size(rows * 5))) == "");
    }
  }
}

TEST_CASE("product precision: bfloat16 learns what floats learn") {
  const Task<float> task(400, 7, 5);
  const auto last_loss = [&](ProductPrecision precision, Index memory_limit) {
    const Network deep(7, {Dense{.units = 64, .activation = "relu"}, Dense{.units = 64, .activation = "relu"},
                           Dense{.units = 5, .activation = "softmax"}});
    auto model = model_of(precision, deep);
    const FitOptions<float> options{.batch_size = 200, .memory_limit = memory_limit, .epochs = 40};
    return model.fit(task.dataset(kLoss), options).epochs.back()[0];
  };
  const double full = last_loss(ProductPrecision::full, 0);
  CHECK(last_loss(ProductPrecision::bfloat16, 0) == doctest::Approx(full).epsilon(0.01));
  CHECK(last_loss(ProductPrecision::bfloat16, 500'000) == doctest::Approx(full).epsilon(0.01));
}

TEST_CASE("product precision: files keep it") {
  const Task<float> task(33, 7, 5);
  auto model = model_of(ProductPrecision::bfloat16);
  model.fit(task.dataset(kLoss), {.batch_size = 8, .epochs = 1});
  const auto bytes = model_bytes(model);
  auto loaded = ModelFile(bytes).model<float>();
  CHECK(ModelFile(bytes).precision() == ProductPrecision::bfloat16);
  CHECK(loaded.precision() == ProductPrecision::bfloat16);
  CHECK(bit_difference(predictions(loaded, task.inputs()), predictions(model, task.inputs())) == "");
  const FitOptions<float> more{.batch_size = 8, .epochs = 2, .initial_epoch = 1};
  model.fit(task.dataset(kLoss), more);
  loaded.fit(task.dataset(kLoss), more);
  CHECK(bit_difference(loaded.parameters(), model.parameters()) == "");
  CHECK(ModelFile(model_bytes(model_of(ProductPrecision::full))).precision() == ProductPrecision::full);
}
