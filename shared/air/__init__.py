"""The air as both ends know it: samples, power, pilots, equaliser. Pure functions of NumPy arrays.

The convention everywhere: a channel use is one complex symbol; unit average transmit power; E|h|^2 = 1; SNR
is average received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.
"""
