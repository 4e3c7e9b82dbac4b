"""Channel models. Generating a realisation of the fading and applying it to samples are two things.

The convention everywhere: a channel use is one complex symbol; unit average transmit power; E|h|^2 = 1; SNR
is average received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.

The emulator runs `fading`, `realisation`, `normals` and `noise` (NumPy only); training runs the same formulas
on tensors, with gradients, from `differentiable` (PyTorch), which nothing here imports.
"""
