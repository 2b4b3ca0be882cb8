"""PolyID's own code under Keras 2.15. Everything here imports it from this module and from nowhere else.

Two names have moved since PolyID was written, and a path must be text; the method is not touched. One thread each:
TensorFlow's own choice, all cores, slows everything else and computes graphs of this size no faster.
"""

import logging
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from rdkit import RDLogger
from tensorflow.python.util.tf_export import keras_export

keras.keras_export = keras_export
tf.keras.optimizers.Adam = tf.keras.optimizers.legacy.Adam  # the one that knows `decay`
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
tf.keras.utils.disable_interactive_logging()
tf.get_logger().setLevel(logging.ERROR)
RDLogger.DisableLog("rdApp.*")  # a deprecation, once for each atom

from polyid.models import global100  # noqa: E402
from polyid.polyid import MultiModel  # noqa: E402
from polyid.preprocessors import PolymerPreprocessor  # noqa: E402
from polyid.preprocessors.features import atom_features_v1, bond_features_v1  # noqa: E402

from polyid import polyid  # noqa: E402

keep_best = polyid.ModelCheckpoint
polyid.ModelCheckpoint = lambda path, **settings: keep_best(str(path), **settings)

__all__ = ["MultiModel", "PolymerPreprocessor", "atom_features_v1", "bond_features_v1", "global100", "tf"]
