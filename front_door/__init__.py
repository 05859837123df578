"""Korean names, word spacing and sentiment, inside the Hugging Face ecosystem."""
