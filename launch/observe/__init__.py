"""Looking at a run while it goes on, or afterwards: from its folder's journal and counters, and nothing else.

    tail      what was appended to the journal since the last look
    requests  what is known of each request
    state     events folded into what there is to see: requests, processes, faults, the air
    watch     a run folder: its state, and its bytes from the ledger
    replay    the state at an earlier moment
    metrics   the numbers for Prometheus

Nothing here writes into the folder or talks to a process of the run.
"""
