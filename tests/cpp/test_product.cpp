// SPDX-License-Identifier: Apache-2.0
// The three products of every table. On whole numbers the sums are exact, so results are compared
// bit for bit; on others only with themselves, as the order of a sum must not depend on the tile.
#include "laminar/catalogue/activation.hpp"
#include "products.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// left (rows x depth) * w (depth x columns) + bias by the definition.
template <typename T>
std::vector<T> exact_product(const std::vector<T>& left, const std::vector<T>& w, const T* bias, Index rows,
                             Index depth, Index columns) {
  std::vector<T> out(as_size(rows * columns));
  for (Index i = 0; i < rows; ++i) {
    T* row = out.data() + i * columns;
    for (Index j = 0; bias != nullptr && j < columns; ++j) row[j] = bias[j];
    for (Index k = 0; k < depth; ++k) {
      for (Index j = 0; j < columns; ++j) row[j] += left[as_size(i * depth + k)] * w[as_size(k * columns + j)];
    }
  }
  return out;
}

/// Elementwise activations: those that a product may end with.
std::vector<Activation> elementwise() {
  std::vector<Activation> all;
  for (const Activation& f : variants<Activation>(activation_family())) {
    if (!f.row_wise()) all.push_back(f);
  }
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("product: exact on whole numbers at every size, nothing written past the padding", T, float,
                   double) {
  for (const Index rows : kBatches) {
    for (const Index depth : kSizes) {
      const auto left = whole_numbers<T>(rows * depth, 4);
      for (const Index columns : kSizes) {
        const auto w = whole_numbers<T>(depth * columns, 4, 2);
        const Block<T> bias(1, columns, whole_numbers<T>(columns, 9, 3));
        const T* start = (depth + columns) % 3 == 0 ? nullptr : bias.data();
        const auto expected = exact_product(left, w, start, rows, depth, columns);
        for_each_table<T>([&](const kernels::Kernels<T>& k) {
          CAPTURE(rows);
          CAPTURE(depth);
          CAPTURE(columns);
          Block<T> out(rows, columns);
          const auto right = packed(k, w, depth, columns);
          auto p = product_of(left, right, start, out, rows, depth, columns);
          k.product(p);
          CHECK(bit_difference(out.values(), expected) == "");
          CHECK(out.intact());
          std::vector<T> tiles(as_size(kernels::tiles_size(rows)));
          p.tiles = tiles.data();
          k.product(p);
          CHECK(bit_difference(out.values(), expected) == "");
          CHECK(out.intact());
        });
      }
    }
  }
}

TEST_CASE_TEMPLATE("product: a row is the same bits among any number of rows", T, float, double) {
  constexpr Index kMost = 33;
  for (const Index depth : {1, 17, 65, 300}) {
    for (const Index columns : {1, 9, 33, 64}) {
      const auto left = draws<T>(kMost * depth, -1, 1);
      const auto w = draws<T>(depth * columns, -1, 1, 2);
      for_each_table<T>([&](const kernels::Kernels<T>& k) {
        const auto right = packed(k, w, depth, columns);
        Block<T> all(kMost, columns);
        k.product(product_of(left, right, nullptr, all, kMost, depth, columns));
        const auto expected = all.values();
        for (Index first = 0; first < kMost; first += 7) {
          for (Index rows = 1; first + rows <= kMost; ++rows) {
            Block<T> out(rows, columns);
            auto p = product_of(left, right, nullptr, out, rows, depth, columns);
            p.left += first * depth;
            k.product(p);
            const auto part = view(expected).subspan(as_size(first * columns), as_size(rows * columns));
            CHECK(bit_difference(view(out.values()), part) == "");
          }
        }
      });
    }
  }
}

TEST_CASE_TEMPLATE("product: the same bits from tiles, over several blocks of depth", T, float, double) {
  for (const Index rows : {1, 5, 16, 33, 64}) {
    for (const Index depth : {511, 512, 513, 1030}) {
      const Index columns = 40;
      const auto left = draws<T>(rows * depth, -1, 1);
      const auto w = draws<T>(depth * columns, -1, 1, 2);
      for_each_table<T>([&](const kernels::Kernels<T>& k) {
        CAPTURE(rows);
        CAPTURE(depth);
        const auto right = packed(k, w, depth, columns);
        Block<T> expected(rows, columns);
        Block<T> out(rows, columns);
        auto p = product_of(left, right, nullptr, expected, rows, depth, columns);
        k.product(p);
        std::vector<T> tiles(as_size(kernels::tiles_size(rows)));
        p.tiles = tiles.data();
        p.out = out.data();
        k.product(p);
        CHECK(bit_difference(out.values(), expected.values()) == "");
      });
    }
  }
}

TEST_CASE_TEMPLATE("product: a column is the same bits among any number of columns", T, float, double) {
  constexpr Index kMost = 65;
  constexpr Index kRows = 15;
  const Index depth = 40;
  const auto left = draws<T>(kRows * depth, -1, 1);
  const auto w = draws<T>(depth * kMost, -1, 1, 2);
  for_each_table<T>([&](const kernels::Kernels<T>& k) {
    Block<T> all(kRows, kMost);
    k.product(product_of(left, packed(k, w, depth, kMost), nullptr, all, kRows, depth, kMost));
    for (Index columns = 1; columns < kMost; ++columns) {
      std::vector<T> part(as_size(k.packed_size(depth, columns)));
      k.pack(w.data(), kMost, depth, columns, part.data());
      Block<T> out(kRows, columns);
      k.product(product_of(left, part, nullptr, out, kRows, depth, columns));
      bool same = true;
      for (Index i = 0; i < kRows * columns; ++i) {
        same = same && same_bits(out(i / columns, i % columns), all(i / columns, i % columns));
      }
      CHECK(same);
    }
  });
}

TEST_CASE_TEMPLATE("product: an epilogue gives the bits of the product followed by the activation", T, float, double) {
  for (const Activation& f : elementwise()) {
    CAPTURE(std::string(f.name()));
    const auto parameters = f.values_as<T>();
    for (const Index depth : {3, 300}) {
      for (const Index columns : {1, 17, 33, 64}) {
        constexpr Index kRows = 19;
        const auto left = draws<T>(kRows * depth, -1, 1);
        const auto w = draws<T>(depth * columns, -0.5, 0.5, 2);
        const Block<T> values(kRows, columns, draws<T>(kRows * columns, -0.9, 0.9, 3));
        for_each_table<T>([&](const kernels::Kernels<T>& k) {
          const auto right = packed(k, w, depth, columns);
          Block<T> plain(kRows, columns);
          k.product(product_of(left, right, nullptr, plain, kRows, depth, columns));
          Block<T> slopes = plain;
          kernels::ActivationRows<T> rows{f.kernel(),   parameters.data(), plain.data(), plain.stride(),
                                          plain.data(), plain.stride(),    kRows,        columns};
          k.activate(rows);
          rows.in = values.data();
          rows.in_stride = values.stride();
          rows.out = slopes.data();
          k.activation_gradient(rows);

          Block<T> out(kRows, columns);
          auto p = product_of(left, right, nullptr, out, kRows, depth, columns);
          p.activation = f.kernel();
          p.activation_parameters = parameters.data();
          p.epilogue = k.activate;
          k.product(p);
          CHECK(bit_difference(out.values(), plain.values()) == "");
          CHECK(out.intact());
          p.epilogue = k.activation_gradient;
          p.values = values.data();
          p.values_stride = values.stride();
          k.product(p);
          CHECK(bit_difference(out.values(), slopes.values()) == "");
          CHECK(out.intact());
        });
      }
    }
  }
}

TEST_CASE_TEMPLATE("weight gradient: exact on whole numbers at every size of a block", T, float, double) {
  for_each_table<T>([](const kernels::Kernels<T>& k) {
    for (const Index rows : {1, 2, 33, 300, 600}) {
      for (const Index in : {1, 2, 6, 7, 13, 14, 15, 16, 29, 32, 45, 64}) {
        if (rows == 600 && in != 13 && in != 64) continue;  // two blocks of depth, two kinds of tiles
        const auto left = whole_numbers<T>(rows * in, 4);
        const Block<T> apart(rows, in, left);
        std::vector<T> tiles(as_size(rows * in));
        k.tiles_of_columns(apart.data(), apart.stride(), rows, in, tiles.data());
        for (Index out = 1; out <= k.panel; ++out) {
          CAPTURE(rows);
          CAPTURE(in);
          CAPTURE(out);
          const auto values = whole_numbers<T>(rows * out, 4, 2);
          const Block<T> delta(rows, out, values);
          Block<T> gradient(in, out);
          k.weight_gradient(
              {left.data(), in, delta.data(), delta.stride(), rows, in, out, gradient.data(), gradient.stride()});
          const auto expected = exact_product<T>(transposed(left, rows, in), values, nullptr, in, rows, out);
          CHECK(bit_difference(gradient.values(), expected) == "");
          CHECK(gradient.intact());
          k.weight_gradient({nullptr, 0, delta.data(), delta.stride(), rows, in, out, gradient.data(),
                             gradient.stride(), nullptr, tiles.data()});
          CHECK(bit_difference(gradient.values(), expected) == "");
          CHECK(gradient.intact());
        }
      }
    }
  });
}

TEST_CASE_TEMPLATE("weight gradient: an element is the same bits in any block", T, float, double) {
  for_each_table<T>([](const kernels::Kernels<T>& k) {
    const Index rows = 290;
    const Index in = k.panel;
    const auto left = draws<T>(rows * in, -1, 1);
    const Block<T> delta(rows, k.panel, draws<T>(rows * k.panel, -1, 1, 2));
    Block<T> whole(in, k.panel);
    k.weight_gradient({left.data(), in, delta.data(), delta.stride(), rows, in, k.panel, whole.data(), whole.stride()});
    for (Index count = 1; count < in; ++count) {
      Block<T> part(count, count);
      k.weight_gradient(
          {left.data(), in, delta.data(), delta.stride(), rows, count, count, part.data(), part.stride()});
      bool same = true;
      for (Index i = 0; i < count * count; ++i) {
        same = same && same_bits(part(i / count, i % count), whole(i / count, i % count));
      }
      CHECK(same);
    }
    for (Index out = 1; out <= k.panel; ++out) {  // few outputs are summed with inputs as lanes
      Block<T> narrow(in, out);
      k.weight_gradient({left.data(), in, delta.data(), delta.stride(), rows, in, out, narrow.data(), narrow.stride()});
      bool same = true;
      for (Index i = 0; i < in * out; ++i) same = same && same_bits(narrow(i / out, i % out), whole(i / out, i % out));
      CHECK(same);
    }
  });
}

TEST_CASE_TEMPLATE("weight gradient: rows without gaps are whole where the last panel comes first", T, float, double) {
  for_each_table<T>([](const kernels::Kernels<T>& k) {
    for (const Index rows : {5, 600}) {
      for (const Index out : {k.panel + 1, k.panel + k.lanes - 1, 2 * k.panel - 1, 5 * k.panel + 3}) {
        constexpr Index kIn = 29;
        CAPTURE(rows);
        CAPTURE(out);
        const auto left = whole_numbers<T>(rows * kIn, 4);
        const auto values = whole_numbers<T>(rows * out, 4, 2);
        const Block<T> delta(rows, out, values);
        std::vector<T> gradient(as_size(kIn * out + k.lanes + 1), kNan<T>);
        for (Index j = (out - 1) / k.panel * k.panel; j >= 0; j -= k.panel) {
          k.weight_gradient({left.data(), kIn, delta.data() + j, delta.stride(), rows, kIn, std::min(k.panel, out - j),
                             gradient.data() + j, out});
        }
        const auto expected = exact_product<T>(transposed(left, rows, kIn), values, nullptr, kIn, rows, out);
        CHECK(bit_difference(view(gradient).first(expected.size()), view(expected)) == "");
        CHECK(std::isnan(gradient.back()));
      }
    }
  });
}

TEST_CASE_TEMPLATE("pack: panels hold their columns row by row, zero in the rest of the last vector", T, float,
                   double) {
  for_each_table<T>([](const kernels::Kernels<T>& k) {
    CHECK(k.panel == 2 * k.lanes);
    for (const Index depth : {1, 2, 7, 16, 33, 65}) {
      for (const Index columns : kSizes) {
        CAPTURE(depth);
        CAPTURE(columns);
        const auto w = draws<T>(depth * columns, -1, 1);
        std::vector<T> expected;
        for (Index first = 0; first < columns; first += k.panel) {
          const Index width = std::min(k.panel, (columns - first + k.lanes - 1) / k.lanes * k.lanes);
          for (Index i = 0; i < depth; ++i) {
            for (Index j = first; j < first + width; ++j) {
              expected.push_back(j < columns ? w[as_size(i * columns + j)] : T(0));
            }
          }
        }
        CHECK(static_cast<Index>(expected.size()) == k.packed_size(depth, columns));
        CHECK(bit_difference(packed(k, w, depth, columns), expected) == "");

        std::vector<T> panels(expected.size());
        k.pack_transposed(transposed(w, depth, columns).data(), depth, columns, depth, panels.data());
        CHECK(bit_difference(panels, expected) == "");
      }
    }
  });
}

TEST_CASE_TEMPLATE("to_panels: rows in two parts make the panels that packing makes", T, float, double) {
  for_each_table<T>([](const kernels::Kernels<T>& k) {
    for (const Index rows : {2, 7, 33}) {
      for (const Index columns : kSizes) {
        CAPTURE(rows);
        CAPTURE(columns);
        const auto values = draws<T>(rows * columns, -1, 1);
        Block<T> block(rows, columns, values);
        for (Index i = 0; i < rows; ++i) {
          for (Index j = columns; j < (columns + k.lanes - 1) / k.lanes * k.lanes; ++j) block(i, j) = 0;
        }
        std::vector<T> panels(as_size(k.packed_size(rows, columns)), kNan<T>);
        k.to_panels(block.data(), block.stride(), 0, 1, columns, panels.data(), rows);
        k.to_panels(block.data() + block.stride(), block.stride(), 1, rows - 1, columns, panels.data(), rows);
        CHECK(bit_difference(panels, packed(k, values, rows, columns)) == "");
      }
    }
  });
}
