"""ONNX graphs of decoders, built node by node over weights in one file. Runs nothing."""
