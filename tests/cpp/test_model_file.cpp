// SPDX-License-Identifier: Apache-2.0
// Model files: all of a model comes back, training goes on at the same bit from any batch, and no
// damage is loaded or does harm.
#include "laminar/execution/state.hpp"
#include "laminar/model_file.hpp"

#include <random>

#include "allocations.hpp"
#include "folder.hpp"
#include "graphs.hpp"
#include "own_parts.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

using Bytes = std::vector<std::byte>;

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kStep = 13;  // of the damages that are tried one by one
#else
constexpr std::size_t kStep = 1;
#endif

/// Every kind of layer, in two networks: one cannot do without the other's beginning.
std::vector<Network> every_layer() {
  return {Network(Shape{2, 3}, {Flatten{}, Rescaling{.scale = 0.5, .offset = 0.1}, Normalization{}, Dense{.units = 7},
                                BatchNormalization{}, Activate{"tanh"}, Dropout{.rate = 0.2},
                                Reshape{.target_shape = {7}}, Maxout{.units = 5}, LayerNormalization{},
                                RmsNormalization{}, Prelu{}, AlphaDropout{.rate = 0.1}, GaussianNoise{.stddev = 0.1},
                                GaussianDropout{.rate = 0.1}, Dense{.units = 3, .activation = "sigmoid"}}),
          Network(4, {Discretization{.bin_boundaries = {-0.5, 0, 0.5}}, CategoryEncoding{.num_tokens = 4},
                      Dense{.units = 2, .activation = "softmax"}}),
          Network(4, {Discretization{.bin_boundaries = {-0.5, 0, 0.5}}, Embedding{.input_dim = 4, .output_dim = 3},
                      Flatten{}, Dense{.units = 2, .activation = "softmax"}})};
}

template <typename T>
Model<T> from_bytes(const Bytes& bytes) {
  return ModelFile(bytes).model<T>();
}

template <typename T>
std::vector<T> slots_of(const Model<T>& model) {
  std::vector<T> all;
  for (int i = 0; i < model.state().optimizer->optimizer.slots(); ++i) {
    const auto slot = model.state().optimizer->slots[static_cast<std::size_t>(i)].span();
    all.insert(all.end(), slot.begin(), slot.end());
  }
  return all;
}

Network small_network() {
  return Network(3, {Dense{.units = 4, .activation = "relu", .name = "first"}, Dropout{.rate = 0.25},
                     Dense{.units = 2, .activation = "sigmoid"}});
}

/// A trained model's file that is as small as such files are.
Bytes small_file() {
  Model<float> model(small_network(), 3);
  model.compile("mse", "adam", {"mae"});
  const Task<float> task(8, 3, 2);
  model.fit(task.dataset("mse"), {.batch_size = 4, .epochs = 2});
  return model_bytes(model, {.attachments = {{{"note", "a text"}}, {}}});
}

/// The message of the error, "" where the bytes load. Then it must be the model of the whole file.
std::string outcome(const Bytes& damaged, const Model<float>& whole) {
  try {
    const auto model = from_bytes<float>(damaged);
    CHECK(model_bytes(model) == model_bytes(whole));
    return "";
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
}

}  // namespace

TEST_CASE_TEMPLATE("model_file: every kind of layer comes back in every bit", T, float, double) {
  std::vector<std::string> kinds = layer_kinds();
  std::vector<Network> networks = every_layer();
  networks.push_back(own_network());
  networks.emplace_back(3, std::vector<Layer>{own_centred(3)});
  for (const Layer& layer : merging_layers()) networks.push_back(merged(layer, true));
  for (const Network& network : networks) {
    for (const Node& node : network.nodes()) {
      if (!node.name.empty() && &node != &network.nodes().front()) std::erase(kinds, kind_of(node.layer));
    }
    const Index width = network.features();
    const auto x = draws<T>(9 * width, -1, 1);
    Model<T> model(network, 5);
    const Folder folder;
    save_model(model, folder / "m.safetensors");
    const auto loaded = load_model<T>(folder / "m.safetensors");
    CHECK(bit_difference(weights_of(loaded), weights_of(model)) == "");
    CHECK(bit_difference(predictions(loaded, {view(x), width}), predictions(model, {view(x), width})) == "");
    CHECK(loaded.seed() == 5);
    CHECK_FALSE(loaded.compiled());
    CHECK(to_json(loaded.network()) == to_json(model.network()));
    CHECK(model_bytes(loaded) == model_bytes(model));
  }
  CAPTURE(join(kinds));
  CHECK(kinds.empty());  // a kind that is missing above
}

