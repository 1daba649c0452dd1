// SPDX-License-Identifier: Apache-2.0
// Objects of which one thread makes use at a time.
#pragma once

#include <stdexcept>

namespace laminar::bindings {

/// Refuses a second thread while the first has given up the interpreter's lock.
class Busy {
 public:
  Busy(bool& flag, const char* refusal) : flag_(flag) {
    if (flag) throw std::runtime_error(refusal);
    flag = true;
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { flag_ = false; }

 private:
  bool& flag_;
};

}  // namespace laminar::bindings
