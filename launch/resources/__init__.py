"""What the processes of a run use: sampled while it goes on (`sampler`), summed up after it (`use`)."""
