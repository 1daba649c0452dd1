// SPDX-License-Identifier: Apache-2.0
// Weights rounded for inference: the products that read them, on every instruction set and size, and the models that
// have them.
#include "laminar/execution/quantized.hpp"

#include "laminar/model_file.hpp"
#include "products.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

constexpr Index kRows[] = {1, 2, 3, 4, 5, 7, 8, 16, 17, 33, 70};

Tensor matrix_of(Index depth, Index columns) {
  return {.name = "w", .shape = {depth, columns}, .size = depth * columns, .initializer = "zeros"};
}

Network mixed_network() {
  return {7,
          {Dense{.units = 33, .activation = "tanh"}, Maxout{.units = 19, .pieces = 3}, BatchNormalization{},
           Dense{.units = 300, .activation = "relu", .use_bias = false}, Dense{.units = 5, .activation = "softmax"}}};
}

Network table_network() {
  return Network(4, {Discretization{.bin_boundaries = {-0.5, 0, 0.5}}, Embedding{.input_dim = 4, .output_dim = 3},
                     Flatten{}, Dense{.units = 2, .activation = "softmax"}});
}

std::vector<float> predicted(const Model<float>& model, const Task<float>& task, Index first, Index rows) {
  std::vector<float> out(as_size(rows * model.network().outputs()));
  model.predict({task.x.data() + first * task.features, rows, task.features},
                {out.data(), rows, model.network().outputs()});
  return out;
}

}  // namespace

TEST_CASE("quantized: products are those of the rounded floats at every size, nothing written past the padding") {
  const kernels::Kernels<float>& k = kernels::kernels<float>();
  for (const Index depth : {1, 2, 17, 65, 520}) {
    for (const Index columns : kSizes) {
      const auto w = draws<float>(depth * columns, -1, 1, 2);
      const auto left = draws<float>(70 * depth, -1, 1);
      const Block<float> bias(1, columns, draws<float>(columns, -1, 1, 3));
      for (const Quantization q : {Quantization::int8, Quantization::bfloat16}) {
        const Tensor tensor = matrix_of(depth, columns);
        const QuantizedTensor rounded(tensor, Scaled::columns, q, w.data());
        std::vector<float> values = w;
        rounded.round(values.data());
        const auto right = packed(k, values, depth, columns);
        for (const Index rows : kRows) {
          CAPTURE(name_of(q));
          CAPTURE(depth);
          CAPTURE(columns);
          CAPTURE(rows);
          const float* start = (depth + columns) % 3 == 0 ? nullptr : bias.data();
          Block<float> expected(rows, columns);
          auto p = product_of(left, right, start, expected, rows, depth, columns);
          k.any_product(p);
          Block<float> out(rows, columns);
          std::vector<float> tiles(as_size(kernels::tiles_size(rows)));
          std::vector<float> expanded(as_size(kernels::kDepthBlock * k.panel));
          p.right = nullptr;
          p.compact = rounded.compact();
          p.expanded = expanded.data();
          p.out = out.data();
          k.any_product(p);
          CHECK(out.intact());
          if (q == Quantization::bfloat16) {
            CHECK(bit_difference(out.values(), expected.values()) == "");
          } else {
            CHECK(difference(out.values(), expected.values(), 1e-5) == "");
          }
          const auto once = out.values();
          p.tiles = tiles.data();
          k.any_product(p);
          CHECK(bit_difference(out.values(), once) == "");
        }
      }
    }
  }
}

TEST_CASE("quantized: a row is the same bits among any number of rows") {
  const kernels::Kernels<float>& k = kernels::kernels<float>();
  constexpr Index kMost = 40;
  for (const Index depth : {3, 65, 600}) {
    for (const Index columns : {1, 9, 33, 130, 200}) {
      const auto left = draws<float>(kMost * depth, -1, 1);
      const auto w = draws<float>(depth * columns, -1, 1, 2);
      const Block<float> bias(1, columns, draws<float>(columns, -1, 1, 3));
      for (const Quantization q : {Quantization::int8, Quantization::bfloat16}) {
        const QuantizedTensor rounded(matrix_of(depth, columns), Scaled::columns, q, w.data());
        std::vector<float> expanded(as_size(kernels::kDepthBlock * k.panel));
        const auto product = [&](Index first, Index rows) {
          Block<float> out(rows, columns);
          const std::vector<float> some(left.begin() + first * depth, left.begin() + (first + rows) * depth);
          auto p = product_of(some, some, bias.data(), out, rows, depth, columns);
          p.compact = rounded.compact();
          p.expanded = expanded.data();
          k.any_product(p);
          return out.values();
        };
        const auto all = product(0, kMost);
        for (const Index rows : {1, 2, 3, 5, 8, 17}) {
          for (Index first = 0; first + rows <= kMost; first += rows) {
            const std::vector<float> expected(all.begin() + first * columns, all.begin() + (first + rows) * columns);
            CHECK(bit_difference(product(first, rows), expected) == "");
          }
        }
      }
    }
  }
}

