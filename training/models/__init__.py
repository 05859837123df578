"""From a recipe to tokenizer and model: new ones, or those of a finished model that is trained on."""
