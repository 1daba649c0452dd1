// SPDX-License-Identifier: Apache-2.0
// What each layer kind provides: see pass.hpp. Internal.
#pragma once

#include "laminar/execution/pass.hpp"

namespace laminar {

template <typename T>
void forward(const Dense& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Dense& layer, int node, const Pass<T>& pass, Rows rows);
void gradient_tasks(const Dense& layer, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks);
template <typename T>
void parameter_gradient(const Dense& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink);

template <typename T>
void forward(const Activate& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Activate& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward_sums(const BatchNormalization& layer, int node, const Pass<T>& pass, Index rows, const Team& team);
template <typename T>
void forward(const BatchNormalization& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward_sums(const BatchNormalization& layer, int node, const Pass<T>& pass, Index rows, const Team& team);
template <typename T>
void backward(const BatchNormalization& layer, int node, const Pass<T>& pass, Rows rows);
void gradient_tasks(const BatchNormalization& layer, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks);
template <typename T>
void parameter_gradient(const BatchNormalization& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink);

template <typename T>
void forward(const Dropout& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Dropout& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward(const Prelu& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Prelu& layer, int node, const Pass<T>& pass, Rows rows);
void gradient_tasks(const Prelu& layer, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks);
template <typename T>
void parameter_gradient(const Prelu& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink);

template <typename T>
void forward(const Maxout& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Maxout& layer, int node, const Pass<T>& pass, Rows rows);
void gradient_tasks(const Maxout& layer, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks);
template <typename T>
void parameter_gradient(const Maxout& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink);

template <typename T>
void forward(const LayerNormalization& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const LayerNormalization& layer, int node, const Pass<T>& pass, Rows rows);
void gradient_tasks(const LayerNormalization& layer, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks);
template <typename T>
void parameter_gradient(const LayerNormalization& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink);

template <typename T>
void forward(const RmsNormalization& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const RmsNormalization& layer, int node, const Pass<T>& pass, Rows rows);
void gradient_tasks(const RmsNormalization& layer, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks);
template <typename T>
void parameter_gradient(const RmsNormalization& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink);

template <typename T>
void forward(const AlphaDropout& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const AlphaDropout& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward(const GaussianNoise& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const GaussianNoise& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward(const GaussianDropout& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const GaussianDropout& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward(const Normalization& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Normalization& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward(const Rescaling& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Rescaling& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward(const Discretization& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Discretization& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward(const CategoryEncoding& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const CategoryEncoding& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward(const Embedding& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Embedding& layer, int node, const Pass<T>& pass, Rows rows);
void gradient_tasks(const Embedding& layer, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks);
template <typename T>
void parameter_gradient(const Embedding& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink);

template <typename T>
void forward(const Slice& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Slice& layer, int node, const Pass<T>& pass, Rows rows);

template <MergeRule rule, typename T>
void forward(const Merge<rule>& layer, int node, const Pass<T>& pass, Rows rows);
template <MergeRule rule, typename T>
void backward(const Merge<rule>& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward(const Concatenate& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Concatenate& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward(const Dot& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Dot& layer, int node, const Pass<T>& pass, Rows rows);

template <typename T>
void forward(const Operations& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward(const Operations& layer, int node, const Pass<T>& pass, Rows rows);
void gradient_tasks(const Operations& layer, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks);
template <typename T>
void parameter_gradient(const Operations& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink);

template <typename T>
void forward_sums(const BatchOperations& layer, int node, const Pass<T>& pass, Index rows, const Team& team);
template <typename T>
void forward(const BatchOperations& layer, int node, const Pass<T>& pass, Rows rows);
template <typename T>
void backward_sums(const BatchOperations& layer, int node, const Pass<T>& pass, Index rows, const Team& team);
template <typename T>
void backward(const BatchOperations& layer, int node, const Pass<T>& pass, Rows rows);

}  // namespace laminar