TEST_CASE("quantized: rounding is by the definition, and rounded values stay") {
  // Columns: plain, zero, ties, huge, with a denormal, denormal alone.
  const float max = std::numeric_limits<float>::max();
  const float least = std::numeric_limits<float>::denorm_min();
  const std::vector<float> w = {0.3f, 0, 127,  max,      1,     least,      //
                                -1,   0, 0.5f, -max,     least, 3 * least,  //
                                0.7f, 0, 1.5f, 1e38f,    0,     0,          //
                                0.1f, 0, 2.5f, 3.4e-38f, -0.5f, -2 * least};
  const QuantizedTensor int8(matrix_of(4, 6), Scaled::columns, Quantization::int8, w.data());
  const std::vector<float>& scales = int8.scales();
  CHECK(scales[0] == 1.0f / 127);
  CHECK(scales[1] == 1);
  CHECK(scales[2] == 1);
  CHECK(std::isfinite(scales[3] * 127));
  CHECK(scales[5] == 1);
  std::vector<float> rounded = w;
  int8.round(rounded.data());
  for (std::size_t i = 0; i < w.size(); ++i) {
    CHECK(std::isfinite(rounded[i]));
    CHECK(std::abs(rounded[i] - w[i]) <= 0.5001f * scales[i % 6]);
  }
  CHECK(rounded[2] == 127);
  CHECK(rounded[8] == 0);   // 0.5: to even
  CHECK(rounded[14] == 2);  // 1.5
  CHECK(rounded[20] == 2);  // 2.5
  std::vector<float> again = rounded;
  int8.round(again.data());
  CHECK(bit_difference(again, rounded) == "");

  const QuantizedTensor halves(matrix_of(4, 6), Scaled::columns, Quantization::bfloat16, w.data());
  rounded = w;
  halves.round(rounded.data());
  CHECK(rounded[0] == 0x1.34p-2f);
  CHECK(rounded[3] == 0x1.fep127f);  // the largest, not infinity
  again = rounded;
  halves.round(again.data());
  CHECK(bit_difference(again, rounded) == "");

  const QuantizedTensor by_rows(matrix_of(4, 6), Scaled::rows, Quantization::int8, w.data());
  CHECK(by_rows.scales().size() == 4);
  CHECK(by_rows.compact() == nullptr);
  std::vector<float> broken = w;
  broken[7] = kNan<float>;
  const auto make = [&] {
    return QuantizedTensor(matrix_of(4, 6), Scaled::columns, Quantization::int8, broken.data()).scales().size();
  };
  CHECK(without(message_of(make), {"'w'", "not finite", "1, 1"}) == "");
}

