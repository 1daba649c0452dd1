// SPDX-License-Identifier: Apache-2.0
// Trains a network on handwritten digits and prints its test accuracy.
//   digits [--hash] python/laminar/datasets/digits.bin
// With --hash: five epochs in the settings of python/examples/digits.py --hash, and the SHA-256 of
// the weights, which is the same there.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <laminar/laminar.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "sha256.hpp"

namespace {

constexpr laminar::Index kPixels = 64;
constexpr laminar::Index kTrain = 1437;  // the first rows; the others are for testing

struct Digits {
  std::vector<float> pixels;  // 64 a row, 0 … 1
  std::vector<std::int32_t> labels;

  laminar::Dataset<float> rows(laminar::Index begin, laminar::Index end) const {
    const laminar::MatrixView<const float> x(pixels.data() + begin * kPixels, end - begin, kPixels);
    const std::span<const std::int32_t> y(labels.data() + begin, static_cast<std::size_t>(end - begin));
    return {x, y, {}};
  }
  laminar::Index count() const { return static_cast<laminar::Index>(labels.size()); }
};

/// Records of 41 bytes: 64 pixels of 5 bits, the most significant bit first, then the label.
Digits read_digits(const std::string& path) {
  constexpr std::size_t kRecord = 41;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Digits digits;
  for (std::size_t at = 0; at + kRecord <= bytes.size(); at += kRecord) {
    for (std::size_t bit = 0; bit < 320; bit += 5) {
      int pixel = 0;
      for (std::size_t b = bit; b < bit + 5; ++b) {
        pixel = pixel * 2 + (static_cast<unsigned char>(bytes[at + b / 8]) >> (7 - b % 8) & 1);
      }
      digits.pixels.push_back(static_cast<float>(pixel) / 16.0F);
    }
    digits.labels.push_back(bytes[at + kRecord - 1]);
  }
  return digits;
}

}  // namespace

int main(int argc, char** argv) try {
  const bool hash = argc > 1 && std::strcmp(argv[1], "--hash") == 0;
  if (argc != (hash ? 3 : 2)) {
    std::fprintf(stderr, "usage: digits [--hash] DIGITS.BIN\n");
    return 2;
  }
  const Digits digits = read_digits(argv[argc - 1]);

  using namespace laminar;
  const Network network(kPixels, {Dense{.units = 128, .activation = "relu"}, Dropout{.rate = 0.2},
                                  Dense{.units = 64, .activation = "relu"}, Dropout{.rate = 0.2},
                                  Dense{.units = 10, .activation = "softmax"}});
  Model<float> model(network, 7);
  model.compile("sparse_categorical_crossentropy", "adam", {"accuracy"});
  const Dataset<float> train = digits.rows(0, kTrain);
  const Dataset<float> test = digits.rows(kTrain, digits.count());
  model.fit(train, {.batch_size = 32, .epochs = hash ? 5 : 40});

  if (hash) {
    Sha256 sum;
    for (std::size_t i = 0; i < network.parameters().tensors().size(); ++i) sum.add(std::as_bytes(model.tensor(i)));
    std::printf("%s\n", sum.finish().c_str());
    return 0;
  }
  std::vector<float> outputs(static_cast<std::size_t>(test.x.rows * network.outputs()));
  model.predict(test.x, {outputs, network.outputs()});
  Index right = 0;
  for (Index i = 0; i < test.x.rows; ++i) {
    const float* row = outputs.data() + i * network.outputs();
    const auto digit = std::max_element(row, row + network.outputs()) - row;
    right += digit == test.y.labels[static_cast<std::size_t>(i)] ? 1 : 0;
  }
  std::printf("test accuracy %.4f\n", static_cast<double>(right) / static_cast<double>(test.x.rows));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "digits: %s\n", error.what());
  return 1;
}
