// SPDX-License-Identifier: Apache-2.0
// Work on whole rows, by every table: sums, products, the search for what is not finite, softmax.
#include "block.hpp"
#include "laminar/catalogue/activation.hpp"
#include "reference.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

constexpr Index kRows[] = {1, 2, 33};

}  // namespace

TEST_CASE_TEMPLATE("column sums: exact on whole numbers, padding left alone", T, float, double) {
  for (const Index rows : kRows) {
    for (const Index columns : kSizes) {
      const auto values = whole_numbers<T>(rows * columns, 100);
      std::vector<T> expected(as_size(columns));
      for (Index i = 0; i < rows * columns; ++i) expected[as_size(i % columns)] += values[as_size(i)];
      for_each_table<T>([&](const kernels::Kernels<T>& k) {
        const Block<T> block(rows, columns, values);
        Block<T> sums(1, columns);
        k.column_sums(block.data(), block.stride(), rows, columns, sums.data());
        CHECK(bit_difference(sums.values(), expected) == "");
        CHECK(sums.intact());
      });
    }
  }
}

TEST_CASE_TEMPLATE("column sums: rows are added in their order", T, float, double) {
  const T large = T(1) / std::numeric_limits<T>::epsilon() * 4;
  for_each_table<T>([&](const kernels::Kernels<T>& k) {
    const Block<T> block(3, 1, {large, T(1), -large});  // the 1 is lost in this order and in no other
    Block<T> sums(1, 1);
    k.column_sums(block.data(), block.stride(), 3, 1, sums.data());
    CHECK(sums(0, 0) == 0);
  });
}

TEST_CASE_TEMPLATE("multiply: elementwise, padding left alone", T, float, double) {
  for (const Index rows : kRows) {
    for (const Index columns : kSizes) {
      const auto a = draws<T>(rows * columns, -1, 1);
      const auto b = draws<T>(rows * columns, -1, 1, 2);
      std::vector<T> expected;
      for (std::size_t i = 0; i < a.size(); ++i) expected.push_back(a[i] * b[i]);
      for_each_table<T>([&](const kernels::Kernels<T>& k) {
        const Block<T> left(rows, columns, a);
        Block<T> right(rows, columns, b);
        Block<T> out(rows, columns);
        k.multiply(left.data(), left.stride(), right.data(), right.stride(), out.data(), out.stride(), rows, columns);
        CHECK(bit_difference(out.values(), expected) == "");
        CHECK(out.intact());
        k.multiply(left.data(), left.stride(), right.data(), right.stride(), right.data(), right.stride(), rows,
                   columns);
        CHECK(bit_difference(right.values(), expected) == "");
      });
    }
  }
}

TEST_CASE_TEMPLATE("gather: rows in any order, or as they stand, nothing else written", T, float, double) {
  for (const Index columns : kSizes) {
    CAPTURE(columns);
    const auto values = draws<T>(5 * columns, -1, 1);
    const std::vector<Index> order = {3, 0, 0, 4};
    for_each_table<T>([&](const kernels::Kernels<T>& k) {
      for (const bool shuffled : {false, true}) {
        std::vector<T> expected;
        for (Index i = 0; i < 4; ++i) {
          const auto from = values.begin() + (shuffled ? order[as_size(i)] : i) * columns;
          expected.insert(expected.end(), from, from + columns);
        }
        Block<T> out(4, columns);
        k.gather(values.data(), columns, shuffled ? order.data() : nullptr, 4, out.data(), out.stride());
        CHECK(bit_difference(out.values(), expected) == "");
        CHECK(out.intact());
      }
    });
  }
}

TEST_CASE_TEMPLATE("all_finite: finds one bad value wherever it stands, and reads no further", T, float, double) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  for_each_table<T>([&](const kernels::Kernels<T>& k) {
    for (const Index n : kSizes) {
      std::vector<T> values(as_size(n), std::numeric_limits<T>::max());
      CHECK(k.all_finite(values.data(), n));
      for (const T bad : {kNan<T>, kInfinity, -kInfinity}) {
        for (Index at = 0; at < n; ++at) {
          values[as_size(at)] = bad;
          CHECK_FALSE(k.all_finite(values.data(), n));
          CHECK(k.all_finite(values.data(), at));
          values[as_size(at)] = std::numeric_limits<T>::denorm_min();
        }
      }
    }
  });
}

TEST_CASE_TEMPLATE("softmax: a row is the same bits among any rows, and its sum is 1", T, float, double) {
  const Activation softmax("softmax");
  constexpr Index kMost = 33;
  for (const Index columns : kSizes) {
    const auto values = draws<T>(kMost * columns, -8, 8);
    for_each_table<T>([&](const kernels::Kernels<T>& k) {
      const Block<T> z(kMost, columns, values);
      Block<T> all(kMost, columns);
      k.activate({softmax.index(), nullptr, z.data(), z.stride(), all.data(), all.stride(), kMost, columns});
      for (Index i = 0; i < kMost; ++i) {
        Block<T> one(1, columns);
        k.activate(
            {softmax.index(), nullptr, &z.data()[i * z.stride()], z.stride(), one.data(), one.stride(), 1, columns});
        double sum = 0;
        bool same = true;
        for (Index j = 0; j < columns; ++j) {
          same = same && same_bits(one(0, j), all(i, j));
          sum += static_cast<double>(one(0, j));
        }
        CHECK(same);
        CHECK(sum == doctest::Approx(1).epsilon(8 * static_cast<double>(std::numeric_limits<T>::epsilon())));
      }
    });
  }
}

TEST_CASE_TEMPLATE("softmax: any finite logits give a distribution, NaN and infinity give NaN", T, float, double) {
  const Activation softmax("softmax");
  constexpr T kMax = std::numeric_limits<T>::max();
  const auto row = [&](const kernels::Kernels<T>& k, const std::vector<T>& z) {
    const auto columns = static_cast<Index>(z.size());
    Block<T> block(1, columns, z);
    k.activate({softmax.index(), nullptr, block.data(), block.stride(), block.data(), block.stride(), 1, columns});
    return block.values();
  };
  for_each_table<T>([&](const kernels::Kernels<T>& k) {
    CHECK(row(k, {kMax, -kMax}) == std::vector<T>{1, 0});
    CHECK(row(k, {-kMax, -kMax}) == std::vector<T>{T(0.5), T(0.5)});
    CHECK(row(k, {T(1e30), T(-1e30), T(1e30), 0}) == std::vector<T>{T(0.5), 0, T(0.5), 0});
    CHECK(row(k, {T(-1e30)}) == std::vector<T>{1});
    for (const T bad : {kNan<T>, std::numeric_limits<T>::infinity()}) {
      for (const Index columns : {1, 5, 16, 33}) {
        for (Index at = 0; at < columns; ++at) {
          std::vector<T> z(as_size(columns), T(1));
          z[as_size(at)] = bad;
          int nans = 0;
          for (const T a : row(k, z)) nans += std::isnan(a) ? 1 : 0;
          CHECK(nans == columns);
        }
      }
    }
  });
}
