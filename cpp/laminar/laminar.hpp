// SPDX-License-Identifier: Apache-2.0
// The whole public C++ interface of laminar.
#pragma once

#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/build_info.hpp"
#include "laminar/data/row_source.hpp"
#include "laminar/files/cells.hpp"
#include "laminar/files/config.hpp"
#include "laminar/files/table.hpp"
#include "laminar/fit_many.hpp"
#include "laminar/lbfgs.hpp"
#include "laminar/model.hpp"
#include "laminar/model_file.hpp"
#include "laminar/own_parts.hpp"
#include "laminar/threads/parallel.hpp"
#include "laminar/training/perceptron.hpp"
