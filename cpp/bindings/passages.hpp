// SPDX-License-Identifier: Apache-2.0
// Ways forward through a model that are kept for the way back. They take memory of a batch's size each, so there is a
// bound to those of a model; the one that has been used last stays for the next batch of as many rows.
//
// All is used under the interpreter's lock.
#pragma once

#include <memory>
#include <utility>

#include "laminar/execution/vjp.hpp"

namespace laminar::bindings {

template <typename T>
class Passages : public std::enable_shared_from_this<Passages<T>> {
 public:
  /// One that is in use; none where those in use would take more than the bound.
  class Taken {
   public:
    Taken() = default;
    Taken(std::shared_ptr<Passages> from, std::unique_ptr<Passage<T>> passage)
        : from_(std::move(from)), passage_(std::move(passage)), network_(from_->network_) {
      from_->taken_ += passage_->bytes();
    }
    Taken(Taken&& other) noexcept { *this = std::move(other); }
    Taken& operator=(Taken&& other) noexcept {
      std::swap(from_, other.from_);
      std::swap(passage_, other.passage_);
      std::swap(network_, other.network_);
      return *this;
    }
    ~Taken() {
      if (passage_ == nullptr) return;
      from_->taken_ -= passage_->bytes();
      if (network_ == from_->network_) from_->spare_ = std::move(passage_);
    }

    Passage<T>* get() const { return passage_.get(); }

   private:
    std::shared_ptr<Passages> from_;
    std::unique_ptr<Passage<T>> passage_;
    int network_ = 0;
  };

  Taken take(const State<T>& state, Index rows) {
    std::unique_ptr<Passage<T>> passage = std::exchange(spare_, nullptr);
    if (passage == nullptr || passage->rows() != rows) passage = std::make_unique<Passage<T>>(state, rows);
    if (taken_ + passage->bytes() > kMost) return {};
    return {this->shared_from_this(), std::move(passage)};
  }
  /// The network has other layers from now on.
  void forget() {
    ++network_;
    spare_.reset();
  }

 private:
  static constexpr Index kMost = Index{64} << 20;  // bytes

  std::unique_ptr<Passage<T>> spare_;
  Index taken_ = 0;  // bytes of those in use
  int network_ = 0;
};

}  // namespace laminar::bindings
