// SPDX-License-Identifier: Apache-2.0
// Products of bfloat16 against the definition: operands rounded here, by bits, and summed pair by pair, the
// second number first. Products of two bfloat16 are exact in float, so all tables have the same sums.
#include "products.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

using FloatKernels = kernels::Kernels<float>;

template <typename Work>
void for_each_table_of_pairs(const Work& work) {
  for (const std::string& isa : kernels::available_isas()) {
    CAPTURE(isa);
    work(kernels::kernels_for<float>(isa, ProductPrecision::bfloat16));
  }
}

std::uint32_t bits_of(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits;
}

float float_of(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

/// The nearest bfloat16, ties to even; NaN stays, denormals are zero.
float rounded(float x) {
  const std::uint32_t bits = bits_of(x);
  if (std::isnan(x)) return float_of((bits | 0x400000U) & 0xffff0000U);
  if (std::abs(x) < std::numeric_limits<float>::min()) return float_of(bits & 0x80000000U);
  const std::uint32_t below = bits & 0xffff0000U;
  const std::uint32_t rest = bits & 0xffffU;
  const bool up = rest > 0x8000U || (rest == 0x8000U && (below & 0x10000U) != 0);
  return float_of(up ? below + 0x10000U : below);
}

float pair_of(float first, float second) {
  return float_of((bits_of(rounded(second)) & 0xffff0000U) | bits_of(rounded(first)) >> 16);
}

/// left (rows x depth) * w (depth x columns) + bias.
std::vector<float> product_of_pairs(const std::vector<float>& left, const std::vector<float>& w, const float* bias,
                                    Index rows, Index depth, Index columns) {
  std::vector<float> out;
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      float sum = bias != nullptr ? bias[j] : 0;
      const auto add = [&](Index k) {
        if (k < depth) sum += rounded(left[as_size(i * depth + k)]) * rounded(w[as_size(k * columns + j)]);
      };
      for (Index k = 0; k < depth; k += 2) {
        add(k + 1);
        add(k);
      }
      out.push_back(sum);
    }
  }
  return out;
}

std::vector<float> panels_of(const FloatKernels& k, const std::vector<float>& w, Index depth, Index columns) {
  std::vector<float> panels;
  for (Index first = 0; first < columns; first += k.panel) {
    const Index width = std::min(k.panel, (columns - first + k.lanes - 1) / k.lanes * k.lanes);
    for (Index i = 0; i < depth; i += 2) {
      for (Index j = first; j < first + width; ++j) {
        const auto at = [&](Index row) { return row < depth && j < columns ? w[as_size(row * columns + j)] : 0.0F; };
        panels.push_back(pair_of(at(i), at(i + 1)));
      }
    }
  }
  return panels;
}

/// Numbers of all sizes, and those that rounding may get wrong: ties, ends of the range, NaN.
std::vector<float> awkward_numbers(Index n) {
  constexpr std::uint32_t kSpecial[] = {0x00000000, 0x80000000, 0x3f808000, 0x3f818000, 0xbf808000, 0x3f808001,
                                        0x3f807fff, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000,
                                        0x7f800001, 0xff812345, 0x7fffffff, 0x00000001, 0x807fffff, 0x00800000,
                                        0x80800000, 0x007f8000, 0x7f7f7fff, 0x7f7f8000};
  std::mt19937 bits(5);
  std::vector<float> values(as_size(n));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = float_of(i < std::size(kSpecial) ? kSpecial[i] : static_cast<std::uint32_t>(bits()));
  }
  return values;
}

}  // namespace

TEST_CASE("operands: pairs are two roundings, in panels of a matrix, of its transpose and of rows in parts") {
  for_each_table_of_pairs([](const FloatKernels& k) {
    CHECK(k.depths == 2);
    for (const Index depth : {1, 2, 7, 16, 33, 64, 65}) {
      for (const Index columns : kSizes) {
        CAPTURE(depth);
        CAPTURE(columns);
        const auto w = awkward_numbers(depth * columns);
        const auto expected = panels_of(k, w, depth, columns);
        CHECK(static_cast<Index>(expected.size()) == k.packed_size(depth, columns));
        CHECK(bit_difference(packed(k, w, depth, columns), expected) == "");

        std::vector<float> panels(expected.size());
        k.pack_transposed(transposed(w, depth, columns).data(), depth, columns, depth, panels.data());
        CHECK(bit_difference(panels, expected) == "");

        Block<float> block(depth, columns, w);
        for (Index i = 0; i < depth; ++i) {
          for (Index j = columns; j < (columns + k.lanes - 1) / k.lanes * k.lanes; ++j) block(i, j) = 0;
        }
        std::fill(panels.begin(), panels.end(), kNan<float>);
        const Index first = depth / 4 * 2;
        k.to_panels(block.data(), block.stride(), 0, first, columns, panels.data(), depth);
        k.to_panels(block.data() + first * block.stride(), block.stride(), first, depth - first, columns, panels.data(),
                    depth);
        CHECK(bit_difference(panels, expected) == "");
      }
    }
  });
}

