// SPDX-License-Identifier: Apache-2.0
// Version, build information and the number of threads.
#include "bindings.hpp"

#include "laminar/build_info.hpp"
#include "laminar/threads/parallel.hpp"

namespace laminar::bindings {

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
}

}  // namespace laminar::bindings
