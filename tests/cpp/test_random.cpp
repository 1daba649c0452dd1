// SPDX-License-Identifier: Apache-2.0
// The generator against the published vectors of Random123, and what is drawn from it.
#include "laminar/base/random.hpp"

#include <numeric>

#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

using Words = std::array<std::uint32_t, 4>;

/// Philox4x32-10 of a counter and a key: the stream takes the counter apart into index, stream and
/// step, and the purpose stands in the top byte of the stream.
Words philox(const Words& counter, std::uint32_t key0, std::uint32_t key1) {
  const std::uint32_t item = counter[2] ^ (static_cast<std::uint32_t>(Purpose::shuffle) << 24);
  const std::uint64_t seed = (std::uint64_t{key1} << 32) | key0;
  return RandomStream(seed, Purpose::shuffle, item, counter[3]).words((std::uint64_t{counter[1]} << 32) | counter[0]);
}

const RandomStream kStream(7, Purpose::initializer, 2, 0);

}  // namespace

TEST_CASE("random: known answers of Philox4x32-10") {
  constexpr std::uint32_t kOnes = 0xffffffff;
  CHECK(philox({0, 0, 0, 0}, 0, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({kOnes, kOnes, kOnes, kOnes}, kOnes, kOnes) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random: seed, purpose, item, step and index each make another draw") {
  const auto word = [](std::uint64_t seed, Purpose purpose, std::uint32_t item, std::uint32_t step,
                       std::uint64_t index) { return RandomStream(seed, purpose, item, step).words(index); };
  const Words base = word(1, Purpose::dropout, 1, 1, 1);
  CHECK(word(1, Purpose::dropout, 1, 1, 1) == base);
  CHECK(word(2, Purpose::dropout, 1, 1, 1) != base);
  CHECK(word(1 + (std::uint64_t{1} << 32), Purpose::dropout, 1, 1, 1) != base);
  CHECK(word(1, Purpose::shuffle, 1, 1, 1) != base);
  CHECK(word(1, Purpose::initializer, 1, 1, 1) != base);
  CHECK(word(1, Purpose::dropout, 2, 1, 1) != base);
  CHECK(word(1, Purpose::dropout, 1, 2, 1) != base);
  CHECK(word(1, Purpose::dropout, 1, 1, 2) != base);
  CHECK(word(1, Purpose::dropout, 1, 1, 1 + (std::uint64_t{1} << 32)) != base);
}

TEST_CASE("random: uniform numbers are these bits on every machine") {
  CHECK(kStream.uniform(0) == 0x1.d2a603247b2f9p-1);
  CHECK(kStream.uniform(1) == 0x1.4f1615a9a3e86p-2);
  CHECK(kStream.uniform(2) == 0x1.ebc967d7616c2p-2);
}

TEST_CASE("random: uniform numbers fill (0, 1) evenly") {
  constexpr int kDraws = 100'000;
  constexpr std::size_t kBins = 50;
  std::array<int, kBins> bins{};
  double sum = 0;
  double products = 0;
  double before = 0.5;
  for (int i = 0; i < kDraws; ++i) {
    const double u = kStream.uniform(static_cast<std::uint64_t>(i));
    REQUIRE((u > 0 && u < 1));
    ++bins[static_cast<std::size_t>(u * kBins)];
    sum += u;
    products += (u - 0.5) * (before - 0.5);
    before = u;
  }
  double chi_square = 0;
  for (const int n : bins) chi_square += std::pow(n - kDraws / double{kBins}, 2) / (kDraws / double{kBins});
  CHECK(chi_square < 94);  // 49 degrees of freedom: one in 10,000
  CHECK(std::abs(sum / kDraws - 0.5) < 4 * 0.2887 / std::sqrt(kDraws));
  CHECK(std::abs(products / kDraws) < 4 / 12.0 / std::sqrt(kDraws));  // neighbours do not know each other
}

TEST_CASE("random: quantiles of the normal distribution") {
  CHECK(normal_quantile(0.5) == 0);
  CHECK(normal_quantile(0.975) == doctest::Approx(1.959963984540054).epsilon(1e-15));
  CHECK(normal_quantile(0.001) == doctest::Approx(-3.090232306167813).epsilon(1e-15));
  CHECK(normal_quantile(1e-10) == doctest::Approx(-6.361340902404056).epsilon(1e-15));
  CHECK(normal_quantile(1e-20) == doctest::Approx(-9.262340089798408).epsilon(1e-15));
  for (const double p : {0x1p-53, 1e-9, 0.01, 0.074, 0.0751, 0.2, 0.25, 0.4999}) {
    const long double z = normal_quantile(p);
    const auto back = static_cast<double>(0.5L * std::erfc(-z / std::sqrt(2.0L)));
    // p' = density: an error of one unit in z moves p by z^2 units
    CHECK(std::abs(back / p - 1) < 1e-15 * (4 + static_cast<double>(z * z)));
  }
  for (const double p : {0x1p-30, 0.0625, 0.25, 0.375}) CHECK(normal_quantile(1 - p) == -normal_quantile(p));
  double before = -std::numeric_limits<double>::infinity();
  for (double p = 0x1p-20; p < 1; p += 0x1p-12) {
    CHECK(normal_quantile(p) > before);
    before = normal_quantile(p);
  }
}

TEST_CASE("random: quantiles are these bits on every machine") {
  CHECK(normal_quantile(0.4) == -0x1.036d6c4a04b5ap-2);  // one for each of the three intervals
  CHECK(normal_quantile(0.025) == -0x1.f5c0331eeff83p+0);
  CHECK(normal_quantile(0x1p-52) == -0x1.04074bdbf8864p+3);
}

TEST_CASE("random: a permutation has every number once") {
  for (const Index size : {0, 1, 2, 3, 100, 1000}) {
    std::vector<Index> order(as_size(size));
    fill_permutation(kStream, order);
    std::sort(order.begin(), order.end());
    std::vector<Index> expected(as_size(size));
    std::iota(expected.begin(), expected.end(), Index{0});
    CHECK(order == expected);
  }
}

TEST_CASE("random: all permutations of 4 are equally likely, and epochs differ") {
  constexpr int kDraws = 24'000;
  std::array<int, 256> seen{};
  for (std::uint32_t epoch = 0; epoch < kDraws; ++epoch) {
    std::array<Index, 4> order{};
    fill_permutation(RandomStream(3, Purpose::shuffle, 0, epoch), order);
    ++seen[static_cast<std::size_t>(((order[0] * 4 + order[1]) * 4 + order[2]) * 4 + order[3])];
  }
  double chi_square = 0;
  int kinds = 0;
  for (const int n : seen) {
    kinds += n > 0 ? 1 : 0;
    if (n > 0) chi_square += (n - 1000.0) * (n - 1000.0) / 1000;
  }
  CHECK(kinds == 24);
  CHECK(chi_square < 57);  // 23 degrees of freedom: one in 10,000
}
