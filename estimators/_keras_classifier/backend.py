"""The start of Keras and of its backend, which `KerasClassifier` puts off until it needs them."""

from __future__ import annotations

import contextlib
from typing import Any


def start_keras(n_jobs: int | None) -> Any:
    """Import Keras and start TensorFlow, where it is Keras's backend, with `n_jobs` threads."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        threads = n_jobs if n_jobs and n_jobs > 0 else 0  # 0: as many as there are cores
        with contextlib.suppress(RuntimeError):  # it runs already, and keeps the threads it has
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.get_logger().setLevel("ERROR")  # it would warn that every network is compiled anew
    return keras