TEST_CASE("quantized: models are near, the same for any threads and rows, in files, and not trained") {
  for (const Network& network : {mixed_network(), table_network()}) {
    for (const Quantization q : {Quantization::int8, Quantization::bfloat16}) {
      CAPTURE(name_of(q));
      const Task<float> task(203, network.features(), network.outputs());
      Model<float> model(network, 7);
      model.compile("sparse_categorical_crossentropy", "adam", {"accuracy"});
      model.fit(task.dataset("sparse_categorical_crossentropy"), {.epochs = 2});
      CHECK(model.quantization() == Quantization::none);
      const auto before = predicted(model, task, 0, task.rows());
      model.quantize(q);
      CHECK(model.quantization() == q);
      const auto after = predicted(model, task, 0, task.rows());
      CHECK(difference(after, before, 0.05) == "");
      for (const int threads : {1, 2}) {
        const Threads scope(threads);
        CHECK(bit_difference(predicted(model, task, 0, task.rows()), after) == "");
        for (const Index rows : {1, 2, 3, 9, 64}) {
          const std::vector<float> expected(after.begin() + 5 * network.outputs(),
                                            after.begin() + (5 + rows) * network.outputs());
          CHECK(bit_difference(predicted(model, task, 5, rows), expected) == "");
        }
      }
      const auto data = task.dataset("sparse_categorical_crossentropy");
      const auto scores = model.evaluate(data);
      CHECK_THROWS_AS(model.fit(data, {}), std::logic_error);
      CHECK_THROWS_AS(model.train_on_batch(data), std::logic_error);
      CHECK_THROWS_AS(model.quantize(q), std::logic_error);

      const std::vector<std::byte> bytes = model_bytes(model);
      const ModelFile file{std::span<const std::byte>(bytes)};
      CHECK(file.quantization() == q);
      const Model<float> loaded = file.model<float>();
      CHECK(loaded.quantization() == q);
      CHECK(bit_difference(loaded.parameters(), model.parameters()) == "");
      CHECK(bit_difference(predicted(loaded, task, 0, task.rows()), after) == "");
      CHECK(loaded.evaluate(data) == scores);
      CHECK(model_bytes(loaded) == bytes);

      // The same weights again change nothing; others are rounded.
      const std::vector<float> same(model.parameters().begin(), model.parameters().end());
      model.set_parameters(same);
      CHECK(bit_difference(predicted(model, task, 0, task.rows()), after) == "");
      CHECK(model_bytes(model) == bytes);
      std::vector<float> other = same;
      for (float& value : other) value *= 1.37f;
      model.set_parameters(other);
      CHECK(difference(as_double(model.parameters()), other, 0.02) == "");
      CHECK(model.quantization() == q);
    }
  }
}

TEST_CASE("quantized: gradients by inputs are those of the rounded weights") {
  const Task<float> task(9, 7, 5);
  Model<float> rounded(mixed_network(), 7);
  rounded.quantize(Quantization::bfloat16);
  Model<float> plain(mixed_network(), 7);
  plain.set_parameters(rounded.parameters());
  const auto d_out = draws<float>(9 * 5, -1, 1);
  const auto gradients = [&](const Model<float>& model) {
    std::vector<float> all(model.parameters().size() + as_size(9 * 7));
    const std::span<float> flat(all);
    model.backward(task.inputs(), {view(d_out), 5}, flat.first(model.parameters().size()),
                   {all.data() + model.parameters().size(), 9, 7});
    return all;
  };
  CHECK(bit_difference(gradients(rounded), gradients(plain)) == "");
}

TEST_CASE("quantized: what cannot be rounded is refused, and a damaged file") {
  Model<double> doubles(mixed_network(), 7);
  CHECK(without(message_of([&] { doubles.quantize(Quantization::int8); }), {"quantize", "float64", "float32"}) == "");
  Model<float> bare(Network(3, {Activate{"tanh"}}));
  CHECK(without(message_of([&] { bare.quantize(Quantization::int8); }), {"quantize", "nothing to round"}) == "");
  Model<float> model(mixed_network(), 7);
  CHECK_THROWS_AS(model.quantize(Quantization::none), std::invalid_argument);
  std::vector<float> values(model.parameters().begin(), model.parameters().end());
  values[3] = kNan<float>;
  model.set_parameters(values);
  CHECK(without(message_of([&] { model.quantize(Quantization::int8); }), {"dense/kernel", "not finite"}) == "");
  CHECK(model.quantization() == Quantization::none);

  Model<float> sound(mixed_network(), 7);
  sound.quantize(Quantization::int8);
  const std::vector<std::byte> bytes = model_bytes(sound);
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto damaged = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return message_of([&] { ModelFile(std::as_bytes(std::span(changed))).model<float>(); });
  };
  CHECK(damaged("\"int8\"", "\"int4\"").find("laminar.quantization") != std::string::npos);
  CHECK(damaged("\"I8\"", "\"U8\"").find("must be I8") != std::string::npos);
  CHECK(damaged("quantization.scale/dense/", "quantization.scale/denso/").find("denso") != std::string::npos);
}