TEST_CASE_TEMPLATE("model_file: every optimizer goes on at the same bit", T, float, double) {
  auto optimizers = variants<Optimizer>(optimizer_family());
  for (const char* option : {"clipnorm", "use_ema", "gradient_accumulation_steps"}) {
    optimizers.push_back(Optimizer("adam", {{option, option[0] == 'u' ? 1 : 3}}));
  }
  Optimizer scheduled("sgd");
  scheduled.schedule = Schedule("cosine_decay", {{"initial_learning_rate", 0.1}, {"decay_steps", 9}});
  optimizers.push_back(scheduled);
  optimizers.back().options.exclude_from_weight_decay = {"bias"};
  const Task<T> task(12, 3, 2);
  for (Optimizer& optimizer : optimizers) {
    for (const char* coefficient : {"muon_a", "muon_b", "muon_c"}) {  // others make it diverge
      if (optimizer.takes(coefficient)) optimizer.set(coefficient, Optimizer("muon").value(coefficient));
    }
    const std::string entry = to_json(optimizer);
    CAPTURE(entry);
    Model<T> model(small_network(), 3);
    model.compile("mse", optimizer, {"mae", Metric("precision", {{"thresholds", 0.4}})});
    for (int i = 0; i < 4; ++i) model.train_on_batch(task.dataset("mse"));
    auto loaded = from_bytes<T>(model_bytes(model));
    CHECK(to_json(loaded.state().optimizer->optimizer) == entry);
    CHECK(loaded.metric_names() == model.metric_names());
    CHECK(loaded.iterations() == model.iterations());
    for (int i = 0; i < 3; ++i) {
      CHECK(bit_difference(loaded.train_on_batch(task.dataset("mse")), model.train_on_batch(task.dataset("mse"))) ==
            "");
    }
    CHECK(bit_difference(weights_of(loaded), weights_of(model)) == "");
    CHECK(bit_difference(slots_of(loaded), slots_of(model)) == "");
  }
}

TEST_CASE("model_file: losses and metrics come back with their arguments") {
  for (const Loss& loss : variants<Loss>(loss_family())) {
    const std::string entry = to_json(loss);
    CAPTURE(entry);
    Model<float> model(Network(3, {Dense{.units = 2, .activation = "softplus"}}));
    model.compile(loss, "sgd");
    CHECK(to_json(from_bytes<float>(model_bytes(model)).state().objective->asked) ==
          to_json(model.state().objective->asked));
  }
}

