// SPDX-License-Identifier: Apache-2.0
// Version, build information, the number of threads, and work beside other work.
#include "bindings.hpp"
#include "interrupts.hpp"

#include "laminar/build_info.hpp"
#include "laminar/threads/parallel.hpp"
#include "laminar/threads/side_by_side.hpp"

namespace laminar::bindings {
namespace {

/// Calls functions of Python's at the same time; interrupts end them all.
void call_side_by_side(const std::vector<py::object>& functions) {
  const py::tuple nothing;
  unlocked([&] {
    laminar::side_by_side(static_cast<Index>(functions.size()), [&](Index i) {
      const Locked lock;
      call(functions[static_cast<std::size_t>(i)], nothing);
    });
  });
}

}  // namespace

void bind_runtime(py::module_& module) {
  module.attr("__version__") = LAMINAR_VERSION;
  module.def("show_config", [] {
    const BuildInfo info = build_info();
    py::dict config;
    config["version"] = info.version;
    config["isa"] = info.isa;
    config["isas"] = info.isas;
    config["threads"] = info.threads;
    config["compiler"] = info.compiler;
    config["eigen"] = info.eigen;
    return config;
  });
  module.def("set_num_threads", &set_num_threads, py::arg("n"));
  module.def("get_num_threads", &get_num_threads);
  module.def("side_by_side", &call_side_by_side, py::arg("functions"));
}

}  // namespace laminar::bindings
