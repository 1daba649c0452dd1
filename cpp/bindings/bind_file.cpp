// SPDX-License-Identifier: Apache-2.0
// Files: models with what Python attaches to them, and plain tensors.
#include <bit>
#include <system_error>

#include "arrays.hpp"
#include "bindings.hpp"
#include "interrupts.hpp"
#include "shared_model.hpp"

#include "laminar/base/printable.hpp"
#include "laminar/files/atomic_file.hpp"
#include "laminar/files/config.hpp"
#include "laminar/model_file.hpp"

namespace laminar::bindings {
namespace {

using Texts = std::map<std::string, std::string>;

struct ArrayType {
  const char* name;   // in files
  const char* dtype;  // NumPy's
};
constexpr ArrayType kArrayTypes[] = {{"F64", "float64"}, {"F32", "float32"}, {"F16", "float16"}, {"I64", "int64"},
                                     {"I32", "int32"},   {"I16", "int16"},   {"I8", "int8"},     {"U64", "uint64"},
                                     {"U32", "uint32"},  {"U16", "uint16"},  {"U8", "uint8"},    {"BOOL", "bool"},
                                     {"BF16", "float32"}};  // which NumPy lacks: widened, exactly

/// {name: array} as tensors that refer to the arrays' memory.
std::vector<NamedTensor> tensors_of(const py::dict& arrays) {
  std::vector<NamedTensor> tensors;
  for (const auto& [key, value] : arrays) {
    const auto name = key.cast<std::string>();
    if (!py::isinstance<py::array>(value)) throw py::type_error("'" + name + "': expected a NumPy array");
    const auto array = py::reinterpret_borrow<py::array>(value);
    const auto dtype = py::str(array.dtype()).cast<std::string>();
    const auto type = std::find_if(std::begin(kArrayTypes), std::end(kArrayTypes),
                                   [&](const ArrayType& t) { return dtype == t.dtype; });
    if (type == std::end(kArrayTypes)) throw py::type_error("'" + name + "': files have no dtype " + dtype);
    if ((array.flags() & static_cast<int>(py::array::c_style)) == 0)
      fail("'", name, "': expected a C-contiguous array");
    const auto* bytes = static_cast<const std::byte*>(array.data());
    tensors.push_back({name, type->name, shape_of(array), {bytes, static_cast<std::size_t>(array.nbytes())}});
  }
  return tensors;
}

/// A tensor of a file as a new array; `read` fills the bytes that it is given with the tensor's.
template <typename Read>
py::array array_of(const StoredTensor& tensor, const Read& read) {
  const auto type = std::find_if(std::begin(kArrayTypes), std::end(kArrayTypes),
                                 [&](const ArrayType& t) { return tensor.dtype == t.name; });
  if (type == std::end(kArrayTypes)) fail("tensor '", tensor.name, "' has dtype ", tensor.dtype, ", which NumPy lacks");
  py::array array(py::dtype(type->dtype), std::vector<py::ssize_t>(tensor.shape.begin(), tensor.shape.end()));
  const std::span<std::byte> bytes(static_cast<std::byte*>(array.mutable_data()),
                                   static_cast<std::size_t>(array.nbytes()));
  if (tensor.dtype != "BF16") {
    read(tensor, bytes);
  } else {
    std::vector<std::uint16_t> halves(bytes.size() / sizeof(float));
    read(tensor, std::as_writable_bytes(std::span(halves)));
    auto* out = static_cast<float*>(array.mutable_data());
    for (const std::uint16_t half : halves) *out++ = std::bit_cast<float>(std::uint32_t{half} << 16);
  }
  return array;
}

SaveOptions save_options(bool training, const Texts& texts, const py::dict& arrays) {
  return {training, {texts, tensors_of(arrays)}};
}

/// (model, texts, {name: array})
py::tuple loaded(const ModelFile& file) {
  const StopScope scope(raise_interrupts);
  py::dict arrays;
  const auto read = [&](const StoredTensor& tensor, std::span<std::byte> to) { file.read(tensor, to); };
  for (const StoredTensor& tensor : file.attached()) arrays[py::str(tensor.name)] = array_of(tensor, read);
  Texts texts;
  for (const auto& [key, text] : file.header().metadata) {
    if (!key.starts_with("laminar.")) texts.emplace(key, text);
  }
  py::object model = file.dtype() == "float32" ? py::cast(SharedModel<float>(file.model<float>()))
                                               : py::cast(SharedModel<double>(file.model<double>()));
  return py::make_tuple(model, texts, arrays);
}

py::tuple load_bytes(const py::bytes& bytes) {
  const auto view = static_cast<std::string_view>(bytes);
  return loaded(ModelFile(std::as_bytes(std::span(view.data(), view.size()))));
}

py::tuple read_safetensors(const std::filesystem::path& path) {
  const ByteSource source = file_source(path);
  const SafetensorsHeader header = read_safetensors_header(source);
  const auto read = [&](const StoredTensor& tensor, std::span<std::byte> to) {
    source.read(header.data + tensor.begin, to);
  };
  py::dict arrays;
  for (const StoredTensor& tensor : header.tensors) arrays[py::str(tensor.name)] = array_of(tensor, read);
  return py::make_tuple(arrays, header.metadata);
}

/// A file that is open: what is asked of it one after the other is of the same bytes.
class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path)
      : name_(std::string("'").append(path.string()).append("'")), source_(file_source(path)) {}