TEST_CASE_TEMPLATE("model_file: training goes on from any batch as if it had not stopped", T, float, double) {
  const Task<T> task(23, 6, 3);
  const Task<T> held_out(7, 6, 3, 9);
  const Network networks[] = {
      Network(6, {Dense{.units = 5, .activation = "tanh"}, Dropout{.rate = 0.3},
                  Dense{.units = 3, .activation = "softmax"}}),
      Network(6, {Dense{.units = 70, .activation = "relu", .kernel_regularizer = Regularizer("l2")},
                  BatchNormalization{}, Dense{.units = 3, .activation = "softmax"}})};
  const Loss loss("categorical_crossentropy");
  const auto data = task.dataset(loss);
  const auto validation = held_out.dataset(loss);
  for (const Network& network : networks) {
    const auto fresh = [&] {
      Model<T> model(network, 11);
      model.compile(loss, Optimizer("adam", {{"use_ema", 1}}), {"accuracy", "auc"});
      return model;
    };
    FitOptions<T> options{.batch_size = 5, .epochs = 3, .validation = &validation};
    Model<T> straight = fresh();
    const History expected = straight.fit(data, options);

    std::vector<Bytes> files;
    Model<T> saving = fresh();
    options.on_batch = [&](const Progress&) {
      files.push_back(model_bytes(saving));
      return false;
    };
    options.on_epoch = [&](Index, std::span<const Log>) {
      files.push_back(model_bytes(saving));
      return false;
    };
    saving.fit(data, options);
    CHECK(bit_difference(weights_of(saving), weights_of(straight)) == "");
    REQUIRE(files.size() == 3 * 6);

    options.on_batch = {};
    options.on_epoch = {};
    options.resume = true;
    for (std::size_t i = 0; i < files.size(); ++i) {
      CAPTURE(i);
      auto model = from_bytes<T>(files[i]);
      CHECK(model.state().position.has_value() == (i % 6 != 5));
      const History rest = model.fit(data, options);
      CHECK(bit_difference(weights_of(model), weights_of(straight)) == "");
      for (std::size_t e = 0; e < rest.epochs.size(); ++e) {
        CHECK(bit_difference(rest.epochs[e], expected.epochs[expected.epochs.size() - rest.epochs.size() + e]) == "");
      }
    }
    auto model = from_bytes<T>(files[0]);
    options.batch_size = 6;
    CHECK(without(message_of([&] { model.fit(data, options); }),
                  {"fit: resume", "in batches of 5", "cannot go on with 23 rows, shuffled, in batches of 6"}) == "");
  }
}

TEST_CASE("model_file: a stopped epoch is kept, and forgotten by what begins anew") {
  const Task<float> task(40, 6, 3);
  const auto data = task.dataset("mse");
  const auto fresh = [] {
    Model<float> model(Network(6, {Dense{.units = 3}}), 1);
    model.compile("mse", "adam");
    return model;
  };
  Model<float> straight = fresh();
  straight.fit(data, {.batch_size = 4, .epochs = 3});
  Model<float> model = fresh();
  const auto stop = [](const Progress& p) -> bool {
    if (p.epoch == 1 && p.batches_done == 3) throw std::runtime_error("enough");
    return false;
  };
  CHECK_THROWS_AS(model.fit(data, {.batch_size = 4, .epochs = 3, .on_batch = stop}), std::runtime_error);
  REQUIRE(model.state().position.has_value());
  CHECK(model.state().next_epoch == 1);
  CHECK(model.state().position->batches == 3);
  auto loaded = from_bytes<float>(model_bytes(model));
  loaded.fit(data, {.batch_size = 4, .epochs = 3, .resume = true});
  CHECK(bit_difference(weights_of(loaded), weights_of(straight)) == "");
  CHECK_FALSE(loaded.state().position.has_value());
  model.fit(data, {.batch_size = 4, .epochs = 1});
  CHECK_FALSE(model.state().position.has_value());
  CHECK(model.state().next_epoch == 1);
}

TEST_CASE("model_file: penalties that are divided by rows go on so") {
  const Task<float> task(20, 6, 3);
  const auto data = task.dataset("mse");
  const auto fresh = [](bool per_row) {
    Model<float> model(Network(6, {Dense{.units = 3, .kernel_regularizer = Regularizer("l2", {{"l2", 0.1}})}}), 1);
    model.compile("mse", "adam");
    model.set_penalties_per_row(per_row);
    return model;
  };
  for (const bool per_row : {false, true}) {
    Model<float> straight = fresh(per_row);
    straight.fit(data, {.batch_size = 4, .epochs = 3});
    Model<float> stopped = fresh(per_row);
    stopped.fit(data, {.batch_size = 4, .epochs = 1});
    const Bytes bytes = model_bytes(stopped);
    CHECK(ModelFile(bytes).header().metadata.contains("laminar.penalties_per_row") == per_row);
    auto model = from_bytes<float>(bytes);
    CHECK(model.penalties_per_row() == per_row);
    model.fit(data, {.batch_size = 4, .epochs = 3, .resume = true});
    CHECK(bit_difference(weights_of(model), weights_of(straight)) == "");
    CHECK_FALSE(
        ModelFile(model_bytes(model, {.training = false})).header().metadata.contains("laminar.penalties_per_row"));
    model.compile("mse", "adam");
    CHECK_FALSE(model.penalties_per_row());
  }
}

