# SPDX-License-Identifier: Apache-2.0
"""Programs that are wrong: a type checker says so at each line that expects it."""

from __future__ import annotations

import numpy as np

from laminar.sklearn import MLPClassifier, MLPRegressor, Perceptron

x, y = np.ones((4, 3)), np.ones(4)

MLPClassifier(hidden_layer_size=(3,))  # expect: call-arg
MLPClassifier(hidden_layer_sizes="wide")  # expect: arg-type
MLPClassifier(max_iter="many")  # expect: arg-type
MLPClassifier(random_state=0.5)  # expect: arg-type
MLPClassifier().fitt(x, y)  # expect: attr-defined
MLPClassifier().fit(x)  # expect: call-arg
MLPClassifier().fit(x, y).predict_prob(x)  # expect: attr-defined
MLPClassifier().partial_fit(x, y).coef_  # expect: attr-defined
MLPClassifier().predict_proba(x).lower()  # expect: attr-defined
MLPRegressor().predict_proba(x)  # expect: attr-defined
MLPRegressor().loss_.shape  # expect: attr-defined
MLPRegressor().estimators_[0].predct(x)  # expect: attr-defined
MLPRegressor().score(x, y).mean()  # expect: attr-defined
Perceptron("l2")  # expect: call-arg
Perceptron().decision_function()  # expect: call-arg
