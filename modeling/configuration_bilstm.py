# A saved model needs its configuration file beside its modelling file. transformers copies whatever the modelling file
# imports from its own folder, so this name must exist here; saving the configuration then puts the real file in its
# place.
from malmoi.configuration.configuration_bilstm import BiLstmConfig

__all__ = ["BiLstmConfig"]