TEST_CASE("model_file: without training a file has the weights alone") {
  Model<float> model(small_network(), 3);
  model.compile("mse", "adam");
  const auto bytes = model_bytes(model, {.training = false});
  CHECK(bytes.size() < model_bytes(model).size());
  CHECK_FALSE(from_bytes<float>(bytes).compiled());
}

TEST_CASE("model_file: attachments come back") {
  const Model<float> model(small_network(), 3);
  const std::vector<double> values = {1, 2, 3};
  const auto bytes = model_bytes(
      model, {.attachments = {{{"note", "a text"}}, {{"values", "F64", {3}, std::as_bytes(std::span(values))}}}});
  const ModelFile file{std::span(bytes)};
  CHECK(file.header().metadata.at("note") == "a text");
  REQUIRE(file.attached().size() == 1);
  CHECK(file.attached()[0].name == "values");
  std::vector<double> back(3);
  file.read(file.attached()[0], std::as_writable_bytes(std::span(back)));
  CHECK(back == values);
  CHECK(bit_difference(weights_of(file.model<float>()), weights_of(model)) == "");
  CHECK(without(message_of([&] { model_bytes(model, {.attachments = {{{"laminar.x", ""}}, {}}}); }),
                {"must not be called 'laminar.x'"}) == "");
}

TEST_CASE("model_file: what is no model, or another one, is refused by name") {
  const Folder folder;
  const Model<double> model(small_network(), 3);
  save_model(model, folder / "m.safetensors");
  CHECK(without(message_of([&] { load_model<float>(folder / "m.safetensors"); }),
                {"cannot load", "m.safetensors", "it holds float64", "Model<double>"}) == "");
  CHECK_THROWS_AS(load_model<float>(folder / "none.safetensors"), std::system_error);

  // Files with one text or tensor changed, without the checksum, which would tell first.
  const Bytes good = model_bytes(model);
  const SafetensorsHeader header = ModelFile(good).header();
  const auto changed = [&](const std::string& key, const char* text, const std::string& tensor = "") {
    auto metadata = header.metadata;
    metadata.erase("laminar.checksum");
    if (text == nullptr) {
      metadata.erase(key);
    } else if (!key.empty()) {
      metadata[key] = text;
    }
    std::vector<NamedTensor> tensors;
    for (const StoredTensor& stored : header.tensors) {
      if (stored.name == tensor) continue;
      tensors.push_back({stored.name, stored.dtype, stored.shape,
                         std::span(good).subspan(header.data + stored.begin, stored.end - stored.begin)});
    }
    std::string head;
    Bytes bytes;
    for (const auto piece : safetensors_pieces(std::move(tensors), metadata, head)) {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
    }
    return message_of([&] { from_bytes<double>(bytes); });
  };
  CHECK(changed("", "") == "nothing thrown");
  CHECK(without(changed("laminar.format", nullptr), {"no model of laminar"}) == "");
  CHECK(without(changed("laminar.format", "4"), {"its format is 4", "reads formats up to 3"}) == "");
  CHECK(without(changed("laminar.format", "0"), {"its format is 0"}) == "");
  CHECK(without(changed("laminar.format", "1.5"), {"must be a whole number", "'1.5'"}) == "");
  CHECK(without(changed("laminar.seed", "-1"), {"'laminar.seed' must be a whole number"}) == "");
  CHECK(without(changed("laminar.seed", "18446744073709551616"), {"'laminar.seed' must be a whole number"}) == "");
  CHECK(without(changed("laminar.dtype", "bfloat16"), {"laminar.dtype must be float32 or float64"}) == "");
  for (const char* precision : {"bfloat16", "float8"}) {  // of a model of doubles
    CHECK(without(changed("laminar.precision", precision), {"laminar.precision must be bfloat16", precision}) == "");
  }
  CHECK(without(changed("laminar.network", nullptr), {"lacks 'laminar.network'"}) == "");
  CHECK(without(changed("laminar.network", "{"), {"not JSON"}) == "");
  CHECK(
      without(changed("laminar.network", R"({"input_shape":[3],"layers":[{"kind":"dense","name":"other","units":4}]})"),
              {"the tensor 'other/kernel' is missing"}) == "");
  CHECK(
      without(changed("laminar.network", R"({"input_shape":[3],"layers":[{"kind":"dense","name":"first","units":5}]})"),
              {"'first/kernel' must have shape (3, 5), got (3, 4)"}) == "");
  CHECK(
      without(changed("laminar.network", R"({"input_shape":[3],"layers":[{"kind":"dense","name":"first","units":4}]})"),
              {"the model has no tensor 'dense/"}) == "");
  {
    const AllocationPeak peak;
    changed("laminar.network", R"({"input_shape":[3],"layers":[{"kind":"dense","name":"first","units":999999999}]})");
    changed("laminar.network", R"({"input_shape":[3],"layers":[{"kind":"maxout","pieces":99999,"units":99999}]})");
    CHECK(peak.bytes() < 1 << 16);  // nothing for weights that the file does not have
  }
  CHECK(without(changed("laminar.more", "x"), {"unknown key 'laminar.more'"}) == "");
  CHECK(without(changed("", "", "dense/bias"), {"the tensor 'dense/bias' is missing"}) == "");
}

