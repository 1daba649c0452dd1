// SPDX-License-Identifier: Apache-2.0
// Kinds of layers but dense, activation and dropout, which test_pass compares with the reference:
// their values against formulas written out here, their gradients against finite differences.
#include "layers.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

std::string refusal(const Shape& input_shape, const std::vector<Layer>& layers) {
  return message_of([&] { Network(input_shape, layers); });
}

}  // namespace

TEST_CASE_TEMPLATE("layers: prelu", T, float, double) {
  const Prelu layer{.alpha_initializer = spread(-0.5, 1.5)};
  for (const Index width : kWidths) {
    check_values<T>(layer, {width}, [](const std::vector<double>& x, const Model<double>& model) {
      const auto alpha = tensor_of(model, 0);
      std::vector<double> a(x.size());
      for (std::size_t j = 0; j < x.size(); ++j) a[j] = x[j] >= 0 ? x[j] : alpha[j] * x[j];
      return a;
    });
  }
}

TEST_CASE("layers: prelu's gradients") { check_gradients(Prelu{.alpha_initializer = spread(0.1, 1.5)}); }

TEST_CASE_TEMPLATE("layers: layer normalization", T, float, double) {
  for (const Shape& shape : {Shape{1}, Shape{2}, Shape{9}, Shape{16}, Shape{33}, Shape{3, 5}, Shape{2, 2, 17}}) {
    for (const bool with : {true, false}) {
      LayerNormalization layer{.center = with, .scale = true};
      layer.gamma_initializer = spread(0.5, 2);
      layer.beta_initializer = spread(-1, 1);
      check_values<T>(layer, shape, [&](const std::vector<double>& x, const Model<double>& model) {
        const std::size_t columns = as_size(shape.back());
        const auto gamma = tensor_of(model, 0);
        std::vector<double> a;
        for (std::size_t at = 0; at < x.size(); at += columns) {
          const Moments m = moments({x.begin() + static_cast<Index>(at), x.begin() + static_cast<Index>(at + columns)});
          for (std::size_t j = 0; j < columns; ++j) {
            const double normal = (x[at + j] - m.mean) / std::sqrt(m.variance + 1e-3);
            a.push_back(gamma[j] * normal + (with ? tensor_of(model, 1)[j] : 0));
          }
        }
        return a;
      });
    }
  }
}

TEST_CASE("layers: layer normalization's gradients") {
  LayerNormalization layer;
  layer.gamma_initializer = spread(0.5, 2);
  layer.beta_initializer = spread(-1, 1);
  check_gradients(layer);
  layer.center = false;
  check_gradients(layer);
  layer.scale = false;
  check_gradients(layer);
  layer.center = true;
  check_gradients(layer);
  for (const Index columns : {1, 3, 8, 9}) {
    CAPTURE(columns);
    check_gradient(Network(4, {Dense{.units = 2 * columns}, Reshape{.target_shape = {-1, columns}}, layer, Flatten{},
                               Dense{.units = 2}}),
                   5);
  }
}

TEST_CASE_TEMPLATE("layers: rms normalization", T, float, double) {
  for (const Shape& shape : {Shape{1}, Shape{2}, Shape{9}, Shape{33}, Shape{3, 5}, Shape{2, 2, 17}}) {
    check_values<T>(RmsNormalization{}, shape, [&](const std::vector<double>& x, const Model<double>&) {
      const std::size_t columns = as_size(shape.back());
      std::vector<double> a;
      for (std::size_t at = 0; at < x.size(); at += columns) {
        double squares = 0;
        for (std::size_t j = 0; j < columns; ++j) squares += x[at + j] * x[at + j] / static_cast<double>(columns);
        for (std::size_t j = 0; j < columns; ++j) a.push_back(x[at + j] / std::sqrt(squares + 1e-6));
      }
      return a;
    });
  }
}

TEST_CASE("layers: rms normalization's gradients") {
  check_gradients(RmsNormalization{});
  check_gradient(Network(4, {Dense{.units = 6}, Reshape{.target_shape = {2, 3}}, RmsNormalization{.epsilon = 0.1},
                             Flatten{}, Dense{.units = 2}}),
                 5);
}

TEST_CASE_TEMPLATE("layers: maxout", T, float, double) {
  for (const Index units : kWidths) {
    for (const Index pieces : {1, 2, 3}) {
      const Maxout layer{.units = units, .pieces = pieces, .bias_initializer = spread(-1, 1)};
      check_values<T>(layer, {5}, [&](const std::vector<double>& x, const Model<double>& model) {
        const auto kernel = tensor_of(model, 0);
        const auto bias = tensor_of(model, 1);
        std::vector<double> a;
        for (Index u = 0; u < units; ++u) {
          double best = -1e300;
          for (Index j = 0; j < pieces; ++j) {
            double z = bias[as_size(j * units + u)];
            for (std::size_t i = 0; i < 5; ++i)
              z += x[i] * kernel[i * as_size(pieces * units) + as_size(j * units + u)];
            best = std::max(best, z);
          }
          a.push_back(best);
        }
        return a;
      });
    }
  }
}

