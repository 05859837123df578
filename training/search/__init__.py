"""Search of hyper-parameters: trials of a recipe, each a training like any other, in a study on disk."""