TEST_CASE("model_file: every truncation is refused") {
  const Bytes good = small_file();
  const auto whole = from_bytes<float>(good);
  for (std::size_t size = 0; size < good.size(); size += kStep) {
    CHECK(outcome(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)), whole) != "");
  }
}

TEST_CASE("model_file: whatever bit of the header changes, the model is refused or the same") {
  const Bytes good = small_file();
  const auto whole = from_bytes<float>(good);
  const std::size_t header = ModelFile(good).header().data;
  for (std::size_t bit = 0; bit < 8 * header; bit += kStep) {
    Bytes damaged = good;
    damaged[bit / 8] ^= std::byte{1} << (bit % 8);
    CAPTURE(bit);
    outcome(damaged, whole);
  }
}

TEST_CASE("model_file: random splices are refused, and take no more memory than the whole file") {
  const Bytes good = small_file();
  const auto whole = from_bytes<float>(good);
  const auto load_peak = [&](const Bytes& bytes) {
    const AllocationPeak peak;
    outcome(bytes, whole);
    return peak.bytes();
  };
  const std::int64_t limit = load_peak(good) + 2 * static_cast<std::int64_t>(good.size());
  std::mt19937_64 random(1);
  const auto below = [&](std::size_t n) { return static_cast<std::ptrdiff_t>(random() % n); };
  for (int i = 0; i < 1000; i += static_cast<int>(kStep)) {
    Bytes damaged = good;
    const std::ptrdiff_t from = below(good.size());
    const auto length = std::min<std::ptrdiff_t>(1 + below(64), std::ssize(good) - from);
    const Bytes piece(good.begin() + from, good.begin() + from + length);
    const std::ptrdiff_t to = below(good.size());
    if (i % 2 == 0) {
      std::copy_n(piece.begin(), std::min<std::ptrdiff_t>(length, std::ssize(good) - to), damaged.begin() + to);
    } else {
      damaged.insert(damaged.begin() + to, piece.begin(), piece.end());
    }
    CAPTURE(i);
    if (damaged == good) continue;
    CHECK(load_peak(damaged) <= limit);
    CHECK(outcome(damaged, whole) != "");
  }
}
