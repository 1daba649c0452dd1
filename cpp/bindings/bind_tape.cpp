// SPDX-License-Identifier: Apache-2.0
// The way back along a tape: which computations lie on it, and what gradients they are given and give. A step of a
// small network takes no longer than this takes in Python. Values are known by their identity.
#include <unordered_map>
#include <unordered_set>

#include "bindings.hpp"

namespace laminar::bindings {
namespace {

py::object attribute(py::handle object, PyObject* name) {
  PyObject* const found = PyObject_GetAttr(object.ptr(), name);
  if (found == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(found);
}

PyObject* interned(const char* text) {
  PyObject* const made = PyUnicode_InternFromString(text);
  if (made == nullptr) throw py::error_already_set();
  return made;
}

/// A list or a tuple, as the nodes of tapes have them.
class Values {
 public:
  explicit Values(py::object sequence)
      : sequence_(py::reinterpret_steal<py::object>(PySequence_Fast(sequence.ptr(), "expected a sequence"))) {
    if (!sequence_) throw py::error_already_set();
  }
  std::size_t size() const { return static_cast<std::size_t>(PySequence_Fast_GET_SIZE(sequence_.ptr())); }
  PyObject* operator[](std::size_t i) const { return PySequence_Fast_ITEMS(sequence_.ptr())[i]; }

 private:
  py::object sequence_;
};

/// A computation on the way, and which of its inputs get a gradient.
struct Link {
  py::object node;
  Values inputs;
  Values outputs;
  std::vector<std::size_t> wanted;
};

/// The computations that lead from some values to others, in the order in which they were done.
class Way {
 public:
  Way(const py::list& nodes, std::unordered_set<PyObject*> reached) : reached_(std::move(reached)) {
    static PyObject* const inputs_name = interned("inputs");
    static PyObject* const outputs_name = interned("outputs");
    static PyObject* const applied_name = interned("applied");
    for (const py::handle node : nodes) {
      Values inputs(attribute(node, inputs_name));
      std::vector<std::size_t> wanted;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (reached_.count(inputs[i]) != 0) wanted.push_back(i);
      }
      if (wanted.empty()) continue;
      Values outputs(attribute(node, outputs_name));
      for (std::size_t i = 0; i < outputs.size(); ++i) reached_.insert(outputs[i]);
      computes_ = computes_ || !attribute(node, applied_name).is_none();
      links_.push_back(
          {py::reinterpret_borrow<py::object>(node), std::move(inputs), std::move(outputs), std::move(wanted)});
    }
  }

  const std::vector<Link>& links() const { return links_; }
  bool reaches(PyObject* value) const { return reached_.count(value) != 0; }
  /// Whether operations are on the way, which are gone through together.
  bool computes() const { return computes_; }

 private:
  std::unordered_set<PyObject*> reached_;
  std::vector<Link> links_;
  bool computes_ = false;
};

/// Gradients that add up.
class Sums {
 public:
  void add(PyObject* value, py::handle gradient) {
    if (gradient.is_none()) return;
    auto [place, fresh] = sums_.try_emplace(value, py::reinterpret_borrow<py::object>(gradient));
    if (!fresh) place->second = place->second + gradient;
  }
  py::object of(PyObject* value) const {
    const auto place = sums_.find(value);
    return place == sums_.end() ? py::object(py::none()) : place->second;
  }

 private:
  std::unordered_map<PyObject*, py::object> sums_;
};

void go_back(const Link& link, Sums& sums) {
  static PyObject* const slopes_name = interned("slopes");
  py::list d_outputs(link.outputs.size());
  bool any = false;
  for (std::size_t i = 0; i < link.outputs.size(); ++i) {
    py::object gradient = sums.of(link.outputs[i]);
    any = any || !gradient.is_none();
    d_outputs[i] = std::move(gradient);
  }
  if (!any) return;
  py::tuple wanted(link.wanted.size());
  for (std::size_t i = 0; i < link.wanted.size(); ++i) wanted[i] = link.wanted[i];
  const auto made = py::reinterpret_steal<py::object>(
      PyObject_CallMethodObjArgs(link.node.ptr(), slopes_name, d_outputs.ptr(), wanted.ptr(), nullptr));
  if (!made) throw py::error_already_set();
  const Values found(made);
  if (found.size() != link.wanted.size()) throw std::logic_error("slopes: as many as wanted");
  for (std::size_t i = 0; i < found.size(); ++i) sums.add(link.inputs[link.wanted[i]], found[i]);
}

/// The gradients by the sources, None where the targets do not depend on one; or None for all where operations are on
/// the way. `known`: by their identities the values that the tape follows.
py::object way_back(const py::list& nodes, const py::list& targets, const py::list& starts, const py::list& sources,
                    const py::dict& known) {
  std::unordered_set<PyObject*> reached;
  for (const py::handle source : sources) {
    const auto key = py::reinterpret_steal<py::object>(PyLong_FromVoidPtr(source.ptr()));
    if (known.contains(key)) reached.insert(source.ptr());
  }
  const Way way(nodes, std::move(reached));
  if (way.computes()) return py::none();
  Sums sums;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    sums.add(PyList_GET_ITEM(targets.ptr(), static_cast<py::ssize_t>(i)),
             PyList_GET_ITEM(starts.ptr(), static_cast<py::ssize_t>(i)));
  }
  for (auto link = way.links().rbegin(); link != way.links().rend(); ++link) go_back(*link, sums);
  py::list gradients(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    PyObject* const source = PyList_GET_ITEM(sources.ptr(), static_cast<py::ssize_t>(i));
    gradients[i] = way.reaches(source) ? sums.of(source) : py::object(py::none());
  }
  return gradients;
}

}  // namespace

void bind_tape(py::module_& module) {
  module.def("way_back", &way_back, py::arg("nodes"), py::arg("targets"), py::arg("starts"), py::arg("sources"),
             py::arg("known"));
}

}  // namespace laminar::bindings