TEST_CASE("layers: maxout's gradients") {
  for (const Index units : kWidths) {
    CAPTURE(units);
    const Maxout layer{.units = units, .pieces = 3, .bias_initializer = spread(-1, 1)};
    check_gradient(Network(4, {Dense{.units = 9}, layer, Dense{.units = 2}}), 5);
    check_gradient(Network(9, {layer, Maxout{.units = 3, .use_bias = false}}), 3);
  }
  check_gradient(Network(9, {Maxout{.units = 5, .pieces = 2}, Maxout{.units = 3, .pieces = 4}}), 70);
}

TEST_CASE_TEMPLATE("layers: maxout with a second piece of 0 is relu, of 0.01 w leaky relu, to the last bit", T, float,
                   double) {
  for (const double slope : {0.0, 0.01}) {
    CAPTURE(slope);
    const Activation f = slope == 0 ? Activation("relu") : Activation("leaky_relu", {{"negative_slope", slope}});
    Model<T> maxout(Network(6, {Maxout{.units = 4, .use_bias = false}, Dense{.units = 2}}), 3);
    Model<T> plain(Network(6, {Dense{.units = 4, .use_bias = false}, Activate{f}, Dense{.units = 2}}), 3);
    // Whole numbers, so that 0.01 w x and (0.01 w) x round alike.
    const auto w = whole_numbers<T>(24, 3, 1);
    auto a = weights_of(maxout);
    auto b = weights_of(plain);
    for (Index i = 0; i < 6; ++i) {
      for (Index j = 0; j < 4; ++j) {
        const T value = w[as_size(i * 4 + j)];
        b[as_size(i * 4 + j)] = value;
        a[as_size(i * 8 + j)] = value;
        a[as_size(i * 8 + 4 + j)] = static_cast<T>(slope) * value;
      }
    }
    for (std::size_t t = 1; t < 3; ++t) {
      const Tensor& from = maxout.network().parameters()[t];
      const Tensor& to = plain.network().parameters()[t];
      std::copy_n(a.begin() + from.offset, from.size, b.begin() + to.offset);
    }
    maxout.set_parameters(a);
    plain.set_parameters(b);
    Task<T> task(20, 6, 2);
    for (std::size_t i = 0; i < task.x.size(); ++i) task.x[i] = i % 6 == i / 6 % 6 ? T(i / 36) - 1 : T(0);
    CHECK(bit_difference(predictions(maxout, task.inputs()), predictions(plain, task.inputs())) == "");
    for (Model<T>* model : {&maxout, &plain}) model->compile("mse", Optimizer("sgd"));
    std::vector<T> d_maxout(a.size());
    std::vector<T> d_plain(b.size());
    const Loss mse("mse");
    maxout.loss_and_gradients(task.dataset(mse), d_maxout);
    plain.loss_and_gradients(task.dataset(mse), d_plain);
    // d_w of the one kernel is that of the first piece, plus slope times that of the second
    for (Index i = 0; i < 6; ++i) {
      for (Index j = 0; j < 4; ++j) {
        const double both = static_cast<double>(d_maxout[as_size(i * 8 + j)]) +
                            slope * static_cast<double>(d_maxout[as_size(i * 8 + 4 + j)]);
        CHECK(both == doctest::Approx(static_cast<double>(d_plain[as_size(i * 4 + j)])).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE_TEMPLATE("layers: wide ones are updated to the same bits by any number of threads", T, float, double) {
  // More columns than a panel times a panel, so that several threads cut even what belongs to columns alone.
  constexpr Index kWide = 2500;
  const std::vector<Layer> all = {BatchNormalization{}, LayerNormalization{},  RmsNormalization{}, Prelu{},
                                  Dense{.units = 3},    Maxout{.units = kWide}};
  const Task<T> task(32, 8, 1);
  for (const Layer& layer : all) {
    const std::string kind = kind_of(layer);
    CAPTURE(kind);
    for (const bool buffered : {false, true}) {
      Optimizer optimizer("sgd");
      if (buffered) optimizer.set("clipnorm", 1);
      std::vector<T> first;
      for (const int count : {1, 2, 4, 8}) {
        const Threads threads(count);
        const Network network =
            kind == "maxout" ? Network(8, {layer, Dense{.units = 1}})
                             : Network(8, {Dense{.units = kWide, .activation = "tanh"}, layer, Dense{.units = 1}});
        Model<T> model(network, 1);
        model.compile("mse", optimizer);
        model.fit(task.dataset("mse"), {.batch_size = 16, .epochs = 2});
        if (first.empty()) first = weights_of(model);
        CHECK(bit_difference(weights_of(model), first) == "");
      }
    }
  }
}

TEST_CASE_TEMPLATE("layers: NaN in gives NaN out", T, float, double) {
  const std::vector<Layer> all = {Prelu{},
                                  LayerNormalization{},
                                  RmsNormalization{},
                                  Maxout{.units = 3},
                                  AlphaDropout{.rate = 0.5},
                                  Flatten{},
                                  Normalization{},
                                  Rescaling{},
                                  GaussianNoise{.stddev = 1},
                                  Reshape{{1, 9}},
                                  Discretization{{0.5}},
                                  CategoryEncoding{.num_tokens = 3},
                                  GaussianDropout{.rate = 0.5}};
  for (const Layer& layer : all) {
    const std::string kind = kind_of(layer);
    CAPTURE(kind);
    const Model<T> model(Network(9, {layer}), 1);
    for (const std::size_t at : {0, 8}) {
      std::vector<T> x(9, T(1));
      x[at] = kNan<T>;
      const auto out = predictions(model, {view(x), 9});
      CHECK(std::any_of(out.begin(), out.end(), [](T v) { return std::isnan(v); }));
    }
  }
}

TEST_CASE_TEMPLATE("layers: normalization and its inverse", T, float, double) {
  for (const Shape& shape : {Shape{1}, Shape{9}, Shape{33}, Shape{2, 5}}) {
    const Index columns = shape.back();
    for (const bool invert : {false, true}) {
      Model<T> model(Network(shape, {Normalization{.invert = invert}}), 1);
      const auto& layout = model.network().parameters();
      CHECK_FALSE(layout[0].trainable);
      CHECK(layout[1].name == "normalization/variance");
      auto weights = weights_of(model);
      for (Index j = 0; j < columns; ++j) {
        weights[as_size(layout[0].offset + j)] = static_cast<T>(j);
        weights[as_size(layout[1].offset + j)] =
            static_cast<T>((static_cast<double>(j) + 0.5) * (static_cast<double>(j) + 0.5));
      }
      model.set_parameters(weights);
      const Index width = model.network().features();
      const auto x = draws<T>(3 * width, -1, 1);
      const auto out = predictions(model, {view(x), width});
      std::vector<double> expected;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double j = static_cast<double>(static_cast<Index>(i) % columns);
        const double deviation = j + 0.5;
        const double value = static_cast<double>(x[i]);
        expected.push_back(invert ? value * deviation + j : (value - j) / deviation);
      }
      CHECK(difference(out, expected, 1e-6) == "");
    }
  }
}

TEST_CASE_TEMPLATE("layers: rescaling, discretization and category encoding", T, float, double) {
  for (const Index width : kWidths) {
    check_values<T>(Rescaling{.scale = 0.5, .offset = -3}, {width}, [](std::vector<double> x, const Model<double>&) {
      for (double& v : x) v = 0.5 * v - 3;
      return x;
    });
    check_values<T>(Discretization{{-1, 0, 0.5}}, {width}, [](std::vector<double> x, const Model<double>&) {
      for (double& v : x) v = (v >= -1) + (v >= 0) + (v >= 0.5);
      return x;
    });
  }
  const Model<T> bins(Network(3, {Discretization{{0, 1}}}));
  const std::vector<T> bounds = {0, 1, -0.0};
  CHECK(predictions(bins, {view(bounds), 3}) == std::vector<T>{1, 2, 1});
  const std::vector<T> tokens = {2, 0, 2};
  const auto encoded = [&](const char* mode) {
    const Model<T> model(Network(3, {CategoryEncoding{.num_tokens = 4, .output_mode = mode}}));
    return predictions(model, {view(tokens), 3});
  };
  CHECK(encoded("multi_hot") == std::vector<T>{1, 0, 1, 0});
  CHECK(encoded("count") == std::vector<T>{1, 0, 2, 0});
  CHECK(encoded("one_hot") == std::vector<T>{0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0});
  const Network one(1, {CategoryEncoding{.num_tokens = 4, .output_mode = "one_hot"}});
  CHECK(one.nodes()[1].shape == Shape{4});
  const Model<T> model(Network(3, {CategoryEncoding{.num_tokens = 4}}));
  for (const double bad : {-1.0, 4.0, 0.5}) {
    const std::vector<T> x = {0, static_cast<T>(bad), 1};
    CHECK(without(message_of([&] { predictions(model, {view(x), 3}); }),
                  {"predict: x must hold whole numbers from 0 to 3", "row 0, column 1"}) == "");
  }
}

TEST_CASE("layers: prepared data train what comes after, and stay as they are") {
  const Network network(3, {Rescaling{.scale = 2}, Normalization{}, Discretization{{-1, -0.5, 0, 0.5, 1}},
                            Dense{.units = 4}, Prelu{}, Dense{.units = 2}});
  check_gradient(network, 5);
  Model<double> model(network, 1);
  const auto before = weights_of(model);
  const Task<double> task(40, 3, 2);
  model.compile("mse", Optimizer("adam"));
  model.fit(task.dataset("mse"), {.batch_size = 8, .epochs = 2});
  const auto after = weights_of(model);
  for (const Tensor& tensor : network.parameters().tensors()) {
    const auto at = as_size(tensor.offset);
    CHECK(std::equal(before.begin() + static_cast<Index>(at), before.begin() + static_cast<Index>(at) + tensor.size,
                     after.begin() + static_cast<Index>(at)) == !tensor.trainable);
  }
}

TEST_CASE("layers: views keep values and change shapes") {
  const Network network(Shape{4, 6}, {Reshape{{-1, 8}}, Reshape{{2, 3, 4}}, Flatten{}, Reshape{{24}}});
  CHECK(network.nodes()[1].shape == Shape{3, 8});
  CHECK(network.nodes()[2].shape == Shape{2, 3, 4});
  CHECK(network.nodes()[3].shape == Shape{24});
  const Model<float> model(network);
  const auto x = draws<float>(48, -1, 1);
  CHECK(bit_difference(predictions(model, {view(x), 24}), x) == "");
  check_gradient(Network(Shape{2, 3}, {Flatten{}, Dense{.units = 4, .activation = "tanh"}, Reshape{{2, 2}},
                                       Activate{"sigmoid"}, Flatten{}, Dense{.units = 6}, Reshape{{2, -1}}}),
                 5);
  check_gradient(Network(Shape{2, 3}, {Activate{"elu"}, Flatten{}, Dense{.units = 4}, Flatten{}}), 5);
}

TEST_CASE("layers: bad arguments are refused by name") {
  const auto wrong = [](const Layer& layer, std::initializer_list<std::string_view> parts) {
    CHECK(without(refusal({6}, {layer}), parts) == "");
  };
  wrong(Maxout{.units = 0}, {"layer 'maxout'", "units must be positive", "got 0"});
  wrong(Maxout{.units = 1, .pieces = -1}, {"layer 'maxout'", "pieces must be positive", "got -1"});
  wrong(LayerNormalization{.epsilon = 0}, {"layer 'layer_normalization'", "epsilon", "got 0"});
  wrong(RmsNormalization{.epsilon = 0}, {"layer 'rms_normalization'", "epsilon", "got 0"});
  wrong(AlphaDropout{.rate = 1}, {"layer 'alpha_dropout'", "[0, 1)", "got 1"});
  wrong(GaussianDropout{.rate = -1}, {"layer 'gaussian_dropout'", "[0, 1)", "got -1"});
  wrong(GaussianNoise{.stddev = -1}, {"layer 'gaussian_noise'", "stddev", "got -1"});
  wrong(Reshape{{4}}, {"layer 'reshape'", "as many values", "(4,)", "(6,)"});
  wrong(Reshape{{4, -1}}, {"layer 'reshape'", "divide"});
  wrong(Reshape{{-1, -1}}, {"layer 'reshape'", "at most one -1"});
  wrong(Reshape{}, {"layer 'reshape'", "at least one axis"});
  wrong(Rescaling{.scale = kNan<double>}, {"layer 'rescaling'", "scale must be finite"});
  wrong(Discretization{}, {"layer 'discretization'", "at least one number"});
  wrong(Discretization{{1, 1}}, {"layer 'discretization'", "must increase"});
  wrong(CategoryEncoding{}, {"layer 'category_encoding'", "num_tokens must be positive"});
  wrong(CategoryEncoding{.num_tokens = 2, .output_mode = "int"}, {"layer 'category_encoding'", "output_mode", "'int'"});
  CHECK(without(refusal({2, 3}, {Maxout{.units = 2}}), {"layer 'maxout'", "(features,)", "(2, 3)"}) == "");
  CHECK(without(refusal({2, 3}, {Activate{"softmax"}}), {"layer 'activation'", "(features,)", "(2, 3)"}) == "");
  for (const Layer& layer : {Layer(Discretization{{0}}), Layer(CategoryEncoding{.num_tokens = 3})}) {
    CHECK(without(refusal({6}, {Dense{.units = 2}, layer}), {"must come before the layers that are trained"}) == "");
    CHECK(refusal({6}, {Dropout{}, layer}) == "nothing thrown");
  }
}