TEST_CASE("operands: products of pairs have the sums of the definition at every size, in every table") {
  for (const Index rows : kBatches) {
    for (const Index depth : {1, 2, 3, 16, 17, 31, 33, 300, 1023, 1026, 2051}) {
      const auto left = draws<float>(rows * depth, -1, 1);
      for (const Index columns : kSizes) {
        if (depth > 300 && columns != 33) continue;
        const auto w = draws<float>(depth * columns, -1, 1, 2);
        const Block<float> bias(1, columns, draws<float>(columns, -1, 1, 3));
        const float* start = (depth + columns) % 3 == 0 ? nullptr : bias.data();
        const auto expected = product_of_pairs(left, w, start, rows, depth, columns);
        for_each_table_of_pairs([&](const FloatKernels& k) {
          CAPTURE(rows);
          CAPTURE(depth);
          CAPTURE(columns);
          Block<float> out(rows, columns);
          const auto right = packed(k, w, depth, columns);
          std::vector<float> tiles(as_size(kernels::tiles_size(rows)), kNan<float>);
          auto p = product_of(left, right, start, out, rows, depth, columns);
          p.tiles = tiles.data();
          k.product(p);
          CHECK(bit_difference(out.values(), expected) == "");
          CHECK(out.intact());
        });
      }
    }
  }
}

TEST_CASE("operands: gradients from pairs have the sums of the definition, and sums of their columns") {
  for_each_table_of_pairs([](const FloatKernels& k) {
    for (const Index rows : {1, 2, 33, 300, 1030}) {
      for (const Index in : {1, 2, 6, 13, 14, 15, 16, 29, 32, 64}) {
        if (rows == 1030 && in != 13) continue;
        const auto left = draws<float>(rows * in, -1, 1);
        std::vector<float> tiles(as_size(k.elements(rows) * in));
        k.tiles_of_columns(left.data(), in, rows, in, tiles.data());
        for (Index out = 1; out <= k.panel; ++out) {
          CAPTURE(rows);
          CAPTURE(in);
          CAPTURE(out);
          const auto values = draws<float>(rows * out, -1, 1, 2);
          const auto delta = packed(k, values, rows, out);
          Block<float> gradient(in, out);
          Block<float> sums(1, out);
          kernels::WeightGradient<float> g;
          g.delta = delta.data();
          g.delta_stride = out > k.lanes ? k.panel : k.lanes;
          g.rows = rows;
          g.in_count = in;
          g.out_count = out;
          g.out = gradient.data();
          g.out_stride = gradient.stride();
          g.tiles = tiles.data();
          g.sums = sums.data();
          k.weight_gradient(g);
          CHECK(bit_difference(gradient.values(),
                               product_of_pairs(transposed(left, rows, in), values, nullptr, in, rows, out)) == "");
          CHECK(bit_difference(sums.values(), product_of_pairs(std::vector<float>(as_size(rows), 1.0F), values, nullptr,
                                                               1, rows, out)) == "");
          CHECK(gradient.intact());
          CHECK(sums.intact());
        }
      }
    }
  });
}

TEST_CASE("operands: NaN and infinity go through products of pairs") {
  for_each_table_of_pairs([](const FloatKernels& k) {
    const std::vector<float> w = {1, std::numeric_limits<float>::infinity(), 2, 3, kNan<float>, 4};  // 3 x 2
    const std::vector<float> left = {1, 0, 1};
    std::vector<float> tiles(as_size(kernels::tiles_size(1)));
    const auto right = packed(k, w, 3, 2);
    Block<float> out(1, 2);
    auto p = product_of(left, right, nullptr, out, 1, 3, 2);
    p.tiles = tiles.data();
    k.product(p);
    CHECK(std::isnan(out(0, 0)));
    CHECK(out(0, 1) == std::numeric_limits<float>::infinity());
  });
}

TEST_CASE("operands: doubles have no products of bfloat16") {
  const auto message =
      message_of([] { Model<double>(Network(3, {Dense{.units = 2}}), 1, ProductPrecision::bfloat16); });
  CHECK(without(message, {"precision: products of bfloat16 are for models of float32"}) == "");
}