  std::uint64_t size() const { return source_.size; }
  /// Metadata, and (name, dtype, shape) of each tensor, without reading any of them.
  py::tuple safetensors() const {
    const SafetensorsHeader header = read_safetensors_header(source_);
    py::list tensors;
    for (const StoredTensor& tensor : header.tensors) {
      tensors.append(py::make_tuple(tensor.name, tensor.dtype, py::tuple(py::cast(tensor.shape))));
    }
    return py::make_tuple(header.metadata, tensors);
  }
  py::tuple model() const { return loaded(ModelFile(name_, source_)); }
  /// Fills an array with the bytes from an offset on.
  void read(std::uint64_t offset, py::array array) const {
    if ((array.flags() & static_cast<int>(py::array::c_style)) == 0) fail("read: expected a C-contiguous array");
    const std::span<std::byte> to(static_cast<std::byte*>(array.mutable_data()),
                                  static_cast<std::size_t>(array.nbytes()));
    const Unlocked unlocked;
    source_.read(offset, to);
  }

 private:
  std::string name_;
  ByteSource source_;
};

void write_safetensors(const std::filesystem::path& path, const py::dict& arrays, const Texts& metadata) {
  std::string header;
  const StopScope scope(raise_interrupts);
  write_atomically(path, safetensors_pieces(tensors_of(arrays), metadata, header));
}

void write_file(const std::filesystem::path& path, const py::bytes& content) {
  const auto view = static_cast<std::string_view>(content);
  const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(view.data(), view.size()))};
  const StopScope scope(raise_interrupts);
  write_atomically(path, pieces);
}

template <typename T>
void bind_saving(py::module_& module) {
  module.def(
      "save_model",
      [](const SharedModel<T>& shared, const std::filesystem::path& path, bool training, const Texts& texts,
         const py::dict& arrays) {
        const SaveOptions options = save_options(training, texts, arrays);
        const auto held = shared.reading("save");
        unlocked([&] { save_model(held->model, path, options); });
      },
      py::arg("model"), py::arg("path"), py::arg("training"), py::arg("texts"), py::arg("arrays"));
  module.def(
      "model_bytes",
      [](const SharedModel<T>& shared, bool training, const Texts& texts, const py::dict& arrays) {
        const StopScope scope(raise_interrupts);
        const auto held = shared.reading("save");
        const std::vector<std::byte> bytes = model_bytes(held->model, save_options(training, texts, arrays));
        return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      },
      py::arg("model"), py::arg("training"), py::arg("texts"), py::arg("arrays"));
}

}  // namespace

void bind_file(py::module_& module) {
  py::register_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::system_error& e) {  // becomes the subclass of OSError that fits the number
      const py::object arguments = py::make_tuple(e.code().value(), e.what());
      PyErr_SetObject(PyExc_OSError, arguments.ptr());
    } catch (const Stopped&) {  // what a callback called while fit was interrupted
      PyErr_SetNone(PyExc_KeyboardInterrupt);
    } catch (const std::invalid_argument& e) {  // what it is about may be called anything
      PyErr_SetString(PyExc_ValueError, printable(e.what()).c_str());
    }
  });
  bind_saving<float>(module);
  bind_saving<double>(module);
  module.def("load_model", [](const std::filesystem::path& path) { return loaded(ModelFile(path)); }, py::arg("path"));
  module.def("load_model_bytes", &load_bytes, py::arg("bytes"));
  module.def("read_safetensors", &read_safetensors, py::arg("path"));
  py::class_<OpenFile>(module, "OpenFile")
      .def(py::init<const std::filesystem::path&>(), py::arg("path"))
      .def_property_readonly("size", &OpenFile::size)
      .def("safetensors", &OpenFile::safetensors)
      .def("model", &OpenFile::model)
      .def("read", &OpenFile::read, py::arg("offset"), py::arg("array"));
  module.def(
      "printable", [](const py::bytes& text) { return printable(static_cast<std::string_view>(text)); },
      py::arg("text"));
  module.def("write_safetensors", &write_safetensors, py::arg("path"), py::arg("arrays"), py::arg("metadata"));
  module.def("write_file", &write_file, py::arg("path"), py::arg("content"));
  module.def(
      "canonical_network", [](const std::string& config) { return to_json(network_from_json(config)); },
      py::arg("config"));
  module.def(
      "tensor_shapes",
      [](const std::string& config) {
        const Network network = network_from_json(config);
        std::vector<Shape> shapes;
        for (const Tensor& tensor : network.parameters().tensors()) shapes.push_back(tensor.shape);
        return shapes;
      },
      py::arg("config"));
}

}  // namespace laminar::bindings
