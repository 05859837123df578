"""Turn a saved model into an ONNX graph that answers without torch, and into a page that runs it in a browser."""
