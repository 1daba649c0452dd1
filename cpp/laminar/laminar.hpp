// SPDX-License-Identifier: Apache-2.0
// The whole public C++ interface of laminar.
#pragma once

#include "laminar/build_info.hpp"
#include "laminar/cells.hpp"
#include "laminar/config.hpp"
#include "laminar/error.hpp"
#include "laminar/lbfgs.hpp"
#include "laminar/model.hpp"
#include "laminar/model_file.hpp"
#include "laminar/parallel.hpp"
#include "laminar/perceptron.hpp"
#include "laminar/row_source.hpp"
#include "laminar/stop.hpp"
#include "laminar/table.hpp"
